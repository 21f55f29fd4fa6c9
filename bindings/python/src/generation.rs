//! Iteration over an answer: `for`, `async for`, `next`, `with`; and `await` for the whole.

use std::io::{ErrorKind as IoErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::PyTuple;
use rkchat::{Chunk, ErrorKind, Result};

use crate::call::{SLICE, finish, guard};
use crate::generated::Generation;
use crate::input::set;
use crate::output::Output;

/// What `async for` needs.
#[derive(Default)]
pub struct Own {
    /// Whether a task waits for the next piece.
    awaited: AtomicBool,
    doorbell: OnceLock<Doorbell>,
}

/// How the engine's thread wakes an event loop: through a socket that the loop watches, so that no
/// thread of ours needs the interpreter for it.
struct Doorbell {
    button: Arc<Button>,
    bell: UnixStream,
}

struct Button(UnixStream);

impl Wake for Button {
    /// Rings. A bell that is full of rings needs no more.
    fn wake(self: Arc<Self>) {
        let _ = (&self.0).write(&[1]);
    }
}

impl Doorbell {
    fn new() -> std::io::Result<Self> {
        let (button, bell) = UnixStream::pair()?;
        button.set_nonblocking(true)?;
        bell.set_nonblocking(true)?;
        Ok(Self {
            button: Arc::new(Button(button)),
            bell,
        })
    }

    /// Rings, once it is called.
    fn wake(&self) -> impl FnOnce() + Send + 'static {
        let button = Arc::clone(&self.button);
        move || button.wake()
    }

    fn silence(&self) -> std::io::Result<()> {
        let mut rings = [0; 64];
        loop {
            match (&self.bell).read(&mut rings) {
                Ok(count) if count == rings.len() => {}
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == IoErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == IoErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// The classes of what is streamed are loaded at their first use. This does it while the runtime reads
/// the prompt, so that the first piece need not wait for it.
fn load_records(py: Python<'_>) -> PyResult<()> {
    py.import("rkchat._types").map(drop)
}

#[pymethods]
impl Generation {
    fn __iter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        load_records(slf.py())?;
        Ok(slf)
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.next_chunk(py, None)
    }

    /// The next piece of the answer, or None at its end. Waits for at most `timeout` seconds, or
    /// without end where it is None; when the time has passed that is rkchat.Timeout, and the answer
    /// goes on.
    #[pyo3(signature = (timeout=None))]
    fn next<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let mut limit: Option<Duration> = None;
        set(&mut limit, timeout, "timeout", None)?;
        self.next_chunk(py, limit)
    }

    fn __aiter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        load_records(slf.py())?;
        Ok(slf)
    }

    fn __anext__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        let step = slf.py().import("rkchat._async")?.getattr("step")?;
        step.call1((slf,))
    }

    /// Waits for the end and gives the text of the answer, as `text` does.
    fn __await__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, PyAny>> {
        let text = slf.py().import("rkchat._async")?.getattr("text")?;
        text.call1((slf,))?.call_method0("__await__")
    }

    /// What one `await` waits with.
    fn _text(&self) -> PyResult<End> {
        let answer = Arc::clone(&self.inner);
        Ok(End {
            answer: Mutex::new((&*answer).into_future()),
            doorbell: Doorbell::new()?,
        })
    }

    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Cancels what is left of the answer.
    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, _exception: &Bound<'_, PyTuple>) {
        self.inner.cancel();
    }

    /// Begins a wait of one task: the descriptor that becomes readable when there is more.
    fn _begin(&self) -> PyResult<i32> {
        let doorbell = self.doorbell()?;
        if self.own.awaited.swap(true, Ordering::Acquire) {
            let message = "another task waits for this generation already";
            return Err(PyRuntimeError::new_err(message));
        }
        Ok(doorbell.bell.as_raw_fd())
    }

    /// Whether there is more now, and if so the piece, or None at the end.
    fn _poll<'py>(&self, py: Python<'py>) -> PyResult<(bool, Bound<'py, PyAny>)> {
        let doorbell = self.doorbell()?;
        doorbell.silence()?;
        let result = py.detach(|| {
            guard(|| match self.inner.poll(doorbell.wake()) {
                Poll::Ready(result) => result.map(Some),
                Poll::Pending => Ok(None),
            })
        });
        let ready = !matches!(result, Ok(None));
        Ok((ready, finish(py, result.map(Option::flatten))?))
    }

    /// Ends the wait that `_begin` began.
    fn _end(&self) {
        self.own.awaited.store(false, Ordering::Release);
    }
}

impl Generation {
    fn doorbell(&self) -> std::io::Result<&Doorbell> {
        if let Some(doorbell) = self.own.doorbell.get() {
            return Ok(doorbell);
        }
        let new = Doorbell::new()?;
        Ok(self.own.doorbell.get_or_init(|| new))
    }

    /// Waits in slices, between which Ctrl-C gets through.
    fn next_chunk<'py>(
        &self,
        py: Python<'py>,
        timeout: Option<Duration>,
    ) -> PyResult<Option<Bound<'py, PyAny>>> {
        let end = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            let slice = left.map_or(SLICE, |left| left.min(SLICE));
            // An answer that is over may be so by the timeout of the queue: then that is what comes.
            let more_slices = left != Some(slice) && self.inner.finish_reason().is_none();
            let result: Result<Option<Chunk>> =
                py.detach(|| guard(|| self.inner.next(Some(slice))));
            match result {
                Err(error) if more_slices && error.kind() == ErrorKind::Timeout => {
                    py.check_signals()?;
                }
                Ok(chunk) => return chunk.map(|chunk| chunk.write(py)).transpose(),
                Err(error) => return finish::<()>(py, Err(error)).map(Some),
            }
        }
    }
}

/// One `await`. It has a doorbell of its own, for an event loop tells one task only of each.
#[pyclass(frozen, module = "rkchat")]
struct End {
    answer: Mutex<<&'static rkchat::Generation as IntoFuture>::IntoFuture>,
    doorbell: Doorbell,
}

#[pymethods]
impl End {
    /// The descriptor that becomes readable at the end.
    fn fileno(&self) -> i32 {
        self.doorbell.bell.as_raw_fd()
    }

    /// The text; None where the answer goes on.
    fn poll<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.doorbell.silence()?;
        let waker = Waker::from(Arc::clone(&self.doorbell.button));
        let polled = py.detach(|| {
            guard(|| {
                let mut answer = self.answer.lock().unwrap_or_else(PoisonError::into_inner);
                match answer.as_mut().poll(&mut Context::from_waker(&waker)) {
                    Poll::Ready(text) => text.map(Some),
                    Poll::Pending => Ok(None),
                }
            })
        });
        match polled {
            Ok(None) => Ok(None),
            result => finish(py, result.map(Option::unwrap_or_default)).map(Some),
        }
    }
}

/// The object may go while one of its calls still runs on a thread of its own (after Ctrl-C); the
/// answer then has no reader any more either way.
impl Drop for Generation {
    fn drop(&mut self) {
        self.inner.cancel();
    }
}

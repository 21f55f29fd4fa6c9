//! The way into rkchat: without the interpreter held, panics caught, errors as exceptions.

use std::ops::Deref;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use rkchat::{Error, Result};

use crate::generated::error_class;
use crate::output::Output;

/// How long a wait may last before signals such as Ctrl-C are looked at.
pub const SLICE: Duration = Duration::from_millis(100);

/// Runs `work` and gives its result to Python.
pub fn call<'py, T: Output + Send>(
    py: Python<'py>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<Bound<'py, PyAny>> {
    finish(py, py.detach(|| guard(work)))
}

/// Runs `work`, which may take long, so that Ctrl-C gets through meanwhile: on a thread of its own,
/// which finishes unheard once an exception was raised here.
pub fn wait<'py, T: Output + Send + 'static>(
    py: Python<'py>,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> PyResult<Bound<'py, PyAny>> {
    let (sender, mut receiver) = sync_channel(1);
    thread::Builder::new()
        .name("rkchat-python".to_owned())
        .spawn(move || {
            // Nobody may be waiting any more: then the result is dropped here.
            let _ = sender.send(guard(work));
        })
        .map_err(|error| PyRuntimeError::new_err(format!("no thread could be started: {error}")))?;
    loop {
        let receiver = &mut receiver;
        match py.detach(move || receiver.recv_timeout(SLICE)) {
            Ok(result) => return finish(py, result),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(exception(
                    py,
                    Error::panic(&"a call ended without a result"),
                ));
            }
        }
    }
}

/// Turns a panic into an error: none may unwind into Python.
pub fn guard<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|payload| Err(Error::panic(&*payload)))
}

/// A result for Python: an object, or the exception.
pub fn finish<T: Output>(py: Python<'_>, result: Result<T>) -> PyResult<Bound<'_, PyAny>> {
    match result {
        Ok(value) => value.write(py),
        Err(error) => Err(exception(py, error)),
    }
}

/// The exception for an error; where even that fails, the exception of the failure.
pub fn exception(py: Python<'_>, error: Error) -> PyErr {
    let build = || {
        let details = crate::json::write_object(py, error.details())?;
        error_class(py, error.kind())?.call1((error.message(), details))
    };
    match build() {
        Ok(value) => PyErr::from_value(value),
        Err(failure) => failure,
    }
}

/// A handle of core in a Python object. The last one of a model waits for the runtime when it goes;
/// other Python threads go on meanwhile.
pub struct Held<T: Send + Sync>(Option<Arc<T>>);

impl<T: Send + Sync> Held<T> {
    /// Takes the handle.
    pub fn new(handle: T) -> Self {
        Self(Some(Arc::new(handle)))
    }
}

impl<T: Send + Sync> Deref for Held<T> {
    type Target = Arc<T>;

    fn deref(&self) -> &Arc<T> {
        self.0.as_ref().expect("only drop takes it")
    }
}

impl<T: Send + Sync> Drop for Held<T> {
    fn drop(&mut self) {
        let handle = self.0.take();
        // Where the interpreter is at its end there is nobody to let go on, and it is dropped here.
        Python::try_attach(|py| py.detach(|| drop(handle)));
    }
}

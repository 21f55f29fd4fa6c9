//! An answer.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use crate::engine;
use crate::surface::{Chunk, Completion, FinishReason, Result};

/// One answer on its way. Dropping it cancels it.
#[derive(Debug)]
pub struct Generation {
    pub(super) inner: Arc<engine::Stream>,
}

impl Generation {
    /// The next piece of the answer, or none at its end. Waits for `timeout`, or without end where it
    /// is unset; when the time has passed that is a `Timeout`, and the answer goes on. A failure of
    /// the runtime is reported here, after what it had produced.
    /// @blocking
    /// @handwritten an iterator, and in C a function that fills a chunk
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Chunk>> {
        self.inner.next(timeout)
    }

    /// As `next`, without waiting: none yet is `Poll::Pending`, and `wake` is then called once, from
    /// any thread, as soon as there is more. A later call replaces `wake`.
    /// @handwritten it stands behind `for await` in Node and `async for` in Python, which have no such method
    pub fn poll(
        &self,
        wake: impl FnOnce() + Send + 'static,
    ) -> std::task::Poll<Result<Option<Chunk>>> {
        self.inner.poll(Box::new(wake))
    }

    /// Ends the answer now; pieces that were not read are dropped from the stream, not from
    /// `completion`. Harmless at any time and from any thread, also while another waits in `next`.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// Why it ended; unset while it goes on.
    pub fn finish_reason(&self) -> Option<FinishReason> {
        self.inner.finish_reason()
    }

    /// Waits for the end without reading, at the most for `timeout`; false where it goes on.
    /// @blocking
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.inner.wait(timeout)
    }

    /// Waits for the end and gives the text of the answer, whether or not pieces of it were read; a
    /// failure of the runtime is reported here too. Awaiting a generation gives the same.
    /// @blocking
    /// @property
    pub fn text(&self) -> Result<String> {
        self.inner.text()
    }

    /// Waits for the end and gives the whole answer, whether or not pieces of it were read. A failure
    /// of the runtime is reported here too.
    /// @blocking
    pub fn completion(&self) -> Result<Completion> {
        self.inner.completion()
    }
}

/// Its pieces, waiting for each without a timeout.
impl Iterator for Generation {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next(None).transpose()
    }
}

/// Awaiting it gives its text.
impl IntoFuture for &Generation {
    type Output = Result<String>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(engine::Ending::of(Arc::clone(&self.inner)))
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.inner.cancel();
    }
}

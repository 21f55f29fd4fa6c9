//! The wait for the end of an answer, as a future.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use super::stream::Stream;
use crate::surface::Result;

/// One wait; several may go on side by side. Nobody is woken any more for one that was dropped.
pub(crate) struct Ending {
    stream: Arc<Stream>,
    number: u64,
}

impl Ending {
    pub fn of(stream: Arc<Stream>) -> Self {
        static LAST: AtomicU64 = AtomicU64::new(0);
        let number = LAST.fetch_add(1, Ordering::Relaxed);
        Self { stream, number }
    }
}

impl Future for Ending {
    type Output = Result<String>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.stream.poll_text(self.number, context.waker())
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        self.stream.wait_no_more(self.number);
    }
}

//! Handles that take their time to let go.

use std::ops::Deref;

/// A handle that JavaScript's garbage collector may drop: letting go of a model waits until its runtime
/// has, and the event loop must not.
pub(crate) struct Background<T: Send + 'static>(Option<T>);

impl<T: Send + 'static> Background<T> {
    pub fn new(handle: T) -> Self {
        Self(Some(handle))
    }
}

impl<T: Send + 'static> Deref for Background<T> {
    type Target = T;

    fn deref(&self) -> &T {
        match &self.0 {
            Some(handle) => handle,
            None => unreachable!("only taken when it is dropped"),
        }
    }
}

impl<T: Send + 'static> Drop for Background<T> {
    fn drop(&mut self) {
        let handle = self.0.take();
        let thread = std::thread::Builder::new().name("rkchat-drop".into());
        // Where no thread can be had, it is dropped here.
        let _ = thread.spawn(move || drop(handle));
    }
}

//! The open handles of a library.

use crate::engine::Engine;
use crate::guard::lock;
use crate::session::Session;
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Maps handles to sessions. A handle is a number that is never used again, so a destroyed one is
/// always recognised.
pub struct Registry<E: Engine> {
    sessions: Mutex<BTreeMap<usize, Arc<Session<E>>>>,
    next: AtomicUsize,
}

impl<E: Engine> Registry<E> {
    /// An empty registry.
    #[allow(clippy::new_without_default)]
    pub const fn new() -> Self {
        Registry {
            sessions: Mutex::new(BTreeMap::new()),
            next: AtomicUsize::new(0x1000),
        }
    }

    /// Adds a session and returns its handle.
    pub fn insert(&self, session: Session<E>) -> *mut c_void {
        // Steps of 16 look like addresses, which is what debug output of callers expects.
        let handle = self.next.fetch_add(16, Ordering::Relaxed);
        lock(&self.sessions).insert(handle, Arc::new(session));
        handle as *mut c_void
    }

    /// The session of a handle.
    pub fn get(&self, function: &str, handle: *mut c_void) -> Result<Arc<Session<E>>, String> {
        let session = lock(&self.sessions).get(&(handle as usize)).cloned();
        let session = session.ok_or_else(|| refusal(function, handle))?;
        session.check_process(function)?;
        Ok(session)
    }

    /// Forgets a handle, ends its run, waits for that, and frees the model.
    pub fn destroy(&self, handle: *mut c_void) -> Result<(), String> {
        let session = self.get("rkllm_destroy", handle)?;
        if session.activity.runs_here() {
            return Err(
                "rkllm_destroy was called from the callback of the model's own run; \
                        abort the run and destroy the model when rkllm_run has returned"
                    .into(),
            );
        }
        // Two threads may destroy at once: the one that takes the entry goes on.
        if lock(&self.sessions).remove(&(handle as usize)).is_none() {
            return Err(refusal("rkllm_destroy", handle));
        }
        session.activity.close();
        // The run's thread and calls in other threads let go in a moment; the caller may count on
        // the model being freed when this returns.
        while Arc::strong_count(&session) > 1 {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

fn refusal(function: &str, handle: *mut c_void) -> String {
    if handle.is_null() {
        return format!("{function}: the handle is NULL; rkllm_init has to succeed first");
    }
    format!("{function}: the handle {handle:p} is not open (it was destroyed, or is not a handle)")
}

//! The guard over a runtime that loads.

use std::sync::Arc;
use std::thread::JoinHandle;

use crate::engine::control::Control;

/// The owner thread while the model is opened. Where something else fails meanwhile, the failure is told
/// after the runtime has let go of the model: before 1.2.2 a second try would find its place taken.
pub(super) struct Guard {
    control: Arc<Control>,
    owner: Option<JoinHandle<()>>,
}

impl Guard {
    pub fn new(control: Arc<Control>, owner: JoinHandle<()>) -> Self {
        Self {
            control,
            owner: Some(owner),
        }
    }

    /// The model is open, and the thread is its own.
    pub fn done(mut self) -> Option<JoinHandle<()>> {
        self.owner.take()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(owner) = self.owner.take() {
            self.control.close();
            // What it leaves in a panic, the outcome has told.
            let _ = owner.join();
        }
    }
}

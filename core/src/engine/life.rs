//! Whether the runtime has the model, and since when: known on both sides of the queue.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// What the runtime has of the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Loading,
    Loaded,
    Unloaded,
}

#[derive(Debug)]
pub(super) struct Life(Mutex<Moment>);

/// How it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub stage: Stage,
    /// Since when.
    pub since: Instant,
    /// When the last request ended; where there was none, since when the model is there.
    pub rested: Instant,
}

impl Default for Life {
    fn default() -> Self {
        let now = Instant::now();
        Self(Mutex::new(Moment {
            stage: Stage::Loading,
            since: now,
            rested: now,
        }))
    }
}

impl Life {
    fn lock(&self) -> MutexGuard<'_, Moment> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn now(&self) -> Moment {
        *self.lock()
    }

    pub fn reach(&self, stage: Stage) {
        let mut moment = self.lock();
        (moment.stage, moment.since) = (stage, Instant::now());
        if stage == Stage::Loaded {
            moment.rested = moment.since;
        }
    }

    /// A request is over.
    pub fn rest(&self) {
        self.lock().rested = Instant::now();
    }
}

//! Whether the runtime has the model, and since when: known on both sides of the queue.

use std::sync::atomic::{AtomicUsize, Ordering};
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
pub(super) struct Life {
    moment: Mutex<Moment>,
    /// How many callers are about to ask something of the model.
    held: AtomicUsize,
}

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
        let moment = Moment {
            stage: Stage::Loading,
            since: now,
            rested: now,
        };
        Self {
            moment: Mutex::new(moment),
            held: AtomicUsize::new(0),
        }
    }
}

impl Life {
    fn lock(&self) -> MutexGuard<'_, Moment> {
        self.moment.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Until `release`, the model is not idle, however long no request comes.
    pub fn hold(&self) {
        self.held.fetch_add(1, Ordering::SeqCst);
    }

    pub fn release(&self) {
        self.held.fetch_sub(1, Ordering::SeqCst);
    }

    pub fn is_held(&self) -> bool {
        self.held.load(Ordering::SeqCst) > 0
    }

    /// A request is over.
    pub fn rest(&self) {
        self.lock().rested = Instant::now();
    }
}

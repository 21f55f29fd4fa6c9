//! Who uses a model now: one run at a time, and what may interrupt it.

use crate::guard::lock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;

/// What a model is busy with.
pub struct Activity {
    stage: Mutex<Stage>,
    idle: Condvar,
    aborted: AtomicBool,
    closing: AtomicBool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Idle,
    /// A run is claimed; its thread is not known yet.
    Starting,
    Running(ThreadId),
    /// The last callback is being made.
    Ending(ThreadId),
}

impl Activity {
    /// Idle.
    pub fn new() -> Self {
        Activity {
            stage: Mutex::new(Stage::Idle),
            idle: Condvar::new(),
            aborted: AtomicBool::new(false),
            closing: AtomicBool::new(false),
        }
    }

    /// Claims the model for one run.
    pub fn claim(&self) -> Result<(), String> {
        let here = std::thread::current().id();
        let mut stage = lock(&self.stage);
        loop {
            match *stage {
                Stage::Idle => break,
                // The run is over but for its last callback: the caller may well have been woken
                // by it, so the next run waits instead of failing.
                Stage::Ending(thread) if thread != here => {
                    stage = self
                        .idle
                        .wait(stage)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                _ => {
                    return Err(
                        "a run is in progress on this model; wait until it has ended, \
                                or abort it"
                            .into(),
                    );
                }
            }
        }
        // Checked under the lock that `close` waits with: no run slips in behind it.
        if self.closing.load(Ordering::SeqCst) {
            return Err("the model is being destroyed".into());
        }
        *stage = Stage::Starting;
        self.aborted.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// The claimed run goes on in this thread.
    pub fn enter(&self) {
        *lock(&self.stage) = Stage::Running(std::thread::current().id());
    }

    /// Nothing but the last callback is left of the run.
    pub fn ending(&self) {
        *lock(&self.stage) = Stage::Ending(std::thread::current().id());
    }

    /// The run is over.
    pub fn release(&self) {
        *lock(&self.stage) = Stage::Idle;
        self.idle.notify_all();
    }

    /// Whether a run is in progress.
    pub fn is_running(&self) -> bool {
        matches!(*lock(&self.stage), Stage::Starting | Stage::Running(_))
    }

    /// Whether this thread is inside a callback of the model's run.
    pub fn runs_here(&self) -> bool {
        let here = std::thread::current().id();
        matches!(*lock(&self.stage),
            Stage::Running(thread) | Stage::Ending(thread) if thread == here)
    }

    /// Ends the run in progress and lets no other begin; returns when the model is idle.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let mut stage = lock(&self.stage);
        while *stage != Stage::Idle {
            stage = self
                .idle
                .wait(stage)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells the run in progress to end.
    pub fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
    }

    /// Whether the run was told to end.
    pub fn aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst) || self.closing.load(Ordering::SeqCst)
    }
}

/// Gives the model back when a run is over, however it ends.
pub struct Release<'a>(pub &'a Activity);

impl Drop for Release<'_> {
    fn drop(&mut self) {
        self.0.release();
    }
}

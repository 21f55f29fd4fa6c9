//! When an aborted run really ends.

use crate::script::Script;
use rkchat_runtime_front::engine::Sink;
use std::time::{Duration, Instant};

/// Decides it for one run.
pub struct Stop<'a> {
    pub script: &'a Script,
    pub sink: &'a mut dyn Sink,
    pub deadline: Option<Instant>,
}

impl Stop<'_> {
    /// Whether a run that was told to stop stops now.
    pub fn reached(&mut self) -> bool {
        let abort = Duration::from_millis(self.script.abort_ms);
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + abort);
        !self.script.deaf && Instant::now() >= deadline
    }

    /// Sleeps; `true` if the run ends meanwhile.
    pub fn wait(&mut self, ms: u64) -> bool {
        let end = Instant::now() + Duration::from_millis(ms);
        loop {
            if self.sink.aborted() && self.reached() {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }
}

//! What a model does at the moment.

use std::time::Instant;

use super::life::Stage;
use super::model::Model;
use super::opening::memory;
use crate::surface::{ModelState, ModelStatus, NpuHolder, Result};
use crate::vendor::npu_lock;

impl Model {
    pub fn status(&self) -> Result<ModelStatus> {
        self.check_home()?;
        let (queue, life, now) = (self.control.queue(), self.life.now(), Instant::now());
        let seconds = |since: Instant| now.saturating_duration_since(since).as_secs_f64();
        let state = match life.stage {
            _ if queue.over => ModelState::Closed,
            Stage::Loading => ModelState::Loading,
            Stage::Unloaded => ModelState::Unloaded,
            Stage::Loaded if queue.running.is_some() => ModelState::Running,
            Stage::Loaded => ModelState::Ready,
        };
        let loaded = matches!(state, ModelState::Ready | ModelState::Running);
        let idle = queue.running.is_none() && queue.waiting == 0 && state != ModelState::Closed;
        Ok(ModelStatus {
            state,
            waiting: u32::try_from(queue.waiting).unwrap_or(u32::MAX),
            running_for: queue.running.filter(|_| !queue.over).map(seconds),
            loaded_for: loaded.then(|| seconds(life.since)),
            idle_for: idle.then(|| seconds(life.rested)),
            model_memory: self.need.bytes(),
            process_memory: memory::of_process(),
            available_memory: memory::available(),
        })
    }
}

/// The processes that have models on the NPU.
pub(crate) fn npu_holders() -> Vec<NpuHolder> {
    npu_lock::holders()
}

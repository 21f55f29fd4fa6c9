//! Stands for a model that is unloaded, so that text can be made into tokens by rkchat's own tokenizer
//! meanwhile.

use std::path::Path;

use crate::vendor::{CrossAttention, EventSink, RunCounts, RunRequest, Session, Vocabulary};

/// What every call gives that would need the model.
const NOT_THERE: i32 = -1;

pub(super) struct Absent;

impl Session for Absent {
    fn run(&self, _: &RunRequest, _: EventSink<'_>) -> i32 {
        NOT_THERE
    }

    fn abort(&self) -> i32 {
        NOT_THERE
    }

    fn is_running(&self) -> Option<bool> {
        Some(false)
    }

    fn clear_cache(&self, _: bool, _: &[(u32, u32)]) -> i32 {
        NOT_THERE
    }

    fn cache_size(&self) -> Option<u32> {
        None
    }

    fn load_adapter(&self, _: &str, _: &Path, _: f32) -> i32 {
        NOT_THERE
    }

    fn load_prompt_cache(&self, _: &Path) -> i32 {
        NOT_THERE
    }

    fn release_prompt_cache(&self) -> i32 {
        NOT_THERE
    }

    fn set_chat_template(&self, _: &str, _: &str, _: &str) -> i32 {
        NOT_THERE
    }

    fn set_function_tools(&self, _: &str, _: &str, _: &str) -> i32 {
        NOT_THERE
    }

    fn set_cross_attention(&self, _: CrossAttention) -> i32 {
        NOT_THERE
    }

    fn vocabulary(&self) -> Option<&dyn Vocabulary> {
        None
    }

    fn last_error(&self) -> Option<String> {
        None
    }

    fn counts(&self) -> Option<RunCounts> {
        None
    }
}

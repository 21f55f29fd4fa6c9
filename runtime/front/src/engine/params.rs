//! What `rkllm_init` is given, and what it finds.

use super::Hosts;
use std::path::PathBuf;

/// Sampling settings, as in `RKLLMParam`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
#[allow(missing_docs)]
pub struct Sampling {
    pub top_k: i32,
    pub top_p: f32,
    pub temperature: f32,
    pub repeat_penalty: f32,
    pub frequency_penalty: f32,
    pub presence_penalty: f32,
    pub mirostat: i32,
    pub mirostat_tau: f32,
    pub mirostat_eta: f32,
}

impl Sampling {
    /// Settings that change nothing.
    pub const NEUTRAL: Sampling = Sampling {
        top_k: 0,
        top_p: 1.0,
        temperature: 1.0,
        repeat_penalty: 1.0,
        frequency_penalty: 0.0,
        presence_penalty: 0.0,
        mirostat: 0,
        mirostat_tau: 0.0,
        mirostat_eta: 0.0,
    };

    /// Refuses values that no sampler can work with.
    pub fn check(&self) -> Result<(), String> {
        let floats = [
            ("top_p", self.top_p),
            ("temperature", self.temperature),
            ("repeat_penalty", self.repeat_penalty),
            ("frequency_penalty", self.frequency_penalty),
            ("presence_penalty", self.presence_penalty),
            ("mirostat_tau", self.mirostat_tau),
            ("mirostat_eta", self.mirostat_eta),
        ];
        if let Some((name, value)) = floats.into_iter().find(|(_, value)| !value.is_finite()) {
            return Err(format!("{name} must be a finite number, but got {value}"));
        }
        if self.repeat_penalty <= 0.0 {
            let value = self.repeat_penalty;
            return Err(format!(
                "repeat_penalty must be greater than 0 (1 is off), but got {value}"
            ));
        }
        if !(0..=2).contains(&self.mirostat) {
            return Err(format!(
                "mirostat must be 0, 1 or 2, but got {}",
                self.mirostat
            ));
        }
        Ok(())
    }
}

/// What `rkllm_init` was given.
#[derive(Clone, Debug)]
#[allow(missing_docs)]
pub struct InitParams {
    pub model_path: PathBuf,
    pub max_context_len: i32,
    pub max_new_tokens: i32,
    pub n_keep: i32,
    pub sampling: Sampling,
    pub skip_special_token: bool,
    pub ignore_eos_token: bool,
    pub is_async: bool,
    /// `img_start`, `img_end` and `img_content`; `None` is NULL. Empty where the group has them
    /// elsewhere.
    pub image_markers: [Option<String>; 3],
    pub base_domain_id: i32,
    pub embed_flash: i8,
    pub enabled_cpus_num: i8,
    pub enabled_cpus_mask: u32,
    /// Prompts per run; 1 in groups without batches.
    pub n_batch: u8,
    pub use_cross_attn: i8,
    /// How many of the likeliest tokens come with each token's log probability (group 1.0.1).
    pub top_logprobs: Option<u32>,
    pub hosts: Hosts,
}

/// Facts of a loaded model.
#[derive(Clone, Debug)]
pub struct ModelInfo {
    /// Largest window the model was made for.
    pub n_ctx_train: u32,
    /// Numbers in an embedding that is given as input; 0 if the model takes none.
    pub n_embd: u32,
    /// Whether its chat template knows `enable_thinking`.
    pub thinks: bool,
    /// What made the file, for the log.
    pub toolkit: String,
    /// NPU cores the model uses, for the log.
    pub npu_cores: u32,
    /// Platform the model is for, for the log.
    pub platform: String,
    /// Type of its weights, for the log.
    pub dtype: String,
}

/// Facts of a model that is ready for runs.
#[derive(Clone, Copy, Debug, Default)]
#[repr(C)]
pub struct Prepared {
    /// Window in tokens.
    pub n_ctx: u32,
    /// Threads that compute.
    pub n_threads: u32,
    /// Most prompt tokens that are processed at once.
    pub n_batch: u32,
}

//! ABI group 1.0.0: release 1.0.0 (published as 1.0.0-beta).
//!
//! Facts: `vendor/v1.0.0.json`, compiler output over the vendor's header.

use super::layout::GroupLayout;
use core::ffi::{c_char, c_int, c_void};

/// One loaded model; filled in by `rkllm_init`, freed by `rkllm_destroy`.
pub type LLMHandle = *mut c_void;

enums! {
    /// What a call of the result callback is about. The numbers are not those of later groups.
    pub enum LLMCallState {
        /// A piece of output; more will follow. It may end inside a UTF-8 character.
        LLM_RUN_NORMAL = 0,
        /// The run is over.
        LLM_RUN_FINISH = 1,
        /// The run failed.
        LLM_RUN_ERROR = 2,
    }
}

callbacks! {
    /// Gets each piece of text, valid during the call only.
    pub fn LLMResultCallback(result: *const c_char, userdata: *mut c_void, state: LLMCallState);
}

layout! {
    /// What `rkllm_init` needs.
    #[allow(non_snake_case)]
    pub struct RKLLMParam: 64 / 56 {
        /// Path of the model file.
        modelPath: *const c_char = 0 / 0,
        /// Chip that the model was converted for.
        target_platform: *const c_char = 8 / 4,
        /// NPU cores to use: 1 to 2 on RK3576, 1 to 3 on RK3588.
        num_npu_core: i32 = 16 / 8,
        /// Context window in tokens.
        max_context_len: i32 = 20 / 12,
        /// Most tokens a run generates.
        max_new_tokens: i32 = 24 / 16,
        /// Sample from the k likeliest tokens; documented default 40.
        top_k: i32 = 28 / 20,
        /// Nucleus sampling threshold; documented default 0.9.
        top_p: f32 = 32 / 24,
        /// Sampling temperature; documented default 0.8, 0 is greedy.
        temperature: f32 = 36 / 28,
        /// Penalty on repeated tokens; documented default 1.1.
        repeat_penalty: f32 = 40 / 32,
        /// Penalty that grows with a token's count, -2 to 2; documented default 0.
        frequency_penalty: f32 = 44 / 36,
        /// Penalty on tokens that occurred; default 0 (manual of 1.3.0).
        presence_penalty: f32 = 48 / 40,
        /// Mirostat sampling: 0 off, 1 or 2 its version.
        mirostat: i32 = 52 / 44,
        /// Mirostat's target entropy; documented default 5.0.
        mirostat_tau: f32 = 56 / 48,
        /// Mirostat's learning rate; documented default 0.1.
        mirostat_eta: f32 = 60 / 52,
    }
}

functions! {
    /// A parameter struct with the defaults filled in.
    fn rkllm_createDefaultParam() -> RKLLMParam;
    /// Loads a model, the parameters passed by value; 0 on success.
    fn rkllm_init(handle: *mut LLMHandle, param: RKLLMParam, callback: LLMResultCallback) -> c_int;
    /// Frees a model; 0 on success.
    fn rkllm_destroy(handle: LLMHandle) -> c_int;
    /// Runs a finished prompt and returns when it is over; 0 on success.
    fn rkllm_run(handle: LLMHandle, prompt: *const c_char, userdata: *mut c_void) -> c_int;
}

/// Everything this group declares.
pub const GROUP: GroupLayout = GroupLayout {
    name: "1.0.0",
    structs: &[&RKLLMParam::LAYOUT],
    enums: ENUMS,
    callbacks: CALLBACKS,
    functions: Functions::TABLE,
};

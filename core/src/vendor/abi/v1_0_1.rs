//! ABI group 1.0.1: releases 1.0.1 and 1.0.2 (published as 1.0.2-beta).
//!
//! Facts: `vendor/v1.0.1.json`, compiler output over the vendor's header. What the group has in common
//! with an older one is taken from there.

use super::layout::{GroupLayout, c_bool};
pub use super::v1_0_0::{
    ENUMS, LLM_RUN_ERROR, LLM_RUN_FINISH, LLM_RUN_NORMAL, LLMCallState, LLMHandle,
};
use core::ffi::{c_char, c_int, c_void};

callbacks! {
    /// Gets each result of a run. What `result` points to is valid during the call only.
    pub fn LLMResultCallback(result: *mut RKLLMResult, userdata: *mut c_void, state: LLMCallState);
}

layout! {
    /// What `rkllm_init` needs.
    pub struct RKLLMParam: 72 / 64 {
        /// Path of the model file.
        model_path: *const c_char = 0 / 0,
        /// NPU cores to use: 1 to 2 on RK3576, 1 to 3 on RK3588.
        num_npu_core: i32 = 8 / 4,
        /// Context window in tokens.
        max_context_len: i32 = 12 / 8,
        /// Most tokens a run generates.
        max_new_tokens: i32 = 16 / 12,
        /// Sample from the k likeliest tokens; documented default 40.
        top_k: i32 = 20 / 16,
        /// Nucleus sampling threshold; documented default 0.9.
        top_p: f32 = 24 / 20,
        /// Sampling temperature; documented default 0.8, 0 is greedy.
        temperature: f32 = 28 / 24,
        /// Penalty on repeated tokens; documented default 1.1.
        repeat_penalty: f32 = 32 / 28,
        /// Penalty that grows with a token's count, -2 to 2; documented default 0.
        frequency_penalty: f32 = 36 / 32,
        /// Penalty on tokens that occurred; default 0 (manual of 1.3.0).
        presence_penalty: f32 = 40 / 36,
        /// Mirostat sampling: 0 off, 1 or 2 its version.
        mirostat: i32 = 44 / 40,
        /// Mirostat's target entropy; documented default 5.0.
        mirostat_tau: f32 = 48 / 44,
        /// Mirostat's learning rate; documented default 0.1.
        mirostat_eta: f32 = 52 / 48,
        /// Give log probabilities with each result.
        logprobs: c_bool = 56 / 52,
        /// How many of the likeliest tokens get one.
        top_logprobs: i32 = 60 / 56,
        /// Use the GPU; documented default false.
        use_gpu: c_bool = 64 / 60,
    }

    /// A token and its log probability.
    pub struct Token: 8 / 8 {
        /// Logarithm of its probability.
        logprob: f32 = 0 / 0,
        /// Its id.
        id: c_int = 4 / 4,
    }

    /// What the result callback gets.
    pub struct RKLLMResult: 24 / 12 {
        /// Text of this step, NUL-terminated; may be NULL.
        text: *const c_char = 0 / 0,
        /// Log probabilities, when asked for.
        tokens: *mut Token = 8 / 4,
        /// Length of `tokens`.
        num: c_int = 16 / 8,
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
    /// Stops the run in progress; 0 on success, other values also where nothing runs.
    fn rkllm_abort(handle: LLMHandle) -> c_int;
}

/// Everything this group declares.
pub const GROUP: GroupLayout = GroupLayout {
    name: "1.0.1",
    structs: &[&RKLLMParam::LAYOUT, &Token::LAYOUT, &RKLLMResult::LAYOUT],
    enums: ENUMS,
    callbacks: CALLBACKS,
    functions: Functions::TABLE,
};

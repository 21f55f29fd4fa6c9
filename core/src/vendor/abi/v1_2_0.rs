//! ABI group 1.2.0: release 1.2.0.
//!
//! Facts: `vendor/v1.2.0.json`, compiler output over the vendor's header. What the group has in common
//! with an older one is taken from there.

use super::layout::{GroupLayout, c_bool};
pub use super::v1_1_0::{
    LLMHandle, RKLLMEmbedInput, RKLLMInput, RKLLMInputUnion, RKLLMLoraAdapter, RKLLMLoraParam,
    RKLLMMultiModelInput, RKLLMPromptCacheParam, RKLLMResultLastHiddenLayer, RKLLMTokenInput,
};
use core::ffi::{c_char, c_int, c_void};

enums! {
    /// What a call of the result callback is about.
    pub enum LLMCallState {
        /// A piece of output, text, hidden states or logits; more will follow.
        RKLLM_RUN_NORMAL = 0,
        /// The text so far ends inside a UTF-8 character.
        RKLLM_RUN_WAITING = 1,
        /// The run is over.
        RKLLM_RUN_FINISH = 2,
        /// The run failed.
        RKLLM_RUN_ERROR = 3,
    }

    /// Which member of [`RKLLMInput`]'s union is valid.
    pub enum RKLLMInputType {
        /// Text.
        RKLLM_INPUT_PROMPT = 0,
        /// Token ids.
        RKLLM_INPUT_TOKEN = 1,
        /// Embedding vectors.
        RKLLM_INPUT_EMBED = 2,
        /// Text with image embeddings.
        RKLLM_INPUT_MULTIMODAL = 3,
    }

    /// What a run produces.
    pub enum RKLLMInferMode {
        /// Text.
        RKLLM_INFER_GENERATE = 0,
        /// Hidden states of the last layer.
        RKLLM_INFER_GET_LAST_HIDDEN_LAYER = 1,
        /// Logits.
        RKLLM_INFER_GET_LOGITS = 2,
    }
}

/// Bits of `enabled_cpus_mask`, one per core.
pub const CPU0: u32 = 1 << 0;
/// See [`CPU0`].
pub const CPU1: u32 = 1 << 1;
/// See [`CPU0`].
pub const CPU2: u32 = 1 << 2;
/// See [`CPU0`].
pub const CPU3: u32 = 1 << 3;
/// See [`CPU0`].
pub const CPU4: u32 = 1 << 4;
/// See [`CPU0`].
pub const CPU5: u32 = 1 << 5;
/// See [`CPU0`].
pub const CPU6: u32 = 1 << 6;
/// See [`CPU0`].
pub const CPU7: u32 = 1 << 7;

callbacks! {
    /// Gets each result of a run. What `result` points to is valid during the call only.
    pub fn LLMResultCallback(result: *mut RKLLMResult, userdata: *mut c_void, state: LLMCallState);
}

layout! {
    /// Further settings of a model.
    pub struct RKLLMExtendParam: 120 / 120 {
        /// NPU memory domain to start in; documented default 0.
        base_domain_id: i32 = 0 / 0,
        /// 1: word embeddings are read from storage; 0: they are held in memory.
        embed_flash: i8 = 4 / 4,
        /// CPUs that inference uses; documented default 4.
        enabled_cpus_num: i8 = 5 / 5,
        /// Which CPUs, a sum of [`CPU0`] to [`CPU7`].
        enabled_cpus_mask: u32 = 8 / 8,
        /// Room for later settings.
        reserved: [u8; 106] = 12 / 12,
    }

    /// What `rkllm_init` needs.
    pub struct RKLLMParam: 208 / 188 {
        /// Path of the model file.
        model_path: *const c_char = 0 / 0,
        /// Context window in tokens.
        max_context_len: i32 = 8 / 4,
        /// Most tokens a run generates.
        max_new_tokens: i32 = 12 / 8,
        /// Sample from the k likeliest tokens; documented default 40.
        top_k: i32 = 16 / 12,
        /// Cache entries at the start that survive when the window is shifted.
        n_keep: i32 = 20 / 16,
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
        /// Leave special tokens out of the text.
        skip_special_token: c_bool = 56 / 52,
        /// Run asynchronously.
        is_async: c_bool = 57 / 53,
        /// Marker before image content.
        img_start: *const c_char = 64 / 56,
        /// Marker after image content.
        img_end: *const c_char = 72 / 60,
        /// Marker that stands for one image token.
        img_content: *const c_char = 80 / 64,
        /// Further settings.
        extend_param: RKLLMExtendParam = 88 / 68,
    }

    /// Settings of one run.
    pub struct RKLLMInferParam: 32 / 16 {
        /// What the run produces.
        mode: RKLLMInferMode = 0 / 0,
        /// Adapter to use, or NULL.
        lora_params: *mut RKLLMLoraParam = 8 / 4,
        /// Prompt cache to save, or NULL.
        prompt_cache_params: *mut RKLLMPromptCacheParam = 16 / 8,
        /// 1 keeps the conversation in the cache, 0 makes the run stand alone.
        keep_history: c_int = 24 / 12,
    }

    /// Logits.
    pub struct RKLLMResultLogits: 16 / 12 {
        /// `num_tokens` times `vocab_size` floats.
        logits: *const f32 = 0 / 0,
        /// Size of the vocabulary.
        vocab_size: c_int = 8 / 4,
        /// Number of tokens.
        num_tokens: c_int = 12 / 8,
    }

    /// What the result callback gets.
    pub struct RKLLMResult: 48 / 32 {
        /// Text of this step, NUL-terminated; may be NULL.
        text: *const c_char = 0 / 0,
        /// Token of this step.
        token_id: i32 = 8 / 4,
        /// Hidden states, when asked for.
        last_hidden_layer: RKLLMResultLastHiddenLayer = 16 / 8,
        /// Logits, when asked for.
        logits: RKLLMResultLogits = 32 / 20,
    }
}

functions! {
    /// A parameter struct with the defaults filled in.
    fn rkllm_createDefaultParam() -> RKLLMParam;
    /// Loads a model; 0 on success.
    fn rkllm_init(
        handle: *mut LLMHandle,
        param: *mut RKLLMParam,
        callback: LLMResultCallback,
    ) -> c_int;
    /// Loads a LoRA adapter under a name; 0 on success.
    fn rkllm_load_lora(handle: LLMHandle, lora_adapter: *mut RKLLMLoraAdapter) -> c_int;
    /// Loads a prompt cache file; 0 on success.
    fn rkllm_load_prompt_cache(handle: LLMHandle, prompt_cache_path: *const c_char) -> c_int;
    /// Drops the loaded prompt cache; 0 on success.
    fn rkllm_release_prompt_cache(handle: LLMHandle) -> c_int;
    /// Frees a model; 0 on success.
    fn rkllm_destroy(handle: LLMHandle) -> c_int;
    /// Runs one inference and returns when it is over; 0 on success.
    fn rkllm_run(
        handle: LLMHandle,
        rkllm_input: *mut RKLLMInput,
        rkllm_infer_params: *mut RKLLMInferParam,
        userdata: *mut c_void,
    ) -> c_int;
    /// As `rkllm_run`, but returns without waiting for the end.
    fn rkllm_run_async(
        handle: LLMHandle,
        rkllm_input: *mut RKLLMInput,
        rkllm_infer_params: *mut RKLLMInferParam,
        userdata: *mut c_void,
    ) -> c_int;
    /// Stops the run in progress; 0 on success.
    fn rkllm_abort(handle: LLMHandle) -> c_int;
    /// 1 while a run is in progress, else 0 (the header of this group says the opposite; the
    /// vendor confirmed 1 in airockchip/rknn-llm issue 502).
    fn rkllm_is_running(handle: LLMHandle) -> c_int;
    /// Empties the cache, but for the system prompt where `keep_system_prompt` is 1; 0 on success.
    fn rkllm_clear_kv_cache(handle: LLMHandle, keep_system_prompt: c_int) -> c_int;
    /// Replaces the chat template; 0 on success.
    fn rkllm_set_chat_template(
        handle: LLMHandle,
        system_prompt: *const c_char,
        prompt_prefix: *const c_char,
        prompt_postfix: *const c_char,
    ) -> c_int;
}

/// Everything this group declares.
pub const GROUP: GroupLayout = GroupLayout {
    name: "1.2.0",
    structs: &[
        &RKLLMExtendParam::LAYOUT,
        &RKLLMParam::LAYOUT,
        &RKLLMLoraAdapter::LAYOUT,
        &RKLLMEmbedInput::LAYOUT,
        &RKLLMTokenInput::LAYOUT,
        &RKLLMMultiModelInput::LAYOUT,
        &RKLLMInput::LAYOUT,
        &RKLLMLoraParam::LAYOUT,
        &RKLLMPromptCacheParam::LAYOUT,
        &RKLLMInferParam::LAYOUT,
        &RKLLMResultLastHiddenLayer::LAYOUT,
        &RKLLMResultLogits::LAYOUT,
        &RKLLMResult::LAYOUT,
    ],
    enums: ENUMS,
    callbacks: CALLBACKS,
    functions: Functions::TABLE,
};

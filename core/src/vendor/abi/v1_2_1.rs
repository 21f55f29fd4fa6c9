//! ABI group 1.2.1: releases 1.2.1, 1.2.2 and 1.2.3.
//!
//! Facts: `vendor/v1.2.1.json`, compiler output over the vendor's header. What the group has in common
//! with an older one is taken from there.

use super::layout::{GroupLayout, c_bool};
pub use super::v1_2_0::{
    CPU0, CPU1, CPU2, CPU3, CPU4, CPU5, CPU6, CPU7, ENUMS, LLMCallState, LLMHandle,
    RKLLM_INFER_GENERATE, RKLLM_INFER_GET_LAST_HIDDEN_LAYER, RKLLM_INFER_GET_LOGITS,
    RKLLM_INPUT_EMBED, RKLLM_INPUT_MULTIMODAL, RKLLM_INPUT_PROMPT, RKLLM_INPUT_TOKEN,
    RKLLM_RUN_ERROR, RKLLM_RUN_FINISH, RKLLM_RUN_NORMAL, RKLLM_RUN_WAITING, RKLLMEmbedInput,
    RKLLMInferMode, RKLLMInferParam, RKLLMInputType, RKLLMLoraAdapter, RKLLMLoraParam,
    RKLLMPromptCacheParam, RKLLMResultLastHiddenLayer, RKLLMResultLogits, RKLLMTokenInput,
};
use core::ffi::{c_char, c_int, c_void};

callbacks! {
    /// Gets each result of a run. What `result` points to is valid during the call only.
    /// Returns 0 to go on, 1 to pause a single-turn run.
    pub fn LLMResultCallback(
        result: *mut RKLLMResult,
        userdata: *mut c_void,
        state: LLMCallState,
    ) -> c_int;
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
        /// Inputs in one forward pass, 1 to 100; documented default 1.
        n_batch: u8 = 12 / 12,
        /// 1 turns cross attention on.
        use_cross_attn: i8 = 13 / 13,
        /// Room for later settings.
        reserved: [u8; 104] = 14 / 14,
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

    /// Text with the embeddings of images (named `RKLLMMultiModelInput` before 1.2.3).
    pub struct RKLLMMultiModalInput: 48 / 24 {
        /// Text; `<image>` marks the image's place.
        prompt: *mut c_char = 0 / 0,
        /// Image embeddings.
        image_embed: *mut f32 = 8 / 4,
        /// Tokens per image.
        n_image_tokens: usize = 16 / 8,
        /// Number of images; 1 for a single one.
        n_image: usize = 24 / 12,
        /// Width of the image.
        image_width: usize = 32 / 16,
        /// Height of the image.
        image_height: usize = 40 / 20,
    }

    /// The inputs of which `input_type` names one; unnamed in C.
    pub union RKLLMInputUnion: 48 / 24 {
        /// With `RKLLM_INPUT_PROMPT`: NUL-terminated text.
        prompt_input: *const c_char = 0 / 0,
        /// With `RKLLM_INPUT_EMBED`.
        embed_input: RKLLMEmbedInput = 0 / 0,
        /// With `RKLLM_INPUT_TOKEN`.
        token_input: RKLLMTokenInput = 0 / 0,
        /// With `RKLLM_INPUT_MULTIMODAL`.
        multimodal_input: RKLLMMultiModalInput = 0 / 0,
    }

    /// One input of a run.
    pub struct RKLLMInput: 64 / 36 {
        /// Who speaks: `user`, or `tool` for a function's result.
        role: *const c_char = 0 / 0,
        /// Thinking mode of models that have one.
        enable_thinking: c_bool = 8 / 4,
        /// Which union member is valid.
        input_type: RKLLMInputType = 12 / 8,
        /// The input.
        input: RKLLMInputUnion = 16 / 12 [Union],
    }

    /// Encoder output for cross attention.
    pub struct RKLLMCrossAttnParam: 40 / 20 {
        /// Keys: layers, tokens, heads, head size.
        encoder_k_cache: *mut f32 = 0 / 0,
        /// Values: layers, heads, head size, tokens.
        encoder_v_cache: *mut f32 = 8 / 4,
        /// Attention mask, `num_tokens` floats.
        encoder_mask: *mut f32 = 16 / 8,
        /// Positions, `num_tokens` numbers.
        encoder_pos: *mut i32 = 24 / 12,
        /// Length of the encoder's sequence.
        num_tokens: c_int = 32 / 16,
    }

    /// Measurements of a run; set with `RKLLM_RUN_FINISH` only.
    pub struct RKLLMPerfStat: 20 / 20 {
        /// Prefill time in milliseconds.
        prefill_time_ms: f32 = 0 / 0,
        /// Tokens prefilled.
        prefill_tokens: c_int = 4 / 4,
        /// Generation time in milliseconds.
        generate_time_ms: f32 = 8 / 8,
        /// Tokens generated.
        generate_tokens: c_int = 12 / 12,
        /// Peak resident memory of the process in megabytes.
        memory_usage_mb: f32 = 16 / 16,
    }

    /// What the result callback gets.
    pub struct RKLLMResult: 72 / 52 {
        /// Text of this step, NUL-terminated; may be NULL.
        text: *const c_char = 0 / 0,
        /// Token of this step; negative: this batch is finished.
        token_id: i32 = 8 / 4,
        /// Hidden states, when asked for.
        last_hidden_layer: RKLLMResultLastHiddenLayer = 16 / 8,
        /// Logits, when asked for.
        logits: RKLLMResultLogits = 32 / 20,
        /// Measurements, with `RKLLM_RUN_FINISH`.
        perf: RKLLMPerfStat = 48 / 32,
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
    /// Empties the cache; with both positions NULL all of it, where `keep_system_prompt` counts.
    fn rkllm_clear_kv_cache(
        handle: LLMHandle,
        keep_system_prompt: c_int,
        start_pos: *mut c_int,
        end_pos: *mut c_int,
    ) -> c_int;
    /// Writes the number of cached positions of each batch; room for `n_batch` numbers.
    fn rkllm_get_kv_cache_size(handle: LLMHandle, cache_sizes: *mut c_int) -> c_int;
    /// Replaces the chat template; 0 on success.
    fn rkllm_set_chat_template(
        handle: LLMHandle,
        system_prompt: *const c_char,
        prompt_prefix: *const c_char,
        prompt_postfix: *const c_char,
    ) -> c_int;
    /// Sets function tools (JSON text) and the tag that marks their results; 0 on success.
    fn rkllm_set_function_tools(
        handle: LLMHandle,
        system_prompt: *const c_char,
        tools: *const c_char,
        tool_response_str: *const c_char,
    ) -> c_int;
    /// Hands the encoder's output to the decoder; 0 on success.
    fn rkllm_set_cross_attn_params(
        handle: LLMHandle,
        cross_attn_params: *mut RKLLMCrossAttnParam,
    ) -> c_int;
}

/// Everything this group declares.
pub const GROUP: GroupLayout = GroupLayout {
    name: "1.2.1",
    structs: &[
        &RKLLMExtendParam::LAYOUT,
        &RKLLMParam::LAYOUT,
        &RKLLMLoraAdapter::LAYOUT,
        &RKLLMEmbedInput::LAYOUT,
        &RKLLMTokenInput::LAYOUT,
        &RKLLMMultiModalInput::LAYOUT,
        &RKLLMInput::LAYOUT,
        &RKLLMLoraParam::LAYOUT,
        &RKLLMPromptCacheParam::LAYOUT,
        &RKLLMCrossAttnParam::LAYOUT,
        &RKLLMInferParam::LAYOUT,
        &RKLLMResultLastHiddenLayer::LAYOUT,
        &RKLLMResultLogits::LAYOUT,
        &RKLLMPerfStat::LAYOUT,
        &RKLLMResult::LAYOUT,
    ],
    enums: ENUMS,
    callbacks: CALLBACKS,
    functions: Functions::TABLE,
};

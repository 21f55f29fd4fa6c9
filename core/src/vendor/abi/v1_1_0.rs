//! ABI group 1.1.0: releases 1.1.0, 1.1.1, 1.1.2, 1.1.3 and 1.1.4.
//!
//! Facts: `vendor/v1.1.0.json`, compiler output over the vendor's header.

use super::layout::{GroupLayout, c_bool};
use core::ffi::{c_char, c_int, c_void};

/// One loaded model; filled in by `rkllm_init`, freed by `rkllm_destroy`.
pub type LLMHandle = *mut c_void;

enums! {
    /// What a call of the result callback is about.
    pub enum LLMCallState {
        /// A piece of output; more will follow.
        RKLLM_RUN_NORMAL = 0,
        /// The text so far ends inside a UTF-8 character.
        RKLLM_RUN_WAITING = 1,
        /// The run is over.
        RKLLM_RUN_FINISH = 2,
        /// The run failed.
        RKLLM_RUN_ERROR = 3,
        /// This call brings hidden states (gone in 1.2.0).
        RKLLM_RUN_GET_LAST_HIDDEN_LAYER = 4,
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
    }
}

callbacks! {
    /// Gets each result of a run. What `result` points to is valid during the call only.
    pub fn LLMResultCallback(result: *mut RKLLMResult, userdata: *mut c_void, state: LLMCallState);
}

layout! {
    /// Further settings of a model.
    pub struct RKLLMExtendParam: 116 / 116 {
        /// NPU memory domain to start in; documented default 0.
        base_domain_id: i32 = 0 / 0,
        /// Room for later settings.
        reserved: [u8; 112] = 4 / 4,
    }

    /// What `rkllm_init` needs.
    pub struct RKLLMParam: 200 / 180 {
        /// Path of the model file.
        model_path: *const c_char = 0 / 0,
        /// Context window in tokens.
        max_context_len: i32 = 8 / 4,
        /// Most tokens a run generates.
        max_new_tokens: i32 = 12 / 8,
        /// Sample from the k likeliest tokens; documented default 40.
        top_k: i32 = 16 / 12,
        /// Nucleus sampling threshold; documented default 0.9.
        top_p: f32 = 20 / 16,
        /// Sampling temperature; documented default 0.8, 0 is greedy.
        temperature: f32 = 24 / 20,
        /// Penalty on repeated tokens; documented default 1.1.
        repeat_penalty: f32 = 28 / 24,
        /// Penalty that grows with a token's count, -2 to 2; documented default 0.
        frequency_penalty: f32 = 32 / 28,
        /// Penalty on tokens that occurred; default 0 (manual of 1.3.0).
        presence_penalty: f32 = 36 / 32,
        /// Mirostat sampling: 0 off, 1 or 2 its version.
        mirostat: i32 = 40 / 36,
        /// Mirostat's target entropy; documented default 5.0.
        mirostat_tau: f32 = 44 / 40,
        /// Mirostat's learning rate; documented default 0.1.
        mirostat_eta: f32 = 48 / 44,
        /// Leave special tokens out of the text.
        skip_special_token: c_bool = 52 / 48,
        /// Run asynchronously.
        is_async: c_bool = 53 / 49,
        /// Marker before image content.
        img_start: *const c_char = 56 / 52,
        /// Marker after image content.
        img_end: *const c_char = 64 / 56,
        /// Marker that stands for one image token.
        img_content: *const c_char = 72 / 60,
        /// Further settings.
        extend_param: RKLLMExtendParam = 80 / 64,
    }

    /// A LoRA adapter to load.
    pub struct RKLLMLoraAdapter: 24 / 12 {
        /// Path of the adapter's file.
        lora_adapter_path: *const c_char = 0 / 0,
        /// Name by which a run picks it.
        lora_adapter_name: *const c_char = 8 / 4,
        /// Strength.
        scale: f32 = 16 / 8,
    }

    /// Embedding input.
    pub struct RKLLMEmbedInput: 16 / 8 {
        /// `n_tokens` times the embedding size floats.
        embed: *mut f32 = 0 / 0,
        /// Number of tokens.
        n_tokens: usize = 8 / 4,
    }

    /// Token input.
    pub struct RKLLMTokenInput: 16 / 8 {
        /// `n_tokens` ids.
        input_ids: *mut i32 = 0 / 0,
        /// Number of tokens.
        n_tokens: usize = 8 / 4,
    }

    /// Text with the embeddings of one image.
    pub struct RKLLMMultiModelInput: 24 / 12 {
        /// Text; `<image>` marks the image's place.
        prompt: *mut c_char = 0 / 0,
        /// Image embeddings.
        image_embed: *mut f32 = 8 / 4,
        /// Tokens that the image takes.
        n_image_tokens: usize = 16 / 8,
    }

    /// The inputs of which `input_type` names one; unnamed in C.
    pub union RKLLMInputUnion: 24 / 12 {
        /// With `RKLLM_INPUT_PROMPT`: NUL-terminated text.
        prompt_input: *const c_char = 0 / 0,
        /// With `RKLLM_INPUT_EMBED`.
        embed_input: RKLLMEmbedInput = 0 / 0,
        /// With `RKLLM_INPUT_TOKEN`.
        token_input: RKLLMTokenInput = 0 / 0,
        /// With `RKLLM_INPUT_MULTIMODAL`.
        multimodal_input: RKLLMMultiModelInput = 0 / 0,
    }

    /// One input of a run.
    pub struct RKLLMInput: 32 / 16 {
        /// Which union member is valid.
        input_type: RKLLMInputType = 0 / 0,
        /// The input.
        input: RKLLMInputUnion = 8 / 4 [Union],
    }

    /// Which loaded adapter a run uses.
    pub struct RKLLMLoraParam: 8 / 4 {
        /// Name given when it was loaded.
        lora_adapter_name: *const c_char = 0 / 0,
    }

    /// Whether and where a run saves its prompt cache.
    pub struct RKLLMPromptCacheParam: 16 / 8 {
        /// 1 saves, 0 does not.
        save_prompt_cache: c_int = 0 / 0,
        /// File to write.
        prompt_cache_path: *const c_char = 8 / 4,
    }

    /// Settings of one run.
    pub struct RKLLMInferParam: 24 / 12 {
        /// What the run produces.
        mode: RKLLMInferMode = 0 / 0,
        /// Adapter to use, or NULL.
        lora_params: *mut RKLLMLoraParam = 8 / 4,
        /// Prompt cache to save, or NULL.
        prompt_cache_params: *mut RKLLMPromptCacheParam = 16 / 8,
    }

    /// Hidden states of the last layer.
    pub struct RKLLMResultLastHiddenLayer: 16 / 12 {
        /// `num_tokens` times `embd_size` floats.
        hidden_states: *const f32 = 0 / 0,
        /// Size of one vector.
        embd_size: c_int = 8 / 4,
        /// Number of tokens.
        num_tokens: c_int = 12 / 8,
    }

    /// What the result callback gets.
    pub struct RKLLMResult: 32 / 20 {
        /// Text of this step, NUL-terminated; may be NULL.
        text: *const c_char = 0 / 0,
        /// Token of this step.
        token_id: i32 = 8 / 4,
        /// Hidden states, when asked for.
        last_hidden_layer: RKLLMResultLastHiddenLayer = 16 / 8,
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
}

/// Everything this group declares.
pub const GROUP: GroupLayout = GroupLayout {
    name: "1.1.0",
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
        &RKLLMResult::LAYOUT,
    ],
    enums: ENUMS,
    callbacks: CALLBACKS,
    functions: Functions::TABLE,
};

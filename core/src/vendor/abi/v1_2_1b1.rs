//! ABI group 1.2.1b1: release 1.2.1b1.
//!
//! Facts: `vendor/v1.2.1b1.json`, compiler output over the vendor's header. What the group has in common
//! with an older one is taken from there.

use super::layout::GroupLayout;
pub use super::v1_2_0::{
    CALLBACKS, ENUMS, LLMCallState, LLMHandle, LLMResultCallback, RKLLM_INFER_GENERATE,
    RKLLM_INFER_GET_LAST_HIDDEN_LAYER, RKLLM_INFER_GET_LOGITS, RKLLM_INPUT_EMBED,
    RKLLM_INPUT_MULTIMODAL, RKLLM_INPUT_PROMPT, RKLLM_INPUT_TOKEN, RKLLM_RUN_ERROR,
    RKLLM_RUN_FINISH, RKLLM_RUN_NORMAL, RKLLM_RUN_WAITING, RKLLMEmbedInput, RKLLMExtendParam,
    RKLLMInferMode, RKLLMInferParam, RKLLMInputType, RKLLMLoraAdapter, RKLLMLoraParam, RKLLMParam,
    RKLLMPromptCacheParam, RKLLMResult, RKLLMResultLastHiddenLayer, RKLLMResultLogits,
    RKLLMTokenInput,
};
use core::ffi::{c_char, c_int, c_void};

layout! {
    /// Text with the embeddings of images.
    pub struct RKLLMMultiModelInput: 48 / 24 {
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
        multimodal_input: RKLLMMultiModelInput = 0 / 0,
    }

    /// One input of a run.
    pub struct RKLLMInput: 56 / 28 {
        /// Which union member is valid.
        input_type: RKLLMInputType = 0 / 0,
        /// The input.
        input: RKLLMInputUnion = 8 / 4 [Union],
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
    name: "1.2.1b1",
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

//! ABI group 1.3.0: release 1.3.0.
//!
//! Facts: `vendor/v1.3.0.json`, compiler output over the vendor's header. What the group has in common
//! with an older one is taken from there.

use super::layout::{GroupLayout, c_bool};
pub use super::v1_2_1::{
    CPU0, CPU1, CPU2, CPU3, CPU4, CPU5, CPU6, CPU7, ENUMS, LLMCallState, LLMHandle,
    RKLLM_INFER_GENERATE, RKLLM_INFER_GET_LAST_HIDDEN_LAYER, RKLLM_INFER_GET_LOGITS,
    RKLLM_INPUT_EMBED, RKLLM_INPUT_MULTIMODAL, RKLLM_INPUT_PROMPT, RKLLM_INPUT_TOKEN,
    RKLLM_RUN_ERROR, RKLLM_RUN_FINISH, RKLLM_RUN_NORMAL, RKLLM_RUN_WAITING, RKLLMCrossAttnParam,
    RKLLMEmbedInput, RKLLMExtendParam, RKLLMInferMode, RKLLMInputType, RKLLMLoraAdapter,
    RKLLMLoraParam, RKLLMPerfStat, RKLLMPromptCacheParam, RKLLMResult, RKLLMResultLastHiddenLayer,
    RKLLMResultLogits, RKLLMTokenInput,
};
use core::ffi::{c_char, c_int, c_void};

callbacks! {
    /// Gets each result of a run. What `result` points to is valid during the call only.
    /// Returns 0 to go on, 1 to pause a single-turn run, 2 to free the output buffer now.
    pub fn LLMResultCallback(
        result: *mut RKLLMResult,
        userdata: *mut c_void,
        state: LLMCallState,
    ) -> c_int;
    /// Fills `embed` (`len` bytes of floats) with the embeddings of `num_tokens` ids; 0 on success.
    /// Only used by models that were converted without their embedding layer.
    pub fn LLMGetEmbedCallback(
        userdata: *mut c_void,
        tokens: *mut i32,
        num_tokens: u64,
        embed: *mut c_void,
        len: u64,
    ) -> c_int;
    /// Writes the ids of `text` to `tokens` (room for `n_tokens_max`) and returns how many;
    /// negative on failure. Only used by models that were converted without their tokenizer.
    pub fn LLMTokenizerCallback(
        userdata: *mut c_void,
        text: *const c_char,
        text_len: i32,
        tokens: *mut i32,
        n_tokens_max: i32,
    ) -> c_int;
}

layout! {
    /// What `rkllm_init` needs.
    pub struct RKLLMParam: 184 / 176 {
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
        /// Penalty on tokens that occurred; documented default 0.
        presence_penalty: f32 = 40 / 36,
        /// Mirostat sampling: 0 off, 1 or 2 its version.
        mirostat: i32 = 44 / 40,
        /// Mirostat's target entropy; documented default 5.0.
        mirostat_tau: f32 = 48 / 44,
        /// Mirostat's learning rate; documented default 0.1.
        mirostat_eta: f32 = 52 / 48,
        /// Leave special tokens out of the text.
        skip_special_token: c_bool = 56 / 52,
        /// Go on after an end-of-sequence token.
        ignore_eos_token: c_bool = 57 / 53,
        /// Run asynchronously.
        is_async: c_bool = 58 / 54,
        /// Further settings.
        extend_param: RKLLMExtendParam = 60 / 56,
    }

    /// The images of a multimodal input; unnamed in C.
    pub struct RKLLMImages: 64 / 32 {
        /// Embeddings of all images.
        image_embed: *mut f32 = 0 / 0,
        /// Tokens per image.
        n_image_tokens: usize = 8 / 4,
        /// Number of images, as many as `<image>` marks.
        n_image: usize = 16 / 8,
        /// Marker before image content.
        image_start: *const c_char = 24 / 12,
        /// Marker after image content.
        image_end: *const c_char = 32 / 16,
        /// Marker that stands for one image token.
        image_content: *const c_char = 40 / 20,
        /// Width of the image.
        image_width: usize = 48 / 24,
        /// Height of the image.
        image_height: usize = 56 / 28,
    }

    /// The videos of a multimodal input; unnamed in C.
    pub struct RKLLMVideos: 72 / 36 {
        /// Embeddings of all videos.
        video_embed: *mut f32 = 0 / 0,
        /// Tokens per frame.
        n_frame_tokens: usize = 8 / 4,
        /// Frames per video.
        n_frame_per_video: usize = 16 / 8,
        /// Number of videos, as many as `<video>` marks.
        n_video: usize = 24 / 12,
        /// Marker before video content.
        video_start: *const c_char = 32 / 16,
        /// Marker after video content.
        video_end: *const c_char = 40 / 20,
        /// Marker that stands for one video token.
        video_content: *const c_char = 48 / 24,
        /// Width of a frame.
        frame_width: usize = 56 / 28,
        /// Height of a frame.
        frame_height: usize = 64 / 32,
    }

    /// Text with image and video embeddings.
    pub struct RKLLMMultiModalInput: 144 / 72 {
        /// Text; `<image>` and `<video>` mark the places.
        prompt: *mut c_char = 0 / 0,
        /// The images.
        image: RKLLMImages = 8 / 4 [Struct],
        /// The videos.
        video: RKLLMVideos = 72 / 36 [Struct],
    }

    /// The inputs of which `input_type` names one; unnamed in C.
    pub union RKLLMInputUnion: 144 / 72 {
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
    pub struct RKLLMInput: 160 / 84 {
        /// Who speaks: `user`, or `tool` for a function's result.
        role: *const c_char = 0 / 0,
        /// Thinking mode of models that have one.
        enable_thinking: c_bool = 8 / 4,
        /// Which union member is valid.
        input_type: RKLLMInputType = 12 / 8,
        /// The input.
        input: RKLLMInputUnion = 16 / 12 [Union],
    }

    /// Sampling settings of one run; each field as in [`RKLLMParam`].
    pub struct RKLLMSamplingParam: 36 / 36 {
        /// Sample from the k likeliest tokens.
        top_k: i32 = 0 / 0,
        /// Nucleus sampling threshold.
        top_p: f32 = 4 / 4,
        /// Sampling temperature, 0 is greedy.
        temperature: f32 = 8 / 8,
        /// Penalty on repeated tokens.
        repeat_penalty: f32 = 12 / 12,
        /// Penalty that grows with a token's count.
        frequency_penalty: f32 = 16 / 16,
        /// Penalty on tokens that occurred.
        presence_penalty: f32 = 20 / 20,
        /// Mirostat sampling: 0 off, 1 or 2 its version.
        mirostat: i32 = 24 / 24,
        /// Mirostat's target entropy.
        mirostat_tau: f32 = 28 / 28,
        /// Mirostat's learning rate.
        mirostat_eta: f32 = 32 / 32,
    }

    /// Settings of one run.
    pub struct RKLLMInferParam: 40 / 24 {
        /// What the run produces.
        mode: RKLLMInferMode = 0 / 0,
        /// Adapter to use, or NULL.
        lora_params: *mut RKLLMLoraParam = 8 / 4,
        /// Prompt cache to save, or NULL.
        prompt_cache_params: *mut RKLLMPromptCacheParam = 16 / 8,
        /// Replaces the sampling settings of `rkllm_init`; NULL keeps them.
        sampling_params: *mut RKLLMSamplingParam = 24 / 12,
        /// 1 keeps the conversation in the cache, 0 makes the run stand alone.
        keep_history: c_int = 32 / 16,
        /// Replaces `RKLLMParam.max_new_tokens`; 0 or less keeps it.
        max_new_tokens: i32 = 36 / 20,
    }

    /// The callbacks of a model; those that are not used stay NULL.
    pub struct RKLLMCallback: 48 / 24 {
        /// Gets the results.
        result_callback: LLMResultCallback = 0 / 0,
        /// Given to `result_callback` where a run's own userdata is NULL.
        result_userdata: *mut c_void = 8 / 4,
        /// Tokenizer of a model converted without one.
        tokenizer_callback: LLMTokenizerCallback = 16 / 8,
        /// Given to `tokenizer_callback`.
        tokenizer_userdata: *mut c_void = 24 / 12,
        /// Embedding layer of a model converted without one.
        embed_callback: LLMGetEmbedCallback = 32 / 16,
        /// Given to `embed_callback`.
        embed_userdata: *mut c_void = 40 / 20,
    }
}

functions! {
    /// A parameter struct with the defaults filled in.
    fn rkllm_createDefaultParam() -> RKLLMParam;
    /// Loads a model; 0 on success.
    fn rkllm_init(
        handle: *mut LLMHandle,
        param: *mut RKLLMParam,
        callback: *mut RKLLMCallback,
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
    /// 1 while a run is in progress, else 0.
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
    name: "1.3.0",
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
        &RKLLMSamplingParam::LAYOUT,
        &RKLLMInferParam::LAYOUT,
        &RKLLMResultLastHiddenLayer::LAYOUT,
        &RKLLMResultLogits::LAYOUT,
        &RKLLMPerfStat::LAYOUT,
        &RKLLMResult::LAYOUT,
        &RKLLMCallback::LAYOUT,
    ],
    enums: ENUMS,
    callbacks: CALLBACKS,
    functions: Functions::TABLE,
};

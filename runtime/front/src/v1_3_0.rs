//! Group 1.3.0: reads its structs, makes its callbacks, exports its functions.
//!
//! Text input gets a chat template, the model's own unless one is set; token input gets none. Runs
//! reuse what their prompt has in common with the cache, or continue it with `keep_history`.

use crate::abi::v1_3_0::*;
use crate::engine::{Cache, Engine, InitParams, Input, Mode, Sampling, State, unsupported};
use crate::run::{self, Run, Userdata};
use crate::session::{Answer, ContextLimit, Deliver, Opening, Perf, Session};
use crate::template::{SetTemplate, Turn};
use crate::{Registry, export, guard, log, session};
use std::ffi::{c_char, c_int, c_void};
use std::path::PathBuf;

/// Name of the group.
pub const GROUP_NAME: &std::ffi::CStr = c"1.3.0";

const OPENING: Opening = Opening {
    release: "1.3.0",
    templated: true,
    whole_characters: true,
    context_limit: ContextLimit::Strict,
};

/// `rkllm_createDefaultParam`: the manual's values, and what the vendor's demos set where the
/// manual is silent (max_context_len, max_new_tokens, n_keep, embed_flash; skip_special_token is
/// left off, since no document gives a default).
pub fn default_param() -> RKLLMParam {
    RKLLMParam {
        max_context_len: 4096,
        max_new_tokens: -1,
        top_k: 40,
        n_keep: -1,
        top_p: 0.9,
        temperature: 0.8,
        repeat_penalty: 1.1,
        mirostat_tau: 5.0,
        mirostat_eta: 0.1,
        extend_param: RKLLMExtendParam {
            embed_flash: 1,
            enabled_cpus_num: 4,
            n_batch: 1,
            ..RKLLMExtendParam::zeroed()
        },
        ..RKLLMParam::zeroed()
    }
}

/// `rkllm_init`.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
pub unsafe fn init<E: Engine>(
    registry: &Registry<E>,
    handle: *mut LLMHandle,
    param: *mut RKLLMParam,
    callback: *mut RKLLMCallback,
) -> c_int {
    log::read_level();
    guard::status(|| {
        // SAFETY: the caller vouches for the pointers.
        let (params, callback) = unsafe {
            guard::clear_handle(handle)?;
            let params = init_params(&guard::read("the parameter struct", param)?)?;
            (params, guard::read("the callback struct", callback)?)
        };
        let opened = session::open(registry, &OPENING, params, deliver(callback)?)?;
        // SAFETY: checked above to be not NULL.
        unsafe { handle.write_unaligned(opened) };
        Ok(0)
    })
}

/// # Safety
/// The model's path is NULL or NUL-terminated.
unsafe fn init_params(param: &RKLLMParam) -> Result<InitParams, String> {
    // SAFETY: the caller vouches for the string.
    let model_path = unsafe { guard::text("model_path", param.model_path)? };
    let extend = &param.extend_param;
    Ok(InitParams {
        model_path: PathBuf::from(model_path.ok_or("model_path is NULL")?),
        max_context_len: param.max_context_len,
        max_new_tokens: param.max_new_tokens,
        n_keep: param.n_keep,
        sampling: Sampling {
            top_k: param.top_k,
            top_p: param.top_p,
            temperature: param.temperature,
            repeat_penalty: param.repeat_penalty,
            frequency_penalty: param.frequency_penalty,
            presence_penalty: param.presence_penalty,
            mirostat: param.mirostat,
            mirostat_tau: param.mirostat_tau,
            mirostat_eta: param.mirostat_eta,
        },
        skip_special_token: param.skip_special_token != 0,
        ignore_eos_token: param.ignore_eos_token != 0,
        is_async: param.is_async != 0,
        image_markers: [const { None }; 3],
        base_domain_id: extend.base_domain_id,
        embed_flash: extend.embed_flash,
        enabled_cpus_num: extend.enabled_cpus_num,
        enabled_cpus_mask: extend.enabled_cpus_mask,
        n_batch: extend.n_batch,
        use_cross_attn: extend.use_cross_attn,
        top_logprobs: None,
    })
}

/// The callbacks of a model, as given to `rkllm_init`.
struct Callbacks(RKLLMCallback);

// SAFETY: only function pointers and the caller's userdata, which is passed on and never
// dereferenced.
unsafe impl Send for Callbacks {}
// SAFETY: as above.
unsafe impl Sync for Callbacks {}

fn deliver(callback: RKLLMCallback) -> Result<Deliver, String> {
    let Some(result_callback) = callback.result_callback else {
        return Err("the result callback is NULL".into());
    };
    let callbacks = Callbacks(callback);
    Ok(Box::new(move |delivery| {
        // The whole struct is captured, not its raw pointer, which may not cross threads.
        let callbacks = &callbacks;
        let mut results: Vec<_> = delivery.answers.iter().map(result).collect();
        let userdata = match delivery.userdata.is_null() {
            true => callbacks.0.result_userdata,
            false => delivery.userdata,
        };
        // SAFETY: the caller of rkllm_init gave the function for such calls; the results and what
        // they point to live until it returns.
        unsafe { result_callback(results.as_mut_ptr(), userdata, call_state(delivery.state)) }
    }))
}

fn call_state(state: State) -> LLMCallState {
    match state {
        State::Normal => RKLLM_RUN_NORMAL,
        State::Waiting => RKLLM_RUN_WAITING,
        State::Finish => RKLLM_RUN_FINISH,
        State::Error => RKLLM_RUN_ERROR,
    }
}

fn result(answer: &Answer<'_>) -> RKLLMResult {
    let mut result = RKLLMResult {
        text: answer.text.map_or(std::ptr::null(), |text| text.as_ptr()),
        token_id: answer.id,
        perf: answer
            .perf
            .map_or(RKLLMPerfStat::zeroed(), |perf| perf_stat(&perf)),
        ..RKLLMResult::zeroed()
    };
    if let Some(states) = answer.hidden_states {
        result.last_hidden_layer.hidden_states = states.values.as_ptr();
        result.last_hidden_layer.embd_size = export::size(states.columns);
        result.last_hidden_layer.num_tokens = export::size(states.rows());
    }
    if let Some(logits) = answer.logits {
        result.logits.logits = logits.values.as_ptr();
        result.logits.vocab_size = export::size(logits.columns);
        result.logits.num_tokens = export::size(logits.rows());
    }
    result
}

fn perf_stat(perf: &Perf) -> RKLLMPerfStat {
    let counts = &perf.counts;
    let tokens = |n: u64| c_int::try_from(n).unwrap_or(c_int::MAX);
    RKLLMPerfStat {
        prefill_time_ms: counts.prefill_us as f32 / 1000.0,
        prefill_tokens: tokens(counts.prompt_tokens - counts.reused_tokens),
        generate_time_ms: counts.decode_us as f32 / 1000.0,
        generate_tokens: tokens(counts.new_tokens),
        memory_usage_mb: perf.memory_mb,
    }
}

/// `rkllm_run` and, with `detached`, `rkllm_run_async`.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
pub unsafe fn run<E: Engine>(
    registry: &Registry<E>,
    detached: bool,
    handle: LLMHandle,
    input: *mut RKLLMInput,
    infer: *mut RKLLMInferParam,
    userdata: *mut c_void,
) -> c_int {
    let function = if detached {
        "rkllm_run_async"
    } else {
        "rkllm_run"
    };
    guard::status(|| {
        let session = registry.get(function, handle)?;
        // SAFETY: the caller vouches for the pointers.
        let run = unsafe {
            // Leaving the infer params out means generate, says a comment in the vendor's demos.
            let infer = match infer.is_null() {
                true => RKLLMInferParam::zeroed(),
                false => guard::read("the infer params", infer)?,
            };
            let mut turns = Vec::new();
            for place in 0..session.params.n_batch.into() {
                let input = guard::read("the input", input.wrapping_add(place))?;
                turns.push(Turn {
                    input: read_input(&session, &input)?,
                    role: guard::text("role", input.role)?,
                    enable_thinking: input.enable_thinking != 0,
                });
            }
            let (lora, prompt_cache) = read_infer(&infer)?;
            Run {
                turns,
                mode: read_mode(infer.mode)?,
                lora,
                prompt_cache,
                sampling: read_sampling(infer.sampling_params)?,
                max_new_tokens: infer.max_new_tokens,
                cache: if infer.keep_history != 0 {
                    Cache::Append
                } else {
                    Cache::Prefix
                },
                userdata: Userdata(userdata),
            }
        };
        let detached = detached || session.params.is_async;
        run::start(session, run, detached)
    })
}

/// What a run is for.
fn read_mode(mode: u32) -> Result<Mode, String> {
    match mode {
        RKLLM_INFER_GENERATE => Ok(Mode::Generate),
        RKLLM_INFER_GET_LAST_HIDDEN_LAYER => Ok(Mode::HiddenStates),
        RKLLM_INFER_GET_LOGITS => Ok(Mode::Logits),
        other => Err(format!("infer mode must be 0 to 2, but got {other}")),
    }
}

/// The adapter to use, and the file to write the prompt cache to.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
unsafe fn read_infer(infer: &RKLLMInferParam) -> Result<(Option<String>, Option<PathBuf>), String> {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        let lora = match infer.lora_params.is_null() {
            true => None,
            false => {
                let lora = guard::read("lora_params", infer.lora_params)?;
                guard::text("lora_adapter_name", lora.lora_adapter_name)?
            }
        };
        if infer.prompt_cache_params.is_null() {
            return Ok((lora, None));
        }
        let cache = guard::read("prompt_cache_params", infer.prompt_cache_params)?;
        if cache.save_prompt_cache == 0 {
            return Ok((lora, None));
        }
        let path = guard::text("prompt_cache_path", cache.prompt_cache_path)?;
        Ok((lora, Some(PathBuf::from(path.unwrap_or_default()))))
    }
}

/// # Safety
/// `sampling` is NULL or readable.
unsafe fn read_sampling(sampling: *mut RKLLMSamplingParam) -> Result<Option<Sampling>, String> {
    if sampling.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the caller vouches for it.
    let sampling = unsafe { guard::read("sampling_params", sampling)? };
    Ok(Some(Sampling {
        top_k: sampling.top_k,
        top_p: sampling.top_p,
        temperature: sampling.temperature,
        repeat_penalty: sampling.repeat_penalty,
        frequency_penalty: sampling.frequency_penalty,
        presence_penalty: sampling.presence_penalty,
        mirostat: sampling.mirostat,
        mirostat_tau: sampling.mirostat_tau,
        mirostat_eta: sampling.mirostat_eta,
    }))
}

/// # Safety
/// The union member that `input_type` names is valid.
unsafe fn read_input<E: Engine>(session: &Session<E>, input: &RKLLMInput) -> Result<Input, String> {
    // SAFETY: all members are plain data, so any of them may be read; the pointers in the one that
    // `input_type` names are valid, says the caller.
    unsafe {
        match input.input_type {
            RKLLM_INPUT_PROMPT => {
                let text = guard::text("prompt_input", input.input.prompt_input)?;
                text.map(Input::Text)
                    .ok_or_else(|| "prompt_input is NULL".into())
            }
            RKLLM_INPUT_TOKEN => {
                let tokens = input.input.token_input;
                export::tokens(tokens.input_ids, tokens.n_tokens)
            }
            RKLLM_INPUT_EMBED => {
                let embed = input.input.embed_input;
                export::embeddings(session, embed.embed, embed.n_tokens)
            }
            RKLLM_INPUT_MULTIMODAL => {
                let input = input.input.multimodal_input;
                let prompt = guard::text("prompt", input.prompt)?.ok_or("prompt is NULL")?;
                if !input.video.video_embed.is_null() {
                    return Err(unsupported::<E>("video input"));
                }
                let image = input.image;
                let markers = [image.image_start, image.image_end];
                let [start, end] = markers.map(|marker| guard::text("an image marker", marker));
                let markers = [start?.unwrap_or_default(), end?.unwrap_or_default()];
                let (n, n_tokens) = (image.n_image, image.n_image_tokens);
                export::images(session, prompt, image.image_embed, n, n_tokens, markers)
            }
            other => Err(export::unknown_input(other)),
        }
    }
}

/// `rkllm_load_lora`.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
pub unsafe fn load_lora<E: Engine>(
    registry: &Registry<E>,
    handle: LLMHandle,
    adapter: *mut RKLLMLoraAdapter,
) -> c_int {
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        match guard::read("the adapter", adapter) {
            Ok(RKLLMLoraAdapter {
                lora_adapter_path,
                lora_adapter_name,
                scale,
                ..
            }) => export::load_lora(
                registry,
                handle,
                lora_adapter_path,
                lora_adapter_name,
                scale,
            ),
            Err(message) => guard::status(|| Err(message)),
        }
    }
}

/// `rkllm_clear_kv_cache`.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
pub unsafe fn clear_kv_cache<E: Engine>(
    registry: &Registry<E>,
    handle: LLMHandle,
    keep_system_prompt: c_int,
    start_pos: *mut c_int,
    end_pos: *mut c_int,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_clear_kv_cache", handle)?;
        let keep_system = keep_system_prompt != 0;
        if start_pos.is_null() && end_pos.is_null() {
            return session.clear_cache(keep_system, None).map(|()| 0);
        }
        let mut ranges = Vec::new();
        for place in 0..session.params.n_batch.into() {
            // SAFETY: the caller says that both arrays have n_batch numbers, or are NULL.
            ranges.push(unsafe {
                (
                    guard::read("start_pos", start_pos.wrapping_add(place))?,
                    guard::read("end_pos", end_pos.wrapping_add(place))?,
                )
            });
        }
        session.clear_cache(keep_system, Some(&ranges)).map(|()| 0)
    })
}

/// `rkllm_get_kv_cache_size`.
///
/// # Safety
/// `sizes` is NULL or has room for `n_batch` numbers.
pub unsafe fn get_kv_cache_size<E: Engine>(
    registry: &Registry<E>,
    handle: LLMHandle,
    sizes: *mut c_int,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_get_kv_cache_size", handle)?;
        if sizes.is_null() {
            return Err("the pointer for the cache sizes is NULL".into());
        }
        for (place, cached) in session.cache_sizes().into_iter().enumerate() {
            // SAFETY: not NULL, and the caller says it has room for n_batch numbers.
            unsafe { sizes.add(place).write_unaligned(export::size(cached)) };
        }
        Ok(0)
    })
}

/// `rkllm_set_chat_template`.
///
/// # Safety
/// Each string is NULL or NUL-terminated.
pub unsafe fn set_chat_template<E: Engine>(
    registry: &Registry<E>,
    handle: LLMHandle,
    system_prompt: *const c_char,
    prompt_prefix: *const c_char,
    prompt_postfix: *const c_char,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_set_chat_template", handle)?;
        // SAFETY: the caller vouches for the strings.
        let set = unsafe {
            SetTemplate {
                system: guard::text("system_prompt", system_prompt)?.unwrap_or_default(),
                prefix: guard::text("prompt_prefix", prompt_prefix)?.unwrap_or_default(),
                postfix: guard::text("prompt_postfix", prompt_postfix)?.unwrap_or_default(),
            }
        };
        session.set_template(set)?;
        log::warning("the model's own chat template is off now, enable_thinking has no effect");
        Ok(0)
    })
}

/// `rkllm_set_function_tools`.
///
/// # Safety
/// Each string is NULL or NUL-terminated.
pub unsafe fn set_function_tools<E: Engine>(
    registry: &Registry<E>,
    handle: LLMHandle,
    system_prompt: *const c_char,
    tools: *const c_char,
    tool_response: *const c_char,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_set_function_tools", handle)?;
        // SAFETY: the caller vouches for the strings.
        let (system, tools, response) = unsafe {
            (
                guard::text("system_prompt", system_prompt)?.unwrap_or_default(),
                guard::text("tools", tools)?.ok_or("tools is NULL")?,
                guard::text("tool_response_str", tool_response)?.unwrap_or_default(),
            )
        };
        session.set_function_tools(&system, &tools, &response)?;
        Ok(0)
    })
}

/// `rkllm_set_cross_attn_params`.
pub fn set_cross_attn_params<E: Engine>(registry: &Registry<E>, handle: LLMHandle) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_set_cross_attn_params", handle)?;
        session.set_cross_attn().map(|()| 0)
    })
}

/// Exports the functions of group 1.3.0 over an engine type.
#[macro_export]
macro_rules! export_v1_3_0 {
    ($engine:ty) => {
        use $crate::abi::v1_3_0 as group;

        $crate::export_common!($engine, v1_3_0);

        /// Loads a model.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_init(
            handle: *mut LLMHandle,
            param: *mut RKLLMParam,
            callback: *mut group::RKLLMCallback,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::v1_3_0::init(&REGISTRY, handle, param, callback) }
        }

        /// Empties the cache.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_clear_kv_cache(
            handle: LLMHandle,
            keep: c_int,
            start: *mut c_int,
            end: *mut c_int,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::v1_3_0::clear_kv_cache(&REGISTRY, handle, keep, start, end) }
        }

        /// Writes the number of tokens in the cache.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_get_kv_cache_size(
            handle: LLMHandle,
            sizes: *mut c_int,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::v1_3_0::get_kv_cache_size(&REGISTRY, handle, sizes) }
        }

        /// Replaces the chat template.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_chat_template(
            handle: LLMHandle,
            system: *const c_char,
            prefix: *const c_char,
            postfix: *const c_char,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::v1_3_0::set_chat_template(&REGISTRY, handle, system, prefix, postfix) }
        }

        /// Sets the functions that the model may call.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_function_tools(
            handle: LLMHandle,
            system: *const c_char,
            tools: *const c_char,
            response: *const c_char,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe {
                $crate::v1_3_0::set_function_tools(&REGISTRY, handle, system, tools, response)
            }
        }

        /// Sets what cross attention attends to.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_cross_attn_params(
            handle: LLMHandle,
            _params: *mut group::RKLLMCrossAttnParam,
        ) -> c_int {
            $crate::v1_3_0::set_cross_attn_params(&REGISTRY, handle)
        }

        // Does not compile if a signature differs from the group's.
        const _: group::Functions = group::Functions {
            rkllm_createDefaultParam,
            rkllm_init,
            rkllm_load_lora,
            rkllm_load_prompt_cache,
            rkllm_release_prompt_cache,
            rkllm_destroy,
            rkllm_run,
            rkllm_run_async,
            rkllm_abort,
            rkllm_is_running,
            rkllm_clear_kv_cache,
            rkllm_get_kv_cache_size,
            rkllm_set_chat_template,
            rkllm_set_function_tools,
            rkllm_set_cross_attn_params,
        };
    };
}

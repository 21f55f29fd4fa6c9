//! Group 1.3.0: reads its structs, makes its callbacks, exports its functions.
//!
//! Text input gets a chat template, the model's own unless one is set; token input gets none. Runs
//! reuse what their prompt has in common with the cache, or continue it with `keep_history`.

use crate::abi::v1_3_0::*;
use crate::engine::{Cache, Engine, InitParams, Input, Sampling};
use crate::run::{self, Run, Userdata};
use crate::session::{Deliver, Opening, Perf};
use crate::template::SetTemplate;
use crate::{Registry, export, guard, log, session};
use std::ffi::{c_char, c_int, c_void};
use std::path::PathBuf;

/// Name of the group.
pub const GROUP_NAME: &std::ffi::CStr = c"1.3.0";

const OPENING: Opening = Opening {
    release: "1.3.0",
    templated: true,
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
        check_batch::<E>(&params)?;
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
    })
}

fn check_batch<E: Engine>(params: &InitParams) -> Result<(), String> {
    match params.n_batch {
        1 => {}
        2..=100 => {
            return Err(export::missing::<E>(
                "batches of several inputs (n_batch above 1)",
            ));
        }
        n_batch => {
            return Err(format!(
                "n_batch must be between 1 and 100, but got {n_batch}"
            ));
        }
    }
    if params.use_cross_attn != 0 {
        return Err(export::missing::<E>("cross attention"));
    }
    Ok(())
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
        let mut result = RKLLMResult {
            text: delivery.text.map_or(std::ptr::null(), |text| text.as_ptr()),
            token_id: delivery.id,
            perf: delivery
                .perf
                .map_or(RKLLMPerfStat::zeroed(), |perf| perf_stat(&perf)),
            ..RKLLMResult::zeroed()
        };
        let userdata = match delivery.userdata.is_null() {
            true => callbacks.0.result_userdata,
            false => delivery.userdata,
        };
        // SAFETY: the caller of rkllm_init gave the function for such calls; `result` and its text
        // live until it returns.
        unsafe { result_callback(&mut result, userdata, delivery.state) }
    }))
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
            let input = guard::read("the input", input)?;
            check_infer::<E>(&infer)?;
            Run {
                input: read_input::<E>(&input)?,
                role: guard::text("role", input.role)?,
                enable_thinking: input.enable_thinking != 0,
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

/// # Safety
/// Each pointer is NULL or valid as the group's header says.
unsafe fn check_infer<E: Engine>(infer: &RKLLMInferParam) -> Result<(), String> {
    if infer.mode != RKLLM_INFER_GENERATE {
        return Err(export::missing::<E>(&format!("infer mode {}", infer.mode)));
    }
    // SAFETY: the caller vouches for the pointers.
    unsafe {
        if !infer.lora_params.is_null()
            && !guard::read("lora_params", infer.lora_params)?
                .lora_adapter_name
                .is_null()
        {
            return Err(export::missing::<E>("LoRA adapters"));
        }
        if !infer.prompt_cache_params.is_null()
            && guard::read("prompt_cache_params", infer.prompt_cache_params)?.save_prompt_cache != 0
        {
            return Err(export::missing::<E>("prompt cache files"));
        }
    }
    Ok(())
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
unsafe fn read_input<E: Engine>(input: &RKLLMInput) -> Result<Input, String> {
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
            other => Err(export::unknown_input::<E>(other)),
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
        if !start_pos.is_null() || !end_pos.is_null() {
            return Err(export::missing::<E>(
                "rkllm_clear_kv_cache of a range of positions",
            ));
        }
        session.clear_cache(keep_system_prompt != 0).map(|()| 0)
    })
}

/// `rkllm_get_kv_cache_size`.
///
/// # Safety
/// `sizes` is NULL or has room for one number.
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
        let cached = c_int::try_from(session.engine.cached()).unwrap_or(c_int::MAX);
        // SAFETY: not NULL, and the caller says it has room for n_batch numbers, which is 1.
        unsafe { sizes.write_unaligned(cached) };
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

        /// Not there yet.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_function_tools(
            handle: LLMHandle,
            _system: *const c_char,
            _tools: *const c_char,
            _response: *const c_char,
        ) -> c_int {
            let function = "rkllm_set_function_tools";
            $crate::export::refuse(&REGISTRY, function, handle, "function tools")
        }

        /// Not there yet.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_cross_attn_params(
            handle: LLMHandle,
            _params: *mut group::RKLLMCrossAttnParam,
        ) -> c_int {
            let function = "rkllm_set_cross_attn_params";
            $crate::export::refuse(&REGISTRY, function, handle, "cross attention")
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

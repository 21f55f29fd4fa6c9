//! Group 1.1.0: reads its structs, makes its callbacks, exports its functions.
//!
//! This group has no chat template and no reuse of the cache between runs.

use crate::abi::v1_1_0::*;
use crate::engine::{Cache, Engine, InitParams, Input, Sampling};
use crate::run::{self, Run, Userdata};
use crate::session::{Deliver, Opening};
use crate::{Registry, export, guard, log, session};
use std::ffi::{c_int, c_void};
use std::path::PathBuf;

/// Name of the group.
pub const GROUP_NAME: &std::ffi::CStr = c"1.1.0";

const OPENING: Opening = Opening {
    release: "1.1.4",
    templated: false,
};

/// `rkllm_createDefaultParam`: the manual's values, and what the vendor's demos set where the
/// manual is silent (max_new_tokens, max_context_len; skip_special_token is left off, since no
/// document gives a default).
pub fn default_param() -> RKLLMParam {
    RKLLMParam {
        max_context_len: 512,
        max_new_tokens: -1,
        top_k: 40,
        top_p: 0.9,
        temperature: 0.8,
        repeat_penalty: 1.1,
        mirostat_tau: 5.0,
        mirostat_eta: 0.1,
        img_start: c"".as_ptr(),
        img_end: c"".as_ptr(),
        img_content: c"".as_ptr(),
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
    callback: LLMResultCallback,
) -> c_int {
    log::read_level();
    guard::status(|| {
        // SAFETY: the caller vouches for the pointers.
        let params = unsafe {
            guard::clear_handle(handle)?;
            init_params(&guard::read("the parameter struct", param)?)?
        };
        let Some(callback) = callback else {
            return Err("the result callback is NULL".into());
        };
        let opened = session::open(registry, &OPENING, params, deliver(callback))?;
        // SAFETY: checked above to be not NULL.
        unsafe { handle.write_unaligned(opened) };
        Ok(0)
    })
}

/// # Safety
/// The strings are NULL or NUL-terminated.
unsafe fn init_params(param: &RKLLMParam) -> Result<InitParams, String> {
    // SAFETY: the caller vouches for the strings.
    let (model_path, image_markers) = unsafe {
        let markers = [param.img_start, param.img_end, param.img_content];
        let [start, end, content] = markers.map(|marker| guard::text("an image marker", marker));
        (
            guard::text("model_path", param.model_path)?,
            [start?, end?, content?],
        )
    };
    Ok(InitParams {
        model_path: PathBuf::from(model_path.ok_or("model_path is NULL")?),
        max_context_len: param.max_context_len,
        max_new_tokens: param.max_new_tokens,
        n_keep: -1,
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
        ignore_eos_token: false,
        is_async: param.is_async != 0,
        image_markers,
        base_domain_id: param.extend_param.base_domain_id,
        embed_flash: 0,
        enabled_cpus_num: 0,
        enabled_cpus_mask: 0,
        n_batch: 1,
        use_cross_attn: 0,
    })
}

fn deliver(callback: unsafe extern "C" fn(*mut RKLLMResult, *mut c_void, LLMCallState)) -> Deliver {
    Box::new(move |delivery| {
        let mut result = RKLLMResult {
            text: delivery.text.map_or(std::ptr::null(), |text| text.as_ptr()),
            token_id: delivery.id,
            ..RKLLMResult::zeroed()
        };
        // SAFETY: the caller of rkllm_init gave the function for such calls; `result` and its text
        // live until it returns.
        unsafe { callback(&mut result, delivery.userdata, delivery.state) };
        0
    })
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
            if !infer.is_null() {
                check_infer::<E>(&guard::read("the infer params", infer)?)?;
            }
            Run {
                input: read_input::<E>(&guard::read("the input", input)?)?,
                role: None,
                enable_thinking: false,
                sampling: None,
                max_new_tokens: 0,
                cache: Cache::Fresh,
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

/// Exports the functions of group 1.1.0 over an engine type.
#[macro_export]
macro_rules! export_v1_1_0 {
    ($engine:ty) => {
        use $crate::abi::v1_1_0 as group;

        $crate::export_common!($engine, v1_1_0);

        /// Loads a model.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_init(
            handle: *mut LLMHandle,
            param: *mut RKLLMParam,
            callback: group::LLMResultCallback,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::v1_1_0::init(&REGISTRY, handle, param, callback) }
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
        };
    };
}

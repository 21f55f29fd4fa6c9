//! Group 1.1.0: reads its structs, makes its callbacks, exports its functions.
//!
//! This group has no chat template and no reuse of the cache between runs.

use crate::abi::v1_1_0::*;
use crate::engine::{Cache, Engine, InitParams, Input, Mode, Sampling, State};
use crate::run::{self, Run, Userdata};
use crate::session::{ContextLimit, Deliver, Opening, Session};
use crate::template::Turn;
use crate::{Registry, export, guard, log, session};
use std::ffi::{c_int, c_void};
use std::path::PathBuf;

/// Name of the group.
pub const GROUP_NAME: &std::ffi::CStr = c"1.1.0";

const OPENING: Opening = Opening {
    release: "1.1.4",
    templated: false,
    whole_characters: true,
    context_limit: ContextLimit::Strict,
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
        top_logprobs: None,
    })
}

fn deliver(callback: unsafe extern "C" fn(*mut RKLLMResult, *mut c_void, LLMCallState)) -> Deliver {
    Box::new(move |delivery| {
        let answer = delivery.answers[0];
        let mut result = RKLLMResult {
            text: answer.text.map_or(std::ptr::null(), |text| text.as_ptr()),
            token_id: answer.id,
            ..RKLLMResult::zeroed()
        };
        let mut state = match delivery.state {
            State::Normal => RKLLM_RUN_NORMAL,
            State::Waiting => RKLLM_RUN_WAITING,
            State::Finish => RKLLM_RUN_FINISH,
            State::Error => RKLLM_RUN_ERROR,
        };
        if let Some(states) = answer.hidden_states {
            state = RKLLM_RUN_GET_LAST_HIDDEN_LAYER;
            result.last_hidden_layer.hidden_states = states.values.as_ptr();
            result.last_hidden_layer.embd_size = export::size(states.columns);
            result.last_hidden_layer.num_tokens = export::size(states.rows());
        }
        // SAFETY: the caller of rkllm_init gave the function for such calls; the result and what it
        // points to live until it returns.
        unsafe { callback(&mut result, delivery.userdata, state) };
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
            // Leaving the infer params out means generate, says a comment in the vendor's demos.
            let infer = match infer.is_null() {
                true => RKLLMInferParam::zeroed(),
                false => guard::read("the infer params", infer)?,
            };
            let (lora, prompt_cache) = read_infer(&infer)?;
            Run {
                turns: vec![Turn {
                    input: read_input(&session, &guard::read("the input", input)?)?,
                    role: None,
                    enable_thinking: true,
                }],
                mode: read_mode(infer.mode)?,
                lora,
                prompt_cache,
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

/// What a run is for.
fn read_mode(mode: u32) -> Result<Mode, String> {
    match mode {
        RKLLM_INFER_GENERATE => Ok(Mode::Generate),
        RKLLM_INFER_GET_LAST_HIDDEN_LAYER => Ok(Mode::HiddenStates),
        other => Err(format!("infer mode must be 0 to 1, but got {other}")),
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
                let [start, end, _] = session.params.image_markers.clone();
                let markers = [start.unwrap_or_default(), end.unwrap_or_default()];
                let n_tokens = input.n_image_tokens;
                export::images(session, prompt, input.image_embed, 1, n_tokens, markers)
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

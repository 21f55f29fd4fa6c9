//! Group 1.2.0: chat templates, conversations and reuse of the cache, logits.

use super::{Group, Structured, read, v1_1_0, write};
use crate::abi::v1_2_0::*;
use crate::engine::{Cache, Engine, InitParams, Mode, Sampling};
use crate::run::Run;
use crate::session::{Answer, ContextLimit, Deliver, Opening, Session};
use crate::template::Turn;
use std::ffi::CStr;

impl Group for Functions {
    const NAME: &'static CStr = c"1.2.0";
    const OPENING: &'static Opening = &opening("1.2.0");
    type Param = RKLLMParam;
    type Callback = LLMResultCallback;

    fn default_param() -> RKLLMParam {
        default_param()
    }

    unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
        // SAFETY: handed on from the caller.
        unsafe { params(param) }
    }

    unsafe fn deliver(callback: LLMResultCallback) -> Result<Deliver, String> {
        deliver(callback)
    }
}

impl Structured for Functions {
    type Input = RKLLMInput;
    type Infer = RKLLMInferParam;
    const NO_INFER: RKLLMInferParam = RKLLMInferParam::zeroed();

    unsafe fn turn<E: Engine>(session: &Session<E>, input: &RKLLMInput) -> Result<Turn, String> {
        // SAFETY: any member of the union may be read as all are plain data; the rest is handed on
        // from the caller.
        let input = unsafe { input!(session, input, v1_1_0::images)? };
        Ok(read::plain_turn(input))
    }

    unsafe fn set(infer: &RKLLMInferParam, run: &mut Run) -> Result<(), String> {
        // SAFETY: handed on from the caller.
        unsafe { set(infer, run) }
    }
}

/// What the groups since 1.2.0 can.
pub(super) const fn opening(release: &'static str) -> Opening {
    Opening {
        release,
        templated: true,
        whole_characters: true,
        context_limit: ContextLimit::Strict,
    }
}

/// Modes of the groups since 1.2.0, by number.
pub(super) const MODES: &[Mode] = &[Mode::Generate, Mode::HiddenStates, Mode::Logits];

/// The defaults of 1.2.0 and 1.2.1b1.
pub(super) fn default_param() -> RKLLMParam {
    default_param! {
        max_context_len: 4096,
        max_new_tokens: -1,
        n_keep: -1,
        img_start: c"".as_ptr(),
        img_end: c"".as_ptr(),
        img_content: c"".as_ptr(),
        extend_param: RKLLMExtendParam {
            embed_flash: 1,
            enabled_cpus_num: 4,
            ..RKLLMExtendParam::zeroed()
        },
    }
}

/// # Safety
/// As for [`Group::params`].
pub(super) unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
    // SAFETY: handed on from the caller.
    unsafe {
        let mut params = params!(param, model_path)?;
        copy!(params, param, n_keep);
        copy!(params, param, flags skip_special_token is_async);
        copy!(params, param.extend_param, base_domain_id embed_flash);
        copy!(params, param.extend_param, enabled_cpus_num enabled_cpus_mask);
        params.image_markers = read::markers([param.img_start, param.img_end, param.img_content])?;
        Ok(params)
    }
}

/// Makes the calls for 1.2.0 and 1.2.1b1.
pub(super) fn deliver(callback: LLMResultCallback) -> Result<Deliver, String> {
    let callback = callback.ok_or("the result callback is NULL")?;
    Ok(Box::new(move |delivery| {
        let mut result = result(&delivery.answers[0]);
        let state = write::call_state(delivery.state);
        // SAFETY: the caller of rkllm_init gave the function for such calls; the result and what
        // it points to live until it returns.
        unsafe { callback(&mut result, delivery.userdata, state) };
        0
    }))
}

fn result(answer: &Answer<'_>) -> RKLLMResult {
    RKLLMResult {
        text: write::text(answer),
        token_id: answer.id,
        last_hidden_layer: write::hidden_states(answer),
        logits: write::logits(answer),
    }
}

/// The run settings of 1.2.0 to 1.2.1.
///
/// # Safety
/// As for [`Structured::set`].
pub(super) unsafe fn set(infer: &RKLLMInferParam, run: &mut Run) -> Result<(), String> {
    run.mode = read::mode(infer.mode, MODES)?;
    run.cache = cache(infer.keep_history);
    // SAFETY: handed on from the caller.
    unsafe { read::set_files(run, infer.lora_params, infer.prompt_cache_params) }
}

/// What `keep_history` says.
pub(super) fn cache(keep_history: i32) -> Cache {
    match keep_history {
        0 => Cache::Prefix,
        _ => Cache::Append,
    }
}

/// Exports the functions of group 1.2.0 over an engine type.
#[macro_export]
macro_rules! export_v1_2_0 {
    ($engine:ty) => {
        $crate::export_group! { $engine, v1_2_0 {
            rkllm_createDefaultParam,
            rkllm_init: by_pointer,
            rkllm_load_lora,
            rkllm_load_prompt_cache,
            rkllm_release_prompt_cache,
            rkllm_destroy,
            rkllm_run: input,
            rkllm_run_async,
            rkllm_abort,
            rkllm_is_running,
            rkllm_clear_kv_cache: whole,
            rkllm_set_chat_template,
        } }
    };
}

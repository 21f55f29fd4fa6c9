//! Group 1.1.0: inputs of four kinds, LoRA adapters, prompt cache files, asynchronous runs.
//!
//! There is no chat template, and each run starts with an empty cache.

use super::{Group, Structured, read, write};
use crate::abi::v1_1_0::*;
use crate::engine::{Engine, InitParams, Input, Mode, Sampling};
use crate::run::Run;
use crate::session::{ContextLimit, Deliver, Opening, Session};
use crate::template::Turn;
use std::ffi::CStr;

impl Group for Functions {
    const NAME: &'static CStr = c"1.1.0";
    const OPENING: &'static Opening = &Opening {
        release: "1.1.4",
        templated: false,
        whole_characters: true,
        context_limit: ContextLimit::Strict,
    };
    type Param = RKLLMParam;
    type Callback = LLMResultCallback;

    fn default_param() -> RKLLMParam {
        default_param! {
            max_context_len: 512,
            max_new_tokens: -1,
            img_start: c"".as_ptr(),
            img_end: c"".as_ptr(),
            img_content: c"".as_ptr(),
        }
    }

    unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
        // SAFETY: handed on from the caller.
        unsafe {
            let mut params = params!(param, model_path)?;
            copy!(params, param, flags skip_special_token is_async);
            copy!(params, param.extend_param, base_domain_id);
            params.image_markers =
                read::markers([param.img_start, param.img_end, param.img_content])?;
            Ok(params)
        }
    }

    unsafe fn deliver(callback: LLMResultCallback) -> Result<Deliver, String> {
        let callback = callback.ok_or("the result callback is NULL")?;
        Ok(Box::new(move |delivery| {
            let answer = &delivery.answers[0];
            let mut result = RKLLMResult {
                text: write::text(answer),
                token_id: answer.id,
                last_hidden_layer: write::hidden_states(answer),
            };
            let state = match answer.hidden_states {
                Some(_) => RKLLM_RUN_GET_LAST_HIDDEN_LAYER,
                None => write::call_state(delivery.state),
            };
            // SAFETY: the caller of rkllm_init gave the function for such calls; the result and
            // what it points to live until it returns.
            unsafe { callback(&mut result, delivery.userdata, state) };
            0
        }))
    }
}

impl Structured for Functions {
    type Input = RKLLMInput;
    type Infer = RKLLMInferParam;
    const NO_INFER: RKLLMInferParam = RKLLMInferParam::zeroed();

    unsafe fn turn<E: Engine>(session: &Session<E>, input: &RKLLMInput) -> Result<Turn, String> {
        // SAFETY: any member of the union may be read as all are plain data; the rest is handed on
        // from the caller.
        let input = unsafe { input!(session, input, images)? };
        Ok(read::plain_turn(input))
    }

    unsafe fn set(infer: &RKLLMInferParam, run: &mut Run) -> Result<(), String> {
        run.mode = read::mode(infer.mode, &[Mode::Generate, Mode::HiddenStates])?;
        // SAFETY: handed on from the caller.
        unsafe { read::set_files(run, infer.lora_params, infer.prompt_cache_params) }
    }
}

/// # Safety
/// As for [`read::images`].
pub(super) unsafe fn images<E: Engine>(
    session: &Session<E>,
    input: &RKLLMMultiModelInput,
) -> Result<Input, String> {
    let pictures = read::Pictures {
        prompt: input.prompt,
        image_embed: input.image_embed,
        n_image: 1,
        n_image_tokens: input.n_image_tokens,
        size: [0; 2],
    };
    // SAFETY: handed on from the caller.
    unsafe { read::images_marked_at_init(session, &pictures) }
}

/// Exports the functions of group 1.1.0 over an engine type.
#[macro_export]
macro_rules! export_v1_1_0 {
    ($engine:ty) => {
        $crate::export_group! { $engine, v1_1_0 {
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
        } }
    };
}

//! Group 1.0.0: parameters by value, finished prompts only, bare text in the callback.

use super::{Group, read, write};
use crate::abi::v1_0_0::*;
use crate::engine::{InitParams, Sampling, State};
use crate::session::{ContextLimit, Deliver, Opening};
use std::ffi::CStr;

impl Group for Functions {
    const NAME: &'static CStr = c"1.0.0";
    const OPENING: &'static Opening = &opening("1.0.0");
    const LOG_PREFIX: bool = false;
    type Param = RKLLMParam;
    type Callback = LLMResultCallback;

    fn default_param() -> RKLLMParam {
        default_param! { num_npu_core: 1, max_context_len: 320, max_new_tokens: 512 }
    }

    unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
        // SAFETY: handed on from the caller.
        let mut params = unsafe { params!(param, modelPath)? };
        // Nothing tells a caller which text is a marker, so it gets none.
        params.skip_special_token = true;
        Ok(params)
    }

    unsafe fn deliver(callback: LLMResultCallback) -> Result<Deliver, String> {
        let callback = callback.ok_or("the result callback is NULL")?;
        Ok(Box::new(move |delivery| {
            let text = write::text(&delivery.answers[0]);
            // SAFETY: the caller of rkllm_init gave the function for such calls; the text lives
            // until it returns.
            unsafe { callback(text, delivery.userdata, call_state(delivery.state)) };
            0
        }))
    }
}

/// What the groups 1.0.x can.
pub(super) const fn opening(release: &'static str) -> Opening {
    Opening {
        release,
        templated: false,
        whole_characters: false,
        // Neither a limit nor its message is documented.
        context_limit: ContextLimit::Clamped,
    }
}

/// The call state in the numbers of the groups 1.0.x.
pub(super) fn call_state(state: State) -> LLMCallState {
    match state {
        State::Normal | State::Waiting => LLM_RUN_NORMAL,
        State::Finish => LLM_RUN_FINISH,
        State::Error => LLM_RUN_ERROR,
    }
}

/// Exports the functions of group 1.0.0 over an engine type.
#[macro_export]
macro_rules! export_v1_0_0 {
    ($engine:ty) => {
        $crate::export_group! { $engine, v1_0_0 {
            rkllm_createDefaultParam,
            rkllm_init: by_value,
            rkllm_destroy,
            rkllm_run: prompt,
        } }
    };
}

//! Group 1.0.1: as 1.0.0, with a result struct, log probabilities and `rkllm_abort`.

use super::v1_0_0::{call_state, opening};
use super::{Group, read, write};
use crate::abi::v1_0_1::*;
use crate::engine::{InitParams, LogProb, Sampling};
use crate::session::{Deliver, Opening};
use std::ffi::CStr;
use std::mem::offset_of;

impl Group for Functions {
    const NAME: &'static CStr = c"1.0.1";
    const OPENING: &'static Opening = &opening("1.0.2");
    const LOG_PREFIX: bool = false;
    type Param = RKLLMParam;
    type Callback = LLMResultCallback;

    fn default_param() -> RKLLMParam {
        default_param! { num_npu_core: 1, max_context_len: 320, max_new_tokens: 512 }
    }

    unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
        // SAFETY: handed on from the caller.
        let mut params = unsafe { params!(param, model_path)? };
        // Nothing tells a caller which text is a marker, so it gets none.
        params.skip_special_token = true;
        if param.logprobs != 0 {
            params.top_logprobs = Some(u32::try_from(param.top_logprobs).unwrap_or(0));
        }
        Ok(params)
    }

    unsafe fn deliver(callback: LLMResultCallback) -> Result<Deliver, String> {
        let callback = callback.ok_or("the result callback is NULL")?;
        Ok(Box::new(move |delivery| {
            let answer = &delivery.answers[0];
            let tokens = match answer.logprobs {
                [] => std::ptr::null(),
                logprobs => logprobs.as_ptr(),
            };
            let mut result = RKLLMResult {
                text: write::text(answer),
                tokens: tokens.cast_mut().cast(),
                num: write::size(answer.logprobs.len()),
            };
            // SAFETY: the caller of rkllm_init gave the function for such calls; the result and
            // what it points to live until it returns.
            unsafe { callback(&mut result, delivery.userdata, call_state(delivery.state)) };
            0
        }))
    }
}

// `LogProb` stands for `Token` above.
const _: () = assert!(
    size_of::<LogProb>() == size_of::<Token>()
        && offset_of!(LogProb, logprob) == offset_of!(Token, logprob)
        && offset_of!(LogProb, id) == offset_of!(Token, id)
);

/// Exports the functions of group 1.0.1 over an engine type.
#[macro_export]
macro_rules! export_v1_0_1 {
    ($engine:ty) => {
        $crate::export_group! { $engine, v1_0_1 {
            rkllm_createDefaultParam,
            rkllm_init: by_value,
            rkllm_destroy,
            rkllm_run: prompt,
            rkllm_abort,
        } }
    };
}

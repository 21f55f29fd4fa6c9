//! Group 1.0.1: as 1.0.0, with a struct around the text, log probabilities, and an abort.

use std::ffi::{c_int, c_void};

use super::Find;
use super::buffers::Buffers;
use super::driver::Given;
use super::table::Abi;
use crate::vendor::abi::v1_0_1::*;
use crate::vendor::{InitParams, RunRequest, callback};

kept!();

impl Abi for Functions {
    type Kept = Kept;

    calls!(load run_prompt abort destroy);

    fn prepare(&self, params: &InitParams, given: &Given) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.model_path = given.model_path.as_ptr();
        set_param!(param, params);
        set_given!(param, params, num_npu_core top_logprobs);
        param.logprobs = params.top_logprobs.is_some().into();
        param.use_gpu = params.use_gpu.into();
        Kept(param)
    }

    unsafe fn init(&self, handle: *mut *mut c_void, kept: &mut Kept) -> c_int {
        // SAFETY: handed on from the caller; the group takes its parameters by value.
        unsafe { (self.rkllm_init)(handle, kept.0, Some(on_result)) }
    }
}

unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    userdata: *mut c_void,
    state: LLMCallState,
) {
    callback::deliver(userdata, |about, tell| {
        // SAFETY: the library hands over NULL or a result that lives during the call.
        let said = unsafe { result.as_ref() }.map(|result| {
            // SAFETY: its text is NULL or NUL-terminated, its list NULL or as long as it says.
            unsafe {
                (
                    callback::bytes(result.text),
                    logprobs(result, about.logprobs),
                )
            }
        });
        let (text, logprobs) = said.unwrap_or_default();
        super::old_event(state, text, logprobs).map(tell);
    });
}

/// The log probabilities of a result, as far as they were asked for.
///
/// # Safety
/// `result.tokens` is NULL or has `result.num` tokens.
unsafe fn logprobs(result: &RKLLMResult, most: usize) -> Vec<(i32, f32)> {
    if result.tokens.is_null() {
        return Vec::new();
    }
    let count = usize::try_from(result.num).unwrap_or(0).min(most);
    let token = |place| {
        // SAFETY: the place is below the list's length, by contract.
        let token = unsafe { result.tokens.add(place).read() };
        (token.id, token.logprob)
    };
    (0..count).map(token).collect()
}

//! Group 1.0.1: as 1.0.0, with a struct around the text, and an abort.

use std::ffi::{CStr, c_int, c_void};

use super::Find;
use super::driver::{Abi, Buffers};
use crate::vendor::abi::v1_0_1::*;
use crate::vendor::{InitParams, RunRequest, callback};

kept!();

impl Abi for Functions {
    type Kept = Kept;

    calls!(load run_prompt abort destroy);

    fn prepare(&self, params: &InitParams, model_path: &CStr) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.model_path = model_path.as_ptr();
        set_param!(param, params);
        param.logprobs = 0;
        param.use_gpu = 0;
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
    // SAFETY: the library hands over NULL or a result that lives during the call, and its text is NULL
    // or NUL-terminated.
    let text = unsafe { result.as_ref().map(|result| callback::bytes(result.text)) };
    callback::deliver(userdata, super::old_event(state, text.unwrap_or_default()));
}

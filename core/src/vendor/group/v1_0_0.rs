//! Group 1.0.0: a finished prompt in, bare text out; nothing can be aborted.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::Find;
use super::driver::{Abi, Buffers};
use crate::vendor::abi::v1_0_0::*;
use crate::vendor::{InitParams, RunRequest, callback};

kept!();

impl Abi for Functions {
    type Kept = Kept;

    calls!(load run_prompt destroy);

    fn prepare(&self, params: &InitParams, model_path: &CStr) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.modelPath = model_path.as_ptr();
        set_param!(param, params);
        Kept(param)
    }

    unsafe fn init(&self, handle: *mut *mut c_void, kept: &mut Kept) -> c_int {
        // SAFETY: handed on from the caller; the group takes its parameters by value.
        unsafe { (self.rkllm_init)(handle, kept.0, Some(on_result)) }
    }
}

unsafe extern "C" fn on_result(text: *const c_char, userdata: *mut c_void, state: LLMCallState) {
    // SAFETY: NULL or a NUL-terminated string that lives during the call.
    let text = unsafe { callback::bytes(text) };
    callback::deliver(userdata, super::old_event(state, text));
}

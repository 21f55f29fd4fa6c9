//! Group 1.0.0: a finished prompt in, bare text out; nothing can be aborted.

use std::ffi::{c_char, c_int, c_void};

use super::Find;
use super::buffers::Buffers;
use super::driver::Given;
use super::table::Abi;
use crate::vendor::abi::v1_0_0::*;
use crate::vendor::{InitParams, RunRequest, callback};

kept!();

impl Abi for Functions {
    type Kept = Kept;

    calls!(load run_prompt destroy);

    fn prepare(&self, params: &InitParams, given: &Given) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.modelPath = given.model_path.as_ptr();
        set_param!(param, params);
        set_given!(param, params, num_npu_core);
        Kept(param)
    }

    unsafe fn init(&self, handle: *mut *mut c_void, kept: &mut Kept) -> c_int {
        // SAFETY: handed on from the caller; the group takes its parameters by value.
        unsafe { (self.rkllm_init)(handle, kept.0, Some(on_result)) }
    }
}

unsafe extern "C" fn on_result(text: *const c_char, userdata: *mut c_void, state: LLMCallState) {
    callback::deliver(userdata, |_, tell| {
        // SAFETY: NULL or a NUL-terminated string that lives during the call.
        let text = unsafe { callback::bytes(text) };
        super::old_event(state, text, Vec::new()).map(tell);
    });
}

//! Groups 1.2.0 and 1.2.1b1, in the layout of the latter: as 1.1.0, with a template on text input, a
//! cache that is reused, and logits.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use super::Find;
use super::buffers::{Buffer, Buffers, Parts};
use super::driver::Given;
use super::results::{self, RawResult};
use super::table::Abi;
use crate::vendor::abi::v1_2_0::RKLLMResultLogits;
use crate::vendor::abi::v1_2_1b1::*;
use crate::vendor::{InitParams, RunRequest};

kept!();
raw_result!(logits);
images_with_sizes!(images, RKLLMMultiModelInput);

impl Abi for Functions {
    type Kept = Kept;

    calls!(load abort is_running clear_whole_cache load_lora prompt_cache set_chat_template destroy);

    fn prepare(&self, params: &InitParams, given: &Given) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.model_path = given.model_path.as_ptr();
        set_param!(param, params);
        set_markers!(param, given);
        set_processors!(param, params);
        param.skip_special_token = 0;
        param.is_async = 0;
        Kept(param)
    }

    unsafe fn init(&self, handle: *mut *mut c_void, kept: &mut Kept) -> c_int {
        // SAFETY: handed on from the caller.
        unsafe { (self.rkllm_init)(handle, &mut kept.0, Some(on_result)) }
    }

    unsafe fn run(
        &self,
        handle: *mut c_void,
        _: &Kept,
        request: &RunRequest,
        buffers: &mut Buffers,
        userdata: *mut c_void,
    ) -> c_int {
        let mut inputs = inputs!(buffers, images);
        infer!(infer, request, buffers);
        infer.keep_history = request.keep_history.into();
        // SAFETY: handed on from the caller; all that is pointed to lives until the call returns.
        unsafe { (self.rkllm_run)(handle, inputs.as_mut_ptr(), &mut infer, userdata) }
    }
}

unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    userdata: *mut c_void,
    state: LLMCallState,
) {
    // SAFETY: the library hands over NULL or a result that lives during the call, as its header says.
    unsafe { results::deliver(result, userdata, state) };
}

//! Groups 1.2.0 and 1.2.1b1, in the layout of the latter: as 1.1.0, with a template on text input, and a
//! cache that is reused.

use std::ffi::{CStr, c_int, c_void};

use super::Find;
use super::driver::{Abi, Buffers};
use crate::vendor::abi::v1_2_1b1::*;
use crate::vendor::{InitParams, RunRequest, callback};

kept!();

impl Abi for Functions {
    type Kept = Kept;

    calls!(load abort clear_whole_cache destroy);

    fn prepare(&self, params: &InitParams, model_path: &CStr) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.model_path = model_path.as_ptr();
        set_param!(param, params);
        param.skip_special_token = 0;
        param.is_async = 0;
        // Read without a test for NULL by some releases (`QUIRKS.md`, "Structs/params").
        param.img_start = c"".as_ptr();
        param.img_end = c"".as_ptr();
        param.img_content = c"".as_ptr();
        param.extend_param.embed_flash = 1;
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
        _: &RunRequest,
        buffers: &mut Buffers,
        userdata: *mut c_void,
    ) -> c_int {
        let mut input = RKLLMInput::zeroed();
        set_input!(input, buffers);
        let mut infer = RKLLMInferParam::zeroed();
        infer.mode = RKLLM_INFER_GENERATE;
        infer.keep_history = 0;
        // SAFETY: handed on from the caller; the inputs live until the call returns.
        unsafe { (self.rkllm_run)(handle, &mut input, &mut infer, userdata) }
    }
}

unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    userdata: *mut c_void,
    state: LLMCallState,
) {
    // SAFETY: the library hands over NULL or a result that lives during the call, and its text is NULL
    // or NUL-terminated.
    let event = unsafe {
        let said = result.as_ref().map(|result| (result.text, result.token_id));
        super::event(state, said, None)
    };
    callback::deliver(userdata, event);
}

//! Group 1.2.1: as 1.2.0, with a role for the input, several inputs in a run, function tools, cross
//! attention, runs that pause, measurements at the end of a run, and the size of the cache.

use std::ffi::{CStr, CString, c_char, c_int, c_void};

use super::Find;
use super::buffers::{Buffer, Buffers, Parts};
use super::driver::Given;
use super::results::{self, RawResult};
use super::table::Abi;
use crate::vendor::abi::v1_2_1::*;
use crate::vendor::{Flow, InitParams, Perf, RunRequest};

kept!();
raw_result!(logits perf);
images_with_sizes!(images, RKLLMMultiModalInput);

/// What a callback returns so that the run goes on.
pub(super) const GO_ON: c_int = 0;
/// What it returns to pause it.
pub(super) const PAUSE: c_int = 1;

impl Abi for Functions {
    type Kept = Kept;
    const PAUSES: bool = true;
    const BATCHES: bool = true;

    calls!(load abort is_running clear_cache cache_size load_lora prompt_cache);
    calls!(set_chat_template set_function_tools set_cross_attn destroy);

    fn prepare(&self, params: &InitParams, given: &Given) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.model_path = given.model_path.as_ptr();
        set_param!(param, params);
        set_markers!(param, given);
        set_processors!(param, params);
        set_batches!(param, params);
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
        let role = buffers.role.as_ptr();
        let thinking = request.enable_thinking.into();
        let mut inputs = inputs!(buffers, images, role: role, enable_thinking: thinking);
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
) -> c_int {
    // SAFETY: the library hands over NULL or as many results as the run has inputs, which live during the
    // call, as its header says.
    let answer = unsafe { results::deliver(result, userdata, state) };
    match answer.flow {
        Flow::Go => GO_ON,
        Flow::Pause => PAUSE,
    }
}

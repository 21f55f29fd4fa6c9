//! Group 1.2.1: as 1.2.0, with a role for the input, measurements at the end of a run, and the size of
//! the cache.

use std::ffi::{CStr, c_int, c_void};

use super::Find;
use super::driver::{Abi, Buffers};
use crate::vendor::abi::v1_2_1::*;
use crate::vendor::{InitParams, Perf, RunRequest, callback};

kept!();

impl Abi for Functions {
    type Kept = Kept;

    calls!(load abort clear_cache cache_size destroy);

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
        // 0 is refused when the model is opened (`QUIRKS.md`, "Structs/params").
        param.extend_param.n_batch = 1;
        param.extend_param.use_cross_attn = 0;
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
        input.role = c"user".as_ptr();
        set_input!(input, buffers);
        let mut infer = RKLLMInferParam::zeroed();
        infer.mode = RKLLM_INFER_GENERATE;
        infer.keep_history = 0;
        // SAFETY: handed on from the caller; the inputs live until the call returns.
        unsafe { (self.rkllm_run)(handle, &mut input, &mut infer, userdata) }
    }
}

/// Always returns 0, which is to go on: 1 would pause the run.
pub(super) unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    userdata: *mut c_void,
    state: LLMCallState,
) -> c_int {
    // SAFETY: the library hands over NULL or a result that lives during the call, and its text is NULL
    // or NUL-terminated.
    let event = unsafe {
        let result = result.as_ref();
        let said = result.map(|result| (result.text, result.token_id));
        super::event(state, said, result.map(|result| perf_of(&result.perf)))
    };
    callback::deliver(userdata, event);
    0
}

fn perf_of(perf: &RKLLMPerfStat) -> Perf {
    Perf {
        prefill_ms: perf.prefill_time_ms,
        prefill_tokens: u32::try_from(perf.prefill_tokens).unwrap_or(0),
        decode_ms: perf.generate_time_ms,
        decode_tokens: u32::try_from(perf.generate_tokens).unwrap_or(0),
        peak_memory_mb: perf.memory_usage_mb,
    }
}

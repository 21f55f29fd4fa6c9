//! Group 1.3.0: as 1.2.1, with sampling and token limit per run, and the callbacks in a struct.

use std::ffi::{CStr, c_int, c_void};

use super::Find;
use super::driver::{Abi, Buffers};
use crate::vendor::abi::v1_3_0::*;
use crate::vendor::{InitParams, RunRequest, Sampling};

/// What `rkllm_init` gets. Whether the library copies the callbacks is not documented.
pub(super) struct Kept {
    param: RKLLMParam,
    callbacks: RKLLMCallback,
}

// SAFETY: nothing but the library looks behind the pointers, which are to constants and to the model's
// path; the function may be called from any thread.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

impl Abi for Functions {
    type Kept = Kept;

    calls!(load abort clear_cache cache_size destroy);

    fn prepare(&self, params: &InitParams, model_path: &CStr) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.model_path = model_path.as_ptr();
        set_param!(param, params);
        param.skip_special_token = 0;
        param.ignore_eos_token = params.ignore_eos.into();
        param.is_async = 0;
        // 0 is refused when the model is opened (`QUIRKS.md`, "Structs/params").
        param.extend_param.n_batch = 1;
        param.extend_param.use_cross_attn = 0;
        param.extend_param.embed_flash = 1;
        let mut callbacks = RKLLMCallback::zeroed();
        callbacks.result_callback = Some(super::v1_2_1::on_result);
        Kept { param, callbacks }
    }

    unsafe fn init(&self, handle: *mut *mut c_void, kept: &mut Kept) -> c_int {
        // SAFETY: handed on from the caller.
        unsafe { (self.rkllm_init)(handle, &mut kept.param, &mut kept.callbacks) }
    }

    unsafe fn run(
        &self,
        handle: *mut c_void,
        kept: &Kept,
        request: &RunRequest,
        buffers: &mut Buffers,
        userdata: *mut c_void,
    ) -> c_int {
        let mut input = RKLLMInput::zeroed();
        input.role = c"user".as_ptr();
        set_input!(input, buffers);
        let mut infer = RKLLMInferParam::zeroed();
        infer.mode = RKLLM_INFER_GENERATE;
        infer.keep_history = 0;
        let mut sampling = sampling(&kept.param, &request.sampling);
        infer.sampling_params = &mut sampling;
        infer.max_new_tokens = i32::try_from(request.max_new_tokens).unwrap_or(i32::MAX);
        // SAFETY: handed on from the caller; the inputs live until the call returns.
        unsafe { (self.rkllm_run)(handle, &mut input, &mut infer, userdata) }
    }
}

/// The settings the model was opened with, and over them those of the run.
fn sampling(param: &RKLLMParam, asked: &Sampling) -> RKLLMSamplingParam {
    let mut sampling = RKLLMSamplingParam {
        top_k: param.top_k,
        top_p: param.top_p,
        temperature: param.temperature,
        repeat_penalty: param.repeat_penalty,
        frequency_penalty: param.frequency_penalty,
        presence_penalty: param.presence_penalty,
        mirostat: param.mirostat,
        mirostat_tau: param.mirostat_tau,
        mirostat_eta: param.mirostat_eta,
    };
    set_sampling!(sampling, asked);
    sampling
}

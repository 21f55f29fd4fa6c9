//! Group 1.1.0: tokens, embeddings, images or text in, token ids or hidden states out. Sampling is fixed
//! when the model is opened, there is no template, and every run stands alone.

use std::ffi::{CStr, c_char, c_int, c_void};

use super::Find;
use super::buffers::{Buffer, Buffers, Parts};
use super::driver::Given;
use super::results::{self, RawResult};
use super::table::Abi;
use crate::vendor::abi::v1_1_0::*;
use crate::vendor::{InitParams, RunRequest};

kept!();
raw_result!(own_state);

impl Abi for Functions {
    type Kept = Kept;

    calls!(load abort is_running load_lora prompt_cache destroy);

    fn prepare(&self, params: &InitParams, given: &Given) -> Kept {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.rkllm_createDefaultParam)() };
        param.model_path = given.model_path.as_ptr();
        set_param!(param, params);
        set_markers!(param, given);
        set_given!(param.extend_param, params, base_domain_id);
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
        let mut inputs = inputs!(buffers, image);
        infer!(infer, request, buffers);
        // SAFETY: handed on from the caller; all that is pointed to lives until the call returns.
        unsafe { (self.rkllm_run)(handle, inputs.as_mut_ptr(), &mut infer, userdata) }
    }
}

fn image(parts: &mut Parts) -> RKLLMMultiModelInput {
    let mut input = RKLLMMultiModelInput::zeroed();
    input.prompt = parts.prompt.as_ptr().cast_mut();
    if let Some((images, _)) = &mut parts.images {
        input.image_embed = images.values.as_mut_ptr();
        input.n_image_tokens = images.tokens;
    }
    input
}

unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    userdata: *mut c_void,
    state: LLMCallState,
) {
    // SAFETY: the library hands over NULL or a result that lives during the call, as its header says.
    unsafe { results::deliver(result, userdata, state) };
}

//! Group 1.3.0: as 1.2.1, with sampling and token limit per run, videos, a tokenizer and an embedding layer
//! of the caller, and the callbacks in a struct.

use std::ffi::{CStr, CString, c_int, c_void};

use super::Find;
use super::buffers::{Buffer, Buffers, Parts};
use super::driver::Given;
use super::table::Abi;
use super::v1_2_1::{GO_ON, PAUSE};
use super::{host, results};
use crate::vendor::abi::v1_3_0::*;
use crate::vendor::{Flow, InitParams, RunRequest, Sampling};

/// What a callback returns to free the output that it was given, and go on.
const RELEASE: c_int = 2;

/// What `rkllm_init` gets. Whether the library copies the callbacks is not documented.
pub(super) struct Kept {
    param: RKLLMParam,
    callbacks: RKLLMCallback,
}

// SAFETY: nothing but the library looks behind the pointers, which are to what the driver keeps as long as
// the model, or are numbers; the functions may be called from any thread.
unsafe impl Send for Kept {}
// SAFETY: as above.
unsafe impl Sync for Kept {}

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
        set_processors!(param, params);
        set_batches!(param, params);
        param.skip_special_token = 0;
        param.ignore_eos_token = params.ignore_eos.into();
        param.is_async = 0;
        let mut callbacks = RKLLMCallback::zeroed();
        callbacks.result_callback = Some(on_result);
        if given.hosts.has_tokenizer() {
            callbacks.tokenizer_callback = Some(host::tokenize);
            callbacks.tokenizer_userdata = given.hosts.userdata();
        }
        if given.hosts.has_embedding() {
            callbacks.embed_callback = Some(host::embed);
            callbacks.embed_userdata = given.hosts.userdata();
        }
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
        let role = buffers.role.as_ptr();
        let thinking = request.enable_thinking.into();
        let mut inputs = inputs!(buffers, pictures, role: role, enable_thinking: thinking);
        infer!(infer, request, buffers);
        infer.keep_history = request.keep_history.into();
        let mut sampling = sampling(&kept.param, &request.sampling);
        infer.sampling_params = &mut sampling;
        infer.max_new_tokens = i32::try_from(request.max_new_tokens).unwrap_or(i32::MAX);
        // SAFETY: handed on from the caller; all that is pointed to lives until the call returns.
        unsafe { (self.rkllm_run)(handle, inputs.as_mut_ptr(), &mut infer, userdata) }
    }
}

fn pictures(parts: &mut Parts) -> RKLLMMultiModalInput {
    let mut input = RKLLMMultiModalInput::zeroed();
    input.prompt = parts.prompt.as_ptr().cast_mut();
    // Earlier releases read markers without a test for NULL.
    let empty = c"".as_ptr();
    (input.image.image_start, input.image.image_end) = (empty, empty);
    (input.video.video_start, input.video.video_end) = (empty, empty);
    (input.image.image_content, input.video.video_content) = (empty, empty);
    if let Some((images, [start, end, content])) = &mut parts.images {
        input.image = RKLLMImages {
            image_embed: images.values.as_mut_ptr(),
            n_image_tokens: images.tokens,
            n_image: images.count,
            image_start: start.as_ptr(),
            image_end: end.as_ptr(),
            image_content: content.as_ptr(),
            image_width: images.width,
            image_height: images.height,
        };
    }
    if let Some((videos, [start, end, content])) = &mut parts.videos {
        input.video = RKLLMVideos {
            video_embed: videos.values.as_mut_ptr(),
            n_frame_tokens: videos.tokens,
            n_frame_per_video: videos.frames,
            n_video: videos.count,
            video_start: start.as_ptr(),
            video_end: end.as_ptr(),
            video_content: content.as_ptr(),
            frame_width: videos.width,
            frame_height: videos.height,
        };
    }
    input
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
        Flow::Pause => PAUSE,
        Flow::Go if answer.copied => RELEASE,
        Flow::Go => GO_ON,
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

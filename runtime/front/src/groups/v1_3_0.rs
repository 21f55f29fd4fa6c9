//! Group 1.3.0: as 1.2.1, with callbacks in a struct, sampling and limits for each run, markers in
//! the input, and video.

use super::{Group, Structured, read, v1_2_0, v1_2_1};
use crate::abi::v1_3_0::*;
use crate::engine::{Engine, InitParams, Input, Sampling, unsupported};
use crate::guard;
use crate::run::{Run, Userdata};
use crate::session::{Deliver, Opening, Session};
use crate::template::Turn;
use std::ffi::CStr;

impl Group for Functions {
    const NAME: &'static CStr = c"1.3.0";
    const OPENING: &'static Opening = &v1_2_0::opening("1.3.0");
    type Param = RKLLMParam;
    type Callback = *mut RKLLMCallback;

    fn default_param() -> RKLLMParam {
        default_param! {
            max_context_len: 4096,
            max_new_tokens: -1,
            n_keep: -1,
            extend_param: v1_2_1::default_extend_param(),
        }
    }

    unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
        // SAFETY: handed on from the caller.
        let mut params = unsafe { params!(param, model_path)? };
        copy!(params, param, n_keep);
        copy!(params, param, flags skip_special_token ignore_eos_token is_async);
        v1_2_1::set_extended(&mut params, &param.extend_param);
        Ok(params)
    }

    /// The tokenizer and the embedding callback are for models that were converted without these
    /// parts, which this runtime does not read.
    unsafe fn deliver(callback: *mut RKLLMCallback) -> Result<Deliver, String> {
        // SAFETY: handed on from the caller.
        let callbacks = unsafe { guard::read("the callback struct", callback)? };
        let callback = callbacks
            .result_callback
            .ok_or("the result callback is NULL")?;
        let userdata_of_init = Userdata(callbacks.result_userdata);
        Ok(Box::new(move |delivery| {
            // The whole struct is captured, not its raw pointer, which may not cross threads.
            let of_init = &userdata_of_init;
            let userdata = match delivery.userdata.is_null() {
                true => of_init.0,
                false => delivery.userdata,
            };
            // SAFETY: the caller of rkllm_init gave the function for such calls.
            unsafe { v1_2_1::call(callback, &delivery, userdata) }
        }))
    }
}

impl Structured for Functions {
    type Input = RKLLMInput;
    type Infer = RKLLMInferParam;
    const NO_INFER: RKLLMInferParam = RKLLMInferParam::zeroed();

    unsafe fn turn<E: Engine>(session: &Session<E>, input: &RKLLMInput) -> Result<Turn, String> {
        // SAFETY: any member of the union may be read as all are plain data; the rest is handed on
        // from the caller.
        unsafe { Ok(turn!(input, input!(session, input, images)?)) }
    }

    unsafe fn set(infer: &RKLLMInferParam, run: &mut Run) -> Result<(), String> {
        run.mode = read::mode(infer.mode, v1_2_0::MODES)?;
        run.cache = v1_2_0::cache(infer.keep_history);
        run.max_new_tokens = infer.max_new_tokens;
        // SAFETY: handed on from the caller.
        unsafe {
            if !infer.sampling_params.is_null() {
                let sampling = guard::read("sampling_params", infer.sampling_params)?;
                run.sampling = Some(sampling!(sampling));
            }
            read::set_files(run, infer.lora_params, infer.prompt_cache_params)
        }
    }
}

/// # Safety
/// As for [`read::images`].
unsafe fn images<E: Engine>(
    session: &Session<E>,
    input: &RKLLMMultiModalInput,
) -> Result<Input, String> {
    if !input.video.video_embed.is_null() {
        return Err(unsupported::<E>("video input"));
    }
    let image = &input.image;
    let pictures = read::Pictures {
        prompt: input.prompt,
        image_embed: image.image_embed,
        n_image: image.n_image,
        n_image_tokens: image.n_image_tokens,
    };
    // SAFETY: handed on from the caller.
    unsafe {
        let [start, end, _] =
            read::markers([image.image_start, image.image_end, image.image_content])?;
        read::images(session, &pictures, start, end)
    }
}

/// Exports the functions of group 1.3.0 over an engine type.
#[macro_export]
macro_rules! export_v1_3_0 {
    ($engine:ty) => {
        $crate::export_group! { $engine, v1_3_0 {
            rkllm_createDefaultParam,
            rkllm_init: by_pointer,
            rkllm_load_lora,
            rkllm_load_prompt_cache,
            rkllm_release_prompt_cache,
            rkllm_destroy,
            rkllm_run: input,
            rkllm_run_async,
            rkllm_abort,
            rkllm_is_running,
            rkllm_clear_kv_cache: ranges,
            rkllm_get_kv_cache_size,
            rkllm_set_chat_template,
            rkllm_set_function_tools,
            rkllm_set_cross_attn_params,
        } }
    };
}

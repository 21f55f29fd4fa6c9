//! Group 1.3.0: as 1.2.1, with callbacks in a struct, sampling and limits for each run, markers in
//! the input, and video.

use super::{Group, Structured, read, v1_2_0, v1_2_1};
use crate::abi::v1_3_0::*;
use crate::engine::{
    Engine, HostEmbedding, HostTokenizer, Hosts, InitParams, Input, Sampling, Videos, unsupported,
};
use crate::guard;
use crate::run::{Run, Userdata};
use crate::session::{Deliver, Opening, Session};
use crate::template::Turn;
use std::ffi::CStr;
use std::sync::Arc;

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

    /// They are for models that were converted without these parts: only imitations call them.
    unsafe fn hosts(callback: *mut RKLLMCallback) -> Result<Hosts, String> {
        // SAFETY: handed on from the caller.
        let callbacks = unsafe { guard::read("the callback struct", callback)? };
        let tokenizer_userdata = Userdata(callbacks.tokenizer_userdata);
        let tokenizer = callbacks.tokenizer_callback.map(|call| {
            Arc::new(move |text: &str| {
                let userdata = &tokenizer_userdata;
                let len = i32::try_from(text.len()).map_err(|error| error.to_string())?;
                // Never more tokens than bytes.
                let mut ids = vec![0; text.len()];
                // SAFETY: the caller of rkllm_init gave the function for such calls.
                let count =
                    unsafe { call(userdata.0, text.as_ptr().cast(), len, ids.as_mut_ptr(), len) };
                let count = usize::try_from(count)
                    .map_err(|_| format!("the tokenizer callback returned {count}"))?;
                ids.truncate(count);
                Ok(ids)
            }) as HostTokenizer
        });
        let embed_userdata = Userdata(callbacks.embed_userdata);
        let embedding = callbacks.embed_callback.map(|call| {
            Arc::new(move |tokens: &[i32], width: usize| {
                let userdata = &embed_userdata;
                let (mut tokens, mut rows) = (tokens.to_vec(), vec![0f32; tokens.len() * width]);
                let (count, bytes) = (tokens.len() as u64, size_of_val(&rows[..]) as u64);
                let (from, to) = (tokens.as_mut_ptr(), rows.as_mut_ptr().cast());
                // SAFETY: the caller of rkllm_init gave the function for such calls.
                match unsafe { call(userdata.0, from, count, to, bytes) } {
                    0 => Ok(rows),
                    status => Err(format!("the embedding callback returned {status}")),
                }
            }) as HostEmbedding
        });
        Ok(Hosts {
            tokenizer,
            embedding,
        })
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
    let video = &input.video;
    if !video.video_embed.is_null() && !E::VIDEO {
        return Err(unsupported::<E>("video input"));
    }
    let image = &input.image;
    let pictures = read::Pictures {
        prompt: input.prompt,
        image_embed: image.image_embed,
        n_image: image.n_image,
        n_image_tokens: image.n_image_tokens,
        size: [image.image_width, image.image_height],
    };
    // SAFETY: handed on from the caller.
    unsafe {
        let markers = read::markers([image.image_start, image.image_end, image.image_content])?;
        let mut images = read::images(session, &pictures, markers)?;
        if !video.video_embed.is_null() {
            images.videos = Some(Box::new(videos(session, video)?));
        }
        Ok(Input::Images(images))
    }
}

/// # Safety
/// `video_embed` has as many rows of readable numbers as the counts say; the markers are NULL or
/// NUL-terminated.
unsafe fn videos<E: Engine>(session: &Session<E>, video: &RKLLMVideos) -> Result<Videos, String> {
    let frames = video.n_video.saturating_mul(video.n_frame_per_video);
    let tokens = frames.saturating_mul(video.n_frame_tokens);
    // SAFETY: handed on from the caller.
    let (values, markers) = unsafe {
        (
            read::rows(session, "video_embed", video.video_embed, tokens)?,
            read::markers([video.video_start, video.video_end, video.video_content])?,
        )
    };
    Ok(Videos {
        values,
        n_video: video.n_video,
        n_frame: video.n_frame_per_video,
        n_frame_tokens: video.n_frame_tokens,
        markers: markers.map(Option::unwrap_or_default),
        size: [video.frame_width, video.frame_height],
    })
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

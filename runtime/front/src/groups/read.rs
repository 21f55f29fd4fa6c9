//! Reads what several groups have in common.

use crate::abi::v1_1_0::{RKLLMLoraParam, RKLLMPromptCacheParam};
use crate::abi::v1_2_1::RKLLMCrossAttnParam;
use crate::engine::{
    CrossAttention, Engine, Hosts, Images, InitParams, Input, Mode, Sampling, prompt_too_long,
};
use crate::guard;
use crate::run::Run;
use crate::session::Session;
use crate::template::Turn;
use std::ffi::c_char;
use std::path::PathBuf;
use std::sync::Arc;

/// What `rkllm_init` is given in every group; the rest has the values of groups without it.
///
/// # Safety
/// `model_path` is NULL or NUL-terminated.
pub unsafe fn params(
    model_path: *const c_char,
    max_context_len: i32,
    max_new_tokens: i32,
    sampling: Sampling,
) -> Result<InitParams, String> {
    // SAFETY: handed on from the caller.
    let model_path = unsafe { guard::text("model_path", model_path)? };
    Ok(InitParams {
        model_path: PathBuf::from(model_path.ok_or("model_path is NULL")?),
        max_context_len,
        max_new_tokens,
        n_keep: -1,
        sampling,
        skip_special_token: false,
        ignore_eos_token: false,
        is_async: false,
        image_markers: [const { Some(String::new()) }; 3],
        base_domain_id: 0,
        embed_flash: 0,
        enabled_cpus_num: 0,
        enabled_cpus_mask: 0,
        n_batch: 1,
        use_cross_attn: 0,
        top_logprobs: None,
        hosts: Hosts::default(),
    })
}

/// Image markers; NULL is `None`.
///
/// # Safety
/// Each string is NULL or NUL-terminated.
pub unsafe fn markers(markers: [*const c_char; 3]) -> Result<[Option<String>; 3], String> {
    // SAFETY: handed on from the caller.
    let [start, end, content] =
        markers.map(|marker| unsafe { guard::text("an image marker", marker) });
    Ok([start?, end?, content?])
}

/// A turn of a group without roles and thinking modes.
pub fn plain_turn(input: Input) -> Turn {
    Turn {
        input,
        role: Some("user".into()),
        enable_thinking: true,
    }
}

/// Text input.
///
/// # Safety
/// `text` is NULL or NUL-terminated.
pub unsafe fn prompt(text: *const c_char) -> Result<Input, String> {
    // SAFETY: handed on from the caller.
    let text = unsafe { guard::text("the prompt", text)? };
    text.map(Input::Text)
        .ok_or_else(|| "the prompt is NULL".into())
}

/// Copies a caller's token ids.
///
/// # Safety
/// `ids` is NULL or points to `n` readable numbers.
pub unsafe fn tokens(ids: *const i32, n: usize) -> Result<Input, String> {
    if n == 0 {
        return Ok(Input::Tokens(Vec::new()));
    }
    if ids.is_null() {
        return Err(format!("input_ids is NULL, but n_tokens is {n}"));
    }
    if n > i32::MAX as usize {
        return Err(format!("n_tokens is {n}, more than any context holds"));
    }
    // SAFETY: the caller vouches for the array; reading element by element needs no alignment.
    let ids = (0..n)
        .map(|i| unsafe { ids.add(i).read_unaligned() })
        .collect();
    Ok(Input::Tokens(ids))
}

/// Copies a caller's embeddings: `n_tokens` rows as wide as the model's.
///
/// # Safety
/// `values` is NULL or points to that many readable numbers.
pub unsafe fn embeddings<E: Engine>(
    session: &Session<E>,
    values: *const f32,
    n_tokens: usize,
) -> Result<Input, String> {
    // SAFETY: handed on from the caller.
    let values = unsafe { rows(session, "embed", values, n_tokens)? };
    Ok(Input::Embeddings { values, n_tokens })
}

/// A caller's images, as the groups' structs name them.
pub struct Pictures {
    /// Text with `<image>` where they go.
    pub prompt: *const c_char,
    /// Embeddings, one image after the other.
    pub image_embed: *const f32,
    /// Number of images.
    pub n_image: usize,
    /// Tokens of each.
    pub n_image_tokens: usize,
    /// Width and height; 0 in groups without them.
    pub size: [usize; 2],
}

/// Copies a caller's images; the markers are what goes before and after each, and what stands for a part.
///
/// # Safety
/// The pointers are NULL or valid; `image_embed` has `n_image * n_image_tokens` rows of readable
/// numbers, each as wide as the model's embeddings.
pub unsafe fn images<E: Engine>(
    session: &Session<E>,
    pictures: &Pictures,
    markers: [Option<String>; 3],
) -> Result<Images, String> {
    let Pictures {
        prompt,
        image_embed,
        n_image,
        n_image_tokens,
        size,
    } = *pictures;
    let [start, end, content] = markers.map(Option::unwrap_or_default);
    let n_tokens = n_image.saturating_mul(n_image_tokens);
    // SAFETY: handed on from the caller.
    let (prompt, values) = unsafe {
        (
            guard::text("prompt", prompt)?.ok_or("prompt is NULL")?,
            rows(session, "image_embed", image_embed, n_tokens)?,
        )
    };
    Ok(Images {
        prompt,
        values,
        n_image,
        n_image_tokens,
        start,
        end,
        content,
        size,
        videos: None,
    })
}

/// As [`images`], with the markers that `rkllm_init` was given.
///
/// # Safety
/// As for [`images`].
pub unsafe fn images_marked_at_init<E: Engine>(
    session: &Session<E>,
    pictures: &Pictures,
) -> Result<Input, String> {
    let markers = session.params.image_markers.clone();
    // SAFETY: handed on from the caller.
    unsafe { images(session, pictures, markers).map(Input::Images) }
}

/// Copies what can be told of an encoder's output.
///
/// # Safety
/// `params` is NULL or valid, and its mask and its positions have `num_tokens` numbers.
pub unsafe fn cross_attention(
    params: *const RKLLMCrossAttnParam,
) -> Result<CrossAttention, String> {
    // SAFETY: handed on from the caller.
    let params = unsafe { guard::read("cross_attn_params", params)? };
    let pointers = [
        params.encoder_k_cache,
        params.encoder_v_cache,
        params.encoder_mask,
    ];
    let tokens = usize::try_from(params.num_tokens).unwrap_or(0);
    if tokens == 0
        || pointers.iter().any(|pointer| pointer.is_null())
        || params.encoder_pos.is_null()
    {
        return Err(format!(
            "cross_attn_params has a NULL pointer, or num_tokens is {}",
            params.num_tokens
        ));
    }
    // SAFETY: the caller vouches for the arrays; reading one by one needs no alignment.
    unsafe {
        let mask = (0..tokens).map(|at| params.encoder_mask.add(at).read_unaligned());
        let positions = (0..tokens).map(|at| params.encoder_pos.add(at).read_unaligned());
        Ok(CrossAttention {
            first_key: params.encoder_k_cache.read_unaligned(),
            first_value: params.encoder_v_cache.read_unaligned(),
            mask: mask.collect(),
            positions: positions.collect(),
        })
    }
}

/// # Safety
/// As for [`embeddings`].
pub unsafe fn rows<E: Engine>(
    session: &Session<E>,
    name: &str,
    values: *const f32,
    n_tokens: usize,
) -> Result<Arc<[f32]>, String> {
    let width = session.model.n_embd as usize;
    if width == 0 {
        return Err(format!(
            "{name}: {} takes no embeddings for this model",
            E::NAME
        ));
    }
    if values.is_null() && n_tokens > 0 {
        return Err(format!(
            "{name} is NULL, but there should be {n_tokens} tokens"
        ));
    }
    // Before anything is read: a wrong number must not run past the caller's memory.
    if n_tokens >= session.prepared.n_ctx as usize {
        return Err(prompt_too_long(n_tokens, session.prepared.n_ctx));
    }
    // SAFETY: the caller vouches for the array; reading number by number needs no alignment.
    let values = (0..n_tokens * width).map(|i| unsafe { values.add(i).read_unaligned() });
    let values: Arc<[f32]> = values.collect();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(place) => Err(format!(
            "{name} has {} in row {}; embeddings are finite numbers",
            values[place],
            place / width
        )),
    }
}

/// What a run is for, if the group has it.
pub fn mode(mode: u32, modes: &[Mode]) -> Result<Mode, String> {
    let known = usize::try_from(mode).ok().and_then(|mode| modes.get(mode));
    known.copied().ok_or_else(|| {
        format!(
            "infer mode must be 0 to {}, but got {mode}",
            modes.len() - 1
        )
    })
}

/// The adapter that a run uses, and the file it writes the prompt cache to.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
pub unsafe fn set_files(
    run: &mut Run,
    lora: *const RKLLMLoraParam,
    cache: *const RKLLMPromptCacheParam,
) -> Result<(), String> {
    // SAFETY: handed on from the caller.
    unsafe {
        if !lora.is_null() {
            let lora = guard::read("lora_params", lora)?;
            run.lora = guard::text("lora_adapter_name", lora.lora_adapter_name)?;
        }
        if !cache.is_null() {
            let cache = guard::read("prompt_cache_params", cache)?;
            if cache.save_prompt_cache != 0 {
                let path = guard::text("prompt_cache_path", cache.prompt_cache_path)?;
                run.prompt_cache = Some(PathBuf::from(path.unwrap_or_default()));
            }
        }
    }
    Ok(())
}

//! Writes down what the library was given, one JSON line per call.

use rkchat_runtime_front::engine::{
    Cache, CrossAttention, Images, InitParams, Input, Mode, Request, Sampling,
};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;

/// Appends a line.
pub fn append(path: &Path, line: &Value) -> Result<(), String> {
    let text = format!("{line}\n");
    OpenOptions::new()
        .create(true)
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .map_err(|error| format!("cannot write the record {}: {error}", path.display()))
}

/// What `rkllm_init` was given.
pub fn init(params: &InitParams) -> Value {
    json!({
        "call": "init",
        "model_path": params.model_path,
        "max_context_len": params.max_context_len,
        "max_new_tokens": params.max_new_tokens,
        "n_keep": params.n_keep,
        "sampling": sampling(&params.sampling),
        "skip_special_token": params.skip_special_token,
        "ignore_eos_token": params.ignore_eos_token,
        "is_async": params.is_async,
        "image_markers": params.image_markers,
        "base_domain_id": params.base_domain_id,
        "embed_flash": params.embed_flash,
        "enabled_cpus_num": params.enabled_cpus_num,
        "enabled_cpus_mask": params.enabled_cpus_mask,
        "top_logprobs": params.top_logprobs,
        "n_batch": params.n_batch,
        "use_cross_attn": params.use_cross_attn,
    })
}

/// What `rkllm_run` was given, and the prompt that came of it.
pub fn run(request: &Request, prompt_tokens: usize) -> Value {
    let prompt = &request.prompts[0];
    let (kind, input) = self::input(&prompt.input);
    let images = match &prompt.input {
        Input::Images(given) => images(given),
        _ => Value::Null,
    };
    // Of a run with several, all.
    let inputs = request
        .prompts
        .iter()
        .map(|prompt| self::input(&prompt.input).1);
    json!({
        "inputs": inputs.collect::<Vec<_>>(),
        "images": images,
        "call": "run",
        "input_type": kind,
        "input": input,
        "prompt": prompt.text,
        "prompt_tokens": prompt_tokens,
        "role": prompt.role,
        "enable_thinking": prompt.enable_thinking,
        "mode": match request.mode {
            Mode::Generate => "generate",
            Mode::HiddenStates => "hidden_states",
            Mode::Logits => "logits",
        },
        "lora": request.lora,
        "sampling": sampling(&request.sampling),
        "max_new_tokens": request.max_new_tokens,
        "ignore_eos_token": request.ignore_eos_token,
        "skip_special_token": request.skip_special_token,
        "keep_history": request.cache == Cache::Append,
    })
}

fn input(input: &Input) -> (&'static str, Value) {
    match input {
        Input::Text(text) => ("text", json!(text)),
        Input::Tokens(tokens) => ("tokens", json!(tokens)),
        Input::Embeddings { n_tokens, .. } => ("embeddings", json!(n_tokens)),
        Input::Images(images) => ("images", json!(images.prompt)),
    }
}

/// What goes into a text.
fn images(images: &Images) -> Value {
    let videos = images.videos.as_ref().map(|videos| {
        json!({
            "values": &videos.values[..],
            "shape": [videos.n_video, videos.n_frame, videos.n_frame_tokens],
            "size": videos.size,
            "markers": videos.markers,
        })
    });
    json!({
        "values": &images.values[..],
        "shape": [images.n_image, images.n_image_tokens],
        "size": images.size,
        "markers": [images.start, images.end, images.content],
        "videos": videos,
    })
}

/// `rkllm_set_cross_attn_params`.
pub fn cross_attention(encoder: &CrossAttention) -> Value {
    json!({
        "call": "set_cross_attn_params",
        "first": [encoder.first_key, encoder.first_value],
        "mask": encoder.mask,
        "positions": encoder.positions,
    })
}

/// What the caller's embedding layer gave for a prompt.
pub fn embedded(rows: &[f32]) -> Value {
    json!({ "call": "embedded", "values": rows })
}

/// `rkllm_load_lora`.
pub fn load_lora(name: &str, path: &Path, scale: f32) -> Value {
    json!({ "call": "load_lora", "name": name, "path": path, "scale": scale })
}

/// A prompt cache was saved, loaded or released.
pub fn prompt_cache(call: &str, path: Option<&Path>) -> Value {
    json!({ "call": call, "path": path })
}

/// The cache was emptied, but for its first tokens.
pub fn clear_cache(keep: usize) -> Value {
    json!({ "call": "clear_cache", "keep": keep })
}

/// A range of the cache was cleared.
pub fn cut_cache(start: usize, end: usize) -> Value {
    json!({ "call": "cut_cache", "start": start, "end": end })
}

/// The model was freed.
pub fn destroy() -> Value {
    json!({ "call": "destroy" })
}

fn sampling(sampling: &Sampling) -> Value {
    json!({
        "top_k": sampling.top_k,
        "top_p": sampling.top_p,
        "temperature": sampling.temperature,
        "repeat_penalty": sampling.repeat_penalty,
        "frequency_penalty": sampling.frequency_penalty,
        "presence_penalty": sampling.presence_penalty,
        "mirostat": sampling.mirostat,
        "mirostat_tau": sampling.mirostat_tau,
        "mirostat_eta": sampling.mirostat_eta,
    })
}

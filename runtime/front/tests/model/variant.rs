//! A copy of the model with another template and other weights.

use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use std::ffi::CString;
use std::path::{Path, PathBuf};

/// What the model's template says where no system message is given.
const SYSTEM: &[u8] = b"You are a helpful AI assistant named SmolLM, trained by Hugging Face";

/// Writes the copy: its template mentions `enable_thinking`, its last weight is another.
fn variant(model: &Path, folder: &Path) -> PathBuf {
    let mut bytes = std::fs::read(model).unwrap();
    let place = bytes
        .windows(SYSTEM.len())
        .position(|window| window == SYSTEM);
    let place = place.expect("the template of SmolLM2");
    bytes[place..place + 15].copy_from_slice(b"enable_thinking");
    let weight = bytes.len() - 3;
    bytes[weight] ^= 0x10;
    let path = folder.join("variant.gguf");
    std::fs::write(&path, bytes).unwrap();
    path
}

#[test]
fn thinking_is_closed_if_the_models_template_knows_it() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let other = variant(&path, folder.path());
    let ask = |path: &Path, enable_thinking: u8| {
        let model = Model::open(&runtime, path, |_| {}).unwrap();
        let mut input = RKLLMInput::zeroed();
        input.enable_thinking = enable_thinking;
        input.input.prompt_input = c"What is the capital of France?".as_ptr();
        assert_eq!(model.run(input, at_most(1), &mut Heard::default()), 0);
        let closed = model.tokenize("<think>\n\n</think>\n\n").len() as u64;
        (model.counts().prompt_tokens, closed)
    };
    let (plain, closed) = ask(&path, 0);
    assert_eq!(ask(&path, 1).0, plain);
    assert_eq!(ask(&other, 1).0, plain);
    assert_eq!(ask(&other, 0).0, plain + closed);
}

#[test]
fn a_prompt_cache_belongs_to_its_model() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let other = variant(&path, folder.path());
    let file = folder.path().join("cache.bin");
    let c_file = CString::new(file.to_str().unwrap()).unwrap();
    let mut cache = RKLLMPromptCacheParam {
        save_prompt_cache: 1,
        prompt_cache_path: c_file.as_ptr(),
    };
    let infer = RKLLMInferParam {
        prompt_cache_params: &mut cache,
        ..at_most(1)
    };
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    assert_eq!(model.text("hi", infer, &mut Heard::default()), 0);
    let model = Model::open(&runtime, &other, |_| {}).unwrap();
    let error = model.load_prompt_cache(&file).unwrap_err();
    assert!(error.contains("another model"), "{error}");
}

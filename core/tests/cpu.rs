//! A real model, SmolLM2, in the CPU runtimes of all groups.

mod common;

use std::io::Read;

use common::{ALL_GROUPS, Folder, GROUPS, at_most, smollm};
use rkchat::{
    EncodeOptions, ErrorKind, FinishReason, GenerateOptions, InputKind, Json, Measure, Model,
    ModelOptions,
};
use serde_json::json;

fn options(group: &str) -> ModelOptions {
    ModelOptions {
        runtime: Some(common::cpu_runtime(group)),
        top_k: Some(1),
        repeat_penalty: Some(1.0),
        max_context_len: Some(512),
        ..ModelOptions::default()
    }
}

fn question() -> Json {
    json!([
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ])
}

#[test]
fn the_same_answer_on_all_groups() {
    let Some(path) = smollm() else { return };
    for group in ALL_GROUPS {
        let model = Model::open(&path, &options(group)).unwrap();
        let info = model.info();
        // Releases before 1.1.0 take and give text only.
        let tokens = GROUPS.contains(&group);
        let input = if tokens {
            InputKind::Tokens
        } else {
            InputKind::Text
        };
        assert_eq!(info.input, input, "{group}");
        assert_eq!(
            (&*info.runtime.name, &*info.runtime.abi_group),
            ("rkchat-cpu", group)
        );
        assert_eq!(
            (
                info.template_source.as_deref(),
                info.tokenizer_source.as_deref()
            ),
            (Some("gguf"), Some("runtime"))
        );
        let ask = |options| {
            let generation = model.generate(&question(), &options).unwrap();
            generation.completion().unwrap()
        };
        let completion = ask(at_most(32));
        assert_eq!(
            completion.text, "The capital of France is Paris.",
            "{group}"
        );
        assert_eq!(completion.finish_reason, FinishReason::Stop);
        let usage = completion.usage;
        assert_eq!((usage.prompt_tokens, usage.reused_tokens), (27, Some(0)));
        assert_eq!(!completion.token_ids.is_empty(), tokens);
        let has = |capability| {
            info.runtime
                .capabilities
                .iter()
                .any(|one| one == capability)
        };
        if has("measurements") {
            assert_eq!(completion.timings.measured_by, Measure::Runtime);
        }
        if has("prefix_reuse") {
            assert_eq!(ask(at_most(1)).usage.reused_tokens, Some(26));
        }
    }
}

#[test]
fn the_cache_can_be_left_out() {
    let Some(path) = smollm() else { return };
    let fresh = ModelOptions {
        assume: Some(json!({"prefix_reuse": "off"})),
        ..options("1.3.0")
    };
    let model = Model::open(&path, &fresh).unwrap();
    let assumed = model.info().assumed;
    assert!(
        assumed.contains(&"prefix_reuse=off (option)".to_owned()),
        "{assumed:?}"
    );
    for _ in 0..2 {
        let generation = model.generate(&question(), &at_most(1)).unwrap();
        let usage = generation.completion().unwrap().usage;
        assert_eq!(usage.reused_tokens, Some(0));
    }
}

#[test]
fn bad_models_and_prompts_are_named() {
    let Some(path) = smollm() else { return };
    let folder = Folder::new();
    let mut half = vec![0; 1 << 20];
    std::fs::File::open(&path)
        .unwrap()
        .read_exact(&mut half)
        .unwrap();
    let truncated = folder.path().join("truncated.gguf");
    std::fs::write(&truncated, half).unwrap();
    let cases = [
        (truncated, ErrorKind::InvalidModel),
        (
            folder.file("foreign.gguf", "not a model"),
            ErrorKind::InvalidModel,
        ),
        (folder.file("model.rkllm", "{}"), ErrorKind::RuntimeMismatch),
        (folder.path().join("missing.gguf"), ErrorKind::NotFound),
    ];
    for (path, kind) in cases {
        let error = Model::open(&path, &options("1.3.0")).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    for group in GROUPS {
        let large = ModelOptions {
            max_context_len: Some(9000),
            ..options(group)
        };
        let error = Model::open(&path, &large).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert_eq!(error.details()["max_context_limit"], 8192);

        let model = Model::open(&path, &options(group)).unwrap();
        let long = json!([{"role": "user", "content": "word ".repeat(600)}]);
        let error = model
            .generate(&long, &GenerateOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContextOverflow);
        let error = model
            .complete_ids(&[1, 1 << 20], &GenerateOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{error}");
        assert!(error.message().contains("vocabulary"), "{error}");
        let ids = model.encode("a\0b", &EncodeOptions::default()).unwrap();
        assert!(ids.len() > 1, "a NUL is text like any other: {ids:?}");
    }
}

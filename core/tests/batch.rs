//! Several prompts at once, over the scripted runtime.

mod common;

use std::time::Duration;

use common::{Folder, byte_tokenizer, open_with, options};
use rkchat::{ErrorKind, FinishReason, FixedSampling, GenerateOptions, Json, Model, ModelOptions};
use serde_json::json;

/// What three inputs are answered, each ended by itself.
const SCRIPT: &str = r#"{"record": "record.jsonl", "pieces": [["x", 120], ["<|end|>", 256]],
    "batch": [[["a", 97], ["b", 98], ["c", 99], ["d", 100]], [["e", 101], ["<|end|>", 256]], [["f", 102], ["g", 103]]]}"#;

fn open(group: &str, folder: &Folder, n_batch: Option<u32>) -> Model {
    folder.file("tokenizer.json", &byte_tokenizer());
    folder.file(
        "tokenizer_config.json",
        r#"{"eos_token": "<|end|>", "chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}"}"#,
    );
    let options = ModelOptions {
        n_batch,
        ..options(group)
    };
    Model::open(&folder.file("script.rkllm", SCRIPT), &options).unwrap()
}

fn answers(
    model: &Model,
    prompts: &Json,
    options: &GenerateOptions,
) -> Vec<(String, FinishReason)> {
    let completions = model.generate_batch(prompts, options).unwrap();
    let answer = |completion: rkchat::Completion| (completion.text, completion.finish_reason);
    completions.into_iter().map(answer).collect()
}

fn said(text: &str) -> Json {
    json!([{"role": "user", "content": text}])
}

#[test]
fn each_prompt_has_an_answer_and_an_end_of_its_own() {
    for group in ["1.2.1", "1.3.0"] {
        let folder = Folder::new();
        let model = open(group, &folder, Some(3));
        let prompts = json!([said("1"), "22", said("3")]);
        let none = GenerateOptions::default();
        assert_eq!(
            answers(&model, &prompts, &none),
            [
                ("abcd".to_owned(), FinishReason::Stop),
                ("e".to_owned(), FinishReason::Stop),
                ("fg".to_owned(), FinishReason::Stop),
            ],
            "{group}"
        );
        let run = &folder.record("run")[0];
        assert_eq!(run["inputs"], json!([[49], [50, 50], [51]]), "{group}");
        let short = GenerateOptions {
            max_new_tokens: Some(3),
            stop_strings: Some(vec!["g".into()]),
            ..GenerateOptions::default()
        };
        assert_eq!(
            answers(&model, &prompts, &short),
            [
                ("abc".to_owned(), FinishReason::Length),
                ("e".to_owned(), FinishReason::Stop),
                ("f".to_owned(), FinishReason::StopString),
            ],
            "{group}"
        );
        let usage = model.generate_batch(&prompts, &short).unwrap()[1].usage;
        assert_eq!((usage.prompt_tokens, usage.new_tokens), (2, 2), "{group}");
    }
}

#[test]
fn any_number_of_prompts_goes_in_runs_of_the_size_that_was_opened() {
    let folder = Folder::new();
    let model = open("1.3.0", &folder, Some(3));
    let prompts = json!(["1", "2", "3", "4"]);
    let texts: Vec<String> = answers(&model, &prompts, &GenerateOptions::default())
        .into_iter()
        .map(|(text, _)| text)
        .collect();
    assert_eq!(texts, ["abcd", "e", "fg", "abcd"]);
    let runs = folder.record("run");
    // The first stands in the places that are left.
    assert_eq!(runs[1]["inputs"], json!([[52], [52], [52]]));
    assert_eq!(runs.len(), 2);
}

#[test]
fn without_a_size_they_go_one_after_the_other() {
    for group in ["1.1.0", "1.2.0", "1.3.0"] {
        let folder = Folder::new();
        let model = open(group, &folder, None);
        let prompts = json!(["1", said("2")]);
        let given = model.generate_batch(&prompts, &GenerateOptions::default());
        for completion in given.unwrap() {
            assert_eq!(completion.text, "x");
            assert_eq!(completion.finish_reason, FinishReason::Stop);
        }
        assert_eq!(folder.record("run").len(), 2, "{group}");
    }
}

#[test]
fn what_is_no_batch_is_refused() {
    let folder = Folder::new();
    let model = open("1.3.0", &folder, Some(2));
    let none = GenerateOptions::default();
    for prompts in [json!([]), json!("a"), json!([1]), json!({})] {
        let error = model.generate_batch(&prompts, &none).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{prompts}");
    }
    let error = model.generate_batch(&json!(["a", []]), &none).unwrap_err();
    assert!(error.message().starts_with("prompt 1: "), "{error}");
    let error = model.complete("a", &none).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("generate_batch"), "{error}");
    let embedded = model.embed(&["a".into()], &rkchat::EmbedOptions::default());
    assert!(embedded.unwrap_err().message().contains("n_batch"));
    assert!(folder.record("run").is_empty());
}

#[test]
fn a_batch_has_an_end_in_time_and_the_model_goes_on() {
    let folder = Folder::new();
    let words = vec![json!(["la ", 108]); 400];
    let script = json!({"batch": [words, [["b", 98]]], "pieces": [["c", 99]], "delay_ms": 20});
    let batches = ModelOptions {
        n_batch: Some(2),
        tokenizer: Some(folder.file("tokenizer.json", &byte_tokenizer())),
        ..options("1.3.0")
    };
    let model = open_with(&script.to_string(), &batches).unwrap();
    let short = GenerateOptions {
        timeout: Some(Duration::from_millis(200)),
        ..GenerateOptions::default()
    };
    let error = model
        .generate_batch(&json!(["1", "2"]), &short)
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
    let few = GenerateOptions {
        max_new_tokens: Some(2),
        ..GenerateOptions::default()
    };
    let ended = answers(&model, &json!(["1", "2"]), &few);
    assert_eq!(ended[0].1, FinishReason::Length);
    assert_eq!(ended[1], ("b".to_owned(), FinishReason::Stop));
}

#[test]
fn a_model_is_opened_again_where_a_batch_is_sampled_otherwise() {
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    let reload = ModelOptions {
        fixed_sampling: Some(FixedSampling::Reload),
        n_batch: Some(2),
        use_cross_attn: true,
        ..options("1.2.1")
    };
    let model = Model::open(&folder.file("script.rkllm", SCRIPT), &reload).unwrap();
    let one = |shape: &[u64]| rkchat::Tensor::new(vec![1.0], shape.to_vec()).unwrap();
    let (keys, mask) = (one(&[1, 1, 1, 1]), one(&[1]));
    model
        .set_cross_attention(&keys, &keys, &mask, &[0])
        .unwrap();
    let other = GenerateOptions {
        top_k: Some(3),
        ..GenerateOptions::default()
    };
    for _ in 0..2 {
        model.generate_batch(&json!(["1"]), &other).unwrap();
    }
    let opened = folder.record("init");
    assert_eq!(opened.len(), 2);
    assert_eq!(opened[1]["sampling"]["top_k"], 3);
    // What it attends to was set again.
    assert_eq!(folder.record("set_cross_attn_params").len(), 2);
}

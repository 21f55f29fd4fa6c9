//! What users of Rockchip's libraries met (`QUIRKS.md` section 3), over the scripted runtime, and how rkchat
//! handles it. What has a file of its own: ends of runs in `engine.rs`, logs in `capture.rs`, which library
//! it is in `matrix.rs` and `recognise.rs`.
//!
//! `rkllm_is_running`, whose two meanings contradict each other, is never called; nor is
//! `rkllm_run_async`.

mod common;

use std::time::Duration;

use common::{
    ALL_GROUPS, Folder, GROUPS, LONG, SHORT, ask, ask_with, at_most, begun, byte_tokenizer, open,
    open_with, options, read,
};
use rkchat::{ErrorKind, FinishReason, GenerateOptions, Json, Model, ModelOptions, WarningKind};
use serde_json::json;

/// Options for groups that take text: the template hands it on as it is.
fn plain(group: &str) -> ModelOptions {
    ModelOptions {
        chat_template: Some("{{ messages[0].content }}".to_owned()),
        ..options(group)
    }
}

fn question() -> Json {
    json!([{"role": "user", "content": "- one two"}])
}

/// A script with a record, opened; also gives the folder with the record.
fn recorded(group: &str, options: &ModelOptions, script: &str) -> (Folder, Model) {
    let folder = Folder::new();
    let script = script.replacen('{', r#"{"record": "record.jsonl", "#, 1);
    let model = Model::open(&folder.file("s.rkllm", &script), options);
    (
        folder,
        model.unwrap_or_else(|error| panic!("{group}: {error}")),
    )
}

#[test]
fn pointers_that_are_read_without_a_test_are_never_null() {
    // `strict` ends the process where 1.2.3 was seen to: image markers, role, n_batch 0.
    for group in ALL_GROUPS {
        let script = r#"{"pieces": ["a"], "strict": true}"#;
        let model = open_with(script, &plain(group)).unwrap();
        let generation = model.generate(&question(), &at_most(4)).unwrap();
        assert_eq!(generation.completion().unwrap().text, "a", "{group}");
    }
}

#[test]
fn every_group_is_opened_with_its_own_layout() {
    for group in ALL_GROUPS {
        let options = ModelOptions {
            top_k: Some(7),
            top_p: Some(0.25),
            temperature: Some(0.5),
            repeat_penalty: Some(1.5),
            frequency_penalty: Some(0.75),
            presence_penalty: Some(-0.5),
            max_context_len: Some(640),
            ..plain(group)
        };
        let (folder, model) = recorded(group, &options, r#"{"pieces": ["x"]}"#);
        let generation = model.generate(&question(), &at_most(3)).unwrap();
        generation.completion().unwrap();
        model.close().unwrap();
        let init = &folder.record("init")[0];
        assert_eq!(init["max_context_len"], 640, "{group}");
        assert_eq!(init["max_new_tokens"], 640, "{group}");
        assert_eq!(
            init["sampling"],
            json!({
                "top_k": 7, "top_p": 0.25, "temperature": 0.5, "repeat_penalty": 1.5,
                "frequency_penalty": 0.75, "presence_penalty": -0.5,
                "mirostat": 0, "mirostat_tau": 5.0, "mirostat_eta": init["sampling"]["mirostat_eta"],
            }),
            "{group}"
        );
        assert_eq!(
            (&init["is_async"], &init["ignore_eos_token"]),
            (&json!(false), &json!(false))
        );
        let run = &folder.record("run")[0];
        assert_eq!(
            (&run["input_type"], &run["input"]),
            (&json!("text"), &json!("- one two"))
        );
        assert_eq!(
            (&run["mode"], &run["keep_history"]),
            (&json!("generate"), &json!(false))
        );
        // Nothing is ever saved, so no release writes ./prompt_cache.bin.
        for call in ["save_prompt_cache", "load_prompt_cache", "load_lora"] {
            assert!(folder.record(call).is_empty(), "{group}: {call}");
        }
        assert_eq!(folder.record("destroy").len(), 1, "{group}");
    }
    assert!(!std::path::Path::new("prompt_cache.bin").exists());
}

#[test]
fn releases_without_token_ids_are_fed_text() {
    for group in ["1.0.0", "1.0.1"] {
        // A character in three pieces: these groups have no state for that.
        let script = r#"{"pieces": [{"hex": "f09f", "state": "normal"}, {"hex": "8e", "state": "normal"},
                                    {"hex": "8921", "state": "normal"}]}"#;
        let model = open_with(script, &plain(group)).unwrap();
        let generation = model.generate(&question(), &at_most(8)).unwrap();
        let completion = generation.completion().unwrap();
        assert_eq!(
            (&*completion.text, completion.token_ids.len()),
            ("\u{1f389}!", 0)
        );
        assert_eq!(completion.finish_reason, FinishReason::Stop);

        let error = model.complete_ids(&[1, 2], &at_most(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.details()["since"], "1.1.0");
        assert!(
            error.message().contains(group) && error.message().contains("1.1.0"),
            "{error}"
        );

        let failing =
            open_with(r#"{"pieces": ["a"], "run": "error_after"}"#, &plain(group)).unwrap();
        let generation = failing.generate(&question(), &at_most(8)).unwrap();
        let error = generation.completion().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeFailed, "{group}");
    }
}

#[test]
fn a_tokenizer_counts_where_only_text_goes_in() {
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    let model = folder.file("s.rkllm", SHORT);
    let model = Model::open(&model, &plain("1.0.1")).unwrap();
    assert_eq!(model.info().input, rkchat::InputKind::Text);
    let generation = model.generate(&question(), &at_most(2)).unwrap();
    let completion = generation.completion().unwrap();
    assert_eq!(completion.usage.prompt_tokens, "- one two".len() as u32);
    assert_eq!(completion.finish_reason, FinishReason::Length);
    let long = json!([{"role": "user", "content": "x".repeat(5000)}]);
    let error = model.generate(&long, &at_most(2)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextOverflow);
}

#[test]
fn what_cannot_be_aborted_ends_for_its_reader() {
    let script = r#"{"pieces": ["a "], "repeat": 60, "delay_ms": 20}"#;
    let model = open_with(script, &plain("1.0.0")).unwrap();
    let generation = model.generate(&question(), &at_most(2)).unwrap();
    assert_eq!(read(&generation).concat(), "a a ");
    assert_eq!(generation.finish_reason(), Some(FinishReason::Length));
    // The next one waits until the library has run to its end.
    let next = model.generate(&question(), &at_most(1)).unwrap();
    assert_eq!(next.completion().unwrap().text, "a ");
}

#[test]
fn waiting_may_bring_the_beginning_of_a_character_or_repeat_it() {
    let rest = r#"{"pieces": [{"hex": "f09f", "state": "waiting", "id": 1}, {"hex": "8e89", "state": "normal", "id": 2}]}"#;
    let whole = r#"{"pieces": [{"hex": "f09f", "state": "waiting", "id": 1}, {"hex": "f09f8e89", "state": "normal", "id": 2}]}"#;
    let null = r#"{"pieces": [{"null": true, "state": "waiting", "id": -1}, {"hex": "f09f8e89", "state": "normal", "id": 2}]}"#;
    for group in GROUPS {
        for script in [rest, whole, null] {
            let model = open(group, script);
            assert_eq!(
                ask(&model).completion().unwrap().text,
                "\u{1f389}",
                "{group}"
            );
        }
    }
}

#[test]
fn a_late_abort_lets_nothing_into_the_next_answer() {
    for group in GROUPS {
        let script = r#"{"pieces": [["a ", 1], ["b ", 2]], "repeat": 0, "delay_ms": 10, "abort_ms": 200,
                         "late": [["stale ", 3]], "late_ms": 5}"#;
        let model = open(group, script);
        let first = ask(&model);
        begun(&first);
        first.cancel();
        assert_eq!(
            first.completion().unwrap().finish_reason,
            FinishReason::Cancelled
        );
        let second = ask_with(&model, &at_most(4)).completion().unwrap();
        assert_eq!(second.text, "a b a b ", "{group}");
    }
}

#[test]
fn a_slow_abort_holds_nobody_up() {
    let script = r#"{"pieces": ["a "], "repeat": 0, "delay_ms": 10, "abort_call_ms": 400}"#;
    let model = open("1.2.1", script);
    let generation = ask(&model);
    begun(&generation);
    let started = std::time::Instant::now();
    generation.cancel();
    assert!(started.elapsed() < common::SOON);
}

#[test]
fn a_runtime_that_an_abort_broke_is_opened_again() {
    for group in GROUPS {
        let script = r#"{"pieces": [["a ", 1]], "repeat": 0, "delay_ms": 5, "abort_breaks": true}"#;
        let (folder, model) = recorded(group, &options(group), script);
        let first = ask(&model);
        begun(&first);
        first.cancel();
        let second = ask_with(&model, &at_most(3));
        assert_eq!(second.completion().unwrap().text, "a a a ", "{group}");
        model.close().unwrap();
        assert_eq!(folder.record("init").len(), 2, "{group}");
        assert_eq!(folder.record("destroy").len(), 2, "{group}");
    }
    // What fails without an abort before it is no reason to open it again.
    let (folder, model) = recorded("1.2.1", &options("1.2.1"), r#"{"run": "fail"}"#);
    for _ in 0..2 {
        let error = ask(&model).completion().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
    }
    assert_eq!(folder.record("init").len(), 1);
}

#[test]
fn those_who_wait_are_attended_to_while_a_model_is_opened_again() {
    let script = r#"{"pieces": [["a ", 1]], "repeat": 0, "delay_ms": 5, "init_ms": 1500, "abort_breaks": true}"#;
    let (_folder, model) = recorded("1.2.1", &options("1.2.1"), script);
    let first = ask(&model);
    begun(&first);
    first.cancel();
    let (broken, cancelled) = (ask_with(&model, &at_most(3)), ask(&model));
    let hurried = GenerateOptions {
        queue_timeout: Some(Duration::from_millis(300)),
        ..at_most(3)
    };
    let hurried = ask_with(&model, &hurried);
    assert_eq!(hurried.completion().unwrap_err().kind(), ErrorKind::Timeout);
    // Nothing has been answered yet: the model is not open.
    assert_eq!(broken.finish_reason(), None);
    cancelled.cancel();
    assert_eq!(broken.completion().unwrap().text, "a a a ");
    assert_eq!(cancelled.completion().unwrap().text, "");
}

#[test]
fn the_cache_is_emptied_with_the_arguments_that_the_group_has() {
    for group in ["1.2.0", "1.2.1b1", "1.2.1", "1.3.0"] {
        let fresh = ModelOptions {
            assume: Some(json!({"instances": "many", "prefix_reuse": "off"})),
            ..options(group)
        };
        let (folder, model) = recorded(group, &fresh, SHORT);
        ask(&model).completion().unwrap();
        ask(&model).completion().unwrap();
        assert_eq!(folder.record("clear_cache").len(), 2, "{group}");
        assert!(folder.record("cut_cache").is_empty(), "{group}");
    }
}

#[test]
fn what_is_assumed_can_be_said_otherwise() {
    let assuming = |assume: Json| ModelOptions {
        assume: Some(assume),
        chat_template: Some("<|start|>{{ messages[0].content }}".to_owned()),
        ..options("1.1.0")
    };
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    folder.file("tokenizer_config.json", r#"{"bos_token": "<|start|>"}"#);
    let script = r#"{"pieces": [["no", 110]], "record": "record.jsonl"}"#;
    let path = folder.file("s.rkllm", script);
    for assume in [
        json!({"instances": "many", "input": "text"}),
        json!({"instances": "many", "input": "text", "bos": "strip"}),
        json!({"instances": "many", "text_source": "runtime", "token_limit": "none"}),
        json!({"instances": "many", "text_source": "tokens"}),
    ] {
        let model = Model::open(&path, &assuming(assume)).unwrap();
        let messages = json!([{"role": "user", "content": "hi"}]);
        let completion = model
            .generate(&messages, &at_most(1))
            .unwrap()
            .completion()
            .unwrap();
        let text = (completion.text, completion.warnings.len());
        let assumed = model.info().assumed.join(" ");
        // The runtime's word for its token, or the tokenizer's, compared with the runtime's or not.
        let expected = if assumed.contains("text_source=runtime") {
            ("no", 0)
        } else if assumed.contains("text_source=tokens") {
            ("n", 0)
        } else {
            ("n", 1)
        };
        assert_eq!((&*text.0, text.1), expected, "{assumed}");
    }
    let inputs: Vec<_> = folder
        .record("run")
        .iter()
        .map(|run| run["input"].clone())
        .collect();
    assert_eq!(inputs[0], "<|start|>hi");
    assert_eq!(inputs[1], "hi");
    assert_eq!(inputs[2], json!([257, 104, 105]));
    let limits: Vec<_> = folder
        .record("init")
        .iter()
        .map(|init| init["max_new_tokens"].clone())
        .collect();
    assert_eq!(limits, [4096, 4096, -1, 4096]);
}

#[test]
fn a_foreign_tokenizer_is_noticed() {
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    let path = folder.file("s.rkllm", r#"{"pieces": [["no", 110], ["pe", 112]]}"#);
    let model = Model::open(&path, &options("1.2.0")).unwrap();
    let warnings = ask(&model).completion().unwrap().warnings;
    assert_eq!(warnings[0].kind, WarningKind::TokenizerMismatch);
    assert!(ask(&model).next(Some(LONG)).unwrap().is_some());
}

//! Token input, our own decoding, stop ids, and the check of the tokenizer, over the scripted runtime.

mod common;

use common::{END, Folder, GROUPS, byte_tokenizer, options};
use rkchat::{
    DecodeOptions, EncodeOptions, ErrorKind, FinishReason, GenerateOptions, InputKind, Model,
    ModelOptions, TemplateRepair, UntrustedContent, WarningKind,
};
use serde_json::json;

const TEMPLATE: &str = "{% for m in messages %}<|start|>{{ m.role }}:{{ m.content }}<|end|>{% endfor %}\
                        {% if add_generation_prompt %}<|start|>assistant:{% endif %}";

/// A model folder with a tokenizer and a template, and this script.
fn folder(script: &str) -> Folder {
    let folder = Folder::new();
    folder.file("model.rkllm", script);
    folder.file("tokenizer.json", &byte_tokenizer());
    folder.file(
        "tokenizer_config.json",
        &json!({"chat_template": TEMPLATE}).to_string(),
    );
    folder
}

/// Script pieces for these bytes, one token each.
fn pieces(text: &str) -> String {
    let pieces = text
        .bytes()
        .map(|byte| format!(r#"{{"hex": "{byte:02x}", "id": {byte}}}"#));
    pieces.collect::<Vec<_>>().join(", ")
}

#[test]
fn messages_go_in_as_the_tokens_of_the_rendered_template() {
    for group in GROUPS {
        let folder = folder(r#"{"pieces": [["h", 104], ["i", 105]], "record": "record.jsonl"}"#);
        let model = Model::open(folder.path(), &options(group)).unwrap();
        let info = model.info();
        assert_eq!(info.input, InputKind::Tokens);
        assert!(info.tokenizer_source.unwrap().ends_with("tokenizer.json"));
        assert!(
            info.template_source
                .unwrap()
                .ends_with("tokenizer_config.json")
        );
        let messages = json!([{"role": "user", "content": "é"}]);
        let completion = model
            .generate(&messages, &GenerateOptions::default())
            .unwrap()
            .completion()
            .unwrap();
        assert_eq!(
            (completion.text.as_str(), completion.warnings.len()),
            ("hi", 0)
        );
        let mut ids = vec![END + 1];
        ids.extend("user:é".bytes().map(u32::from));
        ids.extend([END, END + 1]);
        ids.extend("assistant:".bytes().map(u32::from));
        assert_eq!(folder.record("run")[0]["input"], json!(ids));
        assert_eq!(completion.usage.prompt_tokens as usize, ids.len());
    }
}

#[test]
fn the_end_of_turn_stops_the_answer_though_no_file_names_it() {
    for group in GROUPS {
        let script = format!(
            r#"{{"pieces": [{}, ["<|end|>", {END}], ["x", 120]], "repeat": 0}}"#,
            pieces("a🎉")
        );
        let folder = folder(&script);
        let model = Model::open(folder.path(), &options(group)).unwrap();
        assert_eq!(model.info().stop_ids, [END], "found by rendering a probe");
        let completion = model
            .complete("q", &GenerateOptions::default())
            .unwrap()
            .completion()
            .unwrap();
        assert_eq!(
            (completion.text.as_str(), completion.finish_reason),
            ("a🎉", FinishReason::Stop)
        );
        assert_eq!(completion.token_ids.len(), 5);
        assert_eq!(completion.usage.new_tokens, 6);
    }
}

#[test]
fn a_wrong_tokenizer_is_noticed() {
    for group in GROUPS {
        // The runtime says "b" for the token that the tokenizer reads as "a".
        let folder = folder(r#"{"pieces": [["b", 97]], "repeat": 40}"#);
        let model = Model::open(folder.path(), &options(group)).unwrap();
        let completion = model
            .complete("q", &GenerateOptions::default())
            .unwrap()
            .completion()
            .unwrap();
        assert_eq!(completion.text, "a".repeat(40));
        assert_eq!(completion.warnings[0].kind, WarningKind::TokenizerMismatch);
    }
}

#[test]
fn a_right_tokenizer_is_not_blamed() {
    for text in ["plain", " leading space", "é🎉日本", "line\n\n"] {
        let folder = folder(&format!(r#"{{"pieces": [{}]}}"#, pieces(text)));
        let model = Model::open(folder.path(), &options("1.3.0")).unwrap();
        for max_new_tokens in [1, 2, 3, 200] {
            let options = GenerateOptions {
                max_new_tokens: Some(max_new_tokens),
                ..GenerateOptions::default()
            };
            let completion = model.complete("q", &options).unwrap().completion().unwrap();
            assert_eq!(
                completion.warnings,
                [],
                "{text:?} after {max_new_tokens} tokens"
            );
        }
    }
}

#[test]
fn a_model_encodes_and_decodes() {
    let folder = folder("{}");
    let model = Model::open(folder.path(), &options("1.1.0")).unwrap();
    let ids = model
        .encode("ab<|end|>", &EncodeOptions::default())
        .unwrap();
    assert_eq!(ids, [97, 98, END]);
    assert_eq!(
        model.decode(&ids, &DecodeOptions::default()).unwrap(),
        "ab<|end|>"
    );
    assert_eq!(
        model
            .decode(
                &ids,
                &DecodeOptions {
                    skip_special_tokens: true
                }
            )
            .unwrap(),
        "ab"
    );
    model.close().unwrap();
    assert_eq!(
        model
            .encode("a", &EncodeOptions::default())
            .unwrap_err()
            .kind(),
        ErrorKind::Closed
    );
}

#[test]
fn a_prompt_that_is_too_long_says_both_counts() {
    let folder = folder(r#"{"pieces": ["x"]}"#);
    let options = ModelOptions {
        max_context_len: Some(64),
        ..options("1.1.0")
    };
    let model = Model::open(folder.path(), &options).unwrap();
    let messages = json!([{"role": "user", "content": "x".repeat(200)}]);
    let error = model
        .generate(&messages, &GenerateOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ContextOverflow);
    assert_eq!(error.details()["prompt_tokens"], 200 + 5 + 3 + 10);
    assert_eq!(error.details()["max_context_len"], 64);
}

#[test]
fn nul_characters_go_through_as_tokens() {
    let folder = folder(r#"{"pieces": ["x"], "record": "record.jsonl"}"#);
    let model = Model::open(folder.path(), &options("1.3.0")).unwrap();
    model
        .complete("a\0b", &GenerateOptions::default())
        .unwrap()
        .completion()
        .unwrap();
    assert_eq!(folder.record("run")[0]["input"], json!([97, 0, 98]));
}

#[test]
fn ids_that_the_tokenizer_has_not_are_refused() {
    let folder = folder(r#"{"pieces": ["x"]}"#);
    let model = Model::open(folder.path(), &options("1.3.0")).unwrap();
    let ask = |ids: &[u32]| model.complete_ids(ids, &GenerateOptions::default());
    assert!(ask(&[97, END + 1]).is_ok());
    let error = ask(&[97, END + 2]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("258"), "{error}");
}

#[test]
fn options_for_messages_are_no_options_of_complete() {
    let folder = folder(r#"{"pieces": ["x"]}"#);
    let model = Model::open(folder.path(), &options("1.3.0")).unwrap();
    let literal = GenerateOptions {
        untrusted_content: Some(UntrustedContent::Literal),
        ..GenerateOptions::default()
    };
    let strict = GenerateOptions {
        template_repair: Some(TemplateRepair::Strict),
        ..GenerateOptions::default()
    };
    for (options, name) in [(literal, "untrusted_content"), (strict, "template_repair")] {
        let error = model.complete("q", &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(name), "{error}");
        assert!(model.complete_ids(&[97], &options).is_err());
    }
}

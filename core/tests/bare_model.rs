//! Models that come without the files that say how to talk to them, over the scripted runtime.

mod common;

use common::{Folder, SHORT, byte_tokenizer, options};
use rkchat::{
    ChatTemplate, ErrorKind, FinishReason, GenerateOptions, InputKind, Json, Model, ModelFolder,
    ModelOptions, RenderOptions, WarningKind,
};
use serde_json::json;

const BARE: &str = "gemma-2-2b-it-rk3588-w8a8.rkllm";

#[test]
fn a_bare_file_of_a_known_family_is_talked_to_in_its_way() {
    let messages = json!([
        {"role": "user", "content": "One?"}, {"role": "assistant", "content": "Yes."}, {"role": "user", "content": "Two?"},
    ]);
    let folder = Folder::new();
    let script = r#"{"pieces": ["a", " b<end", "_of_turn>", "c"], "record": "record.jsonl"}"#;
    let path = folder.file(BARE, script);
    let model = Model::open(&path, &options("1.1.0")).unwrap();
    let info = model.info();
    assert_eq!(info.input, InputKind::Text);
    assert_eq!(
        info.template_source.as_deref(),
        Some("rkchat's own for Gemma 1 and 2")
    );
    let built_in = info
        .warnings
        .iter()
        .find(|one| one.kind == WarningKind::BuiltInTemplate)
        .unwrap();
    assert!(
        built_in
            .message
            .contains("checked against the official one"),
        "{built_in:?}"
    );
    let generation = model
        .generate(&messages, &GenerateOptions::default())
        .unwrap();
    let completion = generation.completion().unwrap();
    // The text that ends a turn ends the answer, though no id of it is known.
    assert_eq!(
        (&*completion.text, completion.finish_reason),
        ("a b", FinishReason::Stop)
    );
    let run = &folder.record("run")[0];
    assert_eq!(
        run["input"],
        "<bos><start_of_turn>user\nOne?<end_of_turn>\n<start_of_turn>model\nYes.<end_of_turn>\n<start_of_turn>user\n\
         Two?<end_of_turn>\n<start_of_turn>model\n"
    );
    model.close().unwrap();

    // From 1.2 on the runtime has a template, which takes one question.
    let model = Model::open(&path, &options("1.2.1")).unwrap();
    let info = model.info();
    assert_eq!(info.input, InputKind::RuntimeTemplate);
    let kinds: Vec<_> = info.warnings.iter().map(|one| one.kind).collect();
    assert!(kinds.contains(&WarningKind::RuntimeTemplate), "{kinds:?}");
    assert!(!kinds.contains(&WarningKind::BuiltInTemplate), "{kinds:?}");
    let error = model
        .generate(&messages, &GenerateOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("tokenizer.json"), "{error}");
    let one = json!([{"role": "user", "content": "One?"}]);
    let generation = model.generate(&one, &GenerateOptions::default()).unwrap();
    assert_eq!(generation.completion().unwrap().text, "a b");
    assert_eq!(folder.record("run").last().unwrap()["input"], "One?");
}

#[test]
fn with_its_tokenizer_a_family_ends_its_turns_by_ids() {
    let folder = Folder::new();
    let path = folder.file(BARE, SHORT);
    let mut tokenizer: Json = serde_json::from_str(&byte_tokenizer()).unwrap();
    for (text, id) in ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"]
        .iter()
        .zip(258..)
    {
        let added = tokenizer["added_tokens"].as_array_mut().unwrap();
        added.push(json!({"id": id, "content": text, "special": true, "single_word": false, "lstrip": false,
                          "rstrip": false, "normalized": false}));
    }
    folder.file("tokenizer.json", &tokenizer.to_string());
    for group in ["1.1.0", "1.3.0"] {
        let info = Model::open(&path, &options(group)).unwrap().info();
        assert_eq!(
            (info.input, info.stop_ids),
            (InputKind::Tokens, vec![259, 261])
        );
    }
}

#[test]
fn a_family_without_an_official_template_is_told() {
    let folder = Folder::new();
    let path = folder.file("rwkv7-g1-1.5b-rk3588.rkllm", SHORT);
    let folder = ModelFolder::open(&path, &ModelOptions::default()).unwrap();
    let info = folder.info();
    let told = &info.warnings[0];
    assert_eq!(told.kind, WarningKind::BuiltInTemplate);
    assert!(told.message.contains("not verified"), "{told:?}");
}

#[test]
fn an_unknown_family_says_which_files_are_missing() {
    let folder = Folder::new();
    let path = folder.file("mystery-7b.rkllm", SHORT);
    folder.file("README.md", "---\nbase_model: some/mystery-7b-chat\n---\n");
    let model = Model::open(&path, &options("1.1.0")).unwrap();
    let messages = json!([{"role": "user", "content": "One?"}]);
    let error = model
        .generate(&messages, &GenerateOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Template);
    for part in [
        "tokenizer.json, tokenizer_config.json, generation_config.json",
        "hf download some/mystery-7b-chat tokenizer.json",
        "option chat_template",
    ] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

#[test]
fn its_template_is_opened_alone_too() {
    let messages = json!([{"role": "user", "content": "One?"}]);
    let folder = Folder::new();
    let path = folder.file(BARE, SHORT);
    for path in [path.as_path(), folder.path()] {
        let template = ChatTemplate::open(path).unwrap();
        let prompt = template.render(&messages, &RenderOptions::default());
        assert_eq!(
            prompt.unwrap(),
            "<bos><start_of_turn>user\nOne?<end_of_turn>\n",
            "{}",
            path.display()
        );
    }
    // The files beside it win, and their special tokens too.
    folder.file("special_tokens_map.json", r#"{"bos_token": "<s>"}"#);
    let prompt = |messages| {
        let template = ChatTemplate::open(&path)?;
        template.render(messages, &RenderOptions::default())
    };
    assert!(prompt(&messages).unwrap().starts_with("<s><start_of_turn>"));
    folder.file("chat_template.jinja", "{{ messages[0].content }}!");
    assert_eq!(prompt(&messages).unwrap(), "One?!");

    let folder = Folder::new();
    let path = folder.file("mystery-7b.rkllm", SHORT);
    let model = Model::open(&path, &options("1.1.0")).unwrap();
    let of_model = model
        .generate(&messages, &GenerateOptions::default())
        .unwrap_err();
    for path in [path.as_path(), folder.path()] {
        let error = ChatTemplate::open(path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Template);
        assert_eq!(error.message(), of_model.message());
    }
}

#[test]
fn names_of_two_families_tell_none() {
    let folder = Folder::new();
    let path = folder.file("gemma-2-2b-it-rk3588.rkllm", SHORT);
    folder.file("README.md", "# Qwen2.5-3B-Instruct-RK3588\n");
    let model = Model::open(&path, &options("1.1.0")).unwrap();
    let messages = json!([{"role": "user", "content": "One?"}]);
    let error = model
        .generate(&messages, &GenerateOptions::default())
        .unwrap_err();
    for part in [
        "says Gemma 1 and 2",
        "README.md's title says Qwen 2.5",
        "option chat_template",
    ] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
}

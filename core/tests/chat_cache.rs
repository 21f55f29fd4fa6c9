//! What a chat begins with is computed once, on runtimes that compute every prompt from its beginning.

mod common;

use std::path::{Path, PathBuf};

use common::{Folder, at_most, byte_tokenizer, options, recording, smollm_in};
use rkchat::{
    Chat, ChatOptions, Completion, ErrorKind, GenerateOptions, Json, LoadPromptCacheOptions, Model,
    ModelOptions, PromptCacheOptions, WarningKind,
};
use serde_json::json;

const TEMPLATE: &str = "{% for t in tools or [] %}{{ t | tojson }}{% endfor %}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>";
const RULES: &str = "Answer briefly, in plain words, and never guess.";

fn keeping(folder: &Folder, system: &str) -> ChatOptions {
    ChatOptions {
        system: Some(system.into()),
        prompt_cache: true,
        prompt_cache_folder: Some(folder.path().into()),
        ..ChatOptions::default()
    }
}

/// A model that says a word and records, and its folder.
fn model(group: &str) -> (Folder, Model) {
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    let script = r#"{"pieces": [["", 104], ["", 105], ["", 256]], "record": "record.jsonl"}"#;
    let path = folder.file("s.rkllm", script);
    let options = ModelOptions {
        chat_template: Some(TEMPLATE.into()),
        ..options(group)
    };
    (folder, Model::open(&path, &options).unwrap())
}

fn say(chat: &Chat, text: &str) -> Completion {
    let generation = chat.send(text, &GenerateOptions::default()).unwrap();
    generation.completion().unwrap()
}

/// The calls that were made, but for opening.
fn calls(folder: &Folder) -> Vec<String> {
    let text = std::fs::read_to_string(folder.path().join("record.jsonl")).unwrap();
    let lines = text.lines().map(|line| line.parse::<Json>().unwrap());
    let names = lines.map(|line| line["call"].as_str().unwrap().to_owned());
    names.filter(|name| name != "init").collect()
}

fn caches(folder: &Folder) -> Vec<PathBuf> {
    let files = std::fs::read_dir(folder.path()).unwrap();
    let files = files.map(|file| file.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "cache"))
        .collect()
}

#[test]
fn a_beginning_is_written_once_and_read_where_it_is_not_there() {
    let kept = Folder::new();
    let (folder, model) = model("1.1.0");
    let chat = Chat::open(&model, &keeping(&kept, RULES)).unwrap();
    let first = say(&chat, "a?");
    assert_eq!((first.text.as_str(), first.warnings.len()), ("hi", 0));
    say(&chat, "b?");
    let other = Chat::open(&model, &keeping(&kept, &RULES.replace("never", "do not"))).unwrap();
    say(&other, "c?");
    say(&chat, "d?");
    let expected = [
        ["run", "save_prompt_cache"].as_slice(),
        &["load_prompt_cache", "run", "run"],
        &["run", "save_prompt_cache"],
        &["release_prompt_cache", "load_prompt_cache", "run"],
        &["release_prompt_cache", "load_prompt_cache", "run"],
    ];
    assert_eq!(calls(&folder), expected.concat());
    let runs = folder.record("run");
    let saved = format!("<system>{RULES}<user>");
    let bytes = |run: &Json| serde_json::from_value::<Vec<u8>>(run["input"].clone()).unwrap();
    assert_eq!(bytes(&runs[0]), saved.as_bytes());
    assert_eq!(bytes(&runs[1]), format!("{saved}a?<assistant>").as_bytes());
    assert_eq!(caches(&kept).len(), 2);
    let listed = rkchat::ListPromptCachesOptions {
        folder: Some(kept.path().into()),
    };
    let names: Vec<_> = model
        .prompt_caches(&listed)
        .unwrap()
        .into_iter()
        .map(|one| one.name)
        .collect();
    assert!(
        names.iter().all(|name| name.starts_with("chat-")),
        "{names:?}"
    );
}

#[test]
fn tools_belong_to_the_beginning_and_short_ones_are_not_kept() {
    let kept = Folder::new();
    let (folder, model) = model("1.1.0");
    let brief = keeping(&kept, "Be brief.");
    say(&Chat::open(&model, &brief).unwrap(), "a?");
    assert!(caches(&kept).is_empty());
    let tool = json!({"type": "function", "function": {"name": "look", "parameters": {}}});
    let tools = ChatOptions {
        tools: Some(json!([tool])),
        ..brief
    };
    say(&Chat::open(&model, &tools).unwrap(), "a?");
    assert_eq!(caches(&kept).len(), 1);
    let saved = serde_json::from_value::<Vec<u8>>(folder.record("run")[1]["input"].clone());
    let saved = String::from_utf8(saved.unwrap()).unwrap();
    assert!(saved.starts_with(r#"{"type": "function""#), "{saved}");
    assert!(saved.ends_with("<system>Be brief.<user>"), "{saved}");
}

#[test]
fn runtimes_that_reuse_prompts_need_none_and_others_cannot() {
    let kept = Folder::new();
    let (folder, newer) = model("1.2.0");
    say(&Chat::open(&newer, &keeping(&kept, RULES)).unwrap(), "a?");
    assert_eq!(calls(&folder), ["run"]);
    let (_folder, older) = recording("1.0.1", r#"{"pieces": ["x"]}"#, ModelOptions::default());
    let error = Chat::open(&older, &keeping(&kept, RULES)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert_eq!(error.details()["since"], "1.1.0");
}

#[test]
fn the_oldest_make_room_and_what_is_too_large_is_told_once() {
    let kept = Folder::new();
    let (folder, model) = model("1.1.0");
    say(&Chat::open(&model, &keeping(&kept, RULES)).unwrap(), "a?");
    let size = caches(&kept)[0].metadata().unwrap().len();
    let limited = |system: &str, limit| ChatOptions {
        prompt_cache_limit: Some(limit),
        ..keeping(&kept, system)
    };
    let before = caches(&kept);
    let other = RULES.replace("never", "won't");
    say(
        &Chat::open(&model, &limited(&other, size + size / 2)).unwrap(),
        "a?",
    );
    assert_eq!(caches(&kept).len(), 1);
    assert_ne!(caches(&kept), before);

    let chat = Chat::open(&model, &limited("Never, ever, and for nobody at all.", 5)).unwrap();
    let first = say(&chat, "a?");
    let told: Vec<_> = first.warnings.iter().map(|one| one.kind).collect();
    assert_eq!(
        (first.text.as_str(), &*told),
        ("hi", &[WarningKind::PromptCache][..])
    );
    assert!(first.warnings[0].message.contains("prompt_cache_limit"));
    let saved = folder.record("save_prompt_cache").len();
    assert!(say(&chat, "b?").warnings.is_empty());
    let again = Chat::open(&model, &limited("Never, ever, and for nobody at all.", 5)).unwrap();
    assert!(say(&again, "c?").warnings.is_empty());
    assert_eq!(folder.record("save_prompt_cache").len(), saved);
    assert!(caches(&kept).is_empty());
}

#[test]
fn what_cannot_be_written_costs_the_answer_nothing() {
    let (_folder, model) = model("1.1.0");
    let options = ChatOptions {
        prompt_cache_folder: Some(Path::new("/dev/null/kept").into()),
        ..keeping(&Folder::new(), RULES)
    };
    let completion = say(&Chat::open(&model, &options).unwrap(), "a?");
    assert_eq!(completion.text, "hi");
    assert_eq!(completion.warnings[0].kind, WarningKind::PromptCache);
}

#[test]
fn a_cache_that_was_loaded_by_hand_stays() {
    let kept = Folder::new();
    let (folder, model) = model("1.1.0");
    let by_hand = PromptCacheOptions {
        name: Some("mine".into()),
        folder: Some(kept.path().into()),
        ..PromptCacheOptions::default()
    };
    model
        .save_prompt_cache(&json!([1, 2, 3]), &by_hand)
        .unwrap();
    let load = LoadPromptCacheOptions {
        folder: Some(kept.path().into()),
        ..LoadPromptCacheOptions::default()
    };
    model.load_prompt_cache("mine", &load).unwrap();
    say(&Chat::open(&model, &keeping(&kept, RULES)).unwrap(), "a?");
    assert_eq!(folder.record("save_prompt_cache").len(), 1);
    assert!(folder.record("release_prompt_cache").is_empty());
}

#[test]
fn a_real_model_computes_its_system_prompt_once() {
    let kept = Folder::new();
    let rules = "You are a helpful assistant. You answer in one short sentence, in plain words, and you say so \
                 where you do not know something.";
    let ask = |options: &ChatOptions| {
        let chat = Chat::open(&smollm_in("1.1.0")?, options).unwrap();
        let asked = chat
            .send("What is the capital of France?", &at_most(100))
            .unwrap();
        Some(asked.completion().unwrap())
    };
    let without = ChatOptions {
        system: Some(rules.into()),
        ..ChatOptions::default()
    };
    let Some(plain) = ask(&without) else { return };
    assert_eq!(plain.usage.reused_tokens, Some(0));
    for _ in 0..2 {
        let answer = ask(&keeping(&kept, rules)).unwrap();
        assert!(answer.warnings.is_empty(), "{:?}", answer.warnings);
        assert_eq!(answer.text, plain.text);
        let computed = answer.usage.prompt_tokens - answer.usage.reused_tokens.unwrap();
        assert!(computed < 20, "{:?}", answer.usage);
        assert_eq!(caches(&kept).len(), 1);
    }
}

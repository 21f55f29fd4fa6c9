//! What is fuzzed: each target takes bytes and must come back, whatever they are. The corpora are replayed
//! by `core/tests/fuzz_corpus.rs`, which has this file too.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use rkchat::{ChatTemplate, ErrorKind, Json, RenderOptions, TemplateOptions};

/// A target: its name, which is that of its folder in `corpus`, and what it does.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("template", template),
    ("messages", messages),
    ("tokenizer_config", tokenizer_config),
    ("model_card", model_card),
    ("gguf", gguf),
];

/// A template's source, and after a NUL the messages.
fn template(bytes: &[u8]) {
    let mut parts = bytes.splitn(2, |byte| *byte == 0);
    let source = String::from_utf8_lossy(parts.next().unwrap_or_default());
    let messages = parts
        .next()
        .and_then(|text| serde_json::from_slice(text).ok());
    let messages = messages.unwrap_or_else(|| {
        serde_json::json!([{"role": "user", "content": "one two"}, {"role": "assistant", "content": "three"}])
    });
    match ChatTemplate::from_source(&source, &TemplateOptions::default()) {
        Ok(template) => render(&template, &messages),
        Err(error) => fine(&error),
    }
}

/// Messages, tools and documents as JSON, for a template that looks at all of it.
fn messages(bytes: &[u8]) {
    static TEMPLATE: LazyLock<ChatTemplate> = LazyLock::new(|| {
        let source = "{%- for m in messages %}{{ m.role ~ ':' ~ m['content'] }}\
             {%- if m.content is not string %}{% for part in m.content %}{{ part.type }}{{ part | tojson }}{% endfor %}{% endif %}\
             {%- for call in m.tool_calls %}{{ call.function.name }}{{ call.function.arguments | tojson(indent=2) }}{% endfor %}\
             {{ m.content | trim | upper }}{{ m.content.split('x')[-1] }}{% endfor %}{{ messages }}";
        ChatTemplate::from_source(source, &TemplateOptions::default()).expect("it compiles")
    });
    if let Ok(messages) = serde_json::from_slice(bytes) {
        render(&TEMPLATE, &messages);
    }
}

fn render(template: &ChatTemplate, messages: &Json) {
    let options = RenderOptions {
        add_generation_prompt: true,
        tools: messages
            .get(0)
            .and_then(|first| first.get("tools"))
            .cloned(),
        now: Some("2026-03-07T08:05:09.012345".to_owned()),
        ..RenderOptions::default()
    };
    if let Err(error) = template.render(messages, &options) {
        fine(&error);
    }
}

/// A `tokenizer_config.json`, as one of a folder.
fn tokenizer_config(bytes: &[u8]) {
    let path = written("tokenizer_config.json", bytes);
    if let Err(error) = ChatTemplate::open(&path) {
        fine(&error);
    }
    if let Err(error) = ChatTemplate::open(path.parent().expect("a folder")) {
        fine(&error);
    }
}

/// A model card, the names in it, and the configuration files.
fn model_card(bytes: &[u8]) {
    rkchat::untrusted::card(bytes);
    rkchat::untrusted::name(bytes);
    rkchat::untrusted::config(bytes);
    rkchat::untrusted::head(bytes);
}

/// A GGUF file's header.
fn gguf(bytes: &[u8]) {
    rkchat::untrusted::gguf(bytes);
    if let Err(error) = ChatTemplate::open(&written("model.gguf", bytes)) {
        fine(&error);
    }
}

/// A defect of rkchat's is no answer to bad input.
fn fine(error: &rkchat::Error) {
    assert_ne!(error.kind(), ErrorKind::Panic, "{error}");
    assert!(!error.message().is_empty());
}

/// The bytes in a file, which the next call overwrites.
fn written(name: &str, bytes: &[u8]) -> PathBuf {
    let memory = Path::new("/dev/shm");
    let base = match memory.is_dir() {
        true => memory.to_owned(),
        false => std::env::temp_dir(),
    };
    let folder = base.join(format!("rkchat-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a writable folder");
    let path = folder.join(name);
    fs::write(&path, bytes).expect("a writable folder");
    path
}

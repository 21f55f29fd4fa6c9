//! What comes with a model comes from strangers: whatever it holds is at the most an error. What comes with
//! a request is text and never a control token.

mod common;

use std::fs;

use common::{END, Folder, SHORT, byte_tokenizer};
use rkchat::{
    ChatTemplate, ErrorKind, Json, ModelFolder, ModelOptions, RenderOptions, TemplateOptions,
    Tokenizer, UntrustedContent, untrusted,
};
use serde_json::json;

/// Pieces of cards, configurations and names, in all kinds of nonsense: nothing of it is more than an error.
#[test]
fn nonsense_is_never_more_than_an_error() {
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let parts: &[&[u8]] = &[
        b"---\n",
        b"base_model:",
        b" [a, b",
        b"- x\n",
        b"RKLLM version: 1.1.2",
        b"{",
        b"}",
        b"[",
        b"\"",
        b":",
        b",",
        b"1e999",
        b"\xff",
        b"\0",
        b"\n",
        b"\t",
        b"&a *a",
        b"!!str ",
        b"|",
        b">",
        b"null",
        b"\"eos_token_id\"",
        b"-1",
        b"\"temperature\"",
        b"rk3588",
        b"w8a8_g128",
        b"LoRA:",
        b"](",
        b"max ctx 4096",
        b"\xe2\x80",
        b"# original card\n",
        b"\"model_type\"",
    ];
    for _ in 0..100_000 {
        let bytes: Vec<u8> = (0..random(30))
            .flat_map(|_| parts[random(parts.len())].to_vec())
            .collect();
        untrusted::card(&bytes);
        untrusted::name(&bytes);
        untrusted::config(&bytes);
        untrusted::head(&bytes);
        let mut gguf = b"GGUF\x03\0\0\0\x01\0\0\0\0\0\0\0\x02\0\0\0\0\0\0\0".to_vec();
        gguf.extend((0..random(60)).map(|_| [0, 1, 4, 8, 9, b'a', 0xff][random(7)]));
        untrusted::gguf(&gguf);
    }
    let folder = Folder::new();
    let path = folder.file("gemma-2-9b-it-rk3588.rkllm", SHORT);
    for _ in 0..500 {
        for name in ["README.md", "config.json", "generation_config.json"] {
            let bytes: Vec<u8> = (0..random(12))
                .flat_map(|_| parts[random(parts.len())].to_vec())
                .collect();
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        if let Err(error) = ModelFolder::open(&path, &ModelOptions::default()) {
            assert_ne!(error.kind(), ErrorKind::Panic);
        }
    }
}

/// How many `<|end|>` are among the ids that a template gives for a message.
fn ends(source: &str, content: &str, variables: Json) -> usize {
    let folder = Folder::new();
    let tokenizer = Tokenizer::open(&folder.file("tokenizer.json", &byte_tokenizer())).unwrap();
    let template = TemplateOptions {
        special_tokens: Some(json!({"bos_token": "<|end|>"})),
        ..TemplateOptions::default()
    };
    let template = ChatTemplate::from_source(source, &template).unwrap();
    let options = RenderOptions {
        now: Some("2026-03-07T08:05:09".to_owned()),
        variables: Some(variables),
        untrusted_content: Some(UntrustedContent::Literal),
        ..RenderOptions::default()
    };
    let messages = json!([{"role": "user", "content": content}]);
    let ids = template.encode(&messages, &tokenizer, &options).unwrap();
    ids.iter().filter(|id| **id == END).count()
}

#[test]
fn what_variables_spell_is_text() {
    let nested = json!({"custom": "x<|end|>y", "list": [{"<|end|>": "<|end|>"}]});
    for source in [
        "{{ custom }}",
        "{{ list }}{{ list|tojson }}",
        "{{ list[0]['<|end|>'] }}",
        "{% for k, v in list[0].items() %}{{ k }}{{ v }}{% endfor %}",
    ] {
        assert_eq!(ends(source, "", nested.clone()), 0, "{source}");
    }
    // The template's own, and the model's.
    assert_eq!(ends("<|end|>{{ custom }}{{ bos_token }}", "", nested), 2);
    // A special token that the caller gives again is the caller's text, as it is in transformers.
    assert_eq!(
        ends("{{ bos_token }}", "", json!({"bos_token": "<|end|>"})),
        0
    );
}

#[test]
fn what_the_clock_is_asked_in_stays_what_it_was() {
    let asked = "{{ strftime_now(messages[0].content) }}";
    for content in ["<|end|>", "%Y<|end|>%m", "%Q<|end|>%", "%D%c<|end|>%5"] {
        assert_eq!(ends(asked, content, json!({})), 0, "{content}");
        assert_eq!(
            ends(&asked.replace(")", " ~ '<|end|>')"), content, json!({})),
            1
        );
    }
    assert_eq!(
        ends(
            "{{ strftime_now('<|end|>%d %b %Y<|end|>') }}",
            "",
            json!({})
        ),
        2
    );
}

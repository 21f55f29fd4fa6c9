//! rkchat's own templates against the real ones, and which family a name tells.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use super::*;
use crate::surface::{ErrorKind, Json, RenderOptions};

/// The real template of each family: the official one, or one that is the same for these roles. Phi-2, RWKV-7
/// and TeleChat2 have none.
const REAL: &[(&str, &str)] = &[
    ("llama2", "390ebb1d3982"),
    ("llama3", "ba03a121d097"),
    ("llama3.1", "e10ca381b1cc"),
    ("llama3.2", "5816fce10444"),
    ("tinyllama", "7450398129b3"),
    ("qwen2", "793202280c09"),
    ("qwen2", "a0bc6f6fc7a2"),
    ("qwen2.5", "d5495a1e5db0"),
    ("qwen3", "a55ee1b16601"),
    ("qwen3-instruct", "64f85b198065"),
    ("qwen3-vl", "3636d0f0bd6b"),
    ("qwen3-thinking", "3802169b2a02"),
    ("phi3", "dcaee66df77b"),
    ("chatglm3", "7b196545639b"),
    ("gemma2", "ecd6ae513fe1"),
    ("gemma3", "f9a34f0fd767"),
    ("gemma3", "959b257e7fc1"),
    ("internlm2", "e00f16381b76"),
    ("minicpm3", "dbd75fe18b14"),
    ("minicpm4", "153280e3ff55"),
    ("deepseek-r1-distill", "56a1447ad319"),
    ("smollm2", "872be49dbb63"),
    ("smollm3", "3982464ecf49"),
];

fn shared() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../shared/templates"
    ))
}

fn lines(name: &str) -> Vec<Json> {
    let text = fs::read_to_string(shared().join(name)).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn family(id: &str) -> &'static Family {
    FAMILIES.iter().find(|family| family.id == id).unwrap()
}

/// Whether a conversation is text from first to last, without tools, documents, or an answer to go on with.
fn is_plain(conversation: &Json) -> bool {
    let messages = conversation["messages"].as_array().unwrap();
    conversation["tools"].is_null()
        && conversation["documents"].is_null()
        && conversation["continue_final_message"] != true
        && messages
            .iter()
            .all(|message| message["content"].is_string())
}

#[test]
fn they_render_what_the_real_ones_do() {
    if !shared().is_dir() {
        println!("SKIPPED: no reference templates at {}", shared().display());
        return;
    }
    let named = |id: &str, json: &Json| (json[id].as_str().unwrap().to_owned(), json.clone());
    let conversations: BTreeMap<_, _> = lines("conversations.jsonl")
        .iter()
        .map(|one| named("id", one))
        .collect();
    let specials: BTreeMap<_, _> = lines("templates.jsonl")
        .iter()
        .map(|one| named("id", one))
        .collect();
    let mut compared = 0;
    let mut wrong = Vec::new();
    for case in lines("cases.jsonl") {
        let real = REAL.iter().filter(|(_, id)| case["t"] == *id);
        for (id, real) in real {
            let conversation = &conversations[case["c"].as_str().unwrap()];
            if !is_plain(conversation) {
                continue;
            }
            // What the options say besides.
            let mut variables = case["kwargs"].clone();
            for name in ["add_generation_prompt", "continue_final_message"] {
                variables.as_object_mut().unwrap().remove(name);
            }
            let mut special = SpecialTokens::default();
            special.add(&specials[*real]["special_tokens"]);
            let template = family(id).template(&special).unwrap();
            let options = RenderOptions {
                add_generation_prompt: conversation["add_generation_prompt"] == true,
                now: Some("2026-03-07T08:05:09.012345".to_owned()),
                variables: Some(variables),
                ..RenderOptions::default()
            };
            let ours = template.render(&conversation["messages"], &options);
            compared += 1;
            let same = match (&ours, case["expected"].as_str()) {
                (Ok(ours), Some(expected)) => ours == expected,
                (Err(_), None) => true,
                _ => false,
            };
            if !same {
                let line = format!("{id} {real} {}: {ours:?} for {case}", case["c"]);
                wrong.push(line.chars().take(1000).collect::<String>());
            }
        }
    }
    println!("{compared} cases compared");
    assert!(
        compared >= 15 * REAL.len(),
        "only {compared} cases were compared"
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for family in FAMILIES {
        let known = REAL.iter().any(|(id, _)| *id == family.id);
        assert_eq!(known, family.verified, "{}", family.name);
    }
}

#[test]
fn those_without_an_official_one_follow_what_is_documented() {
    let messages = serde_json::json!([
        {"role": "user", "content": "One?"},
        {"role": "assistant", "content": "Yes."},
        {"role": "user", "content": "Two?"},
    ]);
    let options = RenderOptions {
        add_generation_prompt: true,
        ..RenderOptions::default()
    };
    for (id, expected) in [
        (
            "phi2",
            "Instruct: One?\nOutput: Yes.\nInstruct: Two?\nOutput:",
        ),
        (
            "rwkv7",
            "User: One?\n\nAssistant: Yes.\n\nUser: Two?\n\nAssistant:",
        ),
    ] {
        let template = family(id).template(&SpecialTokens::default()).unwrap();
        assert_eq!(template.render(&messages, &options).unwrap(), expected);
    }
    let template = family("telechat2")
        .template(&SpecialTokens::default())
        .unwrap();
    let prompt = template.render(&messages, &options).unwrap();
    assert!(prompt.starts_with("<_system>你是"), "{prompt}");
    assert!(
        prompt.ends_with("<_user>One?<_bot>Yes.<_end>\n<_user>Two?<_bot>"),
        "{prompt}"
    );
    let system = serde_json::json!([{"role": "system", "content": "Be kind."}]);
    let phi = family("phi2").template(&SpecialTokens::default()).unwrap();
    assert_eq!(
        phi.render(&system, &options).unwrap_err().kind(),
        ErrorKind::Template
    );
}

#[test]
fn tools_are_refused_and_not_dropped() {
    let messages = serde_json::json!([{"role": "user", "content": "One?"}]);
    let options = RenderOptions {
        tools: Some(serde_json::json!([{"type": "function", "function": {"name": "f"}}])),
        ..RenderOptions::default()
    };
    for family in FAMILIES {
        let template = family.template(&SpecialTokens::default()).unwrap();
        let error = template.render(&messages, &options).unwrap_err();
        assert!(
            error.message().contains("tokenizer_config.json"),
            "{}: {error}",
            family.name
        );
    }
}

#[test]
fn names_tell_families() {
    for (name, id) in [
        ("Llama-2-7b-chat-hf", "llama2"),
        ("llama2-13b", "llama2"),
        ("Meta-Llama-3-8B-Instruct", "llama3"),
        ("meta-llama/Meta-Llama-3.1-8B-Instruct", "llama3.1"),
        ("Llama-3-1-8B", "llama3.1"),
        ("Llama-3.2-1B-Instruct", "llama3.2"),
        ("llama3.2-3b", "llama3.2"),
        ("Llama_3_2_3B", "llama3.2"),
        ("Llama-3.3-70B-Instruct", "llama3.1"),
        ("TinyLlama-1.1B-Chat-v1.0", "tinyllama"),
        ("Qwen1.5-1.8B-Chat", "qwen2"),
        ("codeqwen1.5-7b-chat", "qwen2"),
        ("Qwen2-1.5B-Instruct", "qwen2"),
        ("Qwen2-1_5B-Instruct", "qwen2"),
        ("Qwen2-VL-2B-Instruct", "qwen2"),
        ("Qwen2.5-VL-3B", "qwen2"),
        ("qwen2.5-3b-instruct", "qwen2.5"),
        ("qwen2_5-0_5b", "qwen2.5"),
        ("Qwen2.5-Coder-1.5B-Instruct", "qwen2.5"),
        ("Qwen3-0.6B", "qwen3"),
        ("qwen3_1.7b", "qwen3"),
        ("Qwen3-4B-Instruct-2507", "qwen3-instruct"),
        ("Qwen3-VL-2B-Instruct", "qwen3-vl"),
        ("Qwen3-4B-Thinking-2507", "qwen3-thinking"),
        ("phi-2", "phi2"),
        ("phi2", "phi2"),
        ("Phi-3-mini-4k-instruct", "phi3"),
        ("Phi-3.5-mini-instruct", "phi3"),
        ("chatglm3-6b", "chatglm3"),
        ("gemma-2b-it", "gemma2"),
        ("gemma-7b-it", "gemma2"),
        ("gemma-1.1-2b-it", "gemma2"),
        ("gemma-2-9b-it", "gemma2"),
        ("gemma2-2b", "gemma2"),
        ("gemma-3-1b-it", "gemma3"),
        ("gemma3-270m", "gemma3"),
        ("internlm2-chat-1_8b", "internlm2"),
        ("internlm2_5-1_8b-chat", "internlm2"),
        ("MiniCPM3-4B", "minicpm3"),
        ("MiniCPM4-0.5B", "minicpm4"),
        ("TeleChat2-3B", "telechat2"),
        ("DeepSeek-R1-Distill-Qwen-1.5B", "deepseek-r1-distill"),
        ("DeepSeek-R1-Distill-Llama-8B", "deepseek-r1-distill"),
        ("deepseek-r1-1.5b", "deepseek-r1-distill"),
        ("SmolLM2-360M-Instruct", "smollm2"),
        ("SmolLM3-3B", "smollm3"),
        ("rwkv7-g1-1.5b", "rwkv7"),
        ("RWKV-7-World-0.4B", "rwkv7"),
        // Others, or none that is sure.
        ("", ""),
        ("model", ""),
        ("Mistral-7B-Instruct-v0.3", ""),
        ("Llama-4-Scout", ""),
        ("llama-7b", ""),
        ("CodeLlama-7b-Instruct", ""),
        ("Hermes-3-Llama-3.1-8B", ""),
        ("dolphin-2.9.1-llama-3-8b", ""),
        ("Qwen-7B-Chat", ""),
        ("Qwen3.5-4B", ""),
        ("Qwen3-Coder-30B", ""),
        ("Qwen2.5-Math-1.5B", ""),
        ("Qwen3-Embedding-0.6B", ""),
        ("phi-4-mini", ""),
        ("Phi-3-medium-4k-instruct", ""),
        ("gemma-3n-E2B-it", ""),
        ("gemma-4-2b", ""),
        ("glm-4-9b-chat", ""),
        ("chatglm2-6b", ""),
        ("internlm3-8b-instruct", ""),
        ("InternVL3-1B", ""),
        ("MiniCPM-V-2_6", ""),
        ("MiniCPM-2B-sft", ""),
        ("SmolLM-135M-Instruct", ""),
        ("SmolVLM2-2.2B", ""),
        ("DeepSeek-R1-0528-Qwen3-8B", ""),
        ("deepseek-llm-7b-chat", ""),
        ("rwkv6-world", ""),
    ] {
        let found = by_name(name).map_or("", |family| family.id);
        assert_eq!(found, id, "{name}");
    }
}

#[test]
fn a_model_type_of_several_families_tells_none() {
    assert_eq!(
        by_type("gemma3_text").map(|family| family.id),
        Some("gemma3")
    );
    assert_eq!(by_type("smollm3").map(|family| family.id), Some("smollm3"));
    for several in ["llama", "qwen2", "qwen3", "", "gemma4"] {
        assert!(by_type(several).is_none(), "{several}");
    }
}

#[test]
fn tokens_tell_the_house() {
    let house = |tokens: &[&str]| by_tokens(|token| tokens.contains(&token));
    assert_eq!(
        house(&["<bos>", "<start_of_turn>", "<end_of_turn>"]),
        Some("gemma")
    );
    assert_eq!(
        house(&["<|im_start|>", "<|im_end|>", "<|endoftext|>"]),
        Some("qwen")
    );
    assert_eq!(house(&["a"]), None);
}

/// Whether a control token is the one listed, in which `#` stands for a number.
fn spells(listed: &str, token: &str) -> bool {
    let Some((before, after)) = listed.split_once('#') else {
        return listed == token;
    };
    let number = token
        .strip_prefix(before)
        .and_then(|rest| rest.strip_suffix(after));
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|c| c.is_ascii_digit()))
}

#[test]
fn real_tokenizers_are_told_apart() {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache/tokenizers"));
    let mut seen = 0;
    for (name, families) in [
        ("gemma2", &["gemma2"][..]),
        ("gemma3", &["gemma3"]),
        ("llama2", &["llama2", "tinyllama"]),
        ("llama3", &["llama3", "llama3.1", "llama3.2"]),
        (
            "qwen3",
            &[
                "qwen2",
                "qwen2.5",
                "qwen3",
                "qwen3-instruct",
                "qwen3-thinking",
                "qwen3-vl",
            ],
        ),
    ] {
        if !folder.join(name).is_dir() {
            println!("SKIPPED: no tokenizer {name}; run tools/fetch-tokenizers.sh");
            continue;
        }
        let tokenizer = crate::tokenizer::Tokenizer::open(&folder.join(name)).unwrap();
        let has = |token: &str| tokenizer.token_to_id(token).is_some();
        for id in families {
            let family = family(id);
            assert!(
                family.marks.iter().all(|mark| has(mark)),
                "{name} is one of {id}"
            );
            assert_eq!(by_tokens(has), Some(family.house), "{name}");
            for (token, _) in tokenizer.special_tokens() {
                let known = family.control.iter().any(|known| spells(known, token));
                assert!(known, "{id} does not list {token}, which {name} has");
            }
        }
        seen += 1;
    }
    println!("{seen} tokenizers");
}

//! The answers and requests that all languages share, over the scripted runtime. `tests/run.py` checks that
//! every language ran every line.

mod common;

use std::path::PathBuf;
use std::time::Duration;

use common::{Folder, LONG, options, ran};
use rkchat::{
    ChunkKind, Error, FixedSampling, GenerateOptions, Generation, Json, Model, ModelOptions,
    UntrustedContent,
};
use serde_json::{from_value, json};

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
}

/// `StopString` to `stop_string`.
fn snake(name: impl std::fmt::Debug) -> String {
    let mut snake = String::new();
    for letter in format!("{name:?}").chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

fn read<T: serde::de::DeserializeOwned>(value: &Json) -> T {
    from_value(value.clone()).unwrap()
}

fn opening(case: &Json, group: &str) -> ModelOptions {
    let mut options = options(group);
    for (name, value) in case.as_object().unwrap() {
        match name.as_str() {
            "chat_template" => options.chat_template = read(value),
            "fixed_sampling" => {
                options.fixed_sampling = Some(match value.as_str() {
                    Some("error") => FixedSampling::Error,
                    Some("reload") => FixedSampling::Reload,
                    _ => panic!("{value}"),
                });
            }
            "ignore_eos" => options.ignore_eos = read(value),
            "max_context_len" => options.max_context_len = read(value),
            "temperature" => options.temperature = read(value),
            "tokenizer" => options.tokenizer = value.as_str().map(root),
            "top_k" => options.top_k = read(value),
            _ => panic!("{name}"),
        }
    }
    options
}

fn asking(case: &Json) -> GenerateOptions {
    let mut options = GenerateOptions::default();
    for (name, value) in case.as_object().unwrap() {
        match name.as_str() {
            "continue_final_message" => options.continue_final_message = read(value),
            "enable_thinking" => options.enable_thinking = read(value),
            "ignore_eos" => options.ignore_eos = read(value),
            "max_new_tokens" => options.max_new_tokens = read(value),
            "min_p" => options.min_p = read(value),
            "seed" => options.seed = read(value),
            "stop_strings" => options.stop_strings = read(value),
            "temperature" => options.temperature = read(value),
            "timeout" => options.timeout = value.as_f64().map(Duration::from_secs_f64),
            "tool_choice" => options.tool_choice = Some(value.clone()),
            "tool_format" => options.tool_format = read(value),
            "tools" => options.tools = Some(value.clone()),
            "top_k" => options.top_k = read(value),
            "top_p" => options.top_p = read(value),
            "untrusted_content" => {
                assert_eq!(value, "transformers");
                options.untrusted_content = Some(UntrustedContent::Transformers);
            }
            _ => panic!("{name}"),
        }
    }
    options
}

/// What an answer said, which is what was streamed.
fn answer(generation: &Generation) -> Result<Json, Error> {
    let (mut text, mut reasoning) = (String::new(), String::new());
    while let Some(chunk) = generation.next(Some(LONG))? {
        match chunk.kind {
            ChunkKind::Text => text += &chunk.text,
            ChunkKind::Reasoning => reasoning += &chunk.text,
            ChunkKind::ToolCall => {}
        }
    }
    let completion = generation.completion()?;
    assert_eq!(text, completion.text);
    assert_eq!(reasoning, completion.reasoning.clone().unwrap_or_default());
    let calls = completion.tool_calls.iter();
    let calls = calls.map(|call| json!({"name": call.name, "arguments": call.arguments}));
    let warnings = completion
        .warnings
        .iter()
        .map(|warning| snake(warning.kind));
    Ok(json!({
        "text": text,
        "reasoning": completion.reasoning,
        "tool_calls": calls.collect::<Vec<_>>(),
        "message": completion.message,
        "token_ids": completion.token_ids,
        "finish_reason": snake(completion.finish_reason),
        "prompt_tokens": completion.usage.prompt_tokens,
        "new_tokens": completion.usage.new_tokens,
        "counted_by": snake(completion.usage.counted_by),
        "warnings": warnings.collect::<Vec<_>>(),
    }))
}

fn run(case: &Json, group: &str) -> Result<Json, Error> {
    let folder = Folder::new();
    let script = folder.file("model.rkllm", &case["script"].to_string());
    let model = Model::open(&script, &opening(&case["open"], group))?;
    let options = asking(&case["options"]);
    answer(&match case.get("messages") {
        Some(messages) => model.generate(messages, &options)?,
        None => model.complete_ids(&read::<Vec<u32>>(&case["ids"]), &options)?,
    })
}

/// Runs the lines of a file, and says how many there were.
fn all(name: &str, check: impl Fn(&Json)) {
    let mut count = 0;
    for line in std::fs::read_to_string(root("tests/vectors").join(name))
        .unwrap()
        .lines()
    {
        let case: Json = serde_json::from_str(line).unwrap();
        // Shown where the case fails.
        eprintln!("{name}: {}", case.get("id").unwrap_or(&case["name"]));
        check(&case);
        count += 1;
    }
    ran(name, count);
}

#[test]
fn requests() {
    all("requests.jsonl", |case| {
        for group in read::<Vec<String>>(&case["groups"]) {
            let found = run(case, &group);
            if let Some(wanted) = case.get("error") {
                let error = found.unwrap_err();
                assert_eq!(wanted["kind"], snake(error.kind()), "{group}: {error}");
                let says = wanted["says"].as_str().unwrap();
                assert!(error.message().contains(says), "{group}: {error}");
            } else {
                let found = found.unwrap();
                for (name, value) in case["expected"].as_object().unwrap() {
                    assert_eq!(&found[name], value, "{name} on {group}");
                }
            }
        }
    });
}

#[test]
fn answers() {
    all("answers.jsonl", |case| {
        let letters: Vec<char> = case["text"].as_str().unwrap().chars().collect();
        let pieces: Vec<String> = letters.chunks(3).map(String::from_iter).collect();
        // The template tells the format; the prompt is what a case says it is.
        let template = case["template"].as_str().unwrap_or_default();
        let template =
            format!("{{% if false %}}{template}{{% endif %}}{{{{ messages[-1].content }}}}");
        let prompt = case["prompt"].as_str().unwrap_or("?");
        let mut options = json!({"untrusted_content": "transformers"});
        for (name, ours) in [("tools", "tools"), ("format", "tool_format")] {
            if let Some(value) = case.get(name) {
                options[ours] = value.clone();
            }
        }
        let request = json!({
            "script": {"pieces": pieces},
            "open": {"chat_template": template},
            "messages": [{"role": "user", "content": prompt}],
            "options": options,
        });
        let (found, wanted) = (run(&request, "1.1.0").unwrap(), &case["expected"]);
        assert_eq!(found["text"], wanted["text"]);
        assert_eq!(
            found["reasoning"].as_str().unwrap_or_default(),
            wanted["reasoning"]
        );
        assert_eq!(found["tool_calls"], wanted["tool_calls"]);
        let broken = wanted["broken"].as_u64().unwrap_or(0) as usize;
        assert_eq!(found["warnings"], json!(vec!["broken_tool_call"; broken]));
    });
}

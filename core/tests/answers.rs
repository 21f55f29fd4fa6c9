//! Reasoning and tool calls in answers, over the scripted runtime: as text, and as tokens. More of it is in
//! tests/vectors/answers.jsonl and requests.jsonl, which all languages run.

mod common;

use common::{Folder, LONG, byte_tokenizer, options};
use rkchat::{
    ChunkKind, Completion, ErrorKind, FinishReason, GenerateOptions, Generation, InputKind, Json,
    Model, ModelOptions, WarningKind,
};
use serde_json::json;

/// Turns in angle brackets, tools as JSON, calls as Hermes writes them, and thinking.
const TEMPLATE: &str = r#"
{%- if tools %}<tools>{{ tools | tojson }}</tools>{% endif %}
{%- for m in messages %}<{{ m.role }}>{{ m.content }}
{%- for call in m.tool_calls %}<tool_call>
{{ call.function | tojson }}
</tool_call>{% endfor %}{% endfor %}
{%- if add_generation_prompt %}<bot>
{%- if enable_thinking %}<think>
{% elif enable_thinking is defined %}<think>

</think>

{% endif %}{% endif %}"#;

const CALL: &str = "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": \"Oslo\", \"days\": 2}}\n</tool_call>";

fn tools() -> Json {
    let weather = json!({"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}});
    let time =
        json!({"type": "function", "function": {"name": "time", "parameters": {"type": "object"}}});
    json!([weather, time])
}

fn question() -> Json {
    json!([{"role": "user", "content": "?"}])
}

/// A model that says `text`, cut into pieces of `size` bytes. With tokens, it says it as ids.
fn saying(text: &str, size: usize, tokens: bool) -> (Folder, Model) {
    let folder = Folder::new();
    let pieces: Vec<Json> = match tokens {
        true => text.bytes().map(|byte| json!(["", byte])).collect(),
        false => {
            let chars: Vec<char> = text.chars().collect();
            let pieces = chars.chunks(size).map(String::from_iter);
            pieces.map(Json::from).collect()
        }
    };
    if tokens {
        folder.file("tokenizer.json", &byte_tokenizer());
    }
    let script = json!({"pieces": pieces, "record": "record.jsonl"});
    let script = folder.file("s.rkllm", &script.to_string());
    let options = ModelOptions {
        chat_template: Some(TEMPLATE.into()),
        ..options("1.1.0")
    };
    let model = Model::open(&script, &options).unwrap();
    let input = if tokens {
        InputKind::Tokens
    } else {
        InputKind::Text
    };
    assert_eq!(model.info().input, input);
    (folder, model)
}

/// What the pieces say: text, reasoning, and per call id, name and arguments.
fn streamed(generation: &Generation) -> (String, String, Vec<(String, String, String)>) {
    let (mut text, mut reasoning, mut calls) = (String::new(), String::new(), Vec::new());
    while let Some(chunk) = generation.next(Some(LONG)).unwrap() {
        match chunk.kind {
            ChunkKind::Text => text += &chunk.text,
            ChunkKind::Reasoning => reasoning += &chunk.text,
            ChunkKind::ToolCall => {
                let index = chunk.tool_call.unwrap() as usize;
                if let (Some(id), Some(name)) = (chunk.tool_call_id, chunk.tool_name) {
                    assert_eq!(calls.len(), index);
                    calls.push((id, name, String::new()));
                }
                calls[index].2 += &chunk.text;
            }
        }
    }
    (text, reasoning, calls)
}

/// The answer, the same however it is cut, and streamed as it is told at the end.
fn answer(text: &str, options: &GenerateOptions) -> Completion {
    let mut all = Vec::new();
    for (size, tokens) in [(1, false), (3, false), (1000, false), (1, true)] {
        let (_folder, model) = saying(text, size, tokens);
        let generation = model.generate(&question(), options).unwrap();
        let (text, reasoning, calls) = streamed(&generation);
        let completion = generation.completion().unwrap();
        assert_eq!(text, completion.text);
        assert_eq!(reasoning, completion.reasoning.clone().unwrap_or_default());
        let whole = completion.tool_calls.iter();
        if completion.warnings.is_empty() {
            assert_eq!(calls.len(), completion.tool_calls.len());
        }
        for (call, (id, name, arguments)) in whole.zip(&calls) {
            assert_eq!((&call.id, &call.name), (id, name));
            assert_eq!(call.arguments, arguments.parse::<Json>().unwrap());
        }
        all.push(completion);
    }
    let said = |completion: &Completion| {
        let calls: Vec<_> = completion.tool_calls.iter().collect();
        let calls: Vec<_> = calls
            .iter()
            .map(|call| (&call.name, &call.arguments))
            .collect();
        format!(
            "{} {:?} {calls:?} {:?}",
            completion.text, completion.reasoning, completion.finish_reason
        )
    };
    for other in &all[1..] {
        assert_eq!(said(other), said(&all[0]));
    }
    all.swap_remove(0)
}

fn with_tools() -> GenerateOptions {
    GenerateOptions {
        tools: Some(tools()),
        ..GenerateOptions::default()
    }
}

#[test]
fn reasoning_is_told_apart() {
    let thought = "<think>\nHm, 2.\n</think>\n\nTwo.";
    let completion = answer(thought, &GenerateOptions::default());
    assert_eq!(completion.reasoning.as_deref(), Some("Hm, 2."));
    assert_eq!(completion.text, "Two.");
    assert_eq!(completion.finish_reason, FinishReason::Stop);
    assert_eq!(
        completion.message,
        json!({"role": "assistant", "content": "Two.", "reasoning_content": "Hm, 2."})
    );
}

#[test]
fn the_template_may_have_opened_it() {
    let thinking = |on| GenerateOptions {
        enable_thinking: Some(on),
        ..GenerateOptions::default()
    };
    let completion = answer("Hm.\n</think>\n\nTwo.", &thinking(true));
    assert_eq!(completion.reasoning.as_deref(), Some("Hm."));
    assert_eq!(completion.text, "Two.");
    let completion = answer("Two.", &thinking(false));
    assert_eq!(
        (completion.text.as_str(), completion.reasoning),
        ("Two.", None)
    );
}

#[test]
fn calls_are_parsed_and_streamed() {
    let two = format!(
        "I look.\n{CALL}\n<tool_call>\n{{\"name\": \"time\", \"arguments\": {{}}}}\n</tool_call>"
    );
    let completion = answer(&two, &with_tools());
    assert_eq!(completion.text, "I look.");
    assert_eq!(completion.finish_reason, FinishReason::ToolCalls);
    let names: Vec<&str> = completion
        .tool_calls
        .iter()
        .map(|call| call.name.as_str())
        .collect();
    assert_eq!(names, ["weather", "time"]);
    assert_eq!(
        completion.tool_calls[0].arguments,
        json!({"city": "Oslo", "days": 2})
    );
    assert_ne!(completion.tool_calls[0].id, completion.tool_calls[1].id);
    let calls = completion.message["tool_calls"].as_array().unwrap();
    assert_eq!(calls[0]["function"]["name"], "weather");
    assert_eq!(calls[0]["function"]["arguments"]["days"], 2);
}

#[test]
fn a_broken_call_is_text_and_nothing_is_lost() {
    let broken =
        "<tool_call>\n{\"name\": \"weather\", \"arguments\": {\"city\": Oslo}}\n</tool_call>";
    let completion = answer(broken, &with_tools());
    assert_eq!(completion.text, broken);
    assert!(completion.tool_calls.is_empty());
    assert_eq!(completion.finish_reason, FinishReason::Stop);
    let kinds: Vec<_> = completion
        .warnings
        .iter()
        .map(|warning| warning.kind)
        .collect();
    assert_eq!(kinds, [WarningKind::BrokenToolCall]);
    assert!(completion.warnings[0].message.contains("Oslo"));
}

#[test]
fn a_call_can_be_wanted() {
    let rest = |text: &str| text.split_once("arguments\": ").unwrap().1.to_owned();
    let named = GenerateOptions {
        tool_choice: Some(json!({"type": "function", "function": {"name": "weather"}})),
        ..with_tools()
    };
    // The model goes on with what the prompt ends with.
    let completion = answer(&rest(CALL), &named);
    assert_eq!(completion.tool_calls[0].name, "weather");
    assert_eq!(completion.tool_calls[0].arguments["city"], "Oslo");
    assert_eq!(completion.text, "");
    assert_eq!(completion.finish_reason, FinishReason::ToolCalls);
    let (folder, model) = saying(&rest(CALL), 3, false);
    model
        .generate(&question(), &named)
        .unwrap()
        .completion()
        .unwrap();
    let prompt = folder.record("run")[0]["input"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(
        prompt.ends_with("<bot><tool_call>\n{\"name\": \"weather\", \"arguments\": "),
        "{prompt}"
    );
}

#[test]
fn a_loop_of_calls_and_results_is_rendered() {
    let (folder, model) = saying(CALL, 5, false);
    let mut messages = question();
    let completion = model
        .generate(&messages, &with_tools())
        .unwrap()
        .completion()
        .unwrap();
    let list = messages.as_array_mut().unwrap();
    list.push(completion.message.clone());
    list.push(json!({"role": "tool", "tool_call_id": completion.tool_calls[0].id, "content": "4 degrees"}));
    model
        .generate(&messages, &with_tools())
        .unwrap()
        .completion()
        .unwrap();
    let prompt = folder.record("run")[1]["input"]
        .as_str()
        .unwrap()
        .to_owned();
    let whole = format!("<user>?<assistant>{CALL}<tool>4 degrees<bot>");
    assert!(prompt.ends_with(&whole), "{prompt}");
}

#[test]
fn arguments_may_be_text_as_openai_sends_them() {
    let (folder, model) = saying("x", 1, false);
    let call = json!({"id": "1", "type": "function",
                      "function": {"name": "weather", "arguments": "{\"city\": \"Oslo\", \"days\": 2}"}});
    let messages = json!([{"role": "user", "content": "?"},
                          {"role": "assistant", "content": "", "tool_calls": [call]},
                          {"role": "tool", "content": "4"}]);
    model
        .generate(&messages, &with_tools())
        .unwrap()
        .completion()
        .unwrap();
    let prompt = folder.record("run")[0]["input"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(prompt.contains(CALL), "{prompt}");
}

/// Delimiters that a tokenizer has as control tokens are seen all the same, and no others are.
#[test]
fn control_tokens_may_be_delimiters() {
    let folder = Folder::new();
    let mut tokenizer: Json = byte_tokenizer().parse().unwrap();
    let like = tokenizer["added_tokens"][0].clone();
    for (id, text) in [(258, "<tool_call>"), (259, "</tool_call>")] {
        let mut token = like.clone();
        token["id"] = id.into();
        token["content"] = text.into();
        tokenizer["added_tokens"]
            .as_array_mut()
            .unwrap()
            .push(token);
    }
    folder.file("tokenizer.json", &tokenizer.to_string());
    let inside = r#"{"name": "time", "arguments": {}}"#;
    let mut pieces: Vec<Json> = inside.bytes().map(|byte| json!(["", byte])).collect();
    pieces.insert(0, json!(["", 258]));
    pieces.insert(1, json!(["", 257]));
    pieces.push(json!(["", 259]));
    let script = folder.file("s.rkllm", &json!({"pieces": pieces}).to_string());
    let options = ModelOptions {
        chat_template: Some(TEMPLATE.into()),
        ..options("1.3.0")
    };
    let model = Model::open(&script, &options).unwrap();
    let completion = model
        .generate(&question(), &with_tools())
        .unwrap()
        .completion()
        .unwrap();
    assert_eq!(completion.tool_calls[0].name, "time");
    assert_eq!(completion.text, "");
    let raw = model
        .complete_ids(&[1], &GenerateOptions::default())
        .unwrap();
    assert_eq!(raw.completion().unwrap().text, inside);
}

/// Where the runtime's own template is used, thinking is its switch.
#[test]
fn a_runtimes_template_has_a_switch_of_its_own() {
    let thinking = |on| GenerateOptions {
        enable_thinking: Some(on),
        ..GenerateOptions::default()
    };
    for group in ["1.2.0", "1.2.1", "1.3.0"] {
        let folder = Folder::new();
        let script = folder.file("s.rkllm", r#"{"pieces": ["x"], "record": "record.jsonl"}"#);
        let model = Model::open(&script, &options(group)).unwrap();
        assert_eq!(model.info().input, InputKind::RuntimeTemplate);
        if group == "1.2.0" {
            let error = model.generate(&question(), &thinking(true)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Unsupported);
            assert!(error.message().contains("1.2.1"), "{error}");
            continue;
        }
        for (options, on) in [
            (thinking(true), true),
            (thinking(false), false),
            (GenerateOptions::default(), false),
        ] {
            model
                .generate(&question(), &options)
                .unwrap()
                .completion()
                .unwrap();
            assert_eq!(folder.record("run").pop().unwrap()["enable_thinking"], on);
        }
    }
}

#[test]
fn a_call_that_is_wanted_is_streamed_once_where_the_request_is_tried_again() {
    let folder = Folder::new();
    let breaks = r#"{"pieces": ["a"], "repeat": 0, "delay_ms": 5, "abort_breaks": true}"#;
    let script = folder.file("s.rkllm", breaks);
    let options = ModelOptions {
        chat_template: Some(TEMPLATE.into()),
        ..options("1.1.0")
    };
    let model = Model::open(&script, &options).unwrap();
    let first = model.complete("?", &GenerateOptions::default()).unwrap();
    first.next(Some(LONG)).unwrap();
    first.cancel();
    let rest = json!({"pieces": ["{\"city\": \"Oslo\"}}\n</tool_call>"]});
    folder.file("s.rkllm", &rest.to_string());
    let wanted = GenerateOptions {
        tools: Some(tools()),
        tool_choice: Some(json!({"type": "function", "function": {"name": "weather"}})),
        ..GenerateOptions::default()
    };
    let generation = model.generate(&question(), &wanted).unwrap();
    let (text, _, calls) = streamed(&generation);
    let completion = generation.completion().unwrap();
    assert_eq!(completion.warnings[0].kind, WarningKind::Reopened);
    assert_eq!((text.as_str(), calls.len()), ("", 1));
    assert_eq!(calls[0].0, completion.tool_calls[0].id);
}

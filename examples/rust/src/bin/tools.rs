//! Answers a question with a tool: the model asks for it, the program runs it, the model goes on.

use std::io::Write;

use rkchat::{ChunkKind, GenerateOptions, Json, Model, ToolCall};
use rkchat_examples::{Arguments, question};
use serde_json::json;

/// A model that gets nowhere is left alone after so many answers.
const ROUNDS: usize = 8;

fn tools() -> Json {
    json!([{
        "type": "function",
        "function": {
            "name": "get_temperature",
            "description": "How warm it is in a city now.",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }])
}

/// Runs a tool. A real one would ask a service.
fn run(call: &ToolCall) -> &'static str {
    match (call.name.as_str(), call.arguments["city"].as_str()) {
        ("get_temperature", Some("Oslo")) => "4 degrees",
        ("get_temperature", Some("Rome")) => "19 degrees",
        ("get_temperature", _) => "unknown city",
        _ => "there is no such tool",
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments = Arguments::from_env();
    let model = Model::open(&arguments.model, &arguments.open)?;
    let options = GenerateOptions {
        tools: Some(tools()),
        ..arguments.generate
    };

    let mut messages = question(&arguments.prompt);
    let mut out = std::io::stdout();
    for _ in 0..ROUNDS {
        let mut generation = model.generate(&messages, &options)?;
        for chunk in generation.by_ref() {
            let chunk = chunk?;
            if chunk.kind == ChunkKind::Text {
                out.write_all(chunk.text.as_bytes())?;
                out.flush()?;
            }
        }
        writeln!(out)?;
        let answer = generation.completion()?;
        let list = messages.as_array_mut().expect("a list of messages");
        list.push(answer.message);
        for call in &answer.tool_calls {
            let result = run(call);
            writeln!(out, "[{}: {result}]", call.name)?;
            list.push(json!({"role": "tool", "tool_call_id": call.id, "content": result}));
        }
        if answer.tool_calls.is_empty() {
            break;
        }
    }
    Ok(())
}

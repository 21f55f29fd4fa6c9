//! What is told from a template, and what a user says instead.

use serde_json::json;

use super::super::Format;
use super::super::schema::{Tools, value_of};
use super::plain;

#[test]
fn a_prompt_leaves_reasoning_open_or_not() {
    let format = Format::of_template("{{ '<think>' }}");
    assert!(format.opened_by("<|im_start|>assistant\n<think>\n"));
    assert!(!format.opened_by("<|im_start|>assistant\n<think>\n\n</think>\n\n"));
    assert!(!format.opened_by("<|im_start|>user\n<think><|im_end|>\n<|im_start|>assistant\n"));
    assert!(!plain().opened_by("<think>"));
    let harmony = Format::of_template("<|channel|>analysis<|message|>");
    assert!(harmony.opened_by("<|start|>assistant<|channel|>analysis<|message|>"));
}

#[test]
fn special_tokens_are_the_parts_of_delimiters() {
    let markers = |kind: &str| {
        let format = Format::of_template("<think>").with_tools(kind).unwrap();
        format.markers().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(markers("none"), ["</think>", "<think>"]);
    for (kind, marker) in [
        ("hermes", "<tool_call>"),
        ("hermes", "</tool_call>"),
        ("mistral", "[TOOL_CALLS]"),
        ("mistral", "[ARGS]"),
        ("mistral", "[CALL_ID]"),
        ("llama3_json", "<|python_tag|>"),
        ("deepseek", "<｜tool▁sep｜>"),
        ("functiongemma", "<escape>"),
        ("gemma4", "<|\"|>"),
        ("glm45", "<arg_value>"),
        ("openai", "<|constrain|>"),
        ("openai", "<|start|>"),
        ("kimi_k2", "<|tool_call_argument_begin|>"),
        ("deepseek_v32", "｜DSML｜"),
    ] {
        assert!(
            markers(kind).iter().any(|found| found == marker),
            "{kind} {marker}"
        );
    }
}

#[test]
fn a_format_goes_by_its_names() {
    for name in [
        "hermes",
        "qwen3_coder",
        "llama3_json",
        "mistral",
        "deepseek",
        "gemma",
        "phi4",
        "json",
        "none",
        "granite",
        "Deepseek-V31",
        "glm45",
        "pythonic",
        "kimi_k2",
    ] {
        assert!(plain().with_tools(name).is_ok(), "{name}");
    }
    let error = plain().with_tools("qwen9").unwrap_err();
    assert!(
        error.message().contains("\"qwen9\"") && error.message().contains("hermes"),
        "{error}"
    );
}

#[test]
fn bare_text_takes_the_type_that_the_tool_says() {
    let place = json!({"type": "object"});
    let tools = Tools::new(&json!([{"name": "f", "parameters": {"properties": {
        "text": {"type": "string"},
        "choice": {"enum": ["1", "2"]},
        "maybe": {"type": "string", "nullable": true},
        "either": {"anyOf": [{"type": "string"}, {"type": "integer"}]},
        "place": {"$ref": "#/$defs/place"},
        "round": {"$ref": "#/properties/round"},
        "yes": {"type": "boolean"},
        "number": {"type": "number"},
    }, "$defs": {"place": place}}}]));
    for (parameter, text, expected) in [
        ("text", "3", json!("3")),
        ("text", "\"a\"", json!("\"a\"")),
        ("choice", "1", json!("1")),
        ("maybe", "None", json!(null)),
        ("maybe", "null", json!(null)),
        ("maybe", "5", json!("5")),
        ("either", "5", json!(5)),
        ("either", "\"5\"", json!("\"5\"")),
        ("either", "[5]", json!("[5]")),
        ("place", "{\"a\": 1}", json!({"a": 1})),
        ("place", "here", json!("here")),
        ("round", "1", json!(1)),
        ("yes", " True\n", json!(true)),
        ("yes", "no", json!("no")),
        ("number", "1e3", json!(1e3)),
        ("unknown", "12", json!(12)),
        ("unknown", "007", json!("007")),
        ("unknown", "\"a\"", json!("\"a\"")),
    ] {
        let value = value_of(text, tools.types("f", parameter));
        assert_eq!(value, expected, "{parameter}: {text}");
    }
}

//! What is given out when.

use super::super::{CallPiece, Format, Piece, Reader};
use super::{plain, reader, tools};

/// The pieces of each part of an answer, in short.
fn shown(mut reader: Reader, parts: &[&str]) -> Vec<String> {
    let show = |piece: &Piece| match piece {
        Piece::Text(text) => format!("t:{text}"),
        Piece::Reasoning(text) => format!("r:{text}"),
        Piece::Call(CallPiece {
            index,
            name,
            arguments,
            ..
        }) => format!(
            "{index}:{}:{arguments}",
            name.as_deref().unwrap_or_default()
        ),
    };
    let joined = |pieces: Vec<Piece>| pieces.iter().map(show).collect::<Vec<_>>().join(" ");
    let mut all: Vec<String> = parts.iter().map(|part| joined(reader.push(part))).collect();
    all.push(joined(reader.finish().pieces));
    all
}

#[test]
fn only_what_may_become_a_delimiter_is_held_back() {
    assert_eq!(
        shown(
            reader("hermes"),
            &["Hello", " <b>", " <tool", "box> a", "\n", "."]
        ),
        ["t:Hello", "t: <b>", "", "t: <toolbox> a", "", "t:\n.", ""]
    );
    // Without tools and reasoning nothing is.
    let off = Reader::new(&plain(), false, None);
    assert_eq!(
        shown(off, &["a\n", "<tool_call>"]),
        ["t:a\n", "t:<tool_call>", ""]
    );
}

#[test]
fn the_name_comes_first_and_arguments_as_they_grow() {
    let parts = [
        "Let me see.\n<tool_call>\n{\"na",
        "me\": \"get_weather\",",
        " \"arguments\": {\"ci",
        "ty\": \"Par",
        "is\"}",
        "}\n</tool_call>",
    ];
    assert_eq!(
        shown(reader("hermes"), &parts),
        [
            "t:Let me see.",
            "0:get_weather:",
            "0::{\"ci",
            "0::ty\": \"Par",
            "0::is\"}",
            "",
            ""
        ]
    );
}

#[test]
fn arguments_before_the_name_wait_for_it() {
    let parts = [
        "<tool_call>{\"arguments\": {\"city\": \"Paris\"}",
        ", \"name\": \"get_weather\"}",
    ];
    assert_eq!(
        shown(reader("hermes"), &parts),
        ["", "0:get_weather:{\"city\": \"Paris\"}", ""]
    );
}

#[test]
fn text_in_tags_streams_as_json() {
    let parts = [
        "<tool_call>\n<function=get_weather>\n<parameter=city>\nNew \"",
        "York\n",
        "</para",
        "meter>\n<parameter=days>\n",
        "3\n</parameter>",
        "\n</function>",
    ];
    assert_eq!(
        shown(reader("qwen3_coder"), &parts),
        [
            "0:get_weather:{\"city\": \"New \\\"",
            "0::York",
            "",
            "0::\", \"days\": ",
            "0::3",
            "0::}",
            ""
        ]
    );
}

#[test]
fn ordinary_json_is_shown_as_soon_as_it_is_known_not_to_call() {
    assert_eq!(
        shown(reader("json"), &["{", "\"ti", "tle\"", ": 1}"]),
        ["", "", "t:{\"title\"", "t:: 1}", ""]
    );
    assert_eq!(
        shown(
            reader("llama3_json"),
            &["{\"name\": \"Al", "ice\"", ", \"age\": 3}"]
        ),
        ["", "t:{\"name\": \"Alice\"", "t:, \"age\": 3}", ""]
    );
}

#[test]
fn the_text_of_a_forced_call_is_read_first() {
    for kind in [
        "hermes",
        "qwen3_coder",
        "mistral",
        "mistral_args",
        "gemma4",
        "functiongemma",
    ] {
        let format = plain().with_tools(kind).unwrap();
        let forced = format.forced(Some("get_weather")).unwrap();
        let mut reader = Reader::new(&format, false, Some(&tools()));
        let named = usize::from(kind != "mistral_args");
        assert_eq!(reader.push(&forced).len(), named, "{kind}");
    }
    let format = plain().with_tools("hermes").unwrap();
    assert_eq!(format.forced(None).unwrap(), "<tool_call>\n{\"name\": \"");
    assert_eq!(
        format.forced(Some("f")).unwrap(),
        "<tool_call>\n{\"name\": \"f\", \"arguments\": "
    );
    assert_eq!(format.forced(Some("a\"b")), None);
    assert_eq!(plain().with_tools("glm4").unwrap().forced(None), None);
    assert_eq!(plain().with_tools("none").unwrap().forced(None), None);
}

#[test]
fn ids_differ_and_are_what_the_template_accepts() {
    let text = "[TOOL_CALLS] [{\"name\": \"get_weather\", \"arguments\": {}}]";
    let ids = |source: &str| {
        let format = Format::of_template(source).with_tools("mistral").unwrap();
        let mut reader = Reader::new(&format, false, Some(&tools()));
        reader.push(text);
        reader.finish().calls[0].id.clone()
    };
    let nine = ids("{{ raise_exception('ids should have length 9!') }}");
    assert!(
        nine.len() == 9 && nine.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "{nine}"
    );
    let first = ids("");
    assert!(first.starts_with("call_") && first.len() >= 14, "{first}");
    assert_ne!(ids(""), first);
}

//! The arguments of tool calls in messages: OpenAI's clients send them as JSON text, and most chat
//! templates want what the text says.

use crate::surface::Json;

/// The messages with every such text read; none where there is nothing to read.
pub(super) fn read(messages: &Json) -> Option<Json> {
    let mut read = messages.clone();
    let calls = read
        .as_array_mut()?
        .iter_mut()
        .filter_map(|message| message.get_mut("tool_calls")?.as_array_mut())
        .flatten();
    let mut changed = false;
    for call in calls {
        let Some(arguments) = call.pointer_mut("/function/arguments") else {
            continue;
        };
        let said = arguments.as_str().map(serde_json::from_str::<Json>);
        if let Some(Ok(said @ Json::Object(_))) = said {
            *arguments = said;
            changed = true;
        }
    }
    changed.then_some(read)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_texts_that_say_an_object_are_read() {
        let with = |arguments: Json| {
            let function = json!({"name": "f", "arguments": arguments});
            json!([{"role": "user"}, {"role": "assistant", "tool_calls": [{"function": function}]}])
        };
        let said = read(&with(json!("{\"b\": 1, \"a\": 2.0}"))).unwrap();
        assert_eq!(said, with(json!({"b": 1, "a": 2.0})));
        for untouched in [
            json!({"a": 1}),
            json!("[1]"),
            json!("{"),
            json!(null),
            json!(""),
        ] {
            assert_eq!(read(&with(untouched)), None);
        }
        assert_eq!(read(&json!("hi")), None);
        assert_eq!(
            read(&json!([1, {"tool_calls": 3}, {"tool_calls": [4]}])),
            None
        );
    }
}

//! Contents as OpenAI's API lets them be, for templates that want plain text: lists of text parts, and
//! nothing beside the calls of tools.

use crate::surface::Json;

/// Between the texts of parts.
const BETWEEN: &str = "\n";

/// The messages with lists of nothing but text parts as texts; none where there are no such lists.
pub(super) fn joined(messages: &Json) -> Option<Json> {
    changed(messages, |content| {
        let texts = content.as_array()?.iter().map(text);
        let texts = texts.collect::<Option<Vec<&str>>>()?;
        Some(texts.join(BETWEEN).into())
    })
}

/// The messages with an empty text where a message has no content; none where all have one.
pub(super) fn filled(messages: &Json) -> Option<Json> {
    changed(messages, |content| {
        content.is_null().then(|| Json::String(String::new()))
    })
}

/// The text of a part that is nothing else.
fn text(part: &Json) -> Option<&str> {
    (part["type"] == "text").then(|| part["text"].as_str())?
}

fn changed(messages: &Json, change: impl Fn(&Json) -> Option<Json>) -> Option<Json> {
    let mut changed = false;
    let messages = messages.as_array()?.iter().map(|message| {
        let content = change(&message["content"]).filter(|_| message.is_object());
        let mut message = message.clone();
        if let Some(content) = content {
            message["content"] = content;
            changed = true;
        }
        message
    });
    let messages: Json = messages.collect();
    changed.then_some(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn only_lists_of_texts_are_joined() {
        let part = |text: &str| json!({"type": "text", "text": text});
        let image = json!({"role": "user", "content": [part("a"), {"type": "image"}]});
        assert_eq!(
            joined(&json!([image, {"role": "user", "content": "b"}])),
            None
        );
        let messages = json!([{"role": "user", "content": [part("a"), part("b")]}, image]);
        let expected = json!([{"role": "user", "content": "a\nb"}, image]);
        assert_eq!(joined(&messages), Some(expected));
    }

    #[test]
    fn what_has_no_content_gets_an_empty_one() {
        let calls = json!({"role": "assistant", "content": null, "tool_calls": []});
        let filled = |messages| filled(&messages).map(|messages| messages[0]["content"].clone());
        assert_eq!(filled(json!([calls])), Some(json!("")));
        assert_eq!(filled(json!([{"role": "assistant"}])), Some(json!("")));
        assert_eq!(filled(json!([{"role": "user", "content": "a"}])), None);
        assert_eq!(filled(json!(["a"])), None);
    }
}

//! Messages in structs as the JSON that templates want.

use serde_json::Map;

use crate::surface::*;

/// The JSON array of the messages. What is unset is left out.
pub(crate) fn messages(messages: &[Message]) -> Result<Json> {
    let all = messages.iter().enumerate();
    all.map(|(index, message)| object(index, message)).collect()
}

fn object(index: usize, message: &Message) -> Result<Json> {
    let invalid = |what: &str| Error::invalid_argument(format!("`messages[{index}]`: {what}"));
    let text = |text: &Option<String>| text.clone().map(Json::String);
    if message.role.is_none() {
        return Err(invalid("`role` is not set"));
    }
    let content = match (text(&message.content), message.content_parts.clone()) {
        (Some(_), Some(_)) => return Err(invalid("`content` and `content_parts` are both set")),
        (content, parts) => content.or(parts),
    };
    let fields = [
        ("role", text(&message.role)),
        ("content", content),
        ("name", text(&message.name)),
        ("reasoning_content", text(&message.reasoning_content)),
        ("tool_calls", message.tool_calls.clone()),
        ("tool_call_id", text(&message.tool_call_id)),
    ];
    let set = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok(Json::Object(set.collect::<Map<_, _>>()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn said(role: &str, content: &str) -> Message {
        Message {
            role: Some(role.to_owned()),
            content: Some(content.to_owned()),
            ..Message::default()
        }
    }

    #[test]
    fn what_is_unset_is_left_out() {
        let calls = json!([{"type": "function", "function": {"name": "f", "arguments": {}}}]);
        let call = Message {
            role: Some("assistant".to_owned()),
            tool_calls: Some(calls.clone()),
            ..Message::default()
        };
        let result = Message {
            tool_call_id: Some("1".to_owned()),
            name: Some("f".to_owned()),
            ..said("tool", "")
        };
        assert_eq!(
            messages(&[said("user", "hi"), call, result]).unwrap(),
            json!([
                {"role": "user", "content": "hi"},
                {"role": "assistant", "tool_calls": calls},
                {"role": "tool", "content": "", "name": "f", "tool_call_id": "1"},
            ])
        );
    }

    #[test]
    fn contradictions_are_refused() {
        let nobody = Message::default();
        let told = messages(&[said("user", "hi"), nobody]).unwrap_err();
        assert_eq!(told.message(), "`messages[1]`: `role` is not set");
        let both = Message {
            content_parts: Some(json!([])),
            ..said("user", "hi")
        };
        let told = messages(&[both]).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::InvalidArgument);
    }
}

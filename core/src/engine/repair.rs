//! Messages that a chat template refuses, changed so that it takes them.
//!
//! Clients of OpenAI's API send system messages and several user messages in a row; Gemma's template,
//! for one, raises an exception on both.

use std::borrow::Cow;

use serde_json::json;

use super::content;
use crate::surface::{Json, Result, TemplateRepair, Warning, WarningKind};

/// Between texts that are joined.
const BETWEEN: &str = "\n\n";

/// Roles whose text tells the model how to behave.
const SYSTEM: [&str; 2] = ["system", "developer"];

/// Roles whose messages may be joined. Each result of a tool answers a call of its own.
const JOINED: [&str; 4] = ["system", "developer", "user", "assistant"];

/// Renders the messages, or where the template does not take them, the messages with the least repair
/// that it takes; with warnings that tell. `takes_parts`: whether contents may be lists.
pub(super) fn render<T>(
    messages: &Json,
    repair: TemplateRepair,
    takes_parts: impl FnOnce() -> bool,
    render: impl Fn(&Json) -> Result<T>,
) -> Result<(T, Vec<Warning>)> {
    if repair == TemplateRepair::Strict {
        return Ok((render(messages)?, Vec::new()));
    }
    let mut warnings = Vec::new();
    let joined = content::joined(messages).filter(|_| !takes_parts());
    let messages = match joined {
        Some(joined) => {
            warnings.push(warning(
                "it takes no lists of parts",
                "the texts of parts were joined",
            ));
            Cow::Owned(joined)
        }
        None => Cow::Borrowed(messages),
    };
    let refusal = match render(&messages) {
        Ok(prompt) => return Ok((prompt, warnings)),
        Err(error) => error,
    };
    let (Some(words), Some(list)) = (
        refusal.details().get("template_message").cloned(),
        messages.as_array(),
    ) else {
        // Its authors did not think of it, and it fails in whatever way.
        let prompt = content::filled(&messages).and_then(|filled| render(&filled).ok());
        let done = "messages without content got an empty one";
        warnings.push(warning(refusal.message(), done));
        return prompt.map(|prompt| (prompt, warnings)).ok_or(refusal);
    };
    for (moves, joins) in [(true, false), (false, true), (true, true)] {
        let mut list = list.clone();
        let mut done = Vec::new();
        if moves && move_system(&mut list) {
            done.push("the text of its system messages was put before the first user message");
        }
        if joins && join_neighbours(&mut list) {
            done.push("messages of one role that follow each other were joined");
        }
        if done.len() < usize::from(moves) + usize::from(joins) {
            continue;
        }
        if let Ok(prompt) = render(&Json::Array(list)) {
            let words = words.as_str().unwrap_or_default();
            warnings.extend(done.into_iter().map(|done| warning(words, done)));
            return Ok((prompt, warnings));
        }
    }
    Err(refusal)
}

fn warning(words: &str, done: &str) -> Warning {
    Warning {
        kind: WarningKind::TemplateRepair,
        message: format!(
            "the chat template does not take the messages ({words}), so {done}; template_repair=strict gives them as they \
             are"
        ),
    }
}

fn has_role(message: &Json, roles: &[&str]) -> bool {
    message["role"]
        .as_str()
        .is_some_and(|role| roles.contains(&role))
}

/// Takes all system messages out and puts their text before the first user message, or into one where
/// there is none. False where there is no system message.
fn move_system(messages: &mut Vec<Json>) -> bool {
    let system: Vec<Json> = messages
        .iter()
        .filter(|message| has_role(message, &SYSTEM))
        .cloned()
        .collect();
    let Some(text) = system
        .into_iter()
        .map(|message| message["content"].clone())
        .reduce(|a, b| joined(&a, &b))
    else {
        return false;
    };
    messages.retain(|message| !has_role(message, &SYSTEM));
    match messages
        .iter_mut()
        .find(|message| has_role(message, &["user"]))
    {
        Some(user) => user["content"] = joined(&text, &user["content"]),
        None => messages.insert(0, json!({"role": "user", "content": text})),
    }
    true
}

/// Joins neighbours of one role. False where there are none.
fn join_neighbours(messages: &mut Vec<Json>) -> bool {
    let before = messages.len();
    let mut out: Vec<Json> = Vec::with_capacity(before);
    for message in messages.drain(..) {
        match out.last_mut() {
            Some(last) if belong_together(last, &message) => {
                last["content"] = joined(&last["content"], &message["content"]);
                take_over(last, message);
            }
            _ => out.push(message),
        }
    }
    *messages = out;
    messages.len() < before
}

fn belong_together(a: &Json, b: &Json) -> bool {
    let calls = |message: &Json| {
        message
            .get("tool_calls")
            .is_some_and(|calls| !calls.is_null())
    };
    a["role"] == b["role"] && has_role(a, &JOINED) && !calls(a) && !calls(b)
}

/// What else the second message says stays, unless the first says it too.
fn take_over(into: &mut Json, from: Json) {
    let (Some(into), Json::Object(from)) = (into.as_object_mut(), from) else {
        return;
    };
    for (key, value) in from {
        into.entry(key).or_insert(value);
    }
}

/// Two contents as one: texts with a blank line between, or a list of parts where either is one.
fn joined(a: &Json, b: &Json) -> Json {
    match (a, b) {
        (Json::Null, other) | (other, Json::Null) => other.clone(),
        (Json::String(a), Json::String(b)) => between(a, b).into(),
        (a, b) => {
            let (mut parts, mut further) = (as_parts(a), as_parts(b));
            if let (Some(last), Some(first)) = (parts.last_mut(), further.first()) {
                if let (Some(before), Some(after)) = (text(last), text(first)) {
                    let joined = between(before, after);
                    last["text"] = joined.into();
                    further.remove(0);
                }
            }
            parts.append(&mut further);
            parts.into()
        }
    }
}

/// A content as a list of parts.
fn as_parts(content: &Json) -> Vec<Json> {
    match content {
        Json::Array(parts) => parts.clone(),
        text => vec![json!({"type": "text", "text": text})],
    }
}

/// The text of a text part.
fn text(part: &Json) -> Option<&str> {
    part["text"].as_str()
}

fn between(a: &str, b: &str) -> String {
    match (a, b) {
        ("", other) | (other, "") => other.to_owned(),
        (a, b) => format!("{a}{BETWEEN}{b}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::surface::{Error, ErrorKind, RenderOptions};
    use crate::template::{SpecialTokens, Template};

    /// Refuses as Gemma 2's does, and takes content as text or as parts.
    const STRICT: &str = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}\
        {% for m in messages %}\
        {% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('must alternate') }}{% endif %}\
        [{{ m.role }}] {% if m.content is string %}{{ m.content }}\
        {% else %}{% for p in m.content %}<{{ p.type }}{{ p.text }}>{% endfor %}{% endif %}{% endfor %}";

    fn repaired(messages: Json, how: TemplateRepair) -> Result<(String, Vec<Warning>)> {
        let template = Template::from_source(STRICT, SpecialTokens::default()).unwrap();
        let render = |messages: &Json| template.render(messages, &RenderOptions::default());
        super::render(&messages, how, || template.takes_parts(), render)
    }

    fn message(role: &str, content: impl Into<Json>) -> Json {
        json!({"role": role, "content": content.into()})
    }

    #[track_caller]
    fn check(messages: Json, prompt: &str, says: &[&str]) {
        let (text, warnings) = repaired(messages.clone(), TemplateRepair::Auto).unwrap();
        assert_eq!(text, prompt);
        assert_eq!(warnings.len(), says.len(), "{warnings:?}");
        for (warning, says) in warnings.iter().zip(says) {
            assert_eq!(warning.kind, WarningKind::TemplateRepair);
            assert!(warning.message.contains(says), "{}", warning.message);
        }
        let strict = repaired(messages, TemplateRepair::Strict);
        assert_eq!(strict.is_err(), !says.is_empty());
    }

    #[test]
    fn the_least_repair_is_made() {
        check(json!([message("user", "a")]), "[user] a", &[]);
        check(
            json!([message("system", "s"), message("user", "a")]),
            "[user] s\n\na",
            &["no system"],
        );
        check(
            json!([
                message("user", "a"),
                message("user", "b"),
                message("assistant", "c")
            ]),
            "[user] a\n\nb[assistant] c",
            &["one role"],
        );
        check(
            json!([
                message("system", "s"),
                message("user", "a"),
                message("user", ""),
                message("developer", "t")
            ]),
            "[user] s\n\nt\n\na",
            &["system messages", "one role"],
        );
        check(
            json!([message("system", "s")]),
            "[user] s",
            &["system messages"],
        );
    }

    #[test]
    fn parts_are_joined_where_they_meet() {
        let parts = json!([{"type": "text", "text": "a"}, {"type": "image"}]);
        check(
            json!([
                message("system", "s"),
                message("user", parts.clone()),
                message("user", "b")
            ]),
            "[user] <texts\n\na><image><textb>",
            &["system messages", "one role"],
        );
        check(
            json!([message("user", "x"), message("user", parts)]),
            "[user] <textx\n\na><image>",
            &["one role"],
        );
    }

    #[test]
    fn what_cannot_be_repaired_is_the_templates_own_error() {
        for messages in [
            json!([message("assistant", "a"), message("user", "b")]),
            json!([
                message("user", "a"),
                message("tool", "b"),
                message("tool", "c")
            ]),
        ] {
            let error = repaired(messages, TemplateRepair::Auto).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Template);
            assert_eq!(error.details()["template_message"], "must alternate");
        }
        let broken = |_: &Json| -> Result<String> { Err(Error::new(ErrorKind::Template, "x")) };
        let messages = json!([message("system", "s"), message("user", "a")]);
        assert!(render(&messages, TemplateRepair::Auto, || true, broken).is_err());
    }

    #[test]
    fn what_openai_allows_becomes_text_where_the_template_wants_text() {
        let plain = "{% for m in messages %}[{{ m['content'] | trim }}]{% endfor %}";
        let strict = "{% for m in messages %}{{ '[' + m['content'] + ']' }}{% endfor %}";
        let parts = json!([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]);
        let calls = json!({"role": "assistant", "content": null, "tool_calls": []});
        for (source, messages, expected, says) in [
            (
                plain,
                json!([message("user", parts.clone())]),
                "[a\nb]",
                "parts",
            ),
            (strict, json!([message("user", parts)]), "[a\nb]", "parts"),
            (
                strict,
                json!([message("user", "a"), calls]),
                "[a][]",
                "without content",
            ),
        ] {
            let template = Template::from_source(source, SpecialTokens::default()).unwrap();
            let render = |messages: &Json| template.render(messages, &RenderOptions::default());
            let takes_parts = || template.takes_parts();
            let (text, warnings) =
                super::render(&messages, TemplateRepair::Auto, takes_parts, render).unwrap();
            assert_eq!(text, expected);
            assert!(
                warnings[0].message.contains(says),
                "{}",
                warnings[0].message
            );
            let strict = super::render(&messages, TemplateRepair::Strict, takes_parts, render);
            assert!(strict.map_or(true, |(text, _)| text != expected));
        }
    }

    #[test]
    fn calls_of_tools_stay_apart() {
        let mut list = vec![
            json!({"role": "assistant", "content": "a", "tool_calls": [1]}),
            message("assistant", "b"),
            json!({"role": "assistant", "content": null, "reasoning_content": "r"}),
        ];
        assert!(join_neighbours(&mut list));
        assert_eq!(list.len(), 2);
        assert_eq!(
            list[1],
            json!({"role": "assistant", "content": "b", "reasoning_content": "r"})
        );
    }
}

//! Messages and options as the template's variables.

use minijinja::value::Value;

use super::{SpecialTokens, clock, python};
use crate::surface::{Error, ErrorKind, Json, RenderOptions, Result};

/// What `apply_chat_template` sets itself.
const OWN: [&str; 4] = ["messages", "tools", "documents", "add_generation_prompt"];

const REASONING: &str = "reasoning_content";
const THINKING: &str = "thinking";

/// All variables of one rendering. Later ones win, as Python's keyword arguments do over the special
/// tokens.
pub(super) fn build(
    messages: &Json,
    options: &RenderOptions,
    special: &SpecialTokens,
) -> Result<Value> {
    let now = options.now.as_deref().map(clock::parse).transpose()?;
    let mut variables: Vec<(String, Value)> = vec![("strftime_now".into(), clock::function(now))];
    for (name, text) in special.iter() {
        variables.push((name.to_owned(), Value::from(text)));
    }
    if let Some(further) = &options.variables {
        let further = further.as_object().ok_or_else(|| {
            invalid(format!(
                "variables must be a JSON object, not {}",
                kind(further)
            ))
        })?;
        for (name, value) in further {
            if OWN.contains(&name.as_str()) {
                return Err(invalid(format!(
                    "variables must not have {name:?}: it is set from the argument of that name"
                )));
            }
            variables.push((name.clone(), convert(value, "variables", 0)?));
        }
    }
    let values = [
        self::messages(messages)?,
        list(options.tools.as_ref(), "tools")?,
        list(options.documents.as_ref(), "documents")?,
        Value::from(options.add_generation_prompt),
    ];
    variables.extend(OWN.into_iter().map(String::from).zip(values));
    Ok(Value::from_pairs(variables))
}

/// `tools` and `documents`: none where unset, as in Python.
fn list(json: Option<&Json>, name: &str) -> Result<Value> {
    match json {
        None | Some(Json::Null) => Ok(Value::from(())),
        Some(json @ Json::Array(_)) => convert(json, name, 0),
        Some(other) => Err(invalid(format!(
            "{name} must be a JSON array, not {}",
            kind(other)
        ))),
    }
}

/// Checks and converts the messages.
pub(crate) fn messages(json: &Json) -> Result<Value> {
    let messages = json
        .as_array()
        .ok_or_else(|| invalid(format!("messages must be a JSON array, not {}", kind(json))))?;
    if messages.is_empty() {
        return Err(invalid(
            "messages is empty: give at least one, such as {\"role\": \"user\", \"content\": \"Hi\"}"
                .into(),
        ));
    }
    let messages: Result<Vec<Value>> = messages.iter().enumerate().map(message).collect();
    messages.map(Value::from)
}

fn message((index, json): (usize, &Json)) -> Result<Value> {
    let place = format!("messages[{index}]");
    let message = json
        .as_object()
        .ok_or_else(|| invalid(format!("{place} must be a JSON object, not {}", kind(json))))?;
    match message.get("role") {
        Some(Json::String(_)) => {}
        Some(other) => {
            return Err(invalid(format!(
                "{place}: role must be a string, not {}",
                kind(other)
            )));
        }
        None => return Err(invalid(format!("{place} has no role"))),
    }
    let given = |name| message.get(name).filter(|value| !value.is_null());
    let mut pairs = Vec::with_capacity(message.len() + 2);
    let mut add = |name: &str, value: &Json| -> Result<()> {
        pairs.push((name.to_owned(), convert(value, &place, 0)?));
        Ok(())
    };
    // Reasoning goes by two names; transformers gives templates both, `thinking` as the first key.
    let reasoning = given(REASONING).or_else(|| given(THINKING));
    if let Some(value) = given(THINKING).or(reasoning) {
        add(THINKING, value)?;
    }
    for (key, value) in message {
        if key != THINKING && !value.is_null() {
            add(key, value)?;
        }
    }
    if let (Some(value), None) = (reasoning, given(REASONING)) {
        add(REASONING, value)?;
    }
    Ok(Value::from_pairs(pairs))
}

fn convert(json: &Json, place: &str, depth: usize) -> Result<Value> {
    if depth > python::MAX_DEPTH {
        return Err(invalid(format!(
            "{place} is nested more than {} levels deep",
            python::MAX_DEPTH
        )));
    }
    Ok(match json {
        Json::Null => Value::from(()),
        Json::Bool(value) => Value::from(*value),
        Json::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(number), _, _) => Value::from(number),
            (_, Some(number), _) => Value::from(number),
            (_, _, number) => Value::from(number.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::from(text.as_str()),
        Json::Array(items) => {
            let items: Result<Vec<Value>> = items
                .iter()
                .map(|item| convert(item, place, depth + 1))
                .collect();
            Value::from(items?)
        }
        Json::Object(map) => {
            let pairs: Result<Vec<(String, Value)>> = map
                .iter()
                .map(|(key, value)| Ok((key.clone(), convert(value, place, depth + 1)?)))
                .collect();
            Value::from_pairs(pairs?)
        }
    })
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

/// What a JSON value is, for messages.
fn kind(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

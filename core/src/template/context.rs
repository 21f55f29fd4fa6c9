//! Messages and options as the template's variables.

use super::SpecialTokens;
use super::failure;
use super::jinja::{self, Dict, MAX_DEPTH, Meter, Text, Value, member};
use crate::surface::{Error, ErrorKind, Json, RenderOptions, Result};
use jiff::civil::DateTime;
use jiff::fmt::temporal::Pieces;

/// What `apply_chat_template` sets itself.
const OWN: [&str; 4] = ["messages", "tools", "documents", "add_generation_prompt"];

/// The names that reasoning goes by, in the order in which they are looked for.
const REASONING: [&str; 3] = [REASONING_CONTENT, THINKING, "reasoning"];
const REASONING_CONTENT: &str = "reasoning_content";
const THINKING: &str = "thinking";

const ROLE: &str = "role";

/// Roles that are the template's words: some build a control token of one, as Phi 4's does of `<|`, the
/// role and `|>`. Any other role is a client's text.
pub(super) const ROLES: [&str; 12] = [
    "system",
    "developer",
    "user",
    "assistant",
    "tool",
    "function",
    "ipython",
    "environment",
    "observation",
    "model",
    "context",
    "documents",
];

/// All variables of one rendering, of which later ones win, as Python's keyword arguments do over the
/// special tokens. `last` stands in for the last message. Servers fill variables from what clients send, so they
/// are from outside too.
pub(super) fn build<'a>(
    messages: &'a [Json],
    last: Option<&'a Json>,
    options: &'a RenderOptions,
    special: &'a SpecialTokens,
    meter: &Meter,
) -> Result<Vec<(&'a str, Value<'a>)>> {
    let tokens = special.iter();
    let mut variables: Vec<(&str, Value)> = tokens
        .map(|(name, text)| (name, Value::text(text)))
        .collect();
    let outside = Converter { meter };
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
            variables.push((name, outside.value(value, || "variables".to_owned())?));
        }
    }
    let first = last.map_or(messages, |_| &messages[..messages.len() - 1]);
    let mut converted = Vec::with_capacity(messages.len());
    for (index, message) in first.iter().chain(last).enumerate() {
        converted.push(outside.message(index, message)?);
    }
    let values = [
        Value::list(converted, meter).map_err(|fault| failure::of(&fault))?,
        outside.list(options.tools.as_ref(), "tools")?,
        outside.list(options.documents.as_ref(), "documents")?,
        Value::Bool(options.add_generation_prompt),
    ];
    variables.extend(OWN.into_iter().zip(values));
    Ok(variables)
}

/// Reads `RenderOptions.now`.
pub(super) fn now(options: &RenderOptions) -> Result<Option<DateTime>> {
    let Some(now) = &options.now else {
        return Ok(None);
    };
    let refused = |why: String| {
        invalid(format!(
            "now must be a date and time such as 2026-03-07T08:05:09, without a zone; {now:?} is not: {why}"
        ))
    };
    // Without this an offset would be dropped, and the clock show another zone's time.
    let pieces = Pieces::parse(now).map_err(|error| refused(error.to_string()))?;
    if pieces.offset().is_some() || pieces.time_zone_annotation().is_some() {
        return Err(refused("it has a zone; convert it to local time".into()));
    }
    let parsed = now
        .parse()
        .map_err(|error: jiff::Error| refused(error.to_string()))?;
    Ok(Some(parsed))
}

/// Bytes of the input, some for each element among them.
pub(super) fn size(messages: &[Json], options: &RenderOptions) -> usize {
    let extra = [&options.tools, &options.documents, &options.variables];
    let extra = extra.into_iter().flatten();
    messages.iter().chain(extra).map(size_of_json).sum()
}

fn size_of_json(json: &Json) -> usize {
    const ELEMENT: usize = 16;
    ELEMENT
        + match json {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(size_of_json).sum(),
            Json::Object(map) => map
                .iter()
                .map(|(key, value)| key.len() + size_of_json(value))
                .sum(),
            Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        }
}

/// Checks that these are messages.
pub(crate) fn messages(json: &Json) -> Result<&[Json]> {
    let messages = json
        .as_array()
        .ok_or_else(|| invalid(format!("messages must be a JSON array, not {}", kind(json))))?;
    if messages.is_empty() {
        return Err(invalid(
            "messages is empty: give at least one, such as {\"role\": \"user\", \"content\": \"Hi\"}"
                .into(),
        ));
    }
    for (index, message) in messages.iter().enumerate() {
        let message = message.as_object().ok_or_else(|| {
            invalid(format!(
                "messages[{index}] must be a JSON object, not {}",
                kind(message)
            ))
        })?;
        match member(message, ROLE) {
            Some(Json::String(_)) => {}
            Some(other) => {
                return Err(invalid(format!(
                    "messages[{index}]: role must be a string, not {}",
                    kind(other)
                )));
            }
            None => return Err(invalid(format!("messages[{index}] has no role"))),
        }
    }
    Ok(messages)
}

/// Whether a role is one of the template's words.
fn is_word(role: &Json) -> bool {
    role.as_str().is_some_and(|role| ROLES.contains(&role))
}

/// Turns JSON into the template's values, all of them from outside. Strings are borrowed.
struct Converter<'m> {
    meter: &'m Meter,
}

impl Converter<'_> {
    /// `tools` and `documents`: none where unset, as in Python.
    fn list<'a>(&self, json: Option<&'a Json>, name: &str) -> Result<Value<'a>> {
        match json {
            None | Some(Json::Null) => Ok(Value::None),
            Some(json @ Json::Array(_)) => self.value(json, || name.to_owned()),
            Some(other) => Err(invalid(format!(
                "{name} must be a JSON array, not {}",
                kind(other)
            ))),
        }
    }

    /// A message: keys without a value are dropped, and reasoning goes by two names, `thinking` as the
    /// first key. Most have neither, and stay as they are.
    fn message<'a>(&self, index: usize, json: &'a Json) -> Result<Value<'a>> {
        let place = || format!("messages[{index}]");
        let Some(message) = json.as_object() else {
            return Err(invalid(format!("{} must be a JSON object", place())));
        };
        let is_plain =
            |(key, value): (&String, &Json)| !value.is_null() && !REASONING.contains(&key.as_str());
        if message.iter().all(is_plain) {
            let word = member(message, ROLE).filter(|role| is_word(role));
            return self.checked(jinja::message(json, message, word, self.meter), place);
        }
        let given = |name: &str| member(message, name).filter(|value| !value.is_null());
        let reasoning = REASONING.into_iter().find_map(given);
        let mut pairs = Vec::with_capacity(message.len() + if reasoning.is_some() { 2 } else { 0 });
        let mut add = |name: &'a str, value: &'a Json| -> Result<()> {
            let key = Value::Str(Text::untrusted(name));
            let value = match value.as_str() {
                Some(role) if name == ROLE && is_word(value) => Value::text(role),
                _ => self.value(value, place)?,
            };
            pairs.push((key, value));
            Ok(())
        };
        if let Some(value) = given(THINKING).or(reasoning) {
            add(THINKING, value)?;
        }
        for (key, value) in message {
            if key != THINKING && !value.is_null() {
                let replaced = reasoning.filter(|_| key == REASONING_CONTENT);
                add(key, replaced.unwrap_or(value))?;
            }
        }
        if let (Some(value), None) = (reasoning, given(REASONING_CONTENT)) {
            add(REASONING_CONTENT, value)?;
        }
        Dict::of_distinct(pairs, self.meter)
            .map(Value::Dict)
            .map_err(|fault| failure::of(&fault))
    }

    fn value<'a>(&self, json: &'a Json, place: impl Fn() -> String) -> Result<Value<'a>> {
        self.checked(jinja::json(json, self.meter), place)
    }

    fn checked<'a>(
        &self,
        value: jinja::Result<Option<Value<'a>>>,
        place: impl Fn() -> String,
    ) -> Result<Value<'a>> {
        value.map_err(|fault| failure::of(&fault))?.ok_or_else(|| {
            invalid(format!(
                "{} is nested more than {MAX_DEPTH} levels deep",
                place()
            ))
        })
    }
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

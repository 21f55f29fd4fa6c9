//! Docs in C's words.

use serde_json::Value;

use super::slots::type_name;
use crate::model::{Field, Surface, Type};
use crate::names::screaming;

/// Translates the names in backticks: `ContextOverflow` to `RKCHAT_ERR_CONTEXT_OVERFLOW`,
/// `ModelOptions.top_k` to `rkchat_model_options.top_k`.
pub fn translate(surface: &Surface, text: &str) -> String {
    text.split('`')
        .enumerate()
        .map(|(index, part)| match index % 2 {
            1 => format!("`{}`", word(surface, part)),
            _ => part.to_owned(),
        })
        .collect()
}

fn word(surface: &Surface, text: &str) -> String {
    if surface.errors.iter().any(|error| error.name == text) {
        return format!("RKCHAT_ERR_{}", screaming(text));
    }
    let (head, tail) = match text.split_once('.') {
        Some((head, tail)) => (head, Some(tail)),
        None => (text, None),
    };
    let structs = surface.options.iter().chain(&surface.records);
    let handles = surface.handles.iter().map(|handle| &handle.name);
    let known = structs
        .map(|item| &item.name)
        .chain(handles)
        .any(|name| name == head);
    match tail {
        _ if !known => text.to_owned(),
        Some(tail) => format!("{}.{tail}", type_name(head)),
        None => type_name(head),
    }
}

/// The doc of a field, with what its type and markers say about values.
pub fn field(surface: &Surface, field: &Field, input: bool) -> String {
    let mut text = translate(surface, &field.doc);
    let mut facts = Vec::new();
    if let Some(unit) = &field.unit {
        facts.push(format!("In {unit}."));
    }
    if let Some(range) = &field.range {
        facts.push(format!("From {} to {}.", range.min, range.max));
    }
    match field.ty.bare() {
        Type::Bool => facts.push("0 or 1.".into()),
        Type::Enum { name } => facts.push(format!("One of `RKCHAT_{}_*`.", screaming(name))),
        Type::Json => facts.push("JSON text.".into()),
        Type::Tensor => {
            facts.push("Numbers and the length of each dimension, which are copied.".into())
        }
        Type::Path if !input => facts.push("The bytes of the path, as the system has them.".into()),
        _ => {}
    }
    if input && !field.ty.is_option() {
        match &field.default {
            Some(Value::Bool(value)) => facts.push(format!("Unset: {}.", i32::from(*value))),
            Some(value) => facts.push(format!("Unset: {value}.")),
            None => {}
        }
    }
    if let Some(since) = &field.since {
        facts.push(format!("Since {since}."));
    }
    if !facts.is_empty() {
        text.push('\n');
        text.push_str(&facts.join(" "));
    }
    text
}

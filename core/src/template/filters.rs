//! Filters whose results differ from jinja2's in the engine.

use minijinja::value::Value;
use minijinja::{Error, State};

use super::python;

/// `value | string`
pub(super) fn string(state: &mut State, value: &Value) -> Result<Value, Error> {
    if value.as_str().is_some() {
        return Ok(value.clone());
    }
    python::str(state, value).map(Value::from)
}

/// `value | trim`, `value | trim(characters)`
pub(super) fn trim(
    state: &mut State,
    value: &Value,
    characters: Option<&str>,
) -> Result<Value, Error> {
    let text = python::str(state, value)?;
    let trimmed = match characters {
        Some(characters) => text.trim_matches(|c| characters.contains(c)),
        None => text.trim_matches(python::is_space),
    };
    Ok(Value::from(trimmed))
}

//! Filters whose results differ from jinja2's in the engine.

use minijinja::Error;
use minijinja::value::Value;

use super::python;

/// `value | string`
pub(super) fn string(value: &Value) -> Result<Value, Error> {
    if value.as_str().is_some() {
        return Ok(value.clone());
    }
    python::str(value).map(Value::from)
}

/// `value | trim`, `value | trim(characters)`
pub(super) fn trim(value: &Value, characters: Option<&str>) -> Result<Value, Error> {
    let text = python::str(value)?;
    let trimmed = match characters {
        Some(characters) => text.trim_matches(|c| characters.contains(c)),
        None => text.trim_matches(python::is_space),
    };
    Ok(Value::from(trimmed))
}

//! Methods of Python's strings, lists and dictionaries.

use minijinja::value::{Tuple, Value, from_args};
use minijinja::{Error, State};
use minijinja_contrib::pycompat::unknown_method_callback;

use super::python;

/// Calls `value.method(args)`: here what the engine's own set lacks or does otherwise than Python.
pub(super) fn call(
    state: &mut State,
    value: &Value,
    method: &str,
    args: &[Value],
) -> Result<Value, Error> {
    if let Some(text) = value.as_str() {
        if let Some(result) = string(text, method, args)? {
            return Ok(result);
        }
    }
    unknown_method_callback(state, value, method, args)
}

fn string(text: &str, method: &str, args: &[Value]) -> Result<Option<Value>, Error> {
    Ok(Some(match method {
        "strip" => strip(text, args, true, true)?,
        "lstrip" => strip(text, args, true, false)?,
        "rstrip" => strip(text, args, false, true)?,
        "removeprefix" => {
            let (prefix,): (&str,) = from_args(args)?;
            Value::from(text.strip_prefix(prefix).unwrap_or(text))
        }
        "removesuffix" => {
            let (suffix,): (&str,) = from_args(args)?;
            Value::from(text.strip_suffix(suffix).unwrap_or(text))
        }
        "partition" => {
            let (separator,): (&str,) = from_args(args)?;
            parts(text.split_once(separator), separator, [text, "", ""])
        }
        "rpartition" => {
            let (separator,): (&str,) = from_args(args)?;
            parts(text.rsplit_once(separator), separator, ["", "", text])
        }
        _ => return Ok(None),
    }))
}

fn strip(text: &str, args: &[Value], start: bool, end: bool) -> Result<Value, Error> {
    let (characters,): (Option<&str>,) = from_args(args)?;
    let strips = |c: char| match characters {
        Some(characters) => characters.contains(c),
        None => python::is_space(c),
    };
    let mut text = text;
    if start {
        text = text.trim_start_matches(strips);
    }
    if end {
        text = text.trim_end_matches(strips);
    }
    Ok(Value::from(text))
}

fn parts(found: Option<(&str, &str)>, separator: &str, otherwise: [&str; 3]) -> Value {
    let parts = match found {
        Some((before, after)) => [before, separator, after],
        None => otherwise,
    };
    Value::from(Tuple::from(parts.map(Value::from)))
}

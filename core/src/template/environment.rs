//! The Jinja environment: syntax, functions, filters, tests and limits.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Value, ValueKind};
use minijinja::{Environment, Error, ErrorKind, State};

use super::{NAME, filters, methods, python, tojson};
use crate::surface::{Json, RenderOptions};

/// Work that a template may do before it is stopped. One unit pays for an instruction or for 64 bytes
/// of text produced, intermediate or final, so this bounds both time (about a second) and memory.
///
/// Two things the engine (minijinja 3.1) does not charge for, so a template made for it can still take
/// the process down: doubling a list with `+` more than 32 times, and dropping or comparing lists that
/// are nested ten thousand levels deep.
pub(super) const BASE_FUEL: u64 = 8_000_000;

/// Units on top for each byte of a large input.
const FUEL_PER_BYTE: u64 = 8;

/// Input that `BASE_FUEL` is enough for.
const SMALL_INPUT: usize = 256 * 1024;

/// Macros that call each other and includes, at the deepest; jinja2 stops near Python's limit.
const RECURSION_LIMIT: usize = 200;

/// The fuel for one rendering: long conversations cost more.
pub(super) fn fuel_for(messages: &Json, options: &RenderOptions) -> u64 {
    let extra = [&options.tools, &options.documents, &options.variables];
    let size = size(messages) + extra.into_iter().flatten().map(size).sum::<usize>();
    BASE_FUEL + FUEL_PER_BYTE * size.saturating_sub(SMALL_INPUT) as u64
}

/// Bytes of text in a JSON value, and some for each element.
fn size(json: &Json) -> usize {
    const ELEMENT: usize = 16;
    ELEMENT
        + match json {
            Json::String(text) => text.len(),
            Json::Array(items) => items.iter().map(size).sum(),
            Json::Object(map) => map.iter().map(|(key, value)| key.len() + size(value)).sum(),
            Json::Null | Json::Bool(_) | Json::Number(_) => 0,
        }
}

/// An environment that holds the prepared source as its only template.
pub(super) fn with_template(source: String) -> Result<Environment<'static>, Error> {
    let mut env = Environment::new();
    env.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    env.set_fuel(Some(BASE_FUEL));
    env.set_recursion_limit(RECURSION_LIMIT);
    env.set_formatter(python::write);
    env.set_unknown_method_callback(methods::call);
    env.add_function("raise_exception", raise_exception);
    // jinja2 has no such function, and it shows all variables.
    env.remove_global("debug");
    env.add_filter("tojson", tojson::filter);
    env.add_filter("string", filters::string);
    env.add_filter("trim", filters::trim);
    env.add_test("iterable", is_iterable);
    env.add_test("sequence", is_sequence);
    env.add_template_owned(NAME, source)?;
    Ok(env)
}

/// The words of `raise_exception`, kept as the source of the engine's error.
#[derive(Debug)]
pub(super) struct Raised(pub String);

impl std::fmt::Display for Raised {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Raised {}

fn raise_exception(state: &mut State, message: &Value) -> Result<Value, Error> {
    let message = python::str(state, message)?;
    Err(Error::new(ErrorKind::InvalidOperation, message.clone()).with_source(Raised(message)))
}

/// As `iter(value)` in Python: `none` is not iterable, an undefined value is.
fn is_iterable(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Undefined
            | ValueKind::String
            | ValueKind::Bytes
            | ValueKind::Seq
            | ValueKind::Map
            | ValueKind::Iterable
    )
}

/// As jinja2 tells sequences, by length and subscript: strings and mappings are.
fn is_sequence(value: &Value) -> bool {
    matches!(
        value.kind(),
        ValueKind::Undefined
            | ValueKind::String
            | ValueKind::Bytes
            | ValueKind::Seq
            | ValueKind::Map
    )
}

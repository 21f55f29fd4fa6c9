//! JSON as values, all of it from outside. An object stays as it is until somebody looks into it: most
//! are only written out again, as the schemas of tools are.

use serde_json::{Map, Value as Json};

use super::dict::Dict;
use super::fault::Result;
use super::meter::Meter;
use super::text::Text;
use super::value::{Seq, Value};

/// Containers inside containers of the input, at the deepest.
pub(crate) const MAX_DEPTH: usize = 100;

/// An object as it was given.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a>(pub &'a Map<String, Json>);

/// JSON as a value, paid for; `None` where it is nested too deeply.
pub(crate) fn value<'a>(json: &'a Json, meter: &Meter) -> Result<Option<Value<'a>>> {
    if let Json::String(text) = json {
        return Ok(Some(Value::Str(Text::untrusted(text))));
    }
    let mut bytes = 0;
    let Some(depth) = measure(json, MAX_DEPTH + 1, &mut bytes) else {
        return Ok(None);
    };
    meter.bytes(bytes)?;
    Ok(Some(convert(json, depth)))
}

/// How many containers are inside each other, where not more than `levels`, and the memory of all.
fn measure(json: &Json, levels: usize, bytes: &mut usize) -> Option<u32> {
    let levels = levels.checked_sub(1)?;
    let mut below = 0;
    match json {
        Json::Array(items) => {
            *bytes += 64 + items.len() * size_of::<Value>();
            for item in items {
                below = measure(item, levels, bytes)?.max(below);
            }
        }
        Json::Object(map) => {
            *bytes += 64 + 2 * map.len() * size_of::<Value>();
            for item in map.values() {
                below = measure(item, levels, bytes)?.max(below);
            }
        }
        _ => return Some(0),
    }
    Some(below + 1)
}

/// Converts what is at most `depth` containers deep.
pub(crate) fn convert(json: &Json, depth: u32) -> Value<'_> {
    match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(int), _) => Value::Int(int),
            (None, float) => Value::Float(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Str(Text::untrusted(text)),
        Json::Array(items) => {
            let items = items.iter();
            let items = items.map(|item| convert(item, depth.saturating_sub(1)));
            Value::List(Seq::of_depth(items.collect(), depth))
        }
        Json::Object(map) => Value::Dict(Dict::given(Given(map), depth)),
    }
}

impl<'a> Given<'a> {
    /// Keys and values; `depth` is that of the object.
    pub fn pairs(&self, depth: u32) -> Vec<(Value<'a>, Value<'a>)> {
        let pair = |(key, value): (&'a String, &'a Json)| {
            let key = Value::Str(Text::untrusted(key));
            (key, convert(value, depth.saturating_sub(1)))
        };
        self.0.iter().map(pair).collect()
    }
}

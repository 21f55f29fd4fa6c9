//! JSON as values. An object stays as it is until somebody looks into it: most are only written out
//! again, as the schemas of tools are.

use serde_json::{Map, Value as Json};

use super::dict::Dict;
use super::fault::Result;
use super::meter::Meter;
use super::text::Text;
use super::value::{Seq, Value};

/// Containers inside containers of the input, at the deepest.
pub(crate) const MAX_DEPTH: usize = 100;

/// An object, and whether it is from outside.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub map: &'a Map<String, Json>,
    pub outside: bool,
}

/// JSON as a value, paid for; `None` where it is nested too deeply.
pub(crate) fn value<'a>(json: &'a Json, outside: bool, meter: &Meter) -> Result<Option<Value<'a>>> {
    if let Json::String(text) = json {
        return Ok(Some(Value::Str(Text::given(text, outside))));
    }
    let mut bytes = 0;
    let Some(depth) = measure(json, MAX_DEPTH + 1, &mut bytes) else {
        return Ok(None);
    };
    meter.bytes(bytes)?;
    Ok(Some(convert(json, outside, depth)))
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
pub(crate) fn convert(json: &Json, outside: bool, depth: u32) -> Value<'_> {
    match json {
        Json::Null => Value::None,
        Json::Bool(value) => Value::Bool(*value),
        Json::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(int), _) => Value::Int(int),
            (None, float) => Value::Float(float.unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::Str(Text::given(text, outside)),
        Json::Array(items) => {
            let items = items.iter();
            let items = items.map(|item| convert(item, outside, depth.saturating_sub(1)));
            Value::List(Seq::of_depth(items.collect(), depth))
        }
        Json::Object(map) => Value::Dict(Dict::given(Given { map, outside }, depth)),
    }
}

impl<'a> Given<'a> {
    /// Keys and values; `depth` is that of the object.
    pub fn pairs(&self, depth: u32) -> Vec<(Value<'a>, Value<'a>)> {
        let pair = |(key, value): (&'a String, &'a Json)| {
            let key = Value::Str(Text::given(key, self.outside));
            (key, convert(value, self.outside, depth.saturating_sub(1)))
        };
        self.map.iter().map(pair).collect()
    }
}

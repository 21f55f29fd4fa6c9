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

/// From so many keys on, one is found by its hash sooner than by comparing.
const HASHED: usize = 12;

/// An object as it was given.
#[derive(Clone, Copy)]
pub(crate) struct Given<'a> {
    pub map: &'a Map<String, Json>,
    /// The value in it that is a word of the template, not from outside: the role of a message.
    word: Option<&'a Json>,
}

/// JSON as a value, paid for; `None` where it is nested too deeply.
pub(crate) fn value<'a>(json: &'a Json, meter: &Meter) -> Result<Option<Value<'a>>> {
    if let Json::String(text) = json {
        return Ok(Some(Value::Str(Text::untrusted(text))));
    }
    let depth = pay(json, MAX_DEPTH + 1, meter)?;
    Ok(depth.map(|depth| convert(json, depth)))
}

/// A message, of which `word` is the template's, as `value`; its parts may be as deep as values are.
pub(crate) fn message<'a>(
    json: &'a Json,
    map: &'a Map<String, Json>,
    word: Option<&'a Json>,
    meter: &Meter,
) -> Result<Option<Value<'a>>> {
    let depth = pay(json, MAX_DEPTH + 2, meter)?;
    Ok(depth.map(|depth| Value::Dict(Dict::given(Given { map, word }, depth))))
}

/// The value of a key.
pub(crate) fn member<'a>(map: &'a Map<String, Json>, name: &str) -> Option<&'a Json> {
    if map.len() >= HASHED {
        return map.get(name);
    }
    let mut pairs = map.iter();
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Pays for JSON, and tells how deep it is, where not more than `levels`.
fn pay(json: &Json, levels: usize, meter: &Meter) -> Result<Option<u32>> {
    let mut bytes = 0;
    let depth = measure(json, levels, &mut bytes);
    meter.bytes(bytes)?;
    Ok(depth)
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
        Json::Object(map) => Value::Dict(Dict::given(Given::new(map), depth)),
    }
}

impl<'a> Given<'a> {
    /// An object that is all from outside.
    pub fn new(map: &'a Map<String, Json>) -> Self {
        Self { map, word: None }
    }

    pub fn is_all_untrusted(&self) -> bool {
        self.word.is_none()
    }

    /// The value of a key.
    pub fn get(&self, name: &str) -> Option<&'a Json> {
        member(self.map, name)
    }

    /// A value in it that is at most `depth` containers deep.
    pub fn convert(&self, value: &'a Json, depth: u32) -> Value<'a> {
        match (self.word, value) {
            (Some(word), Json::String(text)) if std::ptr::eq(word, value) => Value::text(text),
            _ => convert(value, depth),
        }
    }

    /// Keys and values; `depth` is that of the object.
    pub fn pairs(&self, depth: u32) -> Vec<(Value<'a>, Value<'a>)> {
        let pair = |(key, value): (&'a String, &'a Json)| {
            let key = Value::Str(Text::untrusted(key));
            (key, self.convert(value, depth.saturating_sub(1)))
        };
        self.map.iter().map(pair).collect()
    }
}

//! What the tools that were offered say about names and types.

use std::collections::HashMap;

use serde_json::Value;

/// The types that a parameter may have.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Types {
    pub string: bool,
    pub null: bool,
    pub boolean: bool,
    pub number: bool,
    pub object: bool,
    pub array: bool,
}

impl Types {
    const STRING: Self = Self {
        string: true,
        null: false,
        boolean: false,
        number: false,
        object: false,
        array: false,
    };

    fn add(&mut self, name: &str) {
        match name {
            "string" => self.string = true,
            "null" => self.null = true,
            "boolean" => self.boolean = true,
            "number" | "integer" => self.number = true,
            "object" => self.object = true,
            "array" => self.array = true,
            _ => {}
        }
    }

    fn add_value(&mut self, value: &Value) {
        self.add(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        });
    }

    fn allow(self, value: &Value) -> bool {
        match value {
            Value::Null => self.null,
            Value::Bool(_) => self.boolean,
            Value::Number(_) => self.number,
            Value::String(_) => self.string,
            Value::Array(_) => self.array,
            Value::Object(_) => self.object,
        }
    }
}

/// Names and parameter types of the tools.
#[derive(Debug, Clone, Default)]
pub(super) struct Tools(HashMap<String, HashMap<String, Types>>);

impl Tools {
    /// Takes tools in the OpenAI shape, wrapped in `function` or not. What is not of that shape is left
    /// out: it can still be called, with types guessed.
    pub fn new(tools: &Value) -> Self {
        let mut known = HashMap::new();
        for tool in tools.as_array().into_iter().flatten() {
            let function = tool.get("function").unwrap_or(tool);
            let Some(name) = function.get("name").and_then(Value::as_str) else {
                continue;
            };
            let schema = function.get("parameters").unwrap_or(&Value::Null);
            let properties = schema.get("properties").and_then(Value::as_object);
            let parameters = properties.into_iter().flatten();
            let parameters = parameters
                .filter_map(|(key, property)| Some((key.clone(), types(property, schema)?)))
                .collect();
            known.insert(name.to_owned(), parameters);
        }
        Self(known)
    }

    pub fn knows(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// Whether a tool's name begins so.
    pub fn may_begin(&self, text: &str) -> bool {
        self.0.keys().any(|name| name.starts_with(text))
    }

    /// The types of a parameter, where the tool says them.
    pub fn types(&self, function: &str, parameter: &str) -> Option<Types> {
        self.0.get(function)?.get(parameter).copied()
    }
}

/// Alternatives inside alternatives that are looked into.
const MAX_DEPTH: usize = 4;

fn types(property: &Value, root: &Value) -> Option<Types> {
    let mut found = Types::default();
    gather(property, root, &mut found, MAX_DEPTH);
    (found != Types::default()).then_some(found)
}

fn gather(schema: &Value, root: &Value, found: &mut Types, depth: usize) {
    if depth == 0 {
        return;
    }
    match schema.get("type") {
        Some(Value::String(name)) => found.add(name),
        Some(Value::Array(names)) => {
            for name in names.iter().filter_map(Value::as_str) {
                found.add(name);
            }
        }
        _ => {}
    }
    if schema.get("nullable") == Some(&Value::Bool(true)) {
        found.null = true;
    }
    if schema.get("type").is_none() {
        let listed = schema.get("enum").and_then(Value::as_array);
        for value in listed.into_iter().flatten().chain(schema.get("const")) {
            found.add_value(value);
        }
    }
    for key in ["anyOf", "oneOf", "allOf"] {
        let inner = schema.get(key).and_then(Value::as_array);
        for schema in inner.into_iter().flatten() {
            gather(schema, root, found, depth - 1);
        }
    }
    let reference = schema.get("$ref").and_then(Value::as_str);
    let place = reference.and_then(|reference| reference.strip_prefix('#'));
    if let Some(schema) = place.and_then(|place| root.pointer(place)) {
        gather(schema, root, found, depth - 1);
    }
}

/// Whether a value of these types is its text as it stands, whatever that is.
pub(super) fn is_text(types: Option<Types>) -> bool {
    types == Some(Types::STRING)
}

/// The JSON value of a parameter that was written as bare text. Python's words are accepted, because
/// templates write them in these formats. What fits no type stays text, which the tool can refuse.
pub(super) fn value_of(text: &str, types: Option<Types>) -> Value {
    let string = || Value::String(text.to_owned());
    if is_text(types) {
        return string();
    }
    let parsed = match text.trim() {
        "True" => Some(Value::Bool(true)),
        "False" => Some(Value::Bool(false)),
        "None" => Some(Value::Null),
        trimmed => serde_json::from_str(trimmed).ok(),
    };
    match (parsed, types) {
        (None, _) => string(),
        (Some(value), Some(types)) if types.string && !types.allow(&value) => string(),
        // A quoted text where text may stand anyhow is meant as it is.
        (Some(Value::String(_)), None) => string(),
        (Some(Value::String(_)), Some(types)) if types.string => string(),
        (Some(value), _) => value,
    }
}

//! The filter `tojson` as transformers defines it: `json.dumps` with `ensure_ascii=False`.

use std::fmt::Write;

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::python::{self, Text};

/// `value | tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)`
pub(super) fn filter(state: &mut State, value: &Value, options: Kwargs) -> Result<Value, Error> {
    let indent: Option<Value> = options.get("indent")?;
    let separators: Option<Vec<String>> = options.get("separators")?;
    let sort_keys: Option<bool> = options.get("sort_keys")?;
    let ensure_ascii: Option<bool> = options.get("ensure_ascii")?;
    options.assert_all_used()?;
    let indent = indent
        .filter(|indent| !indent.is_none())
        .map(indentation)
        .transpose()?;
    let (item, key) = match separators.as_deref() {
        Some([item, key]) => (item.clone(), key.clone()),
        Some(_) => return Err(invalid("separators must be a pair")),
        // With an indent json.dumps leaves no space at the end of lines.
        None if indent.is_some() => (",".to_owned(), ": ".to_owned()),
        None => (", ".to_owned(), ": ".to_owned()),
    };
    let mut writer = Writer {
        text: Text::new(state),
        indent,
        item,
        key,
        sort_keys: sort_keys.unwrap_or(false),
        ensure_ascii: ensure_ascii.unwrap_or(false),
    };
    writer.value(value, 0)?;
    writer.text.finish().map(Value::from)
}

fn indentation(indent: Value) -> Result<String, Error> {
    const WIDEST: i64 = 256;
    match (indent.as_str(), indent.as_i64()) {
        (Some(text), _) => Ok(text.to_owned()),
        (None, Some(width)) if width <= WIDEST => Ok(" ".repeat(width.max(0) as usize)),
        _ => Err(invalid("indent must be a small integer or a string")),
    }
}

fn invalid(what: &'static str) -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("tojson: {what}"))
}

struct Writer<'a> {
    text: Text<'a>,
    indent: Option<String>,
    item: String,
    key: String,
    sort_keys: bool,
    ensure_ascii: bool,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > python::MAX_DEPTH {
            return Err(python::too_deep());
        }
        self.text.pay()?;
        match value.kind() {
            ValueKind::None => self.text.out.push_str("null"),
            ValueKind::Bool => {
                self.text
                    .out
                    .push_str(if value.is_true() { "true" } else { "false" })
            }
            ValueKind::Number => self.number(value)?,
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq => {
                self.text.out.push('[');
                let mut first = true;
                for item in value.try_iter()? {
                    self.separate(&mut first, depth + 1);
                    self.value(&item, depth + 1)?;
                }
                self.close(first, depth, ']');
            }
            ValueKind::Map => self.map(value, depth)?,
            ValueKind::Undefined => return Err(invalid("the value is undefined")),
            kind => {
                return Err(Error::new(
                    ErrorKind::InvalidOperation,
                    format!("tojson: a value of type {kind} cannot be written as JSON"),
                ));
            }
        }
        Ok(())
    }

    fn map(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        let mut entries = Vec::new();
        for key in value.try_iter()? {
            let item = value.get_item(&key)?;
            entries.push((key, item));
        }
        if self.sort_keys {
            entries.sort_by(|a, b| a.0.cmp(&b.0));
        }
        self.text.out.push('{');
        let mut first = true;
        for (key, item) in entries {
            self.separate(&mut first, depth + 1);
            match key.kind() {
                ValueKind::String => self.string(key.as_str().unwrap_or_default()),
                ValueKind::None | ValueKind::Bool | ValueKind::Number => {
                    self.text.out.push('"');
                    self.value(&key, depth + 1)?;
                    self.text.out.push('"');
                }
                _ => return Err(invalid("keys must be strings, numbers, booleans or none")),
            }
            self.text.out.push_str(&self.key);
            self.value(&item, depth + 1)?;
        }
        self.close(first, depth, '}');
        Ok(())
    }

    fn separate(&mut self, first: &mut bool, depth: usize) {
        if !std::mem::take(first) {
            self.text.out.push_str(&self.item);
        }
        self.new_line(depth);
    }

    fn close(&mut self, empty: bool, depth: usize, bracket: char) {
        if !empty {
            self.new_line(depth);
        }
        self.text.out.push(bracket);
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.text.out.push('\n');
            for _ in 0..depth {
                self.text.out.push_str(indent);
            }
        }
    }

    fn number(&mut self, value: &Value) -> Result<(), Error> {
        match python::as_float(value) {
            Some(float) if float.is_nan() => self.text.out.push_str("NaN"),
            Some(float) if float.is_infinite() => {
                self.text
                    .out
                    .push_str(if float > 0.0 { "Infinity" } else { "-Infinity" });
            }
            Some(float) => self.text.out.push_str(&python::float_repr(float)),
            None => write!(self.text.out, "{value}")?,
        }
        Ok(())
    }

    fn string(&mut self, text: &str) {
        self.text.out.push('"');
        for c in text.chars() {
            match c {
                '"' => self.text.out.push_str("\\\""),
                '\\' => self.text.out.push_str("\\\\"),
                '\n' => self.text.out.push_str("\\n"),
                '\r' => self.text.out.push_str("\\r"),
                '\t' => self.text.out.push_str("\\t"),
                '\x08' => self.text.out.push_str("\\b"),
                '\x0c' => self.text.out.push_str("\\f"),
                c if c < ' ' || (self.ensure_ascii && !c.is_ascii()) => {
                    for unit in c.encode_utf16(&mut [0; 2]) {
                        self.text.out.push_str(&format!("\\u{unit:04x}"));
                    }
                }
                c => self.text.out.push(c),
            }
        }
        self.text.out.push('"');
    }
}

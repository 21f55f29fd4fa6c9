//! The filter `tojson` as transformers defines it: `json.dumps` with `ensure_ascii=False`.

use serde_json::Value as Json;

use super::args::Args;
use super::dict::Dict;
use super::fault::{Result, fail};
use super::filters::sort;
use super::json::{self, Given};
use super::numbers::float_repr;
use super::repr;
use super::text::{Builder, Text};
use super::value::Value;
use super::vm::Vm;

/// `value | tojson(ensure_ascii=false, indent=none, separators=none, sort_keys=false)`
pub(super) fn filter<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let names = ["ensure_ascii", "indent", "separators", "sort_keys"];
    let [ensure_ascii, indent, separators, sort_keys] = args.bind("tojson", names, 0)?;
    let indent = match indent {
        None | Some(Value::None) => None,
        Some(Value::Str(text)) => Some(text.as_str().to_owned()),
        Some(other) => match other.as_int() {
            Some(width) if width <= 256 => Some(" ".repeat(usize::try_from(width).unwrap_or(0))),
            _ => return fail("tojson: indent must be a small integer or a string"),
        },
    };
    let between = match separators {
        None | Some(Value::None) => {
            // With an indent json.dumps leaves no space at the end of lines.
            let item = if indent.is_some() { "," } else { ", " };
            [Text::trusted(item), Text::trusted(": ")]
        }
        Some(pair) => match vm.collect(&pair)?.as_slice() {
            [Value::Str(item), Value::Str(key)] => [item.clone(), key.clone()],
            _ => return fail("tojson: separators must be two strings"),
        },
    };
    /// Bytes that most write.
    const USUAL: usize = 512;
    let mut writer = Writer {
        out: Builder::with_capacity(&vm.meter, USUAL),
        indent,
        between,
        sort_keys: sort_keys.is_some_and(|value| value.is_true()),
        ensure_ascii: ensure_ascii.is_some_and(|value| value.is_true()),
        vm,
    };
    writer.value(&value, 0)?;
    Ok(Value::Str(writer.out.finish()?))
}

struct Writer<'v, 'a> {
    out: Builder,
    indent: Option<String>,
    /// What stands between items, and between a key and its value.
    between: [Text<'a>; 2],
    sort_keys: bool,
    ensure_ascii: bool,
    vm: &'v mut Vm<'a>,
}

impl<'a> Writer<'_, 'a> {
    fn value(&mut self, value: &Value<'a>, depth: usize) -> Result<()> {
        self.enter()?;
        match value {
            Value::None => self.out.trusted("null"),
            Value::Bool(true) => self.out.trusted("true"),
            Value::Bool(false) => self.out.trusted("false"),
            Value::Int(_) => repr::repr_into(&mut self.out, value, &self.vm.meter)?,
            Value::Float(float) => self.float(*float),
            Value::Str(text) => self.string(text),
            Value::List(seq) | Value::Tuple(seq) => {
                self.all(["[", "]"], seq.items.iter(), depth, Self::value)?;
            }
            Value::Dict(dict) => self.dict(dict, depth)?,
            other => {
                return fail(format!(
                    "tojson: a value of type {} cannot be written as JSON",
                    other.type_name()
                ));
            }
        }
        Ok(())
    }

    fn dict(&mut self, dict: &Dict<'a>, depth: usize) -> Result<()> {
        if !self.sort_keys {
            if let Some(given) = dict.as_given() {
                return self.object(given, depth);
            }
        }
        let mut sorted = Vec::new();
        let mut pairs = dict.pairs();
        if self.sort_keys {
            sorted.extend_from_slice(pairs);
            sort::by_key(&mut sorted, false, self.vm, |(key, _)| key)?;
            pairs = &sorted;
        }
        self.all(
            ["{", "}"],
            pairs.iter(),
            depth,
            |writer, (key, value), depth| {
                match key {
                    Value::Str(text) => writer.string(text),
                    Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) => {
                        writer.out.trusted("\"");
                        writer.value(key, depth)?;
                        writer.out.trusted("\"");
                    }
                    _ => return fail("tojson: keys must be strings, numbers, booleans or none"),
                }
                writer.out.text(&writer.between[1]);
                writer.value(value, depth)
            },
        )
    }

    /// An object that is still JSON is written as it is, without making values of its parts.
    fn object(&mut self, object: Given<'a>, depth: usize) -> Result<()> {
        self.all(
            ["{", "}"],
            object.map.iter(),
            depth,
            |writer, (key, value), depth| {
                writer.string(&Text::untrusted(key));
                writer.out.text(&writer.between[1]);
                writer.json(value, depth)
            },
        )
    }

    fn json(&mut self, json: &'a Json, depth: usize) -> Result<()> {
        match json {
            Json::Object(map) => {
                self.enter()?;
                self.object(Given::new(map), depth)
            }
            Json::Array(items) => {
                self.enter()?;
                self.all(["[", "]"], items.iter(), depth, |writer, item, depth| {
                    writer.json(item, depth)
                })
            }
            scalar => self.value(&json::convert(scalar, 0), depth),
        }
    }

    /// Pays for one more value.
    fn enter(&self) -> Result<()> {
        self.vm.meter.step()?;
        self.vm.meter.stack()
    }

    /// Writes items between brackets.
    fn all<T>(
        &mut self,
        [open, close]: [&str; 2],
        items: impl Iterator<Item = T>,
        depth: usize,
        mut one: impl FnMut(&mut Self, T, usize) -> Result<()>,
    ) -> Result<()> {
        self.out.trusted(open);
        let mut any = false;
        for item in items {
            if any {
                self.out.text(&self.between[0]);
            }
            any = true;
            self.new_line(depth + 1);
            one(self, item, depth + 1)?;
        }
        if any {
            self.new_line(depth);
        }
        self.out.trusted(close);
        Ok(())
    }

    fn new_line(&mut self, depth: usize) {
        if let Some(indent) = &self.indent {
            self.out.trusted("\n");
            for _ in 0..depth {
                self.out.trusted(indent);
            }
        }
    }

    fn float(&mut self, float: f64) {
        if float.is_nan() {
            self.out.trusted("NaN");
        } else if float.is_infinite() {
            self.out
                .trusted(if float > 0.0 { "Infinity" } else { "-Infinity" });
        } else {
            self.out.trusted(&float_repr(float));
        }
    }

    /// A string in quotes. Escapes have the origin of what they stand for.
    fn string(&mut self, text: &Text<'a>) {
        let ensure_ascii = self.ensure_ascii;
        let is_escaped = |byte: u8| {
            byte < b' ' || byte == b'"' || byte == b'\\' || (ensure_ascii && !byte.is_ascii())
        };
        let out = &mut self.out;
        out.trusted("\"");
        for (mut piece, outside) in text.pieces() {
            while let Some(at) = piece.bytes().position(is_escaped) {
                out.push(&piece[..at], outside);
                let mut rest = piece[at..].chars();
                match rest.next() {
                    Some('"') => out.push("\\\"", outside),
                    Some('\\') => out.push("\\\\", outside),
                    Some('\n') => out.push("\\n", outside),
                    Some('\r') => out.push("\\r", outside),
                    Some('\t') => out.push("\\t", outside),
                    Some('\x08') => out.push("\\b", outside),
                    Some('\x0c') => out.push("\\f", outside),
                    other => other.into_iter().for_each(|c| {
                        for unit in c.encode_utf16(&mut [0; 2]) {
                            out.push(&format!("\\u{unit:04x}"), outside);
                        }
                    }),
                }
                piece = rest.as_str();
            }
            out.push(piece, outside);
        }
        out.trusted("\"");
    }
}

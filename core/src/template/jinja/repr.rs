//! `str` and `repr` of values.

use std::rc::Rc;

use super::dict::Dict;
use super::fault::Result;
use super::meter::Meter;
use super::numbers::float_repr;
use super::text::{Builder, Text};
use super::unicode::is_printable;
use super::value::{Undefined, Value, View};

/// Appends `str(value)`.
pub(crate) fn str_into<'a>(out: &mut Builder, value: &Value<'a>, meter: &Meter) -> Result<()> {
    match value {
        Value::Str(text) => out.text(text),
        Value::Undefined(_) => {}
        other => return repr_into(out, other, meter),
    }
    Ok(())
}

/// `repr(value)` for a message, shortened.
pub(crate) fn short(value: &Value<'_>, meter: &Rc<Meter>) -> String {
    const MOST: usize = 60;
    match value {
        Value::Str(text) if text.len() > MOST => "'...'".to_owned(),
        Value::List(_) | Value::Tuple(_) | Value::Dict(_) => value.type_name().to_owned(),
        other => {
            let mut out = Builder::new(meter);
            match repr_into(&mut out, other, meter) {
                Ok(()) => out.as_str().to_owned(),
                Err(_) => other.type_name().to_owned(),
            }
        }
    }
}

/// Appends `repr(value)`.
pub(crate) fn repr_into<'a>(out: &mut Builder, value: &Value<'a>, meter: &Meter) -> Result<()> {
    meter.step()?;
    meter.stack()?;
    match value {
        Value::Undefined(Undefined::Unset) => {}
        Value::Undefined(_) => out.trusted("Undefined"),
        Value::None => out.trusted("None"),
        Value::Bool(true) => out.trusted("True"),
        Value::Bool(false) => out.trusted("False"),
        Value::Int(int) => out.trusted(itoa(*int, &mut [0; 48])),
        Value::Float(float) => out.trusted(&float_repr(*float)),
        Value::Str(text) if text.is_markup() => {
            out.trusted("Markup(");
            quote(out, text);
            out.trusted(")");
        }
        Value::Str(text) => quote(out, text),
        Value::List(seq) => {
            out.trusted("[");
            items_into(out, seq.items.iter(), meter)?;
            out.trusted("]");
        }
        Value::Tuple(seq) => {
            out.trusted("(");
            items_into(out, seq.items.iter(), meter)?;
            out.trusted(if seq.items.len() == 1 { ",)" } else { ")" });
        }
        Value::Dict(dict) => dict_into(out, dict, meter)?,
        Value::View(view, dict) => {
            out.trusted(value.type_name());
            out.trusted("([");
            match view {
                View::Keys => items_into(out, dict.pairs().iter().map(|pair| &pair.0), meter)?,
                View::Values => items_into(out, dict.pairs().iter().map(|pair| &pair.1), meter)?,
                View::Items => {
                    for (index, (key, value)) in dict.pairs().iter().enumerate() {
                        out.trusted(if index > 0 { ", (" } else { "(" });
                        repr_into(out, key, meter)?;
                        out.trusted(", ");
                        repr_into(out, value, meter)?;
                        out.trusted(")");
                    }
                }
            }
            out.trusted("])");
        }
        Value::Range(range) => out.trusted(&match range.step {
            1 => format!("range({}, {})", range.start, range.stop),
            step => format!("range({}, {}, {step})", range.start, range.stop),
        }),
        Value::Namespace(namespace) => {
            out.trusted("<Namespace {");
            let Ok(fields) = namespace.fields.try_borrow() else {
                return Ok(());
            };
            for (index, (name, value)) in fields.iter().enumerate() {
                out.trusted(if index > 0 { ", " } else { "" });
                quote(out, name);
                out.trusted(": ");
                repr_into(out, value, meter)?;
            }
            out.trusted("}>");
        }
        Value::Macro(called) => out.trusted(&match &called.ast.name {
            Some(name) => format!("<Macro '{}'>", name.name),
            None => "<Macro anonymous>".to_owned(),
        }),
        Value::Template => out.trusted("<TemplateReference None>"),
        other => out.trusted(&format!("<{} object>", other.type_name())),
    }
    Ok(())
}

fn items_into<'v, 'a: 'v>(
    out: &mut Builder,
    items: impl Iterator<Item = &'v Value<'a>>,
    meter: &Meter,
) -> Result<()> {
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.trusted(", ");
        }
        repr_into(out, item, meter)?;
    }
    Ok(())
}

fn dict_into(out: &mut Builder, dict: &Dict<'_>, meter: &Meter) -> Result<()> {
    out.trusted("{");
    for (index, (key, value)) in dict.pairs().iter().enumerate() {
        if index > 0 {
            out.trusted(", ");
        }
        repr_into(out, key, meter)?;
        out.trusted(": ");
        repr_into(out, value, meter)?;
    }
    out.trusted("}");
    Ok(())
}

/// A string in quotes. Escapes have the origin of what they stand for.
fn quote(out: &mut Builder, text: &Text<'_>) {
    let string = text.as_str();
    let mark = match string.contains('\'') && !string.contains('"') {
        true => '"',
        false => '\'',
    };
    out.push_char(mark, false);
    for (piece, outside) in text.pieces() {
        let mut plain = 0;
        for (at, c) in piece.char_indices() {
            if is_printable(c) && c != mark && c != '\\' {
                continue;
            }
            out.push(&piece[plain..at], outside);
            plain = at + c.len_utf8();
            out.push(&escape(c), outside);
        }
        out.push(&piece[plain..], outside);
    }
    out.push_char(mark, false);
}

fn escape(c: char) -> String {
    match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        '\\' | '\'' | '"' => format!("\\{c}"),
        c => match u32::from(c) {
            code @ 0..=0xff => format!("\\x{code:02x}"),
            code @ 0x100..=0xffff => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        },
    }
}

/// An integer's digits without a string of their own.
fn itoa(int: i128, buffer: &mut [u8; 48]) -> &str {
    let mut at = buffer.len();
    let mut rest = int.unsigned_abs();
    loop {
        at -= 1;
        buffer[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if int < 0 {
        at -= 1;
        buffer[at] = b'-';
    }
    std::str::from_utf8(&buffer[at..]).unwrap_or_default()
}

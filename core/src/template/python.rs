//! Values as Python writes them with `str` and `repr`.

use std::fmt::Write;

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind, Output, State};

/// Containers inside containers, at the deepest.
pub(super) const MAX_DEPTH: usize = 100;

/// Python's `str.isspace` for one character: Unicode white space and four control characters.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || ('\x1c'..='\x1f').contains(&c)
}

/// What `{{ value }}` writes.
pub(super) fn write(out: &mut Output, state: &mut State, value: &Value) -> Result<(), Error> {
    match value.as_str() {
        Some(text) => out.write_str(text),
        None => out.write_str(&str(state, value)?),
    }
    .map_err(Error::from)
}

/// `str(value)`.
pub(super) fn str(state: &State, value: &Value) -> Result<String, Error> {
    let mut text = Text::new(state);
    match value.kind() {
        ValueKind::String | ValueKind::Undefined | ValueKind::Bytes => write!(text.out, "{value}")?,
        _ => repr_into(&mut text, value, 0)?,
    }
    text.finish()
}

/// Text of a value, paid for with the template's fuel while it grows: a small value may hold itself
/// many times over.
pub(super) struct Text<'a> {
    pub out: String,
    paid: usize,
    state: &'a State<'a, 'a>,
}

impl<'a> Text<'a> {
    /// The engine's own price of text made from containers.
    const BYTES_PER_FUEL: usize = 4;

    pub fn new(state: &'a State) -> Self {
        Self {
            out: String::new(),
            paid: 0,
            state,
        }
    }

    /// Pays for what was written since the last time.
    pub fn pay(&mut self) -> Result<(), Error> {
        let fuel = (self.out.len() - self.paid) / Self::BYTES_PER_FUEL;
        self.paid += fuel * Self::BYTES_PER_FUEL;
        self.state.consume_fuel(fuel as u64)
    }

    pub fn finish(mut self) -> Result<String, Error> {
        self.pay()?;
        Ok(self.out)
    }
}

/// The number, where it is a float: an integer stays one in Python's output.
pub(super) fn as_float(value: &Value) -> Option<f64> {
    if value.kind() != ValueKind::Number || value.is_integer() {
        return None;
    }
    f64::try_from(value.clone()).ok()
}

fn repr_into(text: &mut Text, value: &Value, depth: usize) -> Result<(), Error> {
    if depth > MAX_DEPTH {
        return Err(too_deep());
    }
    text.pay()?;
    match value.kind() {
        ValueKind::Number => match as_float(value) {
            Some(float) => text.out.push_str(&float_repr(float)),
            None => write!(text.out, "{value}")?,
        },
        ValueKind::Seq => {
            let tuple = value.is_tuple();
            text.out.push(if tuple { '(' } else { '[' });
            let mut count = 0;
            for item in value.try_iter()? {
                if count > 0 {
                    text.out.push_str(", ");
                }
                repr_into(text, &item, depth + 1)?;
                count += 1;
            }
            text.out.push_str(match (tuple, count) {
                (true, 1) => ",)",
                (true, _) => ")",
                (false, _) => "]",
            });
        }
        ValueKind::Map if value.as_object().is_some() => {
            text.out.push('{');
            for (index, key) in value.try_iter()?.enumerate() {
                if index > 0 {
                    text.out.push_str(", ");
                }
                repr_into(text, &key, depth + 1)?;
                text.out.push_str(": ");
                repr_into(text, &value.get_item(&key)?, depth + 1)?;
            }
            text.out.push('}');
        }
        ValueKind::String | ValueKind::Bytes => write!(text.out, "{value:?}")?,
        _ => write!(text.out, "{value}")?,
    }
    Ok(())
}

pub(super) fn too_deep() -> Error {
    Error::new(
        ErrorKind::InvalidOperation,
        format!("a value is nested more than {MAX_DEPTH} levels deep"),
    )
}

/// `repr` of a float: the shortest digits that read back the same, with an exponent below 1e-4 and
/// from 1e16 on.
pub(super) fn float_repr(float: f64) -> String {
    if float.is_nan() {
        return "nan".to_owned();
    }
    if float.is_infinite() {
        return if float > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let magnitude = float.abs();
    if magnitude != 0.0 && !(1e-4..1e16).contains(&magnitude) {
        let text = format!("{float:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let (sign, exponent) = match exponent.strip_prefix('-') {
            Some(exponent) => ('-', exponent),
            None => ('+', exponent),
        };
        return format!("{digits}e{sign}{exponent:0>2}");
    }
    let mut text = float.to_string();
    if !text.contains('.') {
        text.push_str(".0");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::float_repr;

    #[test]
    fn floats_read_as_in_python() {
        for (float, text) in [
            (0.1, "0.1"),
            (3.0, "3.0"),
            (-0.0, "-0.0"),
            (1e-7, "1e-07"),
            (1.5e-5, "1.5e-05"),
            (1e-4, "0.0001"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (-1.25e20, "-1.25e+20"),
            (1e300, "1e+300"),
            (f64::INFINITY, "inf"),
            (f64::NAN, "nan"),
        ] {
            assert_eq!(float_repr(float), text);
        }
    }
}

//! `format % values`

use super::super::fault::{Result, fail};
use super::super::numbers;
use super::super::repr;
use super::super::text::{Builder, Text};
use super::super::value::Value;
use super::super::vm::Vm;
use super::number;

/// `format % values`
pub(crate) fn format<'a>(
    vm: &mut Vm<'a>,
    format: &Text<'a>,
    values: Value<'a>,
) -> Result<Text<'a>> {
    let mut source = Values::of(values);
    let mut out = vm.builder();
    let whole = format.as_str();
    let mut at = 0;
    while let Some(found) = whole[at..].find('%') {
        out.text(&format.slice(at..at + found));
        let begin = at + found + 1;
        let (spec, length) = Spec::parse(&whole[begin..], &mut source)?;
        at = begin + length;
        spec.write(vm, &mut out, &mut source, format.is_markup())?;
        vm.meter.step()?;
    }
    out.text(&format.slice(at..whole.len()));
    if source.is_left_over() {
        return fail("not all values are used by the format");
    }
    Ok(out.finish()?.marked(format.is_markup()))
}

struct Values<'a> {
    items: Vec<Value<'a>>,
    mapping: Option<Value<'a>>,
    /// Python takes a single value that has items for a mapping, and does not mind if it is not used.
    may_be_left: bool,
    used: usize,
}

impl<'a> Values<'a> {
    fn of(values: Value<'a>) -> Self {
        let may_be_left = matches!(
            values,
            Value::Dict(_) | Value::List(_) | Value::Undefined(_) | Value::Range(_)
        );
        let mapping = matches!(values, Value::Dict(_)).then(|| values.clone());
        Self {
            items: match values {
                Value::Tuple(seq) => seq.items.clone(),
                single => vec![single],
            },
            mapping,
            may_be_left,
            used: 0,
        }
    }

    fn is_left_over(&self) -> bool {
        self.used < self.items.len() && !self.may_be_left
    }

    fn next(&mut self) -> Result<Value<'a>> {
        self.used += 1;
        match self.items.get(self.used - 1) {
            Some(value) => Ok(value.clone()),
            None => fail("there are fewer values than the format wants"),
        }
    }
}

/// One `%...` of a format.
#[derive(Default)]
struct Spec<'s> {
    key: Option<&'s str>,
    minus: bool,
    plus: bool,
    space: bool,
    zero: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
    kind: char,
}

impl<'s> Spec<'s> {
    fn parse(text: &'s str, values: &mut Values<'_>) -> Result<(Self, usize)> {
        let mut spec = Self::default();
        let mut rest = text;
        if let Some(after) = rest.strip_prefix('(') {
            let mut open = 1;
            let end = after.find(|c: char| {
                open += i32::from(c == '(') - i32::from(c == ')');
                open == 0
            });
            let Some(end) = end else {
                return fail("a format has a '(' that does not end");
            };
            spec.key = Some(&after[..end]);
            rest = &after[end + 1..];
        }
        while let Some(flag) = rest.chars().next().filter(|c| "-+ 0#".contains(*c)) {
            match flag {
                '-' => spec.minus = true,
                '+' => spec.plus = true,
                ' ' => spec.space = true,
                '0' => spec.zero = true,
                _ => spec.alternate = true,
            }
            rest = &rest[1..];
        }
        if let Some(width) = Self::size(&mut rest, values)? {
            spec.minus |= width < 0;
            spec.width = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX);
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            let precision = Self::size(&mut rest, values)?.unwrap_or(0).max(0);
            spec.precision = Some(usize::try_from(precision).unwrap_or(usize::MAX));
        }
        rest = rest.trim_start_matches(['h', 'l', 'L']);
        let Some(kind) = rest.chars().next() else {
            return fail("a format ends after '%'");
        };
        spec.kind = kind;
        Ok((spec, text.len() - rest.len() + kind.len_utf8()))
    }

    /// Digits, or `*` for the next value.
    fn size(rest: &mut &'s str, values: &mut Values<'_>) -> Result<Option<i128>> {
        if let Some(after) = rest.strip_prefix('*') {
            *rest = after;
            return match values.next()?.as_int() {
                Some(size) => Ok(Some(size)),
                None => fail("'*' in a format wants an integer"),
            };
        }
        let end = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at(end);
        *rest = after;
        Ok((!digits.is_empty()).then(|| digits.parse().unwrap_or(i128::MAX)))
    }

    fn write<'a>(
        &self,
        vm: &mut Vm<'a>,
        out: &mut Builder,
        values: &mut Values<'a>,
        escapes: bool,
    ) -> Result<()> {
        if self.kind == '%' && self.key.is_none() {
            out.trusted("%");
            return Ok(());
        }
        let value = match (self.key, &values.mapping) {
            (None, _) => values.next()?,
            (Some(key), Some(Value::Dict(mapping))) => match mapping.get_str(key) {
                Some(value) => value,
                None => return fail(format!("there is no value for '%({key})' of the format")),
            },
            (Some(_), _) => return fail("the format wants a mapping"),
        };
        match self.kind {
            '%' => out.trusted("%"),
            's' => {
                let text = match escapes {
                    true => vm.escape(&value)?,
                    false => vm.str(&value)?,
                };
                self.text(vm, out, &text)?;
            }
            'r' | 'a' => {
                let mut shown = vm.builder();
                repr::repr_into(&mut shown, &value, &vm.meter)?;
                let shown = shown.finish()?;
                self.text(vm, out, &shown)?;
            }
            'c' => {
                let text = match &value {
                    Value::Str(text) if text.as_str().chars().count() == 1 => text.clone(),
                    other => match other
                        .as_int()
                        .and_then(|code| u32::try_from(code).ok())
                        .and_then(char::from_u32)
                    {
                        Some(c) => vm.copy(c.encode_utf8(&mut [0; 4]))?,
                        None => return fail("%c wants a character or its number"),
                    },
                };
                self.text(vm, out, &text)?;
            }
            'd' | 'i' | 'u' | 'x' | 'X' | 'o' => self.integer(out, &value)?,
            'e' | 'E' | 'f' | 'F' | 'g' | 'G' => self.float(out, &value)?,
            other => return fail(format!("'%{other}' is not a format")),
        }
        Ok(())
    }

    fn text<'a>(&self, vm: &Vm<'a>, out: &mut Builder, text: &Text<'a>) -> Result<()> {
        let text = match self.precision {
            Some(most) => vm.first_chars(text, most as i128)?,
            None => text.clone(),
        };
        let padding = self.width.saturating_sub(text.as_str().chars().count());
        if !self.minus {
            out.fill(' ', padding, false);
        }
        out.text(&text);
        if self.minus {
            out.fill(' ', padding, false);
        }
        Ok(())
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.plus, self.space) {
            (true, _, _) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    fn integer(&self, out: &mut Builder, value: &Value<'_>) -> Result<()> {
        let is_decimal = matches!(self.kind, 'd' | 'i' | 'u');
        let int = match value {
            Value::Float(float) if is_decimal => numbers::float_to_int(*float),
            Value::Undefined(undefined) => return Err(undefined.fault()),
            other => other.as_int(),
        };
        let Some(int) = int else {
            return fail(format!(
                "%{} wants a number, not {}",
                self.kind,
                value.type_name()
            ));
        };
        let digits = number::integer(int.unsigned_abs(), self.kind);
        let mark = if self.alternate {
            number::prefix(self.kind)
        } else {
            ""
        };
        let zeros = self.precision.unwrap_or(0).saturating_sub(digits.len());
        self.number(
            out,
            &format!("{}{mark}", self.sign(int < 0)),
            zeros,
            &digits,
        );
        Ok(())
    }

    fn float(&self, out: &mut Builder, value: &Value<'_>) -> Result<()> {
        let float = match value {
            Value::Undefined(undefined) => return Err(undefined.fault()),
            other => super::super::operators::as_float(other),
        };
        let Some(float) = float else {
            return fail(format!(
                "%{} wants a number, not {}",
                self.kind,
                value.type_name()
            ));
        };
        let kind = self.kind.to_ascii_lowercase();
        let digits = number::float(float.abs(), Some(kind), self.precision, self.alternate)?;
        let digits = match self.kind.is_ascii_uppercase() {
            true => digits.to_uppercase(),
            false => digits,
        };
        let negative = float.is_sign_negative() && !float.is_nan();
        self.number(out, self.sign(negative), 0, &digits);
        Ok(())
    }

    fn number(&self, out: &mut Builder, lead: &str, zeros: usize, digits: &str) {
        let length = lead
            .len()
            .saturating_add(zeros)
            .saturating_add(digits.len());
        let padding = self.width.saturating_sub(length);
        let fills_zero = self.zero && !self.minus;
        if !self.minus && !fills_zero {
            out.fill(' ', padding, false);
        }
        out.trusted(lead);
        out.fill(
            '0',
            if fills_zero {
                zeros.saturating_add(padding)
            } else {
                zeros
            },
            false,
        );
        out.trusted(digits);
        if self.minus {
            out.fill(' ', padding, false);
        }
    }
}

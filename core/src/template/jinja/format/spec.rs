//! The format specification after the colon in `{:>8.2f}`.

use super::super::fault::{Result, fail};
use super::super::text::{Builder, Text};
use super::super::value::Value;
use super::super::vm::Vm;
use super::number;

/// A parsed specification.
#[derive(Debug, Default, Clone)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(text: &str) -> Result<Spec> {
    let mut spec = Spec::default();
    let mut rest = text;
    let is_align = |c: char| matches!(c, '<' | '>' | '=' | '^');
    let mut characters = rest.chars();
    match (characters.next(), characters.next()) {
        (Some(fill), Some(align)) if is_align(align) => {
            spec.fill = Some(fill);
            spec.align = Some(align);
            rest = characters.as_str();
        }
        (Some(align), _) if is_align(align) => {
            spec.align = Some(align);
            rest = &rest[1..];
        }
        _ => {}
    }
    let mut take = |wanted: &[char]| {
        let found = rest.chars().next().filter(|c| wanted.contains(c));
        rest = &rest[found.map_or(0, char::len_utf8)..];
        found
    };
    spec.sign = take(&['+', '-', ' ']);
    take(&['z']);
    spec.alternate = take(&['#']).is_some();
    if take(&['0']).is_some() {
        spec.fill = spec.fill.or(Some('0'));
        spec.align = spec.align.or(Some('='));
    }
    let digits = |rest: &mut &str| {
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        *rest = after;
        (!number.is_empty()).then(|| number.parse().unwrap_or(usize::MAX))
    };
    spec.width = digits(&mut rest).unwrap_or_default();
    if let Some(grouping) = rest.chars().next().filter(|c| matches!(c, ',' | '_')) {
        spec.grouping = Some(grouping);
        rest = &rest[1..];
    }
    if let Some(after) = rest.strip_prefix('.') {
        rest = after;
        spec.precision = match digits(&mut rest) {
            Some(precision) => Some(precision),
            None => return fail("a format has a point without a number after it"),
        };
    }
    let mut kinds = rest.chars();
    spec.kind = kinds.next();
    match kinds.next() {
        None => Ok(spec),
        Some(_) => fail(format!("'{text}' is not a format")),
    }
}

/// `format(value, spec)`
pub(super) fn apply<'a>(
    vm: &Vm<'a>,
    out: &mut Builder,
    value: &Value<'a>,
    spec: &str,
) -> Result<()> {
    if spec.is_empty() {
        out.text(&vm.str(value)?);
        return Ok(());
    }
    let spec = parse(spec)?;
    match value {
        Value::Str(text) => string(vm, out, text, &spec),
        Value::Float(float) => floating(out, *float, &spec),
        Value::Bool(_) if spec.kind.is_none_or(|kind| kind == 's') => {
            string(vm, out, &vm.str(value)?, &spec)
        }
        Value::Int(_) | Value::Bool(_) => integer(out, value.as_int().unwrap_or_default(), &spec),
        other => fail(format!("'{}' object takes no format", other.type_name())),
    }
}

fn string<'a>(vm: &Vm<'a>, out: &mut Builder, text: &Text<'a>, spec: &Spec) -> Result<()> {
    if spec.kind.is_some_and(|kind| kind != 's') || spec.sign.is_some() || spec.grouping.is_some() {
        return fail("this format is not for strings");
    }
    let text = match spec.precision {
        Some(most) => vm.first_chars(text, most as i128)?,
        None => text.clone(),
    };
    if spec.align == Some('=') && spec.fill != Some('0') {
        return fail("'=' is not for strings");
    }
    let padding = spec.width.saturating_sub(text.as_str().chars().count());
    let fill = spec.fill.unwrap_or(' ');
    let before = match spec.align {
        Some('>') => padding,
        Some('^') => padding / 2,
        _ => 0,
    };
    out.fill(fill, before, false);
    out.text(&text);
    out.fill(fill, padding - before, false);
    Ok(())
}

fn sign(negative: bool, spec: &Spec) -> &'static str {
    match (negative, spec.sign) {
        (true, _) => "-",
        (false, Some('+')) => "+",
        (false, Some(' ')) => " ",
        _ => "",
    }
}

fn floating(out: &mut Builder, value: f64, spec: &Spec) -> Result<()> {
    let digits = match spec.kind {
        None | Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => {
            number::float(value.abs(), spec.kind, spec.precision, spec.alternate)?
        }
        Some('n') => number::float(value.abs(), Some('g'), spec.precision, spec.alternate)?,
        Some(kind) => return fail(format!("the format type '{kind}' is not for floats")),
    };
    let digits = match spec.kind {
        Some('E' | 'G' | 'F') => digits.to_uppercase(),
        _ => digits,
    };
    let negative = value.is_sign_negative() && !value.is_nan();
    padded(out, sign(negative, spec), &digits, spec);
    Ok(())
}

fn integer(out: &mut Builder, value: i128, spec: &Spec) -> Result<()> {
    let kind = match spec.kind {
        None | Some('d' | 'n') => 'd',
        Some(kind @ ('x' | 'X' | 'o' | 'b')) => kind,
        Some('c') => {
            let c = u32::try_from(value).ok().and_then(char::from_u32);
            return match c {
                Some(c) => {
                    padded(out, "", &c.to_string(), spec);
                    Ok(())
                }
                None => fail("there is no character of that number"),
            };
        }
        Some('e' | 'E' | 'f' | 'F' | 'g' | 'G' | '%') => return floating(out, value as f64, spec),
        Some(kind) => return fail(format!("the format type '{kind}' is not for integers")),
    };
    if spec.precision.is_some() {
        return fail("a precision is not for integers");
    }
    let mark = if spec.alternate { number::prefix(kind) } else { "" };
    let lead = format!("{}{mark}", sign(value < 0, spec));
    padded(out, &lead, &number::integer(value.unsigned_abs(), kind), spec);
    Ok(())
}

/// Writes a number with its separators, in its field.
fn padded(out: &mut Builder, lead: &str, digits: &str, spec: &Spec) {
    let fill = spec.fill.unwrap_or(' ');
    let inside = spec.align == Some('=');
    let mut body = match spec.grouping {
        Some(mark) => grouped(digits, mark, group_size(spec)),
        None => digits.to_owned(),
    };
    if let (Some(mark), true, '0') = (spec.grouping, inside, fill) {
        // Zeros that fill are separated too.
        let mut zeros = digits.to_owned();
        while lead.len() + body.len() < spec.width && zeros.len() < spec.width.min(4096) {
            zeros.insert(0, '0');
            body = grouped(&zeros, mark, group_size(spec));
        }
    }
    let padding = spec.width.saturating_sub(lead.len() + body.chars().count());
    let before = match spec.align {
        Some('<') => 0,
        Some('^') => padding / 2,
        Some('=') => 0,
        _ => padding,
    };
    out.fill(fill, before, false);
    out.trusted(lead);
    if inside {
        out.fill(fill, padding, false);
    }
    out.trusted(&body);
    if !inside {
        out.fill(fill, padding - before, false);
    }
}

fn group_size(spec: &Spec) -> usize {
    match spec.kind {
        Some('x' | 'X' | 'o' | 'b') => 4,
        _ => 3,
    }
}

fn grouped(digits: &str, mark: char, size: usize) -> String {
    let end = digits.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(digits.len());
    let (whole, rest) = digits.split_at(end);
    let mut out = String::with_capacity(digits.len() * 2);
    for (index, c) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index) % size == 0 {
            out.push(mark);
        }
        out.push(c);
    }
    out + rest
}

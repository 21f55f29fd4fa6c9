//! Filters for HTML and URLs.

use super::super::args::{Args, string};
use super::super::fault::{Result, fail};
use super::super::text::{Builder, Text};
use super::super::value::Value;
use super::super::vm::Vm;

pub(super) fn safe<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("safe")?;
    Ok(Value::Str(vm.soft_str(&value)?.marked(true)))
}

pub(super) fn escape<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("escape")?;
    vm.escape(&value).map(Value::Str)
}

pub(super) fn forceescape<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    args.nothing("forceescape")?;
    let text = vm.str(&value)?;
    vm.escape_text(&text).map(Value::Str)
}

pub(super) fn striptags<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    args.nothing("striptags")?;
    let text = vm.str(&value)?;
    vm.strip_tags(&text).map(Value::Str)
}

pub(super) fn xmlattr<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let autospace = args.optional("xmlattr", "autospace")?;
    let autospace = autospace.is_none_or(|value| value.is_true());
    let dict = match &value {
        Value::Dict(dict) => dict,
        Value::Undefined(undefined) => return Err(undefined.fault()),
        other => return fail(format!("xmlattr wants a mapping, not {}", other.type_name())),
    };
    let mut out = vm.builder();
    for (key, value) in dict.pairs() {
        if matches!(value, Value::None | Value::Undefined(_)) {
            continue;
        }
        let key = string("xmlattr", key.clone())?;
        let breaks = |c: char| matches!(c, ' ' | '\t'..='\r' | '/' | '>' | '=');
        if key.as_str().contains(breaks) {
            return fail("a key of xmlattr has a character that no attribute's name may have");
        }
        if autospace || out.len() > 0 {
            out.trusted(" ");
        }
        out.text(&vm.escape(&Value::Str(key))?);
        out.trusted("=\"");
        out.text(&vm.escape(value)?);
        out.trusted("\"");
    }
    out.finish().map(Value::Str)
}

pub(super) fn urlencode<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    args.nothing("urlencode")?;
    let mut out = vm.builder();
    let is_single = matches!(value, Value::Str(_)) || vm.iterate(&value).is_err();
    if is_single {
        quote(&mut out, &vm.str(&value)?, false);
        return out.finish().map(Value::Str);
    }
    let pairs = match &value {
        Value::Dict(dict) => Value::View(super::super::value::View::Items, dict.clone()),
        other => other.clone(),
    };
    let mut items = vm.iterate(&pairs)?;
    while let Some(item) = vm.next(&mut items)? {
        let [key, value] = match <[Value<'a>; 2]>::try_from(vm.collect(&item)?) {
            Ok(pair) => pair,
            Err(_) => return fail("urlencode wants pairs"),
        };
        if out.len() > 0 {
            out.trusted("&");
        }
        quote(&mut out, &vm.str(&key)?, true);
        out.trusted("=");
        quote(&mut out, &vm.str(&value)?, true);
    }
    out.finish().map(Value::Str)
}

/// Percent signs for all but letters, digits and a few marks.
fn quote(out: &mut Builder, text: &Text<'_>, for_query: bool) {
    for (piece, outside) in text.pieces() {
        for byte in piece.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-' | b'~' => {
                    out.push_char(char::from(byte), outside);
                }
                b'/' if !for_query => out.push_char('/', outside),
                b' ' if for_query => out.push_char('+', outside),
                byte => out.push(&format!("%{byte:02X}"), outside),
            }
        }
    }
}

/// Links are for web pages; no chat template has a use for them.
pub(super) fn urlize<'a>(_: &mut Vm<'a>, _: Value<'a>, _: Args<'a>) -> Result<Value<'a>> {
    fail("the filter urlize is not supported")
}

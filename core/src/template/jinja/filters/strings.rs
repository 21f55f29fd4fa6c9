//! Filters over strings.

use super::super::args::{Args, integer, size};
use super::super::ast::BinaryOp;
use super::super::dict::Dict;
use super::super::fault::{Result, fail};
use super::super::format::percent;
use super::super::methods;
use super::super::operators;
use super::super::text::Text;
use super::super::unicode::is_alphanumeric;
use super::super::value::Value;
use super::super::vm::Vm;

fn change<'a>(
    vm: &Vm<'a>,
    value: &Value<'a>,
    args: Args<'a>,
    how: &'static str,
) -> Result<Value<'a>> {
    args.nothing(how)?;
    let text = vm.soft_str(value)?;
    vm.change_case(&text, how).map(Value::Str)
}

pub(super) fn upper<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    change(vm, &value, args, "upper")
}

pub(super) fn lower<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    change(vm, &value, args, "lower")
}

pub(super) fn capitalize<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    change(vm, &value, args, "capitalize")
}

/// Words begin after spaces, dashes and brackets, other than for the method of that name.
pub(super) fn title<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("title")?;
    let text = vm.soft_str(&value)?;
    let whole = text.as_str();
    let mut begins = true;
    let titled = text.map_chars(&vm.meter, |at, c, out| {
        if begins {
            out.extend(c.to_uppercase());
        } else {
            super::super::unicode::lower(whole, at, c, out);
        }
        begins = super::super::unicode::is_space(c) || matches!(c, '-' | '(' | '{' | '[' | '<');
    })?;
    Ok(Value::Str(titled.marked(false)))
}

pub(super) fn string<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("string")?;
    vm.soft_str(&value).map(Value::Str)
}

pub(super) fn trim<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let characters = args.optional("trim", "chars")?;
    let characters = match characters {
        None | Some(Value::None) => None,
        Some(characters) => Some(super::super::args::string("trim", characters)?),
    };
    let text = vm.soft_str(&value)?;
    vm.meter.work(text.len())?;
    let characters = characters.as_ref().map(Text::as_str);
    Ok(Value::Str(methods::strip_of(&text, characters, true, true)))
}

pub(super) fn replace<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [old, new, count] = args.bind("replace", ["old", "new", "count"], 2)?;
    let text = vm.str(&value)?;
    let old = vm.str(&old.unwrap_or(Value::None))?;
    let new = vm.str(&new.unwrap_or(Value::None))?;
    let count = match count {
        None | Some(Value::None) => -1,
        Some(count) => integer("replace", &count)?,
    };
    methods::replace_in(vm, &text, &old, &new, count).map(Value::Str)
}

pub(super) fn format<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let format = vm.soft_str(&value)?;
    let values = match (args.positional.is_empty(), args.named.is_empty()) {
        (false, false) => return fail("format takes values by position or by name, not both"),
        (true, false) => {
            let named = args.named.into_iter().map(|(name, value)| (Value::Str(name), value));
            Value::Dict(Dict::of_pairs(named, &vm.meter)?)
        }
        _ => Value::tuple(args.positional, &vm.meter)?,
    };
    percent::format(vm, &format, values).map(Value::Str)
}

pub(super) fn center<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let width = match args.optional("center", "width")? {
        Some(width) => size("center", &width)?,
        None => 80,
    };
    let text = vm.soft_str(&value)?;
    methods::justified(vm, &text, width, (' ', false), "center").map(Value::Str)
}

pub(super) fn wordcount<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    args.nothing("wordcount")?;
    let text = vm.soft_str(&value)?;
    vm.meter.work(text.len())?;
    let is_word = |c: char| c == '_' || is_alphanumeric(c);
    let words = text.as_str().split(|c| !is_word(c)).filter(|word| !word.is_empty());
    Ok(Value::int(words.count()))
}

pub(super) fn indent<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [width, first, blank] = args.bind("indent", ["width", "first", "blank"], 0)?;
    // The filter adds a newline, so that only strings will do.
    let Value::Str(text) = &value else {
        return operators::binary(BinaryOp::Add, value, Value::text("\n"), vm)
            .and_then(|other| fail(format!("indent wants a string, not {}", other.type_name())));
    };
    let (first, blank) = (super::truthy(first), super::truthy(blank));
    let indent = match width {
        None => Text::trusted("    "),
        Some(Value::Str(indent)) => indent,
        Some(width) => {
            let mut indent = vm.builder();
            indent.fill(' ', size("indent", &width)?, false);
            indent.finish()?
        }
    };
    vm.meter.work(text.len())?;
    let mut out = vm.builder();
    let mut rest = methods::lines(text.as_str(), false);
    // The newline that is added ends the last line, or makes an empty one.
    let ended = text.as_str().is_empty() || methods::lines(text.as_str(), true).last().is_some_and(|last| {
        !rest.last().is_some_and(|plain| plain.len() == last.len())
    });
    if ended {
        rest.push("");
    }
    for (index, line) in rest.into_iter().enumerate() {
        if index > 0 {
            out.trusted("\n");
        }
        let indents = match index {
            0 => first,
            _ => blank || !line.is_empty(),
        };
        if indents {
            out.text(&indent);
        }
        if !line.is_empty() {
            out.text(&text.part(line));
        }
        if out.is_full() {
            break;
        }
    }
    Ok(Value::Str(out.finish()?.marked(text.is_markup())))
}

pub(super) fn truncate<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let names = ["length", "killwords", "end", "leeway"];
    let [length, killwords, end, leeway] = args.bind("truncate", names, 0)?;
    let number = |value: Option<Value<'a>>, otherwise: i128| match value {
        None | Some(Value::None) => Ok(otherwise),
        Some(value) => integer("truncate", &value),
    };
    let length = number(length, 255)?;
    let leeway = number(leeway, 5)?;
    let end = match end {
        Some(end) => super::super::args::string("truncate", end)?,
        None => Text::trusted("..."),
    };
    let end_length = end.as_str().chars().count() as i128;
    if length < end_length || leeway < 0 {
        return fail("truncate wants a length that its end fits into, and a leeway that is not negative");
    }
    let text = super::super::args::string("truncate", value)?;
    if text.as_str().chars().count() as i128 <= length + leeway {
        return Ok(Value::Str(text));
    }
    let mut kept = vm.first_chars(&text, length - end_length)?;
    if !super::truthy(killwords) {
        if let Some(at) = kept.as_str().rfind(' ') {
            kept = kept.slice(0..at);
        }
    }
    operators::binary(BinaryOp::Add, Value::Str(kept), Value::Str(end), vm)
}

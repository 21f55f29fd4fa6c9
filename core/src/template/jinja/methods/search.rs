//! Finding and replacing in strings.

use super::super::args::{Args, integer, string};
use super::super::fault::{Result, fail};
use super::super::text::Text;
use super::super::value::Value;
use super::super::vm::Vm;
use super::affix::within;
use super::or_none;

/// `find`, `rfind`, `index` and `rindex`: places are counted in characters.
pub(super) fn find<'a>(
    vm: &Vm<'a>,
    text: &Text<'a>,
    args: Args<'a>,
    name: &str,
) -> Result<Value<'a>> {
    let [part, start, end] = args.bind(name, ["", "", ""], 1)?;
    let part = string(name, or_none(part))?;
    vm.meter.work(text.len())?;
    let place = within(text, start, end)?.and_then(|(whole, before)| {
        let at = match name.starts_with('r') {
            true => whole.as_str().rfind(part.as_str()),
            false => whole.as_str().find(part.as_str()),
        }?;
        Some(before + whole.as_str()[..at].chars().count())
    });
    match place {
        Some(place) => Ok(Value::int(place)),
        None if name.ends_with("index") => fail("the substring is not in the string"),
        None => Ok(Value::Int(-1)),
    }
}

pub(super) fn count<'a>(vm: &Vm<'a>, text: &Text<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [part, start, end] = args.bind("count", ["", "", ""], 1)?;
    let part = string("count", or_none(part))?;
    vm.meter.work(text.len())?;
    let Some((whole, _)) = within(text, start, end)? else {
        return Ok(Value::Int(0));
    };
    Ok(Value::int(match part.is_empty() {
        true => whole.as_str().chars().count() + 1,
        false => whole.as_str().matches(part.as_str()).count(),
    }))
}

pub(super) fn replace<'a>(vm: &Vm<'a>, text: &Text<'a>, args: Args<'a>) -> Result<Text<'a>> {
    let [old, new, count] = args.bind("replace", ["", "", "count"], 2)?;
    let old = string("replace", or_none(old))?;
    let new = or_none(new);
    let new = match text.is_markup() {
        true => vm.escape(&new)?,
        false => string("replace", new)?,
    };
    let count = match count {
        Some(count) => integer("replace", &count)?,
        None => -1,
    };
    replace_in(vm, text, &old, &new, count)
}

/// Replaces the first `count` places, or all where it is negative.
pub(crate) fn replace_in<'a>(
    vm: &Vm<'a>,
    text: &Text<'a>,
    old: &Text<'a>,
    new: &Text<'a>,
    count: i128,
) -> Result<Text<'a>> {
    let most = usize::try_from(count).unwrap_or(usize::MAX);
    let whole = text.as_str();
    vm.meter.work(whole.len())?;
    let mut places: Box<dyn Iterator<Item = usize>> = match old.is_empty() {
        true => Box::new(whole.char_indices().map(|(at, _)| at).chain([whole.len()])),
        false => Box::new(memchr::memmem::find_iter(whole.as_bytes(), old.as_str())),
    };
    let mut places = places.by_ref().take(most).peekable();
    if places.peek().is_none() {
        return Ok(text.clone());
    }
    let mut out = vm.builder();
    let mut done = 0;
    for at in places {
        vm.meter.step()?;
        out.text(&text.slice(done..at));
        out.text(new);
        done = at + old.len();
        if out.is_full() {
            break;
        }
    }
    out.text(&text.slice(done..whole.len()));
    Ok(out.finish()?.marked(text.is_markup()))
}

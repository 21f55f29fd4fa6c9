//! Methods of strings: which function does what.

use super::super::args::{Args, string};
use super::super::fault::Result;
use super::super::format::braces;
use super::super::text::Text;
use super::super::value::Value;
use super::super::vm::Vm;
use super::{affix, cases, kinds, search, split, unsupported};

pub(super) fn call<'a>(
    vm: &mut Vm<'a>,
    text: &Text<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>> {
    vm.meter.work(text.len())?;
    let done = match name {
        "strip" => affix::strip(text, args, true, true)?,
        "lstrip" => affix::strip(text, args, true, false)?,
        "rstrip" => affix::strip(text, args, false, true)?,
        "removeprefix" | "removesuffix" => affix::remove(text, args, name)?,
        "startswith" | "endswith" => return affix::has(text, args, name),
        "center" | "ljust" | "rjust" => affix::justify(vm, text, args, name)?,
        "zfill" => affix::zfill(vm, text, args)?,
        "expandtabs" => affix::expandtabs(vm, text, args)?,
        "split" | "rsplit" => return split::split(vm, text, args, name == "rsplit"),
        "splitlines" => return split::splitlines(vm, text, args),
        "partition" | "rpartition" => return split::partition(vm, text, args, name),
        "join" => join(vm, text, args)?,
        "replace" => search::replace(vm, text, args)?,
        "find" | "rfind" | "index" | "rindex" => return search::find(vm, text, args, name),
        "count" => return search::count(vm, text, args),
        "format" => braces::format(vm, text, args)?,
        "format_map" => braces::format_map(vm, text, args)?,
        "upper" | "lower" | "title" | "capitalize" | "swapcase" | "casefold" => {
            args.nothing(name)?;
            cases::change(vm, text, name)?
        }
        "striptags" => {
            args.nothing(name)?;
            vm.strip_tags(text)?
        }
        "unescape" => {
            args.nothing(name)?;
            vm.unescape(text)?
        }
        "escape" => {
            let value = args.single(name)?;
            vm.escape(&value)?
        }
        _ if name.starts_with("is") => {
            args.nothing(name)?;
            return Ok(Value::Bool(kinds::is(text.as_str(), name)));
        }
        _ => return unsupported(&Value::Str(text.clone()), name),
    };
    Ok(Value::Str(done))
}

/// `text.join(items)`
fn join<'a>(vm: &mut Vm<'a>, text: &Text<'a>, args: Args<'a>) -> Result<Text<'a>> {
    let items = args.single("join")?;
    let mut items = vm.iterate(&items)?;
    let mut out = vm.builder();
    let mut first = true;
    while let Some(item) = vm.next(&mut items)? {
        vm.meter.step()?;
        if !std::mem::take(&mut first) {
            out.text(text);
        }
        match text.is_markup() {
            true => out.text(&vm.escape(&item)?),
            false => out.text(&string("join", item)?),
        }
    }
    Ok(out.finish()?.marked(text.is_markup()))
}

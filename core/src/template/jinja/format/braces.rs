//! `str.format`.

use super::super::args::Args;
use super::super::fault::{Result, fail};
use super::super::methods;
use super::super::repr;
use super::super::text::{Builder, Text};
use super::super::value::Value;
use super::super::vm::Vm;
use super::spec;

/// Formats inside formats: `{:{width}}`.
const DEPTH: usize = 2;

/// `format.format(*args, **kwargs)`
pub(crate) fn format<'a>(vm: &mut Vm<'a>, format: &Text<'a>, args: Args<'a>) -> Result<Text<'a>> {
    let mut formatter = Formatter {
        args,
        next: Some(0),
    };
    let mut out = vm.builder();
    formatter.write(vm, &mut out, format, DEPTH)?;
    Ok(out.finish()?.marked(format.is_markup()))
}

/// `format.format_map(mapping)`
pub(crate) fn format_map<'a>(
    vm: &mut Vm<'a>,
    format: &Text<'a>,
    args: Args<'a>,
) -> Result<Text<'a>> {
    let Value::Dict(mapping) = args.single("format_map")? else {
        return fail("format_map wants a mapping");
    };
    let mut args = Args::none();
    for (name, value) in mapping.pairs() {
        if let Value::Str(name) = name {
            args.named.push((name.clone(), value.clone()));
        }
    }
    self::format(vm, format, args)
}

struct Formatter<'a> {
    args: Args<'a>,
    /// The number of the next `{}`; unset once a field had a number of its own.
    next: Option<usize>,
}

impl<'a> Formatter<'a> {
    fn write(
        &mut self,
        vm: &mut Vm<'a>,
        out: &mut Builder,
        format: &Text<'a>,
        depth: usize,
    ) -> Result<()> {
        let whole = format.as_str();
        let mut at = 0;
        while let Some(found) = whole[at..].find(['{', '}']) {
            let brace = at + found;
            out.text(&format.slice(at..brace));
            if whole[brace..].starts_with("{{") || whole[brace..].starts_with("}}") {
                out.text(&format.slice(brace..brace + 1));
                at = brace + 2;
                continue;
            }
            if whole[brace..].starts_with('}') {
                return fail("a format has a single '}'");
            }
            let Some(end) = closing(&whole[brace + 1..]) else {
                return fail("a format has a '{' that does not end");
            };
            let field = format.slice(brace + 1..brace + 1 + end);
            self.field(vm, out, &field, depth)?;
            at = brace + end + 2;
        }
        out.text(&format.slice(at..whole.len()));
        Ok(())
    }

    fn field(
        &mut self,
        vm: &mut Vm<'a>,
        out: &mut Builder,
        field: &Text<'a>,
        depth: usize,
    ) -> Result<()> {
        vm.meter.step()?;
        if depth == 0 {
            return fail("a format is nested too deeply");
        }
        let whole = field.as_str();
        let mut in_brackets = false;
        let name_end = whole.find(|c: char| {
            in_brackets = (in_brackets || c == '[') && c != ']';
            !in_brackets && matches!(c, '!' | ':')
        });
        let name_end = name_end.unwrap_or(whole.len());
        let mut rest = &whole[name_end..];
        let mut conversion = None;
        if let Some(after) = rest.strip_prefix('!') {
            let mut characters = after.chars();
            conversion = characters.next();
            rest = characters.as_str();
        }
        let inner = match rest.strip_prefix(':') {
            Some(inner) => inner,
            None if rest.is_empty() => "",
            None => return fail("a format expects ':' after the conversion"),
        };
        let value = self.value(vm, &whole[..name_end])?;
        let value = match conversion {
            None => value,
            Some('s') => Value::Str(vm.str(&value)?),
            Some('r' | 'a') => {
                let mut shown = vm.builder();
                repr::repr_into(&mut shown, &value, &vm.meter)?;
                Value::Str(shown.finish()?)
            }
            Some(other) => return fail(format!("'{other}' is not a conversion")),
        };
        let mut inner_spec = vm.builder();
        let inner = field.part(inner);
        self.write(vm, &mut inner_spec, &inner, depth - 1)
            .or_else(|fault| if inner.is_empty() { Ok(()) } else { Err(fault) })?;
        if !field.is_markup() {
            return spec::apply(vm, out, &value, inner_spec.as_str());
        }
        let mut plain = vm.builder();
        spec::apply(vm, &mut plain, &value, inner_spec.as_str())?;
        let markup = matches!(&value, Value::Str(text) if text.is_markup());
        let plain = plain.finish()?;
        match markup {
            true => out.text(&plain),
            false => out.text(&vm.escape_text(&plain)?),
        }
        Ok(())
    }

    /// `name.attribute[index]`
    fn value(&mut self, vm: &mut Vm<'a>, name: &str) -> Result<Value<'a>> {
        let end = name.find(['.', '[']).unwrap_or(name.len());
        let mut value = self.first(&name[..end])?;
        let mut rest = &name[end..];
        while !rest.is_empty() {
            vm.meter.step()?;
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                value = attribute(vm, &value, &after[..end])?;
                rest = &after[end..];
            } else if !rest.starts_with('[') {
                return fail("in a format only '.' and '[' may follow a ']'");
            } else if let Some((key, after)) = rest[1..].split_once(']') {
                let key = match key.parse() {
                    Ok(index) => Value::Int(index),
                    Err(_) => Value::Str(vm.copy(key)?),
                };
                value = vm.get_item(&value, key)?;
                rest = after;
            } else {
                return fail("a format has a '[' that does not end");
            }
        }
        Ok(value)
    }

    fn first(&mut self, name: &str) -> Result<Value<'a>> {
        let number = match (name.is_empty(), self.next) {
            (true, Some(next)) => {
                self.next = Some(next + 1);
                Some(next)
            }
            (true, None) => return fail("a format mixes '{}' and '{0}'"),
            (false, next) => {
                let number = name.parse().ok();
                if number.is_some() {
                    if next.is_some_and(|next| next > 0) {
                        return fail("a format mixes '{}' and '{0}'");
                    }
                    self.next = None;
                }
                number
            }
        };
        let found = match number {
            Some(number) => self.args.positional.get(number),
            None => {
                let named = self.args.named.iter();
                named
                    .rev()
                    .find(|(known, _)| known.as_str() == name)
                    .map(|(_, value)| value)
            }
        };
        match found {
            Some(value) => Ok(value.clone()),
            None => fail(format!(
                "there is nothing for the format's field '{{{name}}}'"
            )),
        }
    }
}

/// Attributes by names that only the format knows: items, and what needs no name to be kept.
fn attribute<'a>(vm: &mut Vm<'a>, of: &Value<'a>, name: &str) -> Result<Value<'a>> {
    if let Some(known) = methods::known_name(name) {
        if let Some(found) = vm.attribute(of, known)? {
            return Ok(found);
        }
    }
    let name = vm.copy(name)?;
    vm.get_item(of, Value::Str(name))
}

/// The place of the brace that closes the field.
fn closing(text: &str) -> Option<usize> {
    let mut open = 1;
    text.char_indices().find_map(|(at, c)| {
        match c {
            '{' => open += 1,
            '}' => open -= 1,
            _ => {}
        }
        (open == 0).then_some(at)
    })
}

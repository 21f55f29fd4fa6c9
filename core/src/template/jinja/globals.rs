//! The functions that every template has.

use std::rc::Rc;

use super::args::{Args, integer, string};
use super::clock;
use super::dict::Dict;
use super::fault::{Fault, Result, fail};
use super::value::{Cycler, Joiner, Range, Undefined, Value};
use super::vm::Vm;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Function {
    Range,
    Dict,
    Namespace,
    Cycler,
    Joiner,
    Lipsum,
    RaiseException,
    StrftimeNow,
}

/// Names and functions, as jinja2 and transformers set them.
const GLOBALS: [(&str, Function); 8] = [
    ("range", Function::Range),
    ("dict", Function::Dict),
    ("namespace", Function::Namespace),
    ("cycler", Function::Cycler),
    ("joiner", Function::Joiner),
    ("lipsum", Function::Lipsum),
    ("raise_exception", Function::RaiseException),
    ("strftime_now", Function::StrftimeNow),
];

/// The largest range that jinja2's sandbox makes.
const MAX_RANGE: usize = 100_000;

/// A global function, else an unset variable.
pub(crate) fn find<'a>(name: &str) -> Value<'a> {
    match GLOBALS.iter().find(|(known, _)| *known == name) {
        Some((_, function)) => Value::Function(*function),
        None => Value::Undefined(Undefined::Unset),
    }
}

pub(crate) fn call<'a>(vm: &mut Vm<'a>, function: Function, args: Args<'a>) -> Result<Value<'a>> {
    match function {
        Function::Range => range(args),
        Function::Dict => Ok(Value::Dict(dict(vm, args)?)),
        Function::Namespace => {
            let mut fields = Vec::new();
            for (name, value) in dict(vm, args)?.pairs() {
                let Value::Str(name) = name else {
                    return fail("the fields of a namespace are named by strings");
                };
                check_field(name.as_str())?;
                fields.push((name.clone(), value.clone()));
            }
            vm.new_namespace(fields)
        }
        Function::Cycler => {
            if args.positional.is_empty() || !args.named.is_empty() {
                return fail("cycler needs items, by position");
            }
            Ok(Value::Cycler(Rc::new(Cycler::new(args.positional)?)))
        }
        Function::Joiner => {
            let separator = args.optional("joiner", "sep")?;
            let joiner = Joiner::new(separator.unwrap_or(Value::text(", ")))?;
            Ok(Value::Joiner(Rc::new(joiner)))
        }
        Function::Lipsum => fail("lipsum has no text here"),
        Function::RaiseException => {
            let [message] = args.bind("raise_exception", ["message"], 1)?;
            let message = message.unwrap_or(Value::None);
            Err(Fault::raised(vm.str(&message)?.as_str()))
        }
        Function::StrftimeNow => {
            let [format] = args.bind("strftime_now", ["format"], 1)?;
            let format = string("strftime_now", format.unwrap_or(Value::None))?;
            let mut out = vm.builder();
            clock::strftime(vm.now, &format, &mut out);
            Ok(Value::Str(out.finish()?))
        }
    }
}

/// transformers keeps fields that begin with an underscore out of namespaces.
pub(crate) fn check_field(name: &str) -> Result<()> {
    match name.starts_with('_') {
        true => fail(format!(
            "the field '{name}' of a namespace begins with an underscore, which is not allowed"
        )),
        false => Ok(()),
    }
}

fn range<'a>(args: Args<'a>) -> Result<Value<'a>> {
    let [first, second, step] = args.bind("range", ["", "", ""], 1)?;
    let int = |value: Option<Value<'a>>, otherwise: i128| match value {
        Some(value) => integer("range", &value),
        None => Ok(otherwise),
    };
    let (start, stop) = match second {
        None => (0, int(first, 0)?),
        Some(_) => (int(first, 0)?, int(second, 0)?),
    };
    let range = Range {
        start,
        stop,
        step: int(step, 1)?,
    };
    if range.step == 0 {
        return fail("range cannot have a step of zero");
    }
    let fits = |bound: i128| bound.unsigned_abs() <= u128::from(u64::MAX);
    if !(fits(range.start) && fits(range.stop) && fits(range.step)) || range.len() > MAX_RANGE {
        return fail(format!("a range may have {MAX_RANGE} items at the most"));
    }
    Ok(Value::Range(Rc::new(range)))
}

/// `dict(mapping_or_pairs, **named)`
pub(crate) fn dict<'a>(vm: &mut Vm<'a>, args: Args<'a>) -> Result<Rc<Dict<'a>>> {
    let mut pairs = Vec::new();
    let mut positional = args.positional.into_iter();
    match positional.next() {
        None => {}
        Some(Value::Dict(dict)) => {
            vm.meter.bytes(dict.len() * 2 * size_of::<Value>())?;
            pairs.extend_from_slice(dict.pairs());
        }
        Some(Value::Undefined(undefined)) => return Err(undefined.fault()),
        Some(Value::Namespace(_)) => return fail("a namespace is no mapping"),
        Some(other) => {
            let mut items = vm.iterate(&other)?;
            while let Some(item) = vm.next(&mut items)? {
                match <[Value<'a>; 2]>::try_from(vm.collect(&item)?) {
                    Ok([key, value]) => pairs.push((key, value)),
                    Err(_) => return fail("dict wants pairs"),
                }
            }
        }
    }
    if positional.next().is_some() {
        return fail("dict takes at most one argument by position");
    }
    let named = args
        .named
        .into_iter()
        .map(|(name, value)| (Value::Str(name), value));
    Dict::of_pairs(pairs.into_iter().chain(named), &vm.meter)
}

//! Methods of Python's built-in types.

mod affix;
mod cases;
mod containers;
mod kinds;
mod search;
mod split;
mod strings;

use super::args::Args;
use super::fault::{Result, fail};
use super::value::{Undefined, Value};
use super::vm::Vm;

pub(crate) use affix::{justified, strip_of};
pub(crate) use kinds::is as is_kind;
pub(crate) use search::replace_in;
pub(crate) use split::{ends_line, lines};

const STR: &[&str] = &[
    "strip",
    "split",
    "replace",
    "startswith",
    "endswith",
    "lstrip",
    "rstrip",
    "join",
    "upper",
    "lower",
    "title",
    "capitalize",
    "find",
    "format",
    "count",
    "index",
    "rfind",
    "rindex",
    "rsplit",
    "splitlines",
    "partition",
    "rpartition",
    "removeprefix",
    "removesuffix",
    "swapcase",
    "casefold",
    "center",
    "ljust",
    "rjust",
    "zfill",
    "expandtabs",
    "isalnum",
    "isalpha",
    "isascii",
    "isdecimal",
    "isdigit",
    "isidentifier",
    "islower",
    "isnumeric",
    "isprintable",
    "isspace",
    "istitle",
    "isupper",
    "format_map",
    "encode",
    "translate",
    "maketrans",
];
const MARKUP: &[&str] = &["striptags", "unescape", "escape"];
const DICT: &[&str] = &["items", "get", "keys", "values", "copy", "fromkeys"];
const DICT_CHANGES: &[&str] = &["clear", "pop", "popitem", "setdefault", "update"];
const LIST: &[&str] = &["index", "count", "copy"];
const LIST_CHANGES: &[&str] = &[
    "append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove",
];
const SEQUENCE: &[&str] = &["index", "count"];
const VIEW: &[&str] = &["isdisjoint", "mapping"];
const INT: &[&str] = &["bit_length", "bit_count", "conjugate", "is_integer"];
const FLOAT: &[&str] = &["is_integer", "conjugate", "hex", "as_integer_ratio"];
const CYCLER: &[&str] = &["next", "reset"];
const LOOP: &[&str] = &["cycle", "changed"];

/// Attributes that are no methods.
const PLAIN: &[&str] = &[
    "real",
    "imag",
    "numerator",
    "denominator",
    "start",
    "stop",
    "step",
    "name",
    "arguments",
    "current",
    "grouper",
    "list",
    "index0",
    "first",
    "last",
    "length",
    "revindex",
    "revindex0",
    "depth",
    "depth0",
    "previtem",
    "nextitem",
];

fn table(of: &Value<'_>) -> &'static [&'static str] {
    match of {
        Value::Str(_) => STR,
        Value::Dict(_) => DICT,
        Value::List(_) => LIST,
        Value::Tuple(_) | Value::Range(_) => SEQUENCE,
        Value::View(..) => VIEW,
        Value::Int(_) | Value::Bool(_) => INT,
        Value::Float(_) => FLOAT,
        Value::Cycler(_) => CYCLER,
        Value::Loop(_) => LOOP,
        _ => &[],
    }
}

/// Whether a value has a method that templates may call.
pub(crate) fn exists(of: &Value<'_>, name: &str) -> bool {
    table(of).contains(&name)
        || matches!(of, Value::Str(text) if text.is_markup() && MARKUP.contains(&name))
}

/// Whether the method would change its value, which the sandbox forbids.
pub(crate) fn changes(of: &Value<'_>, name: &str) -> bool {
    match of {
        Value::Dict(_) => DICT_CHANGES.contains(&name),
        Value::List(_) => LIST_CHANGES.contains(&name),
        _ => false,
    }
}

/// Whether dictionaries have a method of that name, be it one that templates may not call.
pub(crate) fn is_of_dict(name: &str) -> bool {
    DICT.contains(&name) || DICT_CHANGES.contains(&name)
}

/// Whether strings have a method of that name.
pub(crate) fn is_of_str(name: &str) -> bool {
    STR.contains(&name) || MARKUP.contains(&name)
}

/// A name that some type has an attribute of.
pub(crate) fn known_name(name: &str) -> Option<&'static str> {
    let tables = [
        STR,
        MARKUP,
        DICT,
        DICT_CHANGES,
        LIST,
        LIST_CHANGES,
        VIEW,
        INT,
        FLOAT,
        CYCLER,
        LOOP,
        PLAIN,
    ];
    tables
        .into_iter()
        .flatten()
        .copied()
        .find(|known| *known == name)
}

/// `int.real` and the like.
pub(crate) fn number_attribute<'a>(of: &Value<'a>, name: &str) -> Option<Value<'a>> {
    match (of, name) {
        (Value::Float(_), "real") => Some(of.clone()),
        (Value::Float(_), "imag") => Some(Value::Float(0.0)),
        (_, "real" | "numerator") => of.as_int().map(Value::Int),
        (_, "imag") => Some(Value::Int(0)),
        (Value::Int(_) | Value::Bool(_), "denominator") => Some(Value::Int(1)),
        _ => None,
    }
}

/// `of.name(args)`
pub(crate) fn call<'a>(
    vm: &mut Vm<'a>,
    of: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>> {
    vm.meter.step()?;
    match of {
        Value::Str(text) => strings::call(vm, text, name, args),
        Value::Dict(dict) => containers::dict(vm, dict, name, args),
        Value::List(seq) if name == "copy" => {
            args.nothing("copy")?;
            Ok(Value::List(seq.clone()))
        }
        Value::List(_) | Value::Tuple(_) | Value::Range(_) => {
            containers::sequence(vm, of, name, args)
        }
        Value::View(_, dict) => containers::view(vm, dict, name, args),
        Value::Cycler(cycler) => {
            args.nothing(name)?;
            let at = cycler.at.get();
            if name == "reset" {
                cycler.at.set(0);
                return Ok(Value::None);
            }
            cycler.at.set((at + 1) % cycler.items.len());
            Ok(cycler.items[at].clone())
        }
        Value::Loop(inside) => vm.loop_method(&inside.clone(), name, args),
        Value::Undefined(undefined) => Err(undefined.fault()),
        number => {
            args.nothing(name)?;
            number_method(number, name)
        }
    }
}

fn number_method<'a>(of: &Value<'a>, name: &str) -> Result<Value<'a>> {
    Ok(match (of, of.as_int(), name) {
        (Value::Float(float), _, "is_integer") => {
            Value::Bool(float.is_finite() && float.fract() == 0.0)
        }
        (Value::Float(_), _, "conjugate") => of.clone(),
        (_, Some(_), "is_integer") => Value::Bool(true),
        (_, Some(int), "conjugate") => Value::Int(int),
        (_, Some(int), "bit_length") => {
            Value::Int(i128::from(128 - int.unsigned_abs().leading_zeros()))
        }
        (_, Some(int), "bit_count") => Value::Int(i128::from(int.unsigned_abs().count_ones())),
        _ => {
            return fail(format!(
                "the method '{name}' of {} is not supported",
                of.type_name()
            ));
        }
    })
}

/// A method that exists in Python and has no use in a chat template.
fn unsupported<'a>(of: &Value<'a>, name: &str) -> Result<Value<'a>> {
    fail(format!(
        "the method '{name}' of {} is not supported",
        of.type_name()
    ))
}

/// `none` for a missing value.
fn or_none(value: Option<Value<'_>>) -> Value<'_> {
    value.unwrap_or(Value::None)
}

/// An argument that may be left out or be none.
fn given(value: Option<Value<'_>>) -> Result<Option<Value<'_>>> {
    match value {
        None | Some(Value::None) => Ok(None),
        Some(Value::Undefined(undefined)) => {
            let undefined: Undefined<'_> = undefined;
            Err(undefined.fault())
        }
        Some(value) => Ok(Some(value)),
    }
}

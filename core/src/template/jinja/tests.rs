//! What follows `is`.

use super::args::{Args, string};
use super::compare::{equal, order, same};
use super::fault::{Result, fail};
use super::filters;
use super::methods;
use super::operators;
use super::ast::BinaryOp;
use super::value::Value;
use super::vm::Vm;

/// A test. The value is not among the arguments.
pub(crate) type Test = for<'a> fn(&mut Vm<'a>, &Value<'a>, Args<'a>) -> Result<bool>;

/// The test of that name.
pub(crate) fn find(name: &str) -> Option<Test> {
    Some(match name {
        "defined" => |_, value, args| none(args, !value.is_undefined()),
        "undefined" => |_, value, args| none(args, value.is_undefined()),
        "none" => |_, value, args| none(args, matches!(value, Value::None)),
        "string" => |_, value, args| none(args, matches!(value, Value::Str(_))),
        "mapping" => |_, value, args| none(args, matches!(value, Value::Dict(_))),
        "boolean" => |_, value, args| none(args, matches!(value, Value::Bool(_))),
        "true" => |_, value, args| none(args, matches!(value, Value::Bool(true))),
        "false" => |_, value, args| none(args, matches!(value, Value::Bool(false))),
        "integer" => |_, value, args| none(args, matches!(value, Value::Int(_))),
        "float" => |_, value, args| none(args, matches!(value, Value::Float(_))),
        "number" => |_, value, args| none(args, operators::as_float(value).is_some()),
        "iterable" => |vm, value, args| {
            let is = vm.iterate(value).is_ok();
            none(args, is)
        },
        "sequence" => |_, value, args| none(args, is_sequence(value)),
        "callable" => |_, value, args| none(args, is_callable(value)),
        "escaped" => |_, value, args| {
            none(args, matches!(value, Value::Str(text) if text.is_markup()))
        },
        "lower" => |vm, value, args| {
            let text = vm.str(value)?;
            none(args, methods::is_kind(text.as_str(), "islower"))
        },
        "upper" => |vm, value, args| {
            let text = vm.str(value)?;
            none(args, methods::is_kind(text.as_str(), "isupper"))
        },
        "odd" => |vm, value, args| {
            let rest = rest(vm, value, Value::Int(2))?;
            none(args, matches!(rest, Value::Int(1) | Value::Float(1.0)))
        },
        "even" => |vm, value, args| {
            let rest = rest(vm, value, Value::Int(2))?;
            none(args, !rest.is_true())
        },
        "divisibleby" => |vm, value, args| {
            let [by] = args.bind("divisibleby", ["num"], 1)?;
            let rest = rest(vm, value, by.unwrap_or(Value::None))?;
            Ok(matches!(rest, Value::Int(_) | Value::Float(_)) && !rest.is_true())
        },
        "sameas" => |_, value, args| {
            let [other] = args.bind("sameas", ["other"], 1)?;
            Ok(same(value, &other.unwrap_or(Value::None)))
        },
        "in" => |vm, value, args| {
            let [seq] = args.bind("in", ["seq"], 1)?;
            operators::contains(&seq.unwrap_or(Value::None), value, vm)
        },
        "filter" => |_, value, args| {
            args.nothing("filter")?;
            Ok(match value {
                Value::Str(name) => filters::find(name.as_str()).is_some(),
                other => hashable(other)?,
            })
        },
        "test" => |_, value, args| {
            args.nothing("test")?;
            Ok(match value {
                Value::Str(name) => find(name.as_str()).is_some(),
                other => hashable(other)?,
            })
        },
        "==" | "eq" | "equalto" => |vm, value, args| {
            let other = args.single("eq")?;
            equal(value, &other, &vm.meter)
        },
        "!=" | "ne" => |vm, value, args| {
            let other = args.single("ne")?;
            Ok(!equal(value, &other, &vm.meter)?)
        },
        ">" | "gt" | "greaterthan" => |vm, value, args| {
            let other = args.single("gt")?;
            Ok(order(value, &other, ">", &vm.meter)?.is_some_and(std::cmp::Ordering::is_gt))
        },
        ">=" | "ge" => |vm, value, args| {
            let other = args.single("ge")?;
            Ok(order(value, &other, ">=", &vm.meter)?.is_some_and(std::cmp::Ordering::is_ge))
        },
        "<" | "lt" | "lessthan" => |vm, value, args| {
            let other = args.single("lt")?;
            Ok(order(value, &other, "<", &vm.meter)?.is_some_and(std::cmp::Ordering::is_lt))
        },
        "<=" | "le" => |vm, value, args| {
            let other = args.single("le")?;
            Ok(order(value, &other, "<=", &vm.meter)?.is_some_and(std::cmp::Ordering::is_le))
        },
        _ => return None,
    })
}

/// Calls a test by its name.
pub(crate) fn call<'a>(
    vm: &mut Vm<'a>,
    name: &Value<'a>,
    value: &Value<'a>,
    args: Args<'a>,
) -> Result<bool> {
    let name = string("the name of a test", name.clone())?;
    match find(name.as_str()) {
        Some(test) => test(vm, value, args),
        None => fail(format!("there is no test named '{}'", name.as_str())),
    }
}

/// The answer of a test that takes no arguments.
fn none(args: Args<'_>, answer: bool) -> Result<bool> {
    args.nothing("the test").map(|()| answer)
}

fn rest<'a>(vm: &mut Vm<'a>, value: &Value<'a>, by: Value<'a>) -> Result<Value<'a>> {
    operators::binary(BinaryOp::Modulo, value.clone(), by, vm)
}

/// What may be looked for among names, and is none.
fn hashable(value: &Value<'_>) -> Result<bool> {
    super::compare::hash(value).map(|_| false)
}

/// It has a length and items.
fn is_sequence(value: &Value<'_>) -> bool {
    matches!(
        value,
        Value::Undefined(_)
            | Value::Str(_)
            | Value::List(_)
            | Value::Tuple(_)
            | Value::Dict(_)
            | Value::Range(_)
    )
}

fn is_callable(value: &Value<'_>) -> bool {
    matches!(
        value,
        // jinja2's undefined value has a method for calls, if one that fails.
        Value::Undefined(_)
            | Value::Function(_)
            | Value::Macro(_)
            | Value::Method(_)
            | Value::Loop(_)
            | Value::Joiner(_)
            | Value::Block(_)
    )
}

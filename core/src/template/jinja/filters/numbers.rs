//! Filters over numbers.

use super::super::args::{Args, integer, string};
use super::super::ast::BinaryOp;
use super::super::fault::{Fault, Result, fail};
use super::super::numbers::{float_to_int, parse_float, parse_int};
use super::super::operators;
use super::super::text::Text;
use super::super::value::Value;
use super::super::vm::Vm;
use super::paths::Path;

pub(super) fn abs<'a>(_: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("abs")?;
    match &value {
        Value::Float(float) => Ok(Value::Float(float.abs())),
        other => match other.as_int() {
            Some(int) => int.checked_abs().map(Value::Int).ok_or_else(too_large),
            None => fail(format!("abs wants a number, not {}", other.type_name())),
        },
    }
}

fn too_large() -> Box<Fault> {
    Fault::limit("an integer is larger than 128 bits hold")
}

pub(super) fn int<'a>(_: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [otherwise, base] = args.bind("int", ["default", "base"], 0)?;
    let base = match base {
        Some(base) => integer("int", &base)?,
        None => 10,
    };
    let int = match &value {
        Value::Str(text) => {
            let base = u32::try_from(base).ok().filter(|base| matches!(base, 0 | 2..=36));
            let whole = base.and_then(|base| parse_int(text.as_str(), base));
            whole.or_else(|| parse_float(text.as_str()).and_then(float_to_int))
        }
        Value::Float(float) if float.is_infinite() => return fail("infinity is no integer"),
        Value::Float(float) => float_to_int(*float),
        Value::Undefined(undefined) => return Err(undefined.fault()),
        other => other.as_int(),
    };
    Ok(match int {
        Some(int) => Value::Int(int),
        None => otherwise.unwrap_or(Value::Int(0)),
    })
}

pub(super) fn float<'a>(_: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let otherwise = args.optional("float", "default")?;
    let float = match &value {
        Value::Str(text) => parse_float(text.as_str()),
        Value::Undefined(undefined) => return Err(undefined.fault()),
        other => operators::as_float(other),
    };
    Ok(match float {
        Some(float) => Value::Float(float),
        None => otherwise.unwrap_or(Value::Float(0.0)),
    })
}

pub(super) fn round<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [precision, method] = args.bind("round", ["precision", "method"], 0)?;
    let precision = match precision {
        Some(precision) => integer("round", &precision)?,
        None => 0,
    };
    let method = match method {
        Some(method) => string("round", method)?,
        None => Text::trusted("common"),
    };
    if method.as_str() == "common" {
        return match &value {
            Value::Float(float) => {
                Ok(Value::Float(super::super::numbers::round(*float, precision)))
            }
            other => match other.as_int() {
                Some(int) => round_int(int, precision).map(Value::Int),
                None => fail(format!("round wants a number, not {}", other.type_name())),
            },
        };
    }
    let scale = operators::binary(BinaryOp::Power, Value::Int(10), Value::Int(precision), vm)?;
    let scaled = operators::binary(BinaryOp::Multiply, value, scale.clone(), vm)?;
    let whole = match (&scaled, method.as_str()) {
        (Value::Float(float), "ceil") => float_to_int(float.ceil()),
        (Value::Float(float), "floor") => float_to_int(float.floor()),
        (other, "ceil" | "floor") => other.as_int(),
        _ => return fail("the method of round is common, ceil or floor"),
    };
    let whole = whole.map(Value::Int).ok_or_else(too_large)?;
    operators::binary(BinaryOp::Divide, whole, scale, vm)
}

/// Halves to even, at tens, hundreds ... for a negative precision.
fn round_int(int: i128, precision: i128) -> Result<i128> {
    if precision >= 0 {
        return Ok(int);
    }
    let power = u32::try_from(precision.unsigned_abs()).ok();
    let Some(unit) = power.and_then(|power| 10_i128.checked_pow(power)) else {
        return Ok(0);
    };
    let below = int.div_euclid(unit);
    let rest = int.rem_euclid(unit);
    let up = rest > unit / 2 || (rest == unit / 2 && below % 2 != 0);
    (below + i128::from(up)).checked_mul(unit).ok_or_else(too_large)
}

pub(super) fn filesizeformat<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    let binary = super::truthy(args.optional("filesizeformat", "binary")?);
    let bytes = match &value {
        Value::Str(text) => parse_float(text.as_str()),
        Value::Undefined(undefined) => return Err(undefined.fault()),
        other => operators::as_float(other),
    };
    let Some(bytes) = bytes else {
        return fail(format!("filesizeformat wants a number, not {}", value.type_name()));
    };
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    let prefixes = match binary {
        true => ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"],
        false => ["kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"],
    };
    let text = if bytes == 1.0 {
        "1 Byte".to_owned()
    } else if bytes < base {
        format!("{} Bytes", bytes.trunc())
    } else {
        let last = prefixes.len() - 1;
        let mut unit = base * base;
        let mut index = 0;
        while bytes >= unit && index < last {
            unit *= base;
            index += 1;
        }
        format!("{:.1} {}", base * bytes / unit, prefixes[index])
    };
    vm.copy(&text).map(Value::Str)
}

pub(super) fn sum<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [attribute, start] = args.bind("sum", ["attribute", "start"], 0)?;
    let mut total = start.unwrap_or(Value::Int(0));
    if matches!(total, Value::Str(_)) {
        return fail("sum cannot add strings; use join");
    }
    let path = Path::new(attribute, None, false);
    let mut items = vm.iterate(&value)?;
    while let Some(item) = vm.next(&mut items)? {
        let item = path.follow(vm, &item)?;
        total = operators::binary(BinaryOp::Add, total, item, vm)?;
    }
    Ok(total)
}

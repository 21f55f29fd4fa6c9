//! Arithmetic and `in`.

use std::rc::Rc;

use super::ast::BinaryOp;
use super::compare::{equal, same};
use super::fault::{Fault, Result, fail};
use super::format::percent;
use super::numbers;
use super::text::Text;
use super::value::{Value, View};
use super::vm::Vm;

impl BinaryOp {
    fn symbol(self) -> &'static str {
        match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::FloorDivide => "//",
            Self::Modulo => "%",
            Self::Power => "**",
        }
    }
}

/// `left op right`
pub(crate) fn binary<'a>(
    op: BinaryOp,
    left: Value<'a>,
    right: Value<'a>,
    vm: &mut Vm<'a>,
) -> Result<Value<'a>> {
    vm.meter.step()?;
    if let (BinaryOp::Modulo, Value::Str(format)) = (op, &left) {
        return percent::format(vm, format, right).map(Value::Str);
    }
    if let Value::Undefined(undefined) = &left {
        return Err(undefined.fault());
    }
    if let Value::Undefined(undefined) = &right {
        return Err(undefined.fault());
    }
    if let (Some(a), Some(b)) = (left.as_int(), right.as_int()) {
        return integers(op, a, b);
    }
    if let (Some(a), Some(b)) = (as_float(&left), as_float(&right)) {
        return floats(op, a, b).map(Value::Float);
    }
    match op {
        BinaryOp::Add => add(left, right, vm),
        BinaryOp::Multiply => multiply(left, right, vm),
        _ => mismatch(op, &left, &right),
    }
}

fn mismatch<'a>(op: BinaryOp, left: &Value<'a>, right: &Value<'a>) -> Result<Value<'a>> {
    fail(format!(
        "unsupported operand types for {}: '{}' and '{}'",
        op.symbol(),
        left.type_name(),
        right.type_name()
    ))
}

/// A number as a float; `None` for what is no number.
pub(crate) fn as_float(value: &Value<'_>) -> Option<f64> {
    match value {
        Value::Float(float) => Some(*float),
        other => other.as_int().map(|int| int as f64),
    }
}

fn too_large() -> Box<Fault> {
    Fault::limit("an integer is larger than 128 bits hold")
}

fn integers<'a>(op: BinaryOp, a: i128, b: i128) -> Result<Value<'a>> {
    let int = match op {
        BinaryOp::Add => a.checked_add(b),
        BinaryOp::Subtract => a.checked_sub(b),
        BinaryOp::Multiply => a.checked_mul(b),
        BinaryOp::Divide => return floats(op, a as f64, b as f64).map(Value::Float),
        BinaryOp::FloorDivide | BinaryOp::Modulo if b == 0 => {
            return fail("integer division or modulo by zero");
        }
        BinaryOp::FloorDivide => a.checked_div_euclid(b).map(|quotient| {
            // Euclid's quotient differs from the floor for negative divisors that leave a rest.
            match b < 0 && a.rem_euclid(b) != 0 {
                true => quotient - 1,
                false => quotient,
            }
        }),
        BinaryOp::Modulo => a
            .checked_rem(b)
            .map(|rest| match rest != 0 && (rest < 0) != (b < 0) {
                true => rest + b,
                false => rest,
            }),
        BinaryOp::Power if b < 0 => return floats(op, a as f64, b as f64).map(Value::Float),
        BinaryOp::Power => match (a, u32::try_from(b)) {
            (0 | 1, _) => Some(if b == 0 { 1 } else { a }),
            (-1, _) => Some(if b % 2 == 0 { 1 } else { -1 }),
            (_, Ok(b)) => a.checked_pow(b),
            (_, Err(_)) => None,
        },
    };
    int.map(Value::Int).ok_or_else(too_large)
}

fn floats(op: BinaryOp, a: f64, b: f64) -> Result<f64> {
    if b == 0.0
        && matches!(
            op,
            BinaryOp::Divide | BinaryOp::FloorDivide | BinaryOp::Modulo
        )
    {
        return fail("division by zero");
    }
    Ok(match op {
        BinaryOp::Add => a + b,
        BinaryOp::Subtract => a - b,
        BinaryOp::Multiply => a * b,
        BinaryOp::Divide => a / b,
        BinaryOp::FloorDivide => {
            let rest = modulo(a, b);
            let quotient = (a - rest) / b;
            match quotient == 0.0 {
                true => 0.0_f64.copysign(a / b),
                false if quotient - quotient.floor() > 0.5 => quotient.floor() + 1.0,
                false => quotient.floor(),
            }
        }
        BinaryOp::Modulo => modulo(a, b),
        BinaryOp::Power if a == 0.0 && b < 0.0 => {
            return fail("zero cannot be raised to a negative power");
        }
        BinaryOp::Power if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 => {
            return fail("a root of a negative number is complex");
        }
        BinaryOp::Power => {
            let power = a.powf(b);
            if power.is_infinite() && a.is_finite() && b.is_finite() {
                return fail("the power is too large");
            }
            power
        }
    })
}

/// The rest with the sign of the divisor.
fn modulo(a: f64, b: f64) -> f64 {
    let rest = a % b;
    if rest == 0.0 {
        return 0.0_f64.copysign(b);
    }
    match (rest < 0.0) != (b < 0.0) {
        true => rest + b,
        false => rest,
    }
}

fn add<'a>(left: Value<'a>, right: Value<'a>, vm: &mut Vm<'a>) -> Result<Value<'a>> {
    match (&left, &right) {
        (Value::Str(a), Value::Str(b)) => {
            let markup = a.is_markup() || b.is_markup();
            let mut sum = vm.builder();
            for side in [a, b] {
                match markup && !side.is_markup() {
                    true => sum.text(&vm.escape_text(side)?),
                    false => sum.text(side),
                }
            }
            Ok(Value::Str(sum.finish()?.marked(markup)))
        }
        (Value::List(a), Value::List(b)) => Value::list(joined(&a.items, &b.items, vm)?, &vm.meter),
        (Value::Tuple(a), Value::Tuple(b)) => {
            Value::tuple(joined(&a.items, &b.items, vm)?, &vm.meter)
        }
        (Value::Str(_), other) => fail(format!(
            "only a string can be added to a string, not {}",
            other.type_name()
        )),
        (Value::List(_) | Value::Tuple(_), other) => fail(format!(
            "only a {0} can be added to a {0}, not {1}",
            left.type_name(),
            other.type_name()
        )),
        _ => mismatch(BinaryOp::Add, &left, &right),
    }
}

fn joined<'a>(a: &[Value<'a>], b: &[Value<'a>], vm: &Vm<'a>) -> Result<Vec<Value<'a>>> {
    let bytes = (a.len() + b.len()).saturating_mul(size_of::<Value>());
    vm.meter.bytes(bytes)?;
    vm.meter.work(bytes)?;
    Ok([a, b].concat())
}

fn multiply<'a>(left: Value<'a>, right: Value<'a>, vm: &mut Vm<'a>) -> Result<Value<'a>> {
    let (of, times) = match (&left, right.as_int(), left.as_int(), &right) {
        (_, Some(times), _, _) => (&left, times),
        (_, _, Some(times), _) => (&right, times),
        _ => return mismatch(BinaryOp::Multiply, &left, &right),
    };
    let times = usize::try_from(times.max(0)).unwrap_or(usize::MAX);
    match of {
        Value::Str(text) => repeat(text, times, vm).map(Value::Str),
        Value::List(seq) | Value::Tuple(seq) => {
            let count = seq.items.len().saturating_mul(times);
            vm.meter.bytes(count.saturating_mul(size_of::<Value>()))?;
            vm.meter.work(count.saturating_mul(size_of::<Value>()))?;
            let mut items = Vec::with_capacity(count);
            for _ in 0..if count == 0 { 0 } else { times } {
                items.extend_from_slice(&seq.items);
            }
            match of {
                Value::List(_) => Value::list(items, &vm.meter),
                _ => Value::tuple(items, &vm.meter),
            }
        }
        _ => mismatch(BinaryOp::Multiply, &left, &right),
    }
}

fn repeat<'a>(text: &Text<'a>, times: usize, vm: &Vm<'a>) -> Result<Text<'a>> {
    let mut out = vm.builder();
    if !text.is_empty() {
        for _ in 0..times {
            out.text(text);
            if out.is_full() {
                break;
            }
        }
    }
    Ok(out.finish()?.marked(text.is_markup()))
}

/// `-value`
pub(crate) fn negative<'a>(value: &Value<'a>) -> Result<Value<'a>> {
    match value {
        Value::Undefined(undefined) => Err(undefined.fault()),
        Value::Float(float) => Ok(Value::Float(-float)),
        other => match other.as_int() {
            Some(int) => int.checked_neg().map(Value::Int).ok_or_else(too_large),
            None => fail(format!(
                "bad operand type for unary -: '{}'",
                other.type_name()
            )),
        },
    }
}

/// `+value`
pub(crate) fn positive<'a>(value: &Value<'a>) -> Result<Value<'a>> {
    match value {
        Value::Undefined(undefined) => Err(undefined.fault()),
        Value::Float(float) => Ok(Value::Float(*float)),
        other => match other.as_int() {
            Some(int) => Ok(Value::Int(int)),
            None => fail(format!(
                "bad operand type for unary +: '{}'",
                other.type_name()
            )),
        },
    }
}

/// `item in container`
pub(crate) fn contains<'a>(
    container: &Value<'a>,
    item: &Value<'a>,
    vm: &mut Vm<'a>,
) -> Result<bool> {
    let meter = Rc::clone(&vm.meter);
    match (container, item) {
        (Value::Str(text), Value::Str(part)) => {
            meter.work(text.len())?;
            let found = memchr::memmem::find(text.as_str().as_bytes(), part.as_str().as_bytes());
            Ok(found.is_some())
        }
        (Value::Str(_), Value::Undefined(_)) => {
            fail("'in' wants a string on its left, not Undefined")
        }
        (Value::Str(_), other) => fail(format!(
            "'in' wants a string on its left, not {}",
            other.type_name()
        )),
        (Value::Dict(dict) | Value::View(View::Keys, dict), key) => {
            Ok(dict.get(key, &meter)?.is_some())
        }
        (Value::View(View::Items, dict), Value::Tuple(pair)) => match pair.items.as_slice() {
            [key, value] => match dict.get(key, &meter)? {
                Some(found) => Ok(same(&found, value) || equal(&found, value, &meter)?),
                None => Ok(false),
            },
            _ => Ok(false),
        },
        (Value::View(View::Items, _), _) => Ok(false),
        (Value::Range(range), item) => {
            let int = match item {
                Value::Float(float) if float.fract() == 0.0 => numbers::float_to_int(*float),
                other => other.as_int(),
            };
            Ok(int.is_some_and(|int| {
                let offset = int - range.start;
                offset % range.step == 0
                    && usize::try_from(offset / range.step).is_ok_and(|at| at < range.len())
            }))
        }
        _ => {
            let mut items = match vm.iterate(container) {
                Ok(items) => items,
                Err(_) => {
                    return fail(format!(
                        "'in' cannot look into '{}' object",
                        container.type_name()
                    ));
                }
            };
            while let Some(found) = vm.next(&mut items)? {
                if same(&found, item) || equal(&found, item, &meter)? {
                    return Ok(true);
                }
            }
            Ok(false)
        }
    }
}

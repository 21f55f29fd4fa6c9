//! Equality, order and hashes as Python has them.

use std::cmp::Ordering;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hash, Hasher};
use std::rc::Rc;
use std::sync::OnceLock;

use super::fault::{Result, fail};
use super::meter::Meter;
use super::value::{Value, View};

/// `a == b`.
#[inline]
pub(crate) fn equal<'a>(a: &Value<'a>, b: &Value<'a>, meter: &Meter) -> Result<bool> {
    meter.step()?;
    // Most that is compared is a role or a type with its name.
    if let (Value::Str(a), Value::Str(b)) = (a, b) {
        meter.work(a.len().min(b.len()))?;
        return Ok(a.as_str() == b.as_str());
    }
    equal_beside_text(a, b, meter)
}

fn equal_beside_text<'a>(a: &Value<'a>, b: &Value<'a>, meter: &Meter) -> Result<bool> {
    Ok(match (a, b) {
        (Value::Undefined(_), Value::Undefined(_)) | (Value::None, Value::None) => true,
        (Value::Float(a), Value::Float(b)) => a == b,
        (Value::Float(float), other) | (other, Value::Float(float)) => other
            .as_int()
            .is_some_and(|int| int_to_float(int, *float) == Some(Ordering::Equal)),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            if a.items.len() != b.items.len() {
                return Ok(false);
            }
            for (a, b) in a.items.iter().zip(&b.items) {
                if !same(a, b) && !equal(a, b, meter)? {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Dict(a), Value::Dict(b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, value) in a.pairs() {
                match b.get(key, meter)? {
                    Some(other) if same(value, &other) || equal(value, &other, meter)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::View(View::Keys, a), Value::View(View::Keys, b)) => {
            if a.len() != b.len() {
                return Ok(false);
            }
            for (key, _) in a.pairs() {
                if b.get(key, meter)?.is_none() {
                    return Ok(false);
                }
            }
            true
        }
        (Value::View(View::Items, a), Value::View(View::Items, b)) => {
            return equal(&Value::Dict(a.clone()), &Value::Dict(b.clone()), meter);
        }
        (Value::Range(a), Value::Range(b)) => {
            let len = a.len();
            len == b.len() && (len == 0 || a.start == b.start && (len == 1 || a.step == b.step))
        }
        _ => match (a.as_int(), b.as_int()) {
            (Some(a), Some(b)) => a == b,
            _ => same(a, b),
        },
    })
}

/// `a is b`, as far as it can be known: Python shares small values, and so is every equal scalar one.
pub(crate) fn same<'a>(a: &Value<'a>, b: &Value<'a>) -> bool {
    match (a, b) {
        (Value::None, Value::None) | (Value::Template, Value::Template) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a), Value::Int(b)) => a == b,
        (Value::Float(a), Value::Float(b)) => a.to_bits() == b.to_bits(),
        (Value::Str(a), Value::Str(b)) if a.is_markup() != b.is_markup() => false,
        (Value::Str(a), Value::Str(b)) => {
            let (a, b) = (a.as_str(), b.as_str());
            a.len() == b.len() && (a.len() <= 1 && a == b || std::ptr::eq(a, b))
        }
        (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
        (Value::Tuple(a), Value::Tuple(b)) => {
            Rc::ptr_eq(a, b) || a.items.is_empty() && b.items.is_empty()
        }
        (Value::Dict(a), Value::Dict(b)) => Rc::ptr_eq(a, b),
        (Value::Range(a), Value::Range(b)) => Rc::ptr_eq(a, b),
        (Value::Iterator(a), Value::Iterator(b)) => Rc::ptr_eq(a, b),
        (Value::Namespace(a), Value::Namespace(b)) => Rc::ptr_eq(a, b),
        (Value::Macro(a), Value::Macro(b)) => Rc::ptr_eq(a, b),
        (Value::Loop(a), Value::Loop(b)) => Rc::ptr_eq(a, b),
        (Value::Cycler(a), Value::Cycler(b)) => Rc::ptr_eq(a, b),
        (Value::Joiner(a), Value::Joiner(b)) => Rc::ptr_eq(a, b),
        (Value::Method(a), Value::Method(b)) => a.name == b.name && same(&a.of, &b.of),
        (Value::Function(a), Value::Function(b)) => a == b,
        _ => false,
    }
}

/// How `a` stands to `b`; `None` beside a NaN. `operator` is for the message.
pub(crate) fn order<'a>(
    a: &Value<'a>,
    b: &Value<'a>,
    operator: &str,
    meter: &Meter,
) -> Result<Option<Ordering>> {
    meter.step()?;
    Ok(match (a, b) {
        (Value::Str(a), Value::Str(b)) => {
            meter.work(a.len().min(b.len()))?;
            Some(a.as_str().cmp(b.as_str()))
        }
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::List(a), Value::List(b)) | (Value::Tuple(a), Value::Tuple(b)) => {
            for (a, b) in a.items.iter().zip(&b.items) {
                if !same(a, b) && !equal(a, b, meter)? {
                    return order(a, b, operator, meter);
                }
            }
            Some(a.items.len().cmp(&b.items.len()))
        }
        (Value::Undefined(undefined), _) | (_, Value::Undefined(undefined)) => {
            return Err(undefined.fault());
        }
        _ => match (a, a.as_int(), b, b.as_int()) {
            (_, Some(a), _, Some(b)) => Some(a.cmp(&b)),
            (_, Some(int), Value::Float(float), _) => int_to_float(int, *float),
            (Value::Float(float), _, _, Some(int)) => {
                int_to_float(int, *float).map(Ordering::reverse)
            }
            _ => {
                return fail(format!(
                    "'{operator}' not supported between instances of '{}' and '{}'",
                    a.type_name(),
                    b.type_name()
                ));
            }
        },
    })
}

/// `a < b`.
pub(crate) fn less<'a>(a: &Value<'a>, b: &Value<'a>, meter: &Meter) -> Result<bool> {
    Ok(order(a, b, "<", meter)? == Some(Ordering::Less))
}

/// An integer against a float, exactly.
fn int_to_float(int: i128, float: f64) -> Option<Ordering> {
    /// Floats from here on are beyond all integers.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if float.is_nan() {
        return None;
    }
    if float >= BEYOND {
        return Some(Ordering::Less);
    }
    if float < -BEYOND {
        return Some(Ordering::Greater);
    }
    let whole = float.trunc() as i128;
    Some(int.cmp(&whole).then_with(|| {
        let rest = float - float.trunc();
        0.0_f64.partial_cmp(&rest).unwrap_or(Ordering::Equal)
    }))
}

/// A hash that is equal for equal values; an error for lists and dictionaries.
pub(crate) fn hash(value: &Value<'_>) -> Result<u64> {
    static SEED: OnceLock<RandomState> = OnceLock::new();
    let mut hasher = SEED.get_or_init(RandomState::new).build_hasher();
    feed(value, &mut hasher)?;
    Ok(hasher.finish())
}

fn feed(value: &Value<'_>, hasher: &mut impl Hasher) -> Result<()> {
    match value {
        Value::Str(text) => text.as_str().hash(hasher),
        Value::Float(float) if float.trunc() == *float && float.abs() < 1e30 => {
            (*float as i128).hash(hasher);
        }
        Value::Float(float) => float.to_bits().hash(hasher),
        Value::Tuple(seq) => {
            for item in &seq.items {
                feed(item, hasher)?;
            }
        }
        Value::List(_) | Value::Dict(_) | Value::View(View::Keys | View::Items, _) => {
            return fail(format!("unhashable type: '{}'", value.type_name()));
        }
        _ => match value.as_int() {
            Some(int) => int.hash(hasher),
            // Others are equal only to themselves; the few there are may collide.
            None => value.type_name().hash(hasher),
        },
    }
    Ok(())
}

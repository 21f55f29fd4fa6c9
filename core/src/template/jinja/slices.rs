//! Items by number, and slices.

use super::fault::{Result, fail};
use super::meter::Meter;
use super::text::{Builder, Text};
use super::value::{Range, Value};

/// The item of a sequence at an index, which may count from the end.
pub(crate) fn at<'a>(of: &Value<'a>, index: i128) -> Option<Value<'a>> {
    match of {
        Value::Str(text) => char_at(text, index).map(Value::Str),
        Value::List(seq) | Value::Tuple(seq) => {
            seq.items.get(from_start(index, seq.items.len())?).cloned()
        }
        Value::Range(range) => {
            let len = range.len();
            let index = from_start(index, len).filter(|index| *index < len)?;
            Some(range.get(index))
        }
        _ => None,
    }
}

fn from_start(index: i128, len: usize) -> Option<usize> {
    let index = if index < 0 { index + len as i128 } else { index };
    usize::try_from(index).ok()
}

fn char_at<'a>(text: &Text<'a>, index: i128) -> Option<Text<'a>> {
    let string = text.as_str();
    let (start, c) = if index >= 0 {
        string.char_indices().nth(usize::try_from(index).ok()?)?
    } else {
        string.char_indices().rev().nth(usize::try_from(-1 - index).ok()?)?
    };
    Some(text.slice(start..start + c.len_utf8()))
}

/// `of[start:stop:step]`
pub(crate) fn slice<'a>(
    of: &Value<'a>,
    [start, stop, step]: [Option<i128>; 3],
    meter: &std::rc::Rc<Meter>,
) -> Result<Value<'a>> {
    let step = step.unwrap_or(1);
    if step == 0 {
        return fail("a slice cannot have a step of zero");
    }
    match of {
        Value::Undefined(undefined) => Err(undefined.fault()),
        Value::Str(text) => slice_text(text, start, stop, step, meter).map(Value::Str),
        Value::List(seq) | Value::Tuple(seq) => {
            let (first, count) = bounds(start, stop, step, seq.items.len());
            meter.bytes(count * size_of::<Value>())?;
            meter.work(count * size_of::<Value>())?;
            let items: Vec<Value<'a>> = match step {
                1 => seq.items[first as usize..first as usize + count].to_vec(),
                _ => (0..count)
                    .map(|index| seq.items[(first + step * index as i128) as usize].clone())
                    .collect(),
            };
            match of {
                Value::List(_) => Value::list(items, meter),
                _ => Value::tuple(items, meter),
            }
        }
        Value::Range(range) => {
            let (first, count) = bounds(start, stop, step, range.len());
            let begin = range.start + range.step * first;
            let step = range.step.saturating_mul(step);
            Ok(Value::Range(std::rc::Rc::new(Range {
                start: begin,
                stop: begin.saturating_add(step.saturating_mul(count as i128)),
                step,
            })))
        }
        other => fail(format!("'{}' object cannot be sliced", other.type_name())),
    }
}

/// The first index and the number of items.
fn bounds(start: Option<i128>, stop: Option<i128>, step: i128, len: usize) -> (i128, usize) {
    let len = len as i128;
    let (low, high) = if step > 0 { (0, len) } else { (-1, len - 1) };
    let clamp = |bound: i128| {
        let bound = if bound < 0 { bound.saturating_add(len) } else { bound };
        bound.clamp(low, high)
    };
    let first = start.map_or(if step > 0 { low } else { high }, clamp);
    let end = stop.map_or(if step > 0 { high } else { low }, clamp);
    let span = if step > 0 { end - first } else { first - end };
    if span <= 0 {
        return (0, 0);
    }
    let count = (span - 1) / step.saturating_abs() + 1;
    (first, count as usize)
}

fn slice_text<'a>(
    text: &Text<'a>,
    start: Option<i128>,
    stop: Option<i128>,
    step: i128,
    meter: &std::rc::Rc<Meter>,
) -> Result<Text<'a>> {
    let string = text.as_str();
    meter.work(string.len())?;
    let is_ascii = string.is_ascii();
    let len = if is_ascii { string.len() } else { string.chars().count() };
    let (first, count) = bounds(start, stop, step, len);
    let byte = |index: usize| match is_ascii {
        true => index,
        false => string.char_indices().nth(index).map_or(string.len(), |(at, _)| at),
    };
    if step == 1 {
        let from = byte(first as usize);
        let rest = &string[from..];
        let length = match is_ascii {
            true => count,
            false => rest.char_indices().nth(count).map_or(rest.len(), |(at, _)| at),
        };
        return Ok(text.slice(from..from + length));
    }
    let places: Vec<(usize, char)> = string.char_indices().collect();
    meter.bytes(places.len() * size_of::<(usize, char)>())?;
    let mut out = Builder::new(meter);
    for index in 0..count {
        let (at, c) = places[(first + step * index as i128) as usize];
        out.push_char(c, text.is_untrusted_at(at));
    }
    Ok(out.finish()?.marked(text.is_markup()))
}

#[cfg(test)]
mod tests {
    use super::bounds;

    #[test]
    fn bounds_are_pythons() {
        for (start, stop, step, len, found) in [
            (None, None, 1, 5, (0, 5)),
            (Some(1), Some(3), 1, 5, (1, 2)),
            (Some(-2), None, 1, 5, (3, 2)),
            (None, None, -1, 5, (4, 5)),
            (Some(10), None, 1, 5, (0, 0)),
            (Some(3), Some(0), -2, 5, (3, 2)),
            (None, Some(-10), -1, 3, (2, 3)),
            (None, None, i128::MIN, 3, (2, 1)),
        ] {
            assert_eq!(bounds(start, stop, step, len), found, "{start:?}:{stop:?}:{step}");
        }
    }
}

//! Filters that order values.

use super::super::args::{Args, string};
use super::super::compare::{equal, less};
use super::super::fault::{Result, fail};
use super::super::value::{Undefined, Value};
use super::super::vm::Vm;
use super::paths::Path;

/// Sorts in place, keeping the order of equals; a comparison may fail.
pub(crate) fn by_key<'a, T: Clone>(
    items: &mut Vec<T>,
    reverse: bool,
    vm: &Vm<'a>,
    key: impl Fn(&T) -> &Value<'a> + Copy,
) -> Result<()> {
    // Equal items keep their order in reverse too.
    if reverse {
        items.reverse();
    }
    let mut buffer = Vec::with_capacity(items.len());
    merge_sort(items, &mut buffer, vm, key)?;
    if reverse {
        items.reverse();
    }
    Ok(())
}

fn merge_sort<'a, T: Clone>(
    items: &mut [T],
    buffer: &mut Vec<T>,
    vm: &Vm<'a>,
    key: impl Fn(&T) -> &Value<'a> + Copy,
) -> Result<()> {
    if items.len() < 2 {
        return Ok(());
    }
    let middle = items.len() / 2;
    let (left, right) = items.split_at_mut(middle);
    merge_sort(left, buffer, vm, key)?;
    merge_sort(right, buffer, vm, key)?;
    buffer.clear();
    let (mut a, mut b) = (left.iter().peekable(), right.iter().peekable());
    while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
        let next = match less(key(y), key(x), &vm.meter)? {
            true => b.next(),
            false => a.next(),
        };
        buffer.extend(next.cloned());
    }
    buffer.extend(a.cloned());
    buffer.extend(b.cloned());
    items.clone_from_slice(buffer);
    Ok(())
}

/// A value with what it is sorted by.
type Keyed<'a> = (Value<'a>, Value<'a>);

fn keyed<'a>(vm: &mut Vm<'a>, value: &Value<'a>, paths: &[Path<'a>]) -> Result<Vec<Keyed<'a>>> {
    let mut all = Vec::new();
    for item in vm.collect(value)? {
        vm.meter.step()?;
        let mut keys = Vec::with_capacity(paths.len());
        for path in paths {
            keys.push(path.follow(vm, &item)?);
        }
        let key = match keys.len() {
            1 => keys.swap_remove(0),
            _ => Value::list(keys, &vm.meter)?,
        };
        all.push((key, item));
    }
    Ok(all)
}

pub(super) fn sort<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let names = ["reverse", "case_sensitive", "attribute"];
    let [reverse, case_sensitive, attribute] = args.bind("sort", names, 0)?;
    let paths = Path::several(attribute, !super::truthy(case_sensitive));
    let mut all = keyed(vm, &value, &paths)?;
    // Python compares lists of keys, so that undefined keys are equal without being ordered.
    let keys = all.iter_mut().map(|(key, _)| key);
    if paths.len() == 1 {
        for key in keys {
            *key = Value::list(vec![key.clone()], &vm.meter)?;
        }
    }
    by_key(&mut all, super::truthy(reverse), vm, |(key, _)| key)?;
    Value::list(all.into_iter().map(|(_, item)| item).collect(), &vm.meter)
}

pub(super) fn dictsort<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let names = ["case_sensitive", "by", "reverse"];
    let [case_sensitive, by, reverse] = args.bind("dictsort", names, 0)?;
    let by_value = match by {
        None => false,
        Some(by) => match string("dictsort", by)?.as_str() {
            "key" => false,
            "value" => true,
            _ => return fail("dictsort sorts by 'key' or by 'value'"),
        },
    };
    let dict = match &value {
        Value::Dict(dict) => dict,
        Value::Undefined(undefined) => return Err(undefined.fault()),
        other => return fail(format!("dictsort wants a mapping, not {}", other.type_name())),
    };
    let fold = Path::new(None, None, !super::truthy(case_sensitive));
    let mut all = Vec::with_capacity(dict.len());
    for (key, value) in dict.pairs() {
        let sorted_by = fold.follow(vm, if by_value { value } else { key })?;
        let pair = Value::tuple(vec![key.clone(), value.clone()], &vm.meter)?;
        all.push((sorted_by, pair));
    }
    by_key(&mut all, super::truthy(reverse), vm, |(key, _)| key)?;
    Value::list(all.into_iter().map(|(_, pair)| pair).collect(), &vm.meter)
}

fn extreme<'a>(
    vm: &mut Vm<'a>,
    value: &Value<'a>,
    args: Args<'a>,
    largest: bool,
) -> Result<Value<'a>> {
    let [case_sensitive, attribute] = args.bind("min", ["case_sensitive", "attribute"], 0)?;
    let path = Path::new(attribute, None, !super::truthy(case_sensitive));
    let mut best: Option<Keyed<'a>> = None;
    let mut items = vm.iterate(value)?;
    while let Some(item) = vm.next(&mut items)? {
        let key = path.follow(vm, &item)?;
        let better = match &best {
            None => true,
            Some((known, _)) if largest => less(known, &key, &vm.meter)?,
            Some((known, _)) => less(&key, known, &vm.meter)?,
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(match best {
        Some((_, item)) => item,
        None => Value::Undefined(Undefined::Because("the sequence is empty")),
    })
}

pub(super) fn min<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    extreme(vm, &value, args, false)
}

pub(super) fn max<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    extreme(vm, &value, args, true)
}

pub(super) fn groupby<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let names = ["attribute", "default", "case_sensitive"];
    let [attribute, otherwise, case_sensitive] = args.bind("groupby", names, 1)?;
    let fold = !super::truthy(case_sensitive);
    let path = Path::new(attribute.clone(), otherwise.clone(), fold);
    let mut all = keyed(vm, &value, std::slice::from_ref(&path))?;
    by_key(&mut all, false, vm, |(key, _)| key)?;
    let shown = Path::new(attribute, otherwise, false);
    let mut groups: Vec<(Value<'a>, Vec<Value<'a>>)> = Vec::new();
    for (key, item) in all {
        match groups.last_mut() {
            Some((known, items)) if equal(known, &key, &vm.meter)? => items.push(item),
            _ => groups.push((key, vec![item])),
        }
    }
    let mut out = Vec::with_capacity(groups.len());
    for (_, items) in groups {
        let key = shown.follow(vm, &items[0])?;
        let items = Value::list(items, &vm.meter)?;
        out.push(Value::group(vec![key, items], &vm.meter)?);
    }
    Value::list(out, &vm.meter)
}

//! Methods of dictionaries, lists, tuples and ranges.

use std::rc::Rc;

use super::super::args::Args;
use super::super::compare::{equal, same};
use super::super::dict::Dict;
use super::super::fault::{Result, fail};
use super::super::slices;
use super::super::value::{Value, View};
use super::super::vm::Vm;
use super::{given, or_none, unsupported};

pub(super) fn dict<'a>(
    vm: &mut Vm<'a>,
    dict: &Rc<Dict<'a>>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>> {
    let view = |view| Value::View(view, dict.clone());
    match name {
        "get" => {
            let [key, otherwise] = args.bind("get", ["", ""], 1)?;
            let found = dict.get(&or_none(key), &vm.meter)?;
            Ok(found.or(otherwise).unwrap_or(Value::None))
        }
        "items" => args.nothing(name).map(|()| view(View::Items)),
        "keys" => args.nothing(name).map(|()| view(View::Keys)),
        "values" => args.nothing(name).map(|()| view(View::Values)),
        // Nothing can change a dictionary, so its copy may be itself.
        "copy" => args.nothing(name).map(|()| Value::Dict(dict.clone())),
        "fromkeys" => {
            let [keys, value] = args.bind("fromkeys", ["", ""], 1)?;
            let keys = vm.collect(&or_none(keys))?;
            let value = or_none(value);
            let pairs = keys.into_iter().map(|key| (key, value.clone()));
            Ok(Value::Dict(Dict::of_pairs(pairs, &vm.meter)?))
        }
        _ => unsupported(&Value::Dict(dict.clone()), name),
    }
}

/// `index` and `count`.
pub(super) fn sequence<'a>(
    vm: &mut Vm<'a>,
    of: &Value<'a>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>> {
    if name == "count" {
        let item = args.single("count")?;
        let mut count = 0;
        for found in vm.collect(of)? {
            count += i128::from(same(&found, &item) || equal(&found, &item, &vm.meter)?);
        }
        return Ok(Value::Int(count));
    }
    let [item, start, end] = args.bind("index", ["", "", ""], 1)?;
    let item = or_none(item);
    let bound = |value: Option<Value<'a>>| -> Result<Option<i128>> {
        Ok(given(value)?.and_then(|value| value.as_int()))
    };
    let (start, end) = (bound(start)?, bound(end)?);
    let part = slices::slice(of, [start, end, None], &vm.meter)?;
    let len = super::super::iter::length(of).unwrap_or_default() as i128;
    let first = match start.unwrap_or(0) {
        start if start < 0 => (start + len).max(0),
        start => start,
    };
    for (place, found) in vm.collect(&part)?.into_iter().enumerate() {
        if same(&found, &item) || equal(&found, &item, &vm.meter)? {
            return Ok(Value::Int(first + place as i128));
        }
    }
    fail("the value is not in the list")
}

pub(super) fn view<'a>(
    vm: &mut Vm<'a>,
    dict: &Rc<Dict<'a>>,
    name: &str,
    args: Args<'a>,
) -> Result<Value<'a>> {
    if name != "isdisjoint" {
        return unsupported(&Value::View(View::Keys, dict.clone()), name);
    }
    let other = args.single("isdisjoint")?;
    for item in vm.collect(&other)? {
        if dict.get(&item, &vm.meter)?.is_some() {
            return Ok(Value::Bool(false));
        }
    }
    Ok(Value::Bool(true))
}

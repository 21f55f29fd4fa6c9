//! Filters over sequences and any values.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::super::args::{Args, integer, string};
use super::super::dict::Dict;
use super::super::fault::{Result, fail};
use super::super::iter::{Iter, Source, length as length_of};
use super::super::kind::Type;
use super::super::methods;
use super::super::repr;
use super::super::slices;
use super::super::text::Text;
use super::super::value::{Undefined, Value, depth_above};
use super::super::vm::Vm;
use super::paths::Path;
use super::sort;

pub(super) fn length<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("length")?;
    if let Value::Str(text) = &value {
        vm.meter.work(text.len())?;
    }
    if let Value::Loop(inside) = &value {
        let known = vm.loop_attribute(&inside.clone(), "length")?;
        return Ok(known.unwrap_or(Value::None));
    }
    match length_of(&value) {
        Some(length) => Ok(Value::int(length)),
        None => fail(format!(
            "object of type '{}' has no length",
            value.type_name()
        )),
    }
}

pub(super) fn default<'a>(_: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [otherwise, boolean] = args.bind("default", ["default_value", "boolean"], 0)?;
    let replaced = value.is_undefined() || (super::truthy(boolean) && !value.is_true());
    Ok(match replaced {
        true => otherwise.unwrap_or(Value::text("")),
        false => value,
    })
}

pub(super) fn first<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("first")?;
    let mut items = vm.iterate(&value)?;
    let item = vm.next(&mut items)?;
    Ok(item.unwrap_or(Value::Undefined(Undefined::Because(
        "the sequence has no first item",
    ))))
}

pub(super) fn last<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("last")?;
    let none = Value::Undefined(Undefined::Because("the sequence has no last item"));
    if value.is_undefined() {
        return Ok(none);
    }
    if let Some(last) = slices::at(&value, -1) {
        return Ok(last);
    }
    match vm.iterate_back(&value)? {
        Some((mut items, _)) => Ok(vm.next(&mut items)?.unwrap_or(none)),
        None => fail(format!(
            "'{}' object cannot be read backwards",
            value.type_name()
        )),
    }
}

pub(super) fn list<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("list")?;
    let items = vm.collect(&value)?;
    Value::list(items, &vm.meter)
}

pub(super) fn join<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [separator, attribute] = args.bind("join", ["d", "attribute"], 0)?;
    let separator = vm.str(&separator.unwrap_or(Value::text("")))?;
    let path = super::is_given(&attribute).then(|| Path::new(attribute, None, false));
    let mut items = vm.iterate(&value)?;
    let mut out = vm.builder();
    let mut is_first = true;
    while let Some(item) = vm.next(&mut items)? {
        vm.meter.step()?;
        if !std::mem::take(&mut is_first) {
            out.text(&separator);
        }
        let item = match &path {
            Some(path) => path.follow(vm, &item)?,
            None => item,
        };
        repr::str_into(&mut out, &item, &vm.meter)?;
        if out.is_full() {
            break;
        }
    }
    out.finish().map(Value::Str)
}

pub(super) fn reverse<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("reverse")?;
    if let Value::Str(_) = &value {
        return slices::slice(&value, [None, None, Some(-1)], &vm.meter);
    }
    if value.is_undefined() {
        return Ok(Value::iterator(
            Type::Reversed,
            Source::Plain(Iter::Empty),
            1,
        ));
    }
    match vm.iterate_back(&value)? {
        Some((items, kind)) => {
            let depth = depth_above([&value])?;
            Ok(Value::iterator(kind, Source::Plain(items), depth))
        }
        None => {
            let mut items = vm.collect(&value)?;
            items.reverse();
            Value::list(items, &vm.meter)
        }
    }
}

pub(super) fn random<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("random")?;
    let Some(length) = length_of(&value) else {
        return fail(format!(
            "object of type '{}' has no length",
            value.type_name()
        ));
    };
    if length == 0 {
        return Ok(Value::Undefined(Undefined::Because(
            "the sequence has no item",
        )));
    }
    let index = (RandomState::new().build_hasher().finish() % length as u64) as i128;
    vm.get_item(&value, Value::Int(index))
}

pub(super) fn slice<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let [slices, fill] = args.bind("slice", ["slices", "fill_with"], 1)?;
    let count = integer("slice", &slices.unwrap_or(Value::None))?;
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    let items = vm.collect(&value)?;
    let Ok(count) = usize::try_from(count) else {
        return Ok(Value::iterator(
            Type::Generator,
            Source::Plain(Iter::Empty),
            1,
        ));
    };
    if count == 0 {
        return fail("slice cannot make zero slices");
    }
    vm.meter.bytes(count.saturating_mul(size_of::<Value>()))?;
    let (size, extra) = (items.len() / count, items.len() % count);
    let mut items = items.into_iter();
    let mut columns = Vec::with_capacity(count);
    for number in 0..count {
        vm.meter.step()?;
        let mut column: Vec<Value<'a>> = items
            .by_ref()
            .take(size + usize::from(number < extra))
            .collect();
        if let (Some(fill), true) = (&fill, number >= extra) {
            column.push(fill.clone());
        }
        columns.push(Value::list(column, &vm.meter)?);
    }
    let columns = Value::list(columns, &vm.meter)?;
    let depth = depth_above([&columns])?;
    let items = vm.iterate(&columns)?;
    Ok(Value::iterator(
        Type::Generator,
        Source::Plain(items),
        depth,
    ))
}

pub(super) fn attr<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let name = string("attr", args.single("attr")?)?;
    let kind = value.kind();
    let known = name
        .borrowed()
        .or_else(|| methods::known_name(name.as_str()));
    let found = match known {
        Some(known) => vm.attribute(&value, known)?,
        None => None,
    };
    Ok(found.unwrap_or_else(|| Value::Undefined(Undefined::Item(kind, name.as_str().into()))))
}

/// `pprint` sorts the keys of dictionaries; it does not break lines here.
pub(super) fn pprint<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("pprint")?;
    let sorted = sorted_keys(vm, &value)?;
    let mut out = vm.builder();
    repr::repr_into(&mut out, &sorted, &vm.meter)?;
    out.finish().map(Value::Str)
}

fn sorted_keys<'a>(vm: &mut Vm<'a>, value: &Value<'a>) -> Result<Value<'a>> {
    vm.meter.step()?;
    let mut all = |items: &[Value<'a>]| -> Result<Vec<Value<'a>>> {
        items.iter().map(|item| sorted_keys(vm, item)).collect()
    };
    match value {
        Value::List(seq) => {
            let items = all(&seq.items)?;
            Value::list(items, &vm.meter)
        }
        Value::Tuple(seq) => {
            let items = all(&seq.items)?;
            Value::tuple(items, &vm.meter)
        }
        Value::Dict(dict) => {
            let mut pairs = dict.pairs().to_vec();
            sort::by_key(&mut pairs, false, vm, |(key, _)| key)?;
            for pair in &mut pairs {
                pair.1 = sorted_keys(vm, &pair.1)?;
            }
            Ok(Value::Dict(Dict::of_pairs(pairs, &vm.meter)?))
        }
        other => Ok(other.clone()),
    }
}

impl<'a> Vm<'a> {
    /// A copy of text that is neither part of the template nor of its input.
    pub fn copy(&self, text: &str) -> Result<Text<'a>> {
        let mut out = self.builder();
        out.trusted(text);
        out.finish()
    }
}

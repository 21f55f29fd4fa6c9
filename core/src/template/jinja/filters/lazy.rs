//! Filters that are generators in Python: they run while their result is read.

use std::collections::HashMap;

use super::super::args::{Args, integer};
use super::super::compare::{equal, hash};
use super::super::fault::{Fault, Result};
use super::super::iter::{Iter, Source};
use super::super::kind::Type;
use super::super::tests;
use super::super::value::{Value, depth_above};
use super::super::vm::Vm;
use super::paths::Path;

/// A filter that is being read.
pub(crate) struct Lazy<'a> {
    items: Iter<'a>,
    step: Step<'a>,
}

enum Step<'a> {
    Attribute(Path<'a>),
    Map(Value<'a>, Args<'a>),
    Select {
        path: Option<Path<'a>>,
        test: Option<(Value<'a>, Args<'a>)>,
        keep: bool,
    },
    Unique(Path<'a>, HashMap<u64, Vec<Value<'a>>>),
    Batch {
        size: i128,
        fill: Option<Value<'a>>,
        /// The first item of the next batch.
        next: Option<Value<'a>>,
    },
}

impl<'a> Vm<'a> {
    /// The next result of a filter.
    pub fn next_lazy(&mut self, lazy: &mut Lazy<'a>) -> Result<Option<Value<'a>>> {
        let Lazy { items, step } = lazy;
        match step {
            Step::Attribute(path) => match self.next(items)? {
                Some(item) => path.follow(self, &item).map(Some),
                None => Ok(None),
            },
            Step::Map(filter, args) => match self.next(items)? {
                Some(item) => super::call(self, filter, item, args.clone()).map(Some),
                None => Ok(None),
            },
            Step::Select { path, test, keep } => {
                while let Some(item) = self.next(items)? {
                    self.meter.step()?;
                    let looked_at = match path {
                        Some(path) => path.follow(self, &item)?,
                        None => item.clone(),
                    };
                    let passes = match test {
                        Some((test, args)) => tests::call(self, test, &looked_at, args.clone())?,
                        None => looked_at.is_true(),
                    };
                    if passes == *keep {
                        return Ok(Some(item));
                    }
                }
                Ok(None)
            }
            Step::Unique(path, seen) => {
                'items: while let Some(item) = self.next(items)? {
                    let key = path.follow(self, &item)?;
                    let known = seen.entry(hash(&key)?).or_default();
                    for other in known.iter() {
                        if equal(other, &key, &self.meter)? {
                            continue 'items;
                        }
                    }
                    self.meter.bytes(size_of::<Value>())?;
                    known.push(key);
                    return Ok(Some(item));
                }
                Ok(None)
            }
            Step::Batch { size, fill, next } => {
                let mut batch: Vec<Value<'a>> = next.take().into_iter().collect();
                while let Some(item) = self.next(items)? {
                    self.meter.step()?;
                    if batch.len() as i128 == *size {
                        *next = Some(item);
                        return Value::list(batch, &self.meter).map(Some);
                    }
                    batch.push(item);
                }
                if batch.is_empty() {
                    return Ok(None);
                }
                if let Some(fill) = fill {
                    let missing = usize::try_from(*size - batch.len() as i128).unwrap_or(0);
                    self.meter
                        .bytes(missing.saturating_mul(size_of::<Value>()))?;
                    batch.resize(batch.len() + missing, fill.clone());
                }
                Value::list(batch, &self.meter).map(Some)
            }
        }
    }
}

/// The depth of a generator over `value` that keeps these arguments.
fn held<'a>(value: &Value<'a>, args: &Args<'a>) -> Result<u32> {
    let named = args.named.iter().map(|(_, value)| value);
    depth_above([value].into_iter().chain(&args.positional).chain(named))
}

/// A generator over `value`; one that gives nothing where the filter does not look at false values.
fn generator<'a>(
    vm: &Vm<'a>,
    value: &Value<'a>,
    depth: u32,
    looks_at_false: bool,
    step: Result<Step<'a>>,
) -> Result<Value<'a>> {
    let source = if !looks_at_false && !value.is_true() {
        Source::Plain(Iter::Empty)
    } else {
        match (vm.iterate(value), step) {
            (Ok(items), Ok(step)) => Source::Lazy(Box::new(Lazy { items, step })),
            (_, Err(fault)) | (Err(fault), _) => Source::Fails(fault),
        }
    };
    Ok(Value::iterator(Type::Generator, source, depth))
}

pub(super) fn map<'a>(vm: &mut Vm<'a>, value: Value<'a>, mut args: Args<'a>) -> Result<Value<'a>> {
    let depth = held(&value, &args)?;
    let by_attribute = args.positional.is_empty();
    let attribute = by_attribute.then(|| args.take("attribute")).flatten();
    let step = match attribute {
        Some(attribute) => {
            let otherwise = args.take("default");
            match args.named.is_empty() {
                true => Ok(Step::Attribute(Path::new(
                    Some(attribute),
                    otherwise,
                    false,
                ))),
                false => Err(Fault::runtime("map has no such parameter")),
            }
        }
        None if args.positional.is_empty() => Err(Fault::runtime(
            "map wants the name of a filter, or attribute",
        )),
        None => {
            let filter = args.positional.remove(0);
            Ok(Step::Map(filter, args))
        }
    };
    generator(vm, &value, depth, false, step)
}

fn filtered<'a>(
    vm: &Vm<'a>,
    value: &Value<'a>,
    mut args: Args<'a>,
    keep: bool,
    by_attribute: bool,
) -> Result<Value<'a>> {
    let depth = held(value, &args)?;
    let step = if by_attribute && args.positional.is_empty() {
        Err(Fault::runtime("the name of an attribute is missing"))
    } else {
        let path = by_attribute.then(|| Path::new(Some(args.positional.remove(0)), None, false));
        let test = match args.positional.is_empty() {
            true => None,
            false => Some((args.positional.remove(0), args)),
        };
        Ok(Step::Select { path, test, keep })
    };
    generator(vm, value, depth, false, step)
}

pub(super) fn select<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    filtered(vm, &value, args, true, false)
}

pub(super) fn reject<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    filtered(vm, &value, args, false, false)
}

pub(super) fn selectattr<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    filtered(vm, &value, args, true, true)
}

pub(super) fn rejectattr<'a>(
    vm: &mut Vm<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    filtered(vm, &value, args, false, true)
}

pub(super) fn unique<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let depth = held(&value, &args)?;
    let [case_sensitive, attribute] = args.bind("unique", ["case_sensitive", "attribute"], 0)?;
    let path = Path::new(attribute, None, !super::truthy(case_sensitive));
    generator(
        vm,
        &value,
        depth,
        true,
        Ok(Step::Unique(path, HashMap::new())),
    )
}

pub(super) fn batch<'a>(vm: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    let depth = held(&value, &args)?;
    let [size, fill] = args.bind("batch", ["linecount", "fill_with"], 1)?;
    let fill = fill.filter(|fill| !matches!(fill, Value::None));
    let step = integer("batch", &size.unwrap_or(Value::None)).map(|size| Step::Batch {
        size,
        fill,
        next: None,
    });
    generator(vm, &value, depth, true, step)
}

pub(super) fn items<'a>(_: &mut Vm<'a>, value: Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
    args.nothing("items")?;
    let source = match &value {
        Value::Undefined(_) => Source::Plain(Iter::Empty),
        Value::Dict(dict) => Source::Plain(Iter::Items(dict.clone(), 0)),
        other => Source::Fails(Fault::runtime(format!(
            "items wants a mapping, not {}",
            other.type_name()
        ))),
    };
    let depth = depth_above([&value])?;
    Ok(Value::iterator(Type::Generator, source, depth))
}

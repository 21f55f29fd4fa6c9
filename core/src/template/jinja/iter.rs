//! Iteration. What Python reads lazily is read lazily here: a filter over a sequence runs only as far
//! as somebody looks.

use std::cell::RefCell;
use std::rc::Rc;

use super::dict::Dict;
use super::fault::{Fault, Result, fail};
use super::filters::lazy::Lazy;
use super::kind::Type;
use super::loops::Loop;
use super::text::Text;
use super::value::{Range, Seq, Value, View};
use super::vm::Vm;

/// A place in something that is read one after the other.
pub(crate) enum Iter<'a> {
    Empty,
    Seq(Rc<Seq<'a>>, usize),
    /// Backwards; so many items are left.
    SeqBack(Rc<Seq<'a>>, usize),
    /// From this byte on.
    Chars(Text<'a>, usize),
    Keys(Rc<Dict<'a>>, usize),
    Values(Rc<Dict<'a>>, usize),
    Items(Rc<Dict<'a>>, usize),
    Range(Rc<Range>, usize),
    RangeBack(Rc<Range>, usize),
    Generator(Rc<Generator<'a>>),
    Loop(Rc<Loop<'a>>),
}

/// An iterator as a value: it is read once.
pub(crate) struct Generator<'a> {
    kind: Type,
    depth: u32,
    source: RefCell<Source<'a>>,
}

/// Where the items of a generator come from.
pub(crate) enum Source<'a> {
    Plain(Iter<'a>),
    Lazy(Box<Lazy<'a>>),
    /// It fails when it is first read, as a generator of Python does.
    Fails(Box<Fault>),
}

impl<'a> Generator<'a> {
    pub fn depth(&self) -> u32 {
        self.depth
    }

    pub fn kind(&self) -> Type {
        self.kind
    }
}

impl<'a> Value<'a> {
    /// An iterator over a source that holds values of so many levels.
    pub fn iterator(kind: Type, source: Source<'a>, depth: u32) -> Self {
        Self::Iterator(Rc::new(Generator {
            kind,
            depth,
            source: RefCell::new(source),
        }))
    }
}

/// `len(value)`, where there is one.
pub(crate) fn length(value: &Value<'_>) -> Option<usize> {
    Some(match value {
        Value::Undefined(_) => 0,
        Value::Str(text) => text.as_str().chars().count(),
        Value::List(seq) | Value::Tuple(seq) => seq.items.len(),
        Value::Dict(dict) | Value::View(_, dict) => dict.len(),
        Value::Range(range) => range.len(),
        _ => return None,
    })
}

impl<'a> Vm<'a> {
    /// `iter(value)`.
    pub fn iterate(&self, value: &Value<'a>) -> Result<Iter<'a>> {
        Ok(match value {
            Value::Undefined(_) => Iter::Empty,
            Value::List(seq) | Value::Tuple(seq) => Iter::Seq(seq.clone(), 0),
            Value::Str(text) => Iter::Chars(text.clone(), 0),
            Value::Dict(dict) | Value::View(View::Keys, dict) => Iter::Keys(dict.clone(), 0),
            Value::View(View::Values, dict) => Iter::Values(dict.clone(), 0),
            Value::View(View::Items, dict) => Iter::Items(dict.clone(), 0),
            Value::Range(range) => Iter::Range(range.clone(), 0),
            Value::Iterator(generator) => Iter::Generator(generator.clone()),
            Value::Loop(inside) => Iter::Loop(inside.clone()),
            other => return fail(format!("'{}' object is not iterable", other.type_name())),
        })
    }

    /// `reversed(value)`, where it can be.
    pub fn iterate_back(&self, value: &Value<'a>) -> Result<Option<(Iter<'a>, Type)>> {
        let back = |items: Vec<Value<'a>>| -> Result<Iter<'a>> {
            match Value::list(items, &self.meter)? {
                Value::List(seq) => {
                    let len = seq.items.len();
                    Ok(Iter::SeqBack(seq, len))
                }
                _ => Ok(Iter::Empty),
            }
        };
        Ok(Some(match value {
            Value::List(seq) => (
                Iter::SeqBack(seq.clone(), seq.items.len()),
                Type::ReversedList,
            ),
            Value::Tuple(seq) => (Iter::SeqBack(seq.clone(), seq.items.len()), Type::Reversed),
            Value::Range(range) => (
                Iter::RangeBack(range.clone(), range.len()),
                Type::RangeIterator,
            ),
            Value::Str(_) | Value::Dict(_) | Value::View(..) => {
                (back(self.collect_plain(value)?)?, Type::Reversed)
            }
            _ => return Ok(None),
        }))
    }

    /// All items of something that needs no interpreter to be read.
    fn collect_plain(&self, value: &Value<'a>) -> Result<Vec<Value<'a>>> {
        let mut items = self.iterate(value)?;
        let mut all = Vec::new();
        while let Some(item) = self.next_plain(&mut items)? {
            all.push(item);
        }
        Ok(all)
    }

    /// The next item.
    pub fn next(&mut self, items: &mut Iter<'a>) -> Result<Option<Value<'a>>> {
        match items {
            Iter::Generator(generator) => {
                let generator = generator.clone();
                self.next_of(&generator)
            }
            Iter::Loop(inside) => {
                let inside = inside.clone();
                match self.advance(&inside)? {
                    Some(item) => {
                        Value::tuple(vec![item, Value::Loop(inside)], &self.meter).map(Some)
                    }
                    None => Ok(None),
                }
            }
            plain => self.next_plain(plain),
        }
    }

    fn next_of(&mut self, generator: &Generator<'a>) -> Result<Option<Value<'a>>> {
        self.meter.step()?;
        self.meter.stack()?;
        let Ok(mut source) = generator.source.try_borrow_mut() else {
            return fail("a generator reads itself");
        };
        match &mut *source {
            Source::Plain(items) => self.next(items),
            Source::Lazy(lazy) => self.next_lazy(lazy),
            Source::Fails(fault) => {
                let fault = fault.clone();
                *source = Source::Plain(Iter::Empty);
                Err(fault)
            }
        }
    }

    fn next_plain(&self, items: &mut Iter<'a>) -> Result<Option<Value<'a>>> {
        let at = |at: &mut usize| {
            *at += 1;
            *at - 1
        };
        Ok(match items {
            Iter::Seq(seq, place) => seq.items.get(at(place)).cloned(),
            Iter::SeqBack(_, left) | Iter::RangeBack(_, left) if *left == 0 => None,
            Iter::SeqBack(seq, left) => {
                *left -= 1;
                seq.items.get(*left).cloned()
            }
            Iter::Chars(text, byte) => match text.as_str()[*byte..].chars().next() {
                Some(c) => {
                    let start = *byte;
                    *byte += c.len_utf8();
                    Some(Value::Str(text.slice(start..*byte).marked(false)))
                }
                None => None,
            },
            Iter::Keys(dict, place) => dict.pairs().get(at(place)).map(|pair| pair.0.clone()),
            Iter::Values(dict, place) => dict.pairs().get(at(place)).map(|pair| pair.1.clone()),
            Iter::Items(dict, place) => match dict.pairs().get(at(place)).cloned() {
                Some((key, value)) => Some(Value::tuple(vec![key, value], &self.meter)?),
                None => None,
            },
            Iter::Range(range, place) if *place < range.len() => Some(range.get(at(place))),
            Iter::RangeBack(range, left) => {
                *left -= 1;
                Some(range.get(*left))
            }
            Iter::Empty | Iter::Range(..) | Iter::Generator(_) | Iter::Loop(_) => None,
        })
    }

    /// `list(value)`, without making a value of it.
    pub fn collect(&mut self, value: &Value<'a>) -> Result<Vec<Value<'a>>> {
        if let Value::List(seq) | Value::Tuple(seq) = value {
            self.meter.work(seq.items.len() * size_of::<Value>())?;
            self.meter.bytes(seq.items.len() * size_of::<Value>())?;
            return Ok(seq.items.clone());
        }
        let mut items = self.iterate(value)?;
        let mut all = Vec::new();
        while let Some(item) = self.next(&mut items)? {
            self.meter.step()?;
            self.meter.bytes(size_of::<Value>())?;
            all.push(item);
        }
        Ok(all)
    }
}

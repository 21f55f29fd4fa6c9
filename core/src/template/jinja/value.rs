//! What expressions evaluate to: Python's values, as far as templates meet them.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::ast;
use super::dict::Dict;
use super::fault::{Fault, Result};
use super::frame::Frame;
use super::globals::Function;
use super::iter::Generator;
use super::kind::Type;
use super::loops::Loop;
use super::meter::{self, Meter};
use super::text::Text;

/// A value. Cloning one is cheap; only namespaces and iterators change.
///
/// It is moved at every step of the interpreter, so it is kept small.
#[derive(Clone)]
pub(crate) enum Value<'a> {
    Undefined(Undefined<'a>),
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Text<'a>),
    List(Rc<Seq<'a>>),
    Tuple(Rc<Seq<'a>>),
    Dict(Rc<Dict<'a>>),
    /// `dict.keys()`, `.values()` and `.items()`.
    View(View, Rc<Dict<'a>>),
    Range(Rc<Range>),
    /// Anything that is consumed while it is read.
    Iterator(Rc<Generator<'a>>),
    Namespace(Rc<Namespace<'a>>),
    Macro(Rc<Macro<'a>>),
    Method(Rc<Method<'a>>),
    Function(Function),
    Loop(Rc<Loop<'a>>),
    Cycler(Rc<Cycler<'a>>),
    Joiner(Rc<Joiner<'a>>),
    /// `self`, and `self.name`.
    Template,
    Block(u32),
}

const _: () = assert!(size_of::<Value<'_>>() <= 32);

/// Why a value is undefined; it decides the message when it is used.
#[derive(Debug, Clone)]
pub(crate) enum Undefined<'a> {
    /// A variable that nothing was assigned to yet.
    Unset,
    Name(&'a str),
    /// An attribute or key that a value of this type does not have.
    Member(Type, &'a str),
    /// The same with a key that the template computed, as `repr` shows it.
    Item(Type, Rc<str>),
    /// An attribute that the sandbox keeps back.
    Unsafe(Type, &'a str),
    Because(&'static str),
    Parameter(&'a str),
}

/// The items of a list or tuple.
pub(crate) struct Seq<'a> {
    pub items: Vec<Value<'a>>,
    depth: u32,
    /// The pairs of `groupby` have names for their parts.
    pub is_group: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Keys,
    Values,
    Items,
}

/// `range(start, stop, step)`.
#[derive(Debug, PartialEq)]
pub(crate) struct Range {
    pub start: i128,
    pub stop: i128,
    pub step: i128,
}

/// `namespace(...)`.
pub(crate) struct Namespace<'a> {
    pub fields: RefCell<Vec<(Text<'a>, Value<'a>)>>,
}

/// A macro with the variables around its definition.
pub(crate) struct Macro<'a> {
    pub ast: &'a ast::Macro,
    pub frame: Rc<Frame<'a>>,
}

/// A method that was taken from its value.
pub(crate) struct Method<'a> {
    pub of: Value<'a>,
    pub name: &'a str,
    depth: u32,
}

/// `cycler(...)`.
pub(crate) struct Cycler<'a> {
    pub items: Vec<Value<'a>>,
    pub at: Cell<usize>,
    depth: u32,
}

/// `joiner(...)`.
pub(crate) struct Joiner<'a> {
    pub separator: Value<'a>,
    pub used: Cell<bool>,
    depth: u32,
}

/// The depth of something that holds these values. Bounding it bounds every recursion over values,
/// dropping them included.
pub(crate) fn depth_above<'v, 'a: 'v>(
    values: impl IntoIterator<Item = &'v Value<'a>>,
) -> Result<u32> {
    let below = values.into_iter().map(Value::depth).max().unwrap_or(0);
    if below >= meter::DEPTH {
        return Err(Fault::limit(format!(
            "it makes values that are nested more than {} levels deep",
            meter::DEPTH
        )));
    }
    Ok(below + 1)
}

impl<'a> Seq<'a> {
    fn new(items: Vec<Value<'a>>, meter: &Meter) -> Result<Rc<Self>> {
        meter.bytes(64 + items.len().saturating_mul(size_of::<Value>()))?;
        let depth = depth_above(&items)?;
        Ok(Self::of_depth(items, depth))
    }

    /// Items that are paid for and not deeper than that.
    pub fn of_depth(items: Vec<Value<'a>>, depth: u32) -> Rc<Self> {
        Rc::new(Self {
            items,
            depth,
            is_group: false,
        })
    }
}

impl Range {
    pub fn len(&self) -> usize {
        let span = match self.step {
            0 => 0,
            step if step > 0 => self.stop - self.start,
            _ => self.start - self.stop,
        };
        if span <= 0 {
            return 0;
        }
        usize::try_from((span - 1) / self.step.abs() + 1).unwrap_or(usize::MAX)
    }

    pub fn get<'a>(&self, index: usize) -> Value<'a> {
        Value::Int(self.start + self.step * index as i128)
    }
}

impl<'a> Namespace<'a> {
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let fields = self.fields.borrow();
        let found = fields.iter().find(|(known, _)| known.as_str() == name);
        found.map(|(_, value)| value.clone())
    }

    pub fn set(&self, name: Text<'a>, value: Value<'a>) {
        let mut fields = self.fields.borrow_mut();
        match fields
            .iter_mut()
            .find(|(known, _)| known.as_str() == name.as_str())
        {
            Some(field) => field.1 = value,
            None => fields.push((name, value)),
        }
    }
}

impl<'a> Cycler<'a> {
    pub fn new(items: Vec<Value<'a>>) -> Result<Self> {
        let depth = depth_above(&items)?;
        Ok(Self {
            items,
            at: Cell::new(0),
            depth,
        })
    }
}

impl<'a> Joiner<'a> {
    pub fn new(separator: Value<'a>) -> Result<Self> {
        let depth = depth_above([&separator])?;
        Ok(Self {
            separator,
            used: Cell::new(false),
            depth,
        })
    }
}

impl<'a> Value<'a> {
    /// A string that the engine writes itself.
    pub const fn text(text: &'a str) -> Self {
        Self::Str(Text::trusted(text))
    }

    pub fn list(items: Vec<Self>, meter: &Meter) -> Result<Self> {
        Seq::new(items, meter).map(Self::List)
    }

    pub fn tuple(items: Vec<Self>, meter: &Meter) -> Result<Self> {
        Seq::new(items, meter).map(Self::Tuple)
    }

    /// The tuple of a group and its items.
    pub fn group(items: Vec<Self>, meter: &Meter) -> Result<Self> {
        let mut group = Seq::new(items, meter)?;
        if let Some(group) = Rc::get_mut(&mut group) {
            group.is_group = true;
        }
        Ok(Self::Tuple(group))
    }

    pub fn int(number: usize) -> Self {
        Self::Int(number as i128)
    }

    pub fn method(of: Self, name: &'a str) -> Result<Self> {
        let depth = depth_above([&of])?;
        Ok(Self::Method(Rc::new(Method { of, name, depth })))
    }

    /// How many containers are inside each other.
    pub fn depth(&self) -> u32 {
        match self {
            Self::List(seq) | Self::Tuple(seq) => seq.depth,
            Self::Dict(dict) | Self::View(_, dict) => dict.depth(),
            Self::Iterator(generator) => generator.depth(),
            Self::Method(method) => method.depth,
            Self::Cycler(cycler) => cycler.depth,
            Self::Joiner(joiner) => joiner.depth,
            Self::Loop(inside) => inside.depth(),
            _ => 0,
        }
    }

    /// `bool(value)`.
    pub fn is_true(&self) -> bool {
        match self {
            Self::Undefined(_) | Self::None => false,
            Self::Bool(value) => *value,
            Self::Int(number) => *number != 0,
            Self::Float(number) => *number != 0.0,
            Self::Str(text) => !text.is_empty(),
            Self::List(seq) | Self::Tuple(seq) => !seq.items.is_empty(),
            Self::Dict(dict) | Self::View(_, dict) => !dict.is_empty(),
            Self::Range(range) => range.len() > 0,
            _ => true,
        }
    }

    pub fn is_undefined(&self) -> bool {
        matches!(self, Self::Undefined(_))
    }

    pub fn as_text(&self) -> Option<&Text<'a>> {
        match self {
            Self::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number of an `int` or a `bool`, which Python takes for one.
    pub fn as_int(&self) -> Option<i128> {
        match self {
            Self::Int(number) => Some(*number),
            Self::Bool(value) => Some(i128::from(*value)),
            _ => None,
        }
    }
}

impl Undefined<'_> {
    /// The error of an operation on it.
    pub fn fault(&self) -> Box<Fault> {
        Fault::runtime(match self {
            Self::Unset => "a variable is used before it is set".to_owned(),
            Self::Name(name) => format!("'{name}' is undefined"),
            Self::Member(of, name) => format!("'{of} object' has no attribute '{name}'"),
            Self::Item(of, key) => format!("{of} object has no element {key}"),
            Self::Unsafe(of, name) => {
                format!("access to attribute '{name}' of '{of}' object is unsafe")
            }
            Self::Because(reason) => (*reason).to_owned(),
            Self::Parameter(name) => format!("parameter '{name}' was not provided"),
        })
    }
}

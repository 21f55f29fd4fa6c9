//! The types that values have in Python.

use std::fmt::{Display, Formatter};

use super::value::{Value, View};

/// One of them. It is kept where its name would take too much room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    Undefined,
    None,
    Bool,
    Int,
    Float,
    Str,
    Markup,
    List,
    Tuple,
    Dict,
    Keys,
    Values,
    Items,
    Range,
    Generator,
    Reversed,
    ReversedList,
    RangeIterator,
    Namespace,
    Macro,
    Method,
    Function,
    Loop,
    Cycler,
    Joiner,
    Template,
    Block,
}

impl Type {
    /// Its name in Python.
    pub fn name(self) -> &'static str {
        match self {
            Self::Undefined => "Undefined",
            Self::None => "NoneType",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Str => "str",
            Self::Markup => "Markup",
            Self::List => "list",
            Self::Tuple => "tuple",
            Self::Dict => "dict",
            Self::Keys => "dict_keys",
            Self::Values => "dict_values",
            Self::Items => "dict_items",
            Self::Range => "range",
            Self::Generator => "generator",
            Self::Reversed => "reversed",
            Self::ReversedList => "list_reverseiterator",
            Self::RangeIterator => "range_iterator",
            Self::Namespace => "Namespace",
            Self::Macro => "Macro",
            Self::Method => "builtin_function_or_method",
            Self::Function => "function",
            Self::Loop => "LoopContext",
            Self::Cycler => "Cycler",
            Self::Joiner => "Joiner",
            Self::Template => "TemplateReference",
            Self::Block => "BlockReference",
        }
    }
}

impl Display for Type {
    fn fmt(&self, out: &mut Formatter<'_>) -> std::fmt::Result {
        out.write_str(self.name())
    }
}

impl Value<'_> {
    /// Its type.
    pub fn kind(&self) -> Type {
        match self {
            Self::Undefined(_) => Type::Undefined,
            Self::None => Type::None,
            Self::Bool(_) => Type::Bool,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Str(text) if text.is_markup() => Type::Markup,
            Self::Str(_) => Type::Str,
            Self::List(_) => Type::List,
            Self::Tuple(_) => Type::Tuple,
            Self::Dict(_) => Type::Dict,
            Self::View(View::Keys, _) => Type::Keys,
            Self::View(View::Values, _) => Type::Values,
            Self::View(View::Items, _) => Type::Items,
            Self::Range(_) => Type::Range,
            Self::Iterator(generator) => generator.kind(),
            Self::Namespace(_) => Type::Namespace,
            Self::Macro(_) => Type::Macro,
            Self::Method(_) => Type::Method,
            Self::Function(_) => Type::Function,
            Self::Loop(_) => Type::Loop,
            Self::Cycler(_) => Type::Cycler,
            Self::Joiner(_) => Type::Joiner,
            Self::Template => Type::Template,
            Self::Block(_) => Type::Block,
        }
    }

    /// The name of its type in Python.
    pub fn type_name(&self) -> &'static str {
        self.kind().name()
    }
}

//! The tree of a template. Names are resolved to places of variables before it is used.

use super::filters::Filter;
use super::scope::{Enter, Place};
use super::tests::Test;

/// A name with the place of its variable.
#[derive(Debug)]
pub(crate) struct Name {
    pub name: Box<str>,
    pub place: Place,
}

/// The name of an attribute.
#[derive(Debug)]
pub(crate) struct Member {
    pub name: Box<str>,
    /// Dictionaries have a method of that name, which goes before their items.
    pub is_of_dict: bool,
    /// Strings have a method of that name.
    pub is_of_str: bool,
}

#[derive(Debug)]
pub(crate) enum Expr {
    None,
    Bool(bool),
    Int(i128),
    Float(f64),
    Str(Box<str>),
    Name(Name),
    List(Vec<Expr>),
    Tuple(Vec<Expr>),
    Dict(Vec<(Expr, Expr)>),
    Not(Box<Expr>),
    Negative(Box<Expr>),
    Positive(Box<Expr>),
    And(Box<(Expr, Expr)>),
    Or(Box<(Expr, Expr)>),
    /// `first op second op third ...` of operators of one rank, from left to right.
    Chain(Box<Expr>, Vec<(BinaryOp, Expr)>),
    /// `a ~ b ~ c`
    Concat(Vec<Expr>),
    Compare(Box<Expr>, Vec<(CompareOp, Expr)>),
    Attribute(Box<Expr>, Member),
    Item(Box<(Expr, Expr)>),
    Slice(Box<Slice>),
    Call(Box<Call>),
    Filter(Box<FilterCall>),
    Test(Box<TestCall>),
    If(Box<IfExpr>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum BinaryOp {
    Add,
    Subtract,
    Multiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CompareOp {
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    In,
    NotIn,
}

#[derive(Debug)]
pub(crate) struct Slice {
    pub of: Expr,
    pub start: Option<Expr>,
    pub stop: Option<Expr>,
    pub step: Option<Expr>,
}

/// What stands between the parentheses of a call.
#[derive(Debug, Default)]
pub(crate) struct Arguments {
    pub positional: Vec<Expr>,
    pub named: Vec<(Box<str>, Expr)>,
    /// `*list`
    pub list: Option<Expr>,
    /// `**mapping`
    pub mapping: Option<Expr>,
}

impl Arguments {
    pub fn is_empty(&self) -> bool {
        self.positional.is_empty()
            && self.named.is_empty()
            && self.list.is_none()
            && self.mapping.is_none()
    }
}

#[derive(Debug)]
pub(crate) struct Call {
    pub callee: Expr,
    pub arguments: Arguments,
    pub line: usize,
}

#[derive(Debug)]
pub(crate) struct FilterCall {
    /// Unset in filter blocks: what the block wrote.
    pub value: Option<Expr>,
    pub name: Box<str>,
    /// Unset where there is no such filter, which matters only if it is reached.
    pub filter: Option<Filter>,
    pub arguments: Arguments,
    pub line: usize,
}

#[derive(Debug)]
pub(crate) struct TestCall {
    pub value: Expr,
    pub name: Box<str>,
    pub test: Option<Test>,
    pub arguments: Arguments,
    pub line: usize,
}

#[derive(Debug)]
pub(crate) struct IfExpr {
    pub test: Expr,
    pub then: Expr,
    pub otherwise: Option<Expr>,
}

/// What is assigned to.
#[derive(Debug)]
pub(crate) enum Target {
    Name(Name),
    Tuple(Vec<Target>),
    /// `namespace.field`
    Field(Name, Box<str>),
}

/// Variables that a block of statements begins with.
pub(crate) type Scope = Vec<Enter>;

#[derive(Debug)]
pub(crate) enum Stmt {
    Data(Box<str>),
    Print(Expr, usize),
    If(Vec<(Expr, Vec<Stmt>, usize)>, Vec<Stmt>),
    For(Box<For>),
    Set(Target, Expr, usize),
    SetBlock(Box<SetBlock>),
    With(Box<With>),
    Macro(Box<Macro>),
    CallBlock(Box<CallBlock>),
    FilterBlock(Box<FilterBlock>),
    Generation(Box<Scoped>),
    Autoescape(Expr, Box<Scoped>),
    /// The place of a block in the list of blocks.
    Block(u32, usize),
    /// A block that sees the variables around it.
    ScopedBlock(Box<Scoped>),
    /// `import`, `include` and `extends`: there are no other templates.
    Absent(&'static str, usize),
    Break,
    Continue,
}

#[derive(Debug, Default)]
pub(crate) struct Scoped {
    pub enter: Scope,
    pub body: Vec<Stmt>,
    pub line: usize,
}

#[derive(Debug)]
pub(crate) struct For {
    pub target: Target,
    pub iterable: Expr,
    pub test: Option<LoopTest>,
    pub recursive: bool,
    pub body: Scoped,
    pub otherwise: Option<Scoped>,
    /// Where `loop` is, if the body uses it.
    pub loop_place: Option<Place>,
    /// The variables of a recursive loop, which is a function of its own.
    pub slots: usize,
}

/// `for ... if test`
#[derive(Debug)]
pub(crate) struct LoopTest {
    pub target: Target,
    pub enter: Scope,
    pub test: Expr,
}

#[derive(Debug)]
pub(crate) struct SetBlock {
    pub target: Target,
    pub filter: Option<Expr>,
    pub scoped: Scoped,
}

#[derive(Debug)]
pub(crate) struct With {
    pub targets: Vec<(Target, Expr)>,
    pub scoped: Scoped,
}

/// A macro, or the body of a call block.
#[derive(Debug)]
pub(crate) struct Macro {
    /// Unset for a call block.
    pub name: Option<Name>,
    pub parameters: Vec<Parameter>,
    pub caller: Option<Place>,
    pub kwargs: Option<Place>,
    pub varargs: Option<Place>,
    pub scoped: Scoped,
    pub slots: usize,
}

#[derive(Debug)]
pub(crate) struct Parameter {
    pub name: Name,
    pub default: Option<Expr>,
}

#[derive(Debug)]
pub(crate) struct CallBlock {
    pub call: Call,
    pub caller: Macro,
}

#[derive(Debug)]
pub(crate) struct FilterBlock {
    pub filter: Expr,
    pub scoped: Scoped,
}

/// The body of `{% block name %}`. It sees the top level's variables only.
#[derive(Debug)]
pub(crate) struct Block {
    pub name: Box<str>,
    pub scoped: Scoped,
    pub slots: usize,
}

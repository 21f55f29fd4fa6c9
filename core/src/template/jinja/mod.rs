//! Jinja as transformers runs it: jinja2's immutable sandbox with `trim_blocks`, `lstrip_blocks`, loop
//! controls and `{% generation %}`, over Python's values.
//!
//! A template goes through [`lexer`], [`parser`] and [`scope`], which gives each name its place, and is
//! then run by [`vm`]. Strings know which of their bytes came from messages ([`text`]), and a [`meter`]
//! stops templates that use up too much.

mod args;
mod ast;
mod clock;
mod compare;
mod dict;
mod fault;
mod filters;
mod format;
mod frame;
mod globals;
mod html;
mod iter;
mod json;
mod kind;
mod lexer;
mod literal;
mod loops;
mod meter;
mod methods;
mod numbers;
mod operators;
mod parser;
mod repr;
mod scope;
mod slices;
mod tests;
mod text;
mod tojson;
mod unicode;
mod value;
mod vm;

pub(super) use dict::Dict;
pub(super) use fault::{Fault, Kind, Result};
pub(super) use json::{MAX_DEPTH, member, message, value as json};
pub(super) use meter::Meter;
pub(super) use text::Text;
pub(super) use unicode::is_space;
pub(super) use value::Value;
pub(super) use vm::Vm;

/// A compiled template.
#[derive(Debug)]
pub(super) struct Program {
    body: Vec<ast::Stmt>,
    blocks: Vec<ast::Block>,
    /// Variables of the top level.
    slots: usize,
    enter: ast::Scope,
    /// Names that are looked up among the variables of a rendering.
    context: Vec<String>,
    literals: Vec<String>,
}

impl Program {
    /// Compiles a template's source.
    pub fn compile(source: &str) -> Result<Self> {
        let mut parsed = parser::parse(source)?;
        let resolved = scope::resolve(&mut parsed.body, &mut parsed.blocks)?;
        Ok(Self {
            body: parsed.body,
            blocks: parsed.blocks,
            slots: resolved.slots,
            enter: resolved.enter,
            context: resolved.context,
            literals: parsed.literals,
        })
    }

    /// Every string literal and piece of raw text of the source.
    pub fn literals(&self) -> &[String] {
        &self.literals
    }
}

//! Tokens to a tree.

mod expression;
mod postfix;
mod statement;
mod target;

use super::ast::{Block, Stmt};
use super::fault::{Fault, Result};
use super::lexer::{Kind, Token, tokens};

/// Statements and brackets inside each other. Python's own parser gives up before.
const DEPTH: usize = 100;

/// A parsed template.
pub(super) struct Parsed {
    pub body: Vec<Stmt>,
    pub blocks: Vec<Block>,
    /// Every string literal and piece of raw text.
    pub literals: Vec<String>,
}

/// Parses a whole template.
pub(super) fn parse(source: &str) -> Result<Parsed> {
    let mut parser = Parser {
        tokens: tokens(source)?,
        at: 0,
        depth: 0,
        blocks: Vec::new(),
        literals: Vec::new(),
        open: Vec::new(),
        in_loop: false,
        conditional: 0,
        unknown: Vec::new(),
    };
    let body = parser.statements(&[])?;
    if !parser.unknown.is_empty() {
        return Err(parser.unknown.swap_remove(0));
    }
    Ok(Parsed {
        body,
        blocks: parser.blocks,
        literals: parser.literals,
    })
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    depth: usize,
    blocks: Vec<Block>,
    literals: Vec<String>,
    /// Tags that wait for their end.
    open: Vec<String>,
    /// `break` and `continue` have a loop to leave.
    in_loop: bool,
    /// Inside of `if`, where jinja2 looks filters and tests up when they are reached.
    conditional: usize,
    /// Filters and tests that do not exist, outside of anything conditional.
    unknown: Vec<Box<Fault>>,
}

impl Parser {
    fn kind(&self) -> &Kind {
        &self.tokens[self.at].kind
    }

    fn look(&self) -> &Kind {
        let next = (self.at + 1).min(self.tokens.len() - 1);
        &self.tokens[next].kind
    }

    fn line(&self) -> usize {
        self.tokens[self.at].line
    }

    /// Takes the current token. The last one stays.
    fn next(&mut self) -> Kind {
        let last = self.at + 1 == self.tokens.len();
        if last {
            return Kind::End;
        }
        self.at += 1;
        std::mem::replace(&mut self.tokens[self.at - 1].kind, Kind::End)
    }

    fn fail<T>(&self, message: impl Into<String>) -> Result<T> {
        Err(Fault::syntax(message, self.line()))
    }

    fn unexpected<T>(&self) -> Result<T> {
        self.fail(format!("unexpected '{}'", self.kind().describe()))
    }

    fn is_op(&self, op: &str) -> bool {
        matches!(self.kind(), Kind::Op(found) if *found == op)
    }

    fn is_name(&self, name: &str) -> bool {
        matches!(self.kind(), Kind::Name(found) if found == name)
    }

    fn skip_op(&mut self, op: &str) -> bool {
        let skips = self.is_op(op);
        if skips {
            self.next();
        }
        skips
    }

    fn skip_name(&mut self, name: &str) -> bool {
        let skips = self.is_name(name);
        if skips {
            self.next();
        }
        skips
    }

    fn expect_op(&mut self, op: &str) -> Result<()> {
        if self.skip_op(op) {
            return Ok(());
        }
        self.expected(op)
    }

    fn expect_name(&mut self, name: &str) -> Result<()> {
        if self.skip_name(name) {
            return Ok(());
        }
        self.expected(name)
    }

    fn expect(&mut self, kind: &Kind) -> Result<()> {
        if self.kind() == kind {
            self.next();
            return Ok(());
        }
        self.expected(kind.describe())
    }

    fn expected<T>(&self, what: &str) -> Result<T> {
        if *self.kind() == Kind::End {
            return self.fail(format!("the template ends where '{what}' is expected"));
        }
        self.fail(format!(
            "expected '{what}', found '{}'",
            self.kind().describe()
        ))
    }

    fn identifier(&mut self) -> Result<String> {
        match self.kind() {
            Kind::Name(_) => {}
            _ => return self.expected("name"),
        }
        match self.next() {
            Kind::Name(name) => Ok(name),
            _ => self.unexpected(),
        }
    }

    /// Parses something that may hold itself.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.depth >= DEPTH {
            return self.fail(format!("it is nested more than {DEPTH} levels deep"));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }
}

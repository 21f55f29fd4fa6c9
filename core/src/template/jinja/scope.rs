//! Which variable a name means. jinja2 decides that before a template runs: each loop, macro and block
//! has variables of its own, a name that is assigned in one is a copy of the one around it, and a name
//! that is only read is that of the nearest scope, or of the context.

mod analyse;
mod names;
mod resolve;

use std::collections::HashMap;

use super::ast::{Block, Stmt};
use super::fault::Result;

/// Where a variable is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Not resolved yet.
    Unknown,
    /// A slot of the running function.
    Local(u32),
    /// A slot of a function around it, so many levels out.
    Outer(u32, u32),
    /// What the rendering was given under that name.
    Context(u32),
}

/// What a variable is when its scope is entered.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Enter {
    /// Unset.
    Unset(u32),
    /// A copy of the variable of the same name in the scope around it.
    Copy(u32, Place),
    /// For blocks: what the top level set, else what the context has.
    TopLevel { slot: u32, top: u32, context: u32 },
}

/// Resolves all names of a template.
pub(super) struct Resolved {
    /// Slots of the top level.
    pub slots: usize,
    pub enter: Vec<Enter>,
    /// The names that are looked up in the context.
    pub context: Vec<String>,
}

/// Resolves the names of a whole template, in place.
pub(super) fn resolve(body: &mut [Stmt], blocks: &mut [Block]) -> Result<Resolved> {
    let mut resolver = Resolver::default();
    resolver.open_function();
    resolver.open_scope();
    resolver.analyse_body(body);
    let enter = resolver.settle();
    resolver.body(body)?;
    for block in blocks {
        resolver.block(block)?;
    }
    resolver.scopes.pop();
    let slots = resolver.close_function();
    Ok(Resolved {
        slots,
        enter,
        context: resolver.context,
    })
}

#[derive(Default)]
struct Resolver {
    scopes: Vec<Names>,
    /// Slots taken by each of the functions inside each other.
    functions: Vec<u32>,
    context: Vec<String>,
    context_index: HashMap<String, u32>,
}

/// The names of one scope.
#[derive(Default)]
struct Names {
    known: HashMap<Box<str>, Known>,
    /// Nothing around it is seen.
    is_block: bool,
}

#[derive(Clone, Copy)]
struct Known {
    start: Start,
    stored: bool,
    at: At,
}

/// What a variable begins as.
#[derive(Clone, Copy, PartialEq)]
enum Start {
    /// Given by whoever enters the scope.
    Parameter,
    Context,
    Copy(At),
    Unset,
}

/// An absolute place.
#[derive(Clone, Copy, PartialEq)]
enum At {
    Unsettled,
    Slot { function: usize, slot: u32 },
    Context(u32),
}

impl Resolver {
    fn open_function(&mut self) {
        self.functions.push(0);
    }

    fn close_function(&mut self) -> usize {
        self.functions.pop().unwrap_or_default() as usize
    }

    fn open_scope(&mut self) {
        self.scopes.push(Names::default());
    }

    fn new_slot(&mut self) -> u32 {
        let slots = self.functions.last_mut().expect("a function is open");
        *slots += 1;
        *slots - 1
    }

    fn function(&self) -> usize {
        self.functions.len() - 1
    }

    fn context(&mut self, name: &str) -> u32 {
        if let Some(index) = self.context_index.get(name) {
            return *index;
        }
        let index = self.context.len() as u32;
        self.context.push(name.to_owned());
        self.context_index.insert(name.to_owned(), index);
        index
    }

    /// The nearest scope that knows a name; `outer` leaves the innermost out.
    fn find(&self, name: &str, outer: bool) -> Option<Known> {
        let mut scopes = self.scopes.iter().rev();
        if outer && scopes.next().is_none_or(|scope| scope.is_block) {
            return None;
        }
        for scope in scopes {
            if let Some(known) = scope.known.get(name) {
                return Some(*known);
            }
            if scope.is_block {
                return None;
            }
        }
        None
    }

    fn insert(&mut self, name: &str, known: Known) {
        let scope = self.scopes.last_mut().expect("a scope is open");
        scope.known.insert(name.into(), known);
    }

    /// A name is given a value by whoever enters the scope. Its place is known at once.
    fn parameter(&mut self, name: &str) -> Place {
        let slot = self.new_slot();
        let at = At::Slot {
            function: self.function(),
            slot,
        };
        self.insert(
            name,
            Known {
                start: Start::Parameter,
                stored: true,
                at,
            },
        );
        Place::Local(slot)
    }

    /// A name is read.
    fn load(&mut self, name: &str) {
        if self.find(name, false).is_none() {
            self.insert(
                name,
                Known {
                    start: Start::Context,
                    stored: false,
                    at: At::Unsettled,
                },
            );
        }
    }

    /// A name is assigned to, on some ways through the scope only where `conditional`.
    fn store(&mut self, name: &str, conditional: bool) {
        let scope = self.scopes.last_mut().expect("a scope is open");
        if let Some(known) = scope.known.get_mut(name) {
            known.stored = true;
            return;
        }
        let start = match self.find(name, true) {
            Some(outer) => Start::Copy(outer.at),
            None if conditional => Start::Context,
            None => Start::Unset,
        };
        self.insert(
            name,
            Known {
                start,
                stored: true,
                at: At::Unsettled,
            },
        );
    }

    /// Gives every name of the innermost scope its place; what has to be done on entering it.
    fn settle(&mut self) -> Vec<Enter> {
        let mut enter = Vec::new();
        let function = self.function();
        let scope = self.scopes.last().expect("a scope is open");
        let is_block = scope.is_block;
        let mut unsettled: Vec<Box<str>> = scope
            .known
            .iter()
            .filter(|(_, known)| known.at == At::Unsettled)
            .map(|(name, _)| name.clone())
            .collect();
        unsettled.sort();
        for name in unsettled {
            let known = self.scopes.last().expect("a scope is open").known[&name];
            let at = match known.start {
                Start::Context => {
                    let context = self.context(&name);
                    let top = is_block.then(|| self.top_level_slot(&name)).flatten();
                    match top {
                        Some(top) => {
                            let slot = self.new_slot();
                            enter.push(Enter::TopLevel { slot, top, context });
                            At::Slot { function, slot }
                        }
                        None if !known.stored => At::Context(context),
                        None => {
                            let slot = self.new_slot();
                            enter.push(Enter::Copy(slot, Place::Context(context)));
                            At::Slot { function, slot }
                        }
                    }
                }
                Start::Copy(outer) => {
                    let slot = self.new_slot();
                    enter.push(Enter::Copy(slot, self.relative(outer)));
                    At::Slot { function, slot }
                }
                Start::Unset | Start::Parameter => {
                    let slot = self.new_slot();
                    enter.push(Enter::Unset(slot));
                    At::Slot { function, slot }
                }
            };
            let scope = self.scopes.last_mut().expect("a scope is open");
            if let Some(known) = scope.known.get_mut(&name) {
                known.at = at;
            }
        }
        enter
    }

    /// The slot of a name that the top level assigns to.
    fn top_level_slot(&self, name: &str) -> Option<u32> {
        let known = self.scopes.first()?.known.get(name)?;
        match known.at {
            At::Slot { slot, .. } if known.stored => Some(slot),
            _ => None,
        }
    }

    /// A place as the running function sees it.
    fn relative(&self, at: At) -> Place {
        match at {
            At::Unsettled => Place::Unknown,
            At::Context(context) => Place::Context(context),
            At::Slot { function, slot } => match self.function() - function {
                0 => Place::Local(slot),
                levels => Place::Outer(levels as u32, slot),
            },
        }
    }

    fn place(&mut self, name: &str) -> Place {
        match self.find(name, false) {
            Some(known) if known.at != At::Unsettled => self.relative(known.at),
            _ => Place::Context(self.context(name)),
        }
    }
}

//! The `loop` variable.

use std::cell::RefCell;
use std::rc::Rc;

use super::args::Args;
use super::ast::For;
use super::compare::{equal, same};
use super::fault::{Result, fail};
use super::frame::Frame;
use super::iter::Iter;
use super::value::{Undefined, Value};
use super::vm::Vm;

/// A running loop.
pub(crate) struct Loop<'a> {
    pub node: &'a For,
    pub depth0: usize,
    /// The frame that the loop is in; for its test and for recursion.
    around: Option<Rc<Frame<'a>>>,
    depth: u32,
    state: RefCell<State<'a>>,
}

struct State<'a> {
    source: Iter<'a>,
    /// Items that were read early, for the length.
    ahead: Option<Iter<'a>>,
    length: Option<usize>,
    /// Items given out so far.
    index: usize,
    /// The next item, where it was looked at; the inner option is the end.
    after: Option<Option<Value<'a>>>,
    before: Option<Value<'a>>,
    current: Option<Value<'a>>,
    changed: Option<Vec<Value<'a>>>,
}

impl<'a> Loop<'a> {
    pub fn new(
        node: &'a For,
        source: Iter<'a>,
        items: &Value<'a>,
        around: Option<Rc<Frame<'a>>>,
        depth0: usize,
    ) -> Self {
        let length = match node.test {
            Some(_) => None,
            None => super::iter::length(items),
        };
        Self {
            node,
            depth0,
            around,
            depth: items.depth().saturating_add(1),
            state: RefCell::new(State {
                source,
                ahead: None,
                length,
                index: 0,
                after: None,
                before: None,
                current: None,
                changed: None,
            }),
        }
    }

    pub fn depth(&self) -> u32 {
        self.depth
    }

    pub fn around(&self) -> Option<&Rc<Frame<'a>>> {
        self.around.as_ref()
    }
}

impl<'a> Vm<'a> {
    /// The next item that passes the loop's test.
    fn pull(&mut self, inside: &Loop<'a>) -> Result<Option<Value<'a>>> {
        loop {
            self.meter.step()?;
            let Ok(mut state) = inside.state.try_borrow_mut() else {
                return fail("a loop reads its items while it reads its items");
            };
            let (mut source, is_ahead) = match state.ahead.take() {
                Some(ahead) => (ahead, true),
                None => (std::mem::replace(&mut state.source, Iter::Empty), false),
            };
            drop(state);
            let item = self.next(&mut source);
            let mut state = inside.state.borrow_mut();
            match is_ahead {
                true => state.ahead = Some(source),
                false => state.source = source,
            }
            drop(state);
            let item = item?;
            match &item {
                Some(value) if !is_ahead && !self.passes(inside, value)? => {}
                _ => return Ok(item),
            }
        }
    }

    /// Goes on to the next item.
    pub(super) fn advance(&mut self, inside: &Loop<'a>) -> Result<Option<Value<'a>>> {
        let mut state = inside.state.borrow_mut();
        let ready = state.after.take().or_else(|| state.quick_next());
        drop(state);
        let item = match ready {
            Some(item) => item,
            None => self.pull(inside)?,
        };
        let Some(item) = item else {
            return Ok(None);
        };
        let mut state = inside.state.borrow_mut();
        state.index += 1;
        state.before = state.current.replace(item.clone());
        Ok(Some(item))
    }

    fn peek(&mut self, inside: &Loop<'a>) -> Result<Option<Value<'a>>> {
        if let Some(after) = &inside.state.borrow().after {
            return Ok(after.clone());
        }
        let after = self.pull(inside)?;
        // A read end stays an end.
        inside.state.borrow_mut().after = Some(after.clone());
        Ok(after)
    }

    fn length_of(&mut self, inside: &Loop<'a>) -> Result<usize> {
        if let Some(length) = inside.state.borrow().length {
            return Ok(length);
        }
        let mut rest = Vec::new();
        while let Some(item) = self.pull(inside)? {
            rest.push(item);
        }
        let count = rest.len();
        let rest = Value::list(rest, &self.meter)?;
        let ahead = self.iterate(&rest)?;
        let mut state = inside.state.borrow_mut();
        let peeked = usize::from(matches!(state.after, Some(Some(_))));
        state.ahead = Some(ahead);
        let length = count + state.index + peeked;
        state.length = Some(length);
        Ok(length)
    }

    /// `repr(loop)`
    pub(super) fn loop_repr(&mut self, inside: &Rc<Loop<'a>>) -> Result<String> {
        let length = self.length_of(inside)?;
        let index = inside.state.borrow().index;
        Ok(format!("<LoopContext {index}/{length}>"))
    }

    /// `loop.name`
    pub(super) fn loop_attribute(
        &mut self,
        inside: &Rc<Loop<'a>>,
        name: &str,
    ) -> Result<Option<Value<'a>>> {
        let index = || inside.state.borrow().index;
        Ok(Some(match name {
            "index" => Value::int(index()),
            "index0" => Value::Int(index() as i128 - 1),
            "first" => Value::Bool(index() == 1),
            "last" => {
                let known = inside.state.borrow().quick_last();
                Value::Bool(match known {
                    Some(last) => last,
                    None => self.peek(inside)?.is_none(),
                })
            }
            "length" => Value::int(self.length_of(inside)?),
            "revindex" => Value::Int(self.length_of(inside)? as i128 - index() as i128 + 1),
            "revindex0" => Value::Int(self.length_of(inside)? as i128 - index() as i128),
            "depth" => Value::int(inside.depth0 + 1),
            "depth0" => Value::int(inside.depth0),
            "previtem" => match inside.state.borrow().before.clone() {
                Some(item) => item,
                None => Value::Undefined(Undefined::Because("there is no previous item")),
            },
            "nextitem" => match self.peek(inside)? {
                Some(item) => item,
                None => Value::Undefined(Undefined::Because("there is no next item")),
            },
            _ => return Ok(None),
        }))
    }

    /// `loop.cycle(...)` and `loop.changed(...)`
    pub(super) fn loop_method(
        &mut self,
        inside: &Loop<'a>,
        name: &str,
        args: Args<'a>,
    ) -> Result<Value<'a>> {
        if !args.named.is_empty() {
            return fail(format!("loop.{name} takes no named arguments"));
        }
        let mut items = args.positional;
        if name == "cycle" {
            if items.is_empty() {
                return fail("loop.cycle needs something to cycle through");
            }
            let index = inside.state.borrow().index.saturating_sub(1) % items.len();
            return Ok(items.swap_remove(index));
        }
        let mut state = inside.state.borrow_mut();
        let is_same = match &state.changed {
            Some(known) if known.len() == items.len() => {
                let mut is_same = true;
                for (a, b) in known.iter().zip(&items) {
                    is_same &= same(a, b) || equal(a, b, &self.meter)?;
                }
                is_same
            }
            _ => false,
        };
        if !is_same {
            super::value::depth_above(&items)?;
            state.changed = Some(items);
        }
        Ok(Value::Bool(!is_same))
    }
}

impl<'a> State<'a> {
    /// The next item or the end, where nothing has to be run for it: that of a list without a test.
    fn quick_next(&mut self) -> Option<Option<Value<'a>>> {
        match (&mut self.source, &self.ahead, self.length) {
            (Iter::Seq(seq, place), None, Some(_)) => {
                let item = seq.items.get(*place).cloned();
                *place += 1;
                Some(item)
            }
            _ => None,
        }
    }

    /// Whether this is the last item, where the length says so without reading on.
    fn quick_last(&self) -> Option<bool> {
        match (&self.after, &self.ahead, self.length) {
            (None, None, Some(length)) => Some(self.index >= length),
            _ => None,
        }
    }
}

//! Loops.

use std::rc::Rc;

use super::super::ast::{For, Target};
use super::super::fault::{Result, fail};
use super::super::frame::Frame;
use super::super::iter::Iter;
use super::super::loops::Loop;
use super::super::value::Value;
use super::Vm;
use super::stmt::Flow;

impl<'a> Vm<'a> {
    pub(super) fn for_loop(&mut self, node: &'a For) -> Result<Flow> {
        let items = self.eval(&node.iterable)?;
        if node.recursive {
            let around = self.kept_frame();
            let text = self.recursive(node, &around, &items, 0)?;
            self.emit(&text)?;
            return Ok(Flow::Through);
        }
        if node.loop_place.is_some() || node.test.is_some() {
            let around = node.test.as_ref().map(|_| self.kept_frame());
            let inside = Loop::new(node, self.iterate(&items)?, &items, around, 0);
            return self.run_loop(node, &Rc::new(inside));
        }
        let mut items = self.iterate(&items)?;
        let mut any = false;
        loop {
            if !self.next_into(&mut items, &node.target)? {
                break;
            }
            match self.scoped(&node.body)? {
                Flow::Break => break,
                Flow::Continue => {}
                // jinja2 notes only here that the loop had an item.
                Flow::Through => any = true,
            }
        }
        self.otherwise(node, any)
    }

    /// Assigns the next item; pairs of a dictionary without making a tuple.
    fn next_into(&mut self, items: &mut Iter<'a>, target: &'a Target) -> Result<bool> {
        self.meter.step()?;
        if let (Target::Tuple(names), Iter::Items(dict, at)) = (target, &mut *items) {
            if let [key_name, value_name] = names.as_slice() {
                let Some((key, value)) = dict.pairs().get(*at).cloned() else {
                    return Ok(false);
                };
                *at += 1;
                self.assign(key_name, key)?;
                self.assign(value_name, value)?;
                return Ok(true);
            }
        }
        match self.next(items)? {
            Some(item) => self.assign(target, item).map(|()| true),
            None => Ok(false),
        }
    }

    fn otherwise(&mut self, node: &'a For, any: bool) -> Result<Flow> {
        match &node.otherwise {
            Some(otherwise) if !any => self.scoped(otherwise),
            _ => Ok(Flow::Through),
        }
    }

    fn run_loop(&mut self, node: &'a For, inside: &Rc<Loop<'a>>) -> Result<Flow> {
        let mut any = false;
        // Nothing else assigns to `loop`; without an item there is none.
        let mut place = node.loop_place;
        while let Some(item) = self.advance(inside)? {
            self.meter.step()?;
            if let Some(place) = place.take() {
                self.store(place, Value::Loop(inside.clone()));
            }
            self.assign(&node.target, item)?;
            match self.scoped(&node.body)? {
                Flow::Break => break,
                Flow::Continue => {}
                Flow::Through => any = true,
            }
        }
        self.otherwise(node, any)
    }

    /// One level of a recursive loop: what it writes.
    fn recursive(
        &mut self,
        node: &'a For,
        around: &Rc<Frame<'a>>,
        items: &Value<'a>,
        depth0: usize,
    ) -> Result<Value<'a>> {
        let source = self.iterate(items)?;
        let inside = Rc::new(Loop::new(node, source, items, Some(around.clone()), depth0));
        let frame = Frame::new(node.slots, Some(around.clone()));
        self.within(frame, |vm| {
            let (_, text) = vm.capture(|vm| vm.run_loop(node, &inside))?;
            Ok(Value::Str(text))
        })
    }

    /// `loop(items)`
    pub(super) fn recurse(&mut self, inside: &Rc<Loop<'a>>, items: Value<'a>) -> Result<Value<'a>> {
        let around = match inside.around() {
            Some(around) if inside.node.recursive => around.clone(),
            _ => return fail("only a loop that is marked 'recursive' can be called"),
        };
        self.recursive(inside.node, &around, &items, inside.depth0 + 1)
    }

    /// Whether an item passes the loop's `if`.
    pub fn passes(&mut self, inside: &Loop<'a>, item: &Value<'a>) -> Result<bool> {
        let (Some(test), Some(around)) = (&inside.node.test, inside.around()) else {
            return Ok(true);
        };
        let outer = std::mem::replace(&mut self.frame, around.clone());
        let passes = self
            .assign(&test.target, item.clone())
            .and_then(|()| self.enter(&test.enter))
            .and_then(|()| self.is_true(&test.test));
        self.frame = outer;
        passes
    }
}

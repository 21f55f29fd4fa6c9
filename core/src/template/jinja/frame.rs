//! The variables of a running function: the top level, a macro, a block, a recursive loop.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::value::{Undefined, Value};

/// Slots of one call, and the frame around the function's definition.
pub(crate) struct Frame<'a> {
    slots: RefCell<Vec<Value<'a>>>,
    pub parent: Option<Rc<Frame<'a>>>,
    /// Some value refers to it, so that it may outlive its call.
    kept: Cell<bool>,
}

impl<'a> Frame<'a> {
    pub fn new(slots: usize, parent: Option<Rc<Self>>) -> Rc<Self> {
        let unset = Value::Undefined(Undefined::Unset);
        Rc::new(Self {
            slots: RefCell::new(vec![unset; slots]),
            parent,
            kept: Cell::new(false),
        })
    }

    pub fn get(&self, slot: u32) -> Value<'a> {
        self.look(slot, Value::clone)
    }

    /// Looks at a variable, which `see` must not assign to.
    pub fn look<T>(&self, slot: u32, see: impl FnOnce(&Value<'a>) -> T) -> T {
        see(&self.slots.borrow()[slot as usize])
    }

    pub fn set(&self, slot: u32, value: Value<'a>) {
        // The old value is dropped after the slots are free again.
        let _old = std::mem::replace(&mut self.slots.borrow_mut()[slot as usize], value);
    }

    /// Notes that a value refers to the frame; false where that was known.
    pub fn keep(&self) -> bool {
        !self.kept.replace(true)
    }

    /// Takes all values out, so that circles are broken.
    pub fn clear(&self) -> Vec<Value<'a>> {
        std::mem::take(&mut self.slots.borrow_mut())
    }
}

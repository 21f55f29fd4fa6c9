//! Runs a template.

mod call;
mod expr;
mod lookup;
mod loops;
mod macros;
mod stmt;

use std::ops::Range;
use std::rc::Rc;

use jiff::civil::DateTime;

use super::Program;
use super::ast::{Scope, Target};
use super::fault::{Result, fail};
use super::frame::Frame;
use super::globals;
use super::meter::Meter;
use super::repr;
use super::scope::{Enter, Place};
use super::text::{Builder, Text};
use super::value::{Namespace, Undefined, Value};

/// What a rendering gives.
pub(crate) struct Output {
    pub text: String,
    pub untrusted: Vec<Range<usize>>,
    /// Ranges of `{% generation %}`, as transformers counts them.
    pub generation: Vec<Range<usize>>,
}

/// One rendering.
pub(crate) struct Vm<'a> {
    program: &'a Program,
    /// Variables by the index that the program gave their names.
    context: Vec<Value<'a>>,
    pub meter: Rc<Meter>,
    pub now: Option<DateTime>,
    frame: Rc<Frame<'a>>,
    out: Builder,
    /// How many outputs are kept back from the prompt: macros, blocks that are set ...
    captures: usize,
    /// The length of the prompt when the first of them began.
    written: usize,
    generation: Vec<Range<usize>>,
    /// What may refer to itself in a circle.
    frames: Vec<Rc<Frame<'a>>>,
    namespaces: Vec<Rc<Namespace<'a>>>,
    /// Inside of `{% autoescape true %}`.
    autoescape: bool,
}

impl<'a> Vm<'a> {
    /// Renders a program with these variables, which are so large.
    pub fn run(
        program: &'a Program,
        variables: &[(&'a str, Value<'a>)],
        now: Option<DateTime>,
        meter: Rc<Meter>,
        input: usize,
    ) -> Result<Output> {
        let lookup = |name: &String| {
            if name == "self" {
                return Value::Template;
            }
            // Later ones win.
            let found = variables.iter().rev().find(|(known, _)| known == name);
            match found {
                Some((_, value)) => value.clone(),
                None => globals::find(name),
            }
        };
        let mut vm = Self {
            context: program.context.iter().map(lookup).collect(),
            frame: Frame::new(program.slots, None),
            out: Builder::with_capacity(&meter, 1024 + input),
            program,
            meter,
            now,
            captures: 0,
            written: 0,
            generation: Vec::new(),
            frames: Vec::new(),
            namespaces: Vec::new(),
            autoescape: false,
        };
        let done = vm
            .enter(&program.enter)
            .and_then(|()| vm.body(&program.body));
        let out = std::mem::replace(&mut vm.out, Builder::new(&vm.meter));
        vm.break_circles();
        done?;
        let (text, untrusted) = out.into_parts()?;
        Ok(Output {
            generation: vm.generation,
            text,
            untrusted,
        })
    }

    /// Frees what refers to itself. Everything is held by the lists while it is taken apart, so that
    /// no chain of drops is longer than values are deep.
    fn break_circles(&mut self) {
        let mut values: Vec<Value<'a>> = Vec::new();
        for frame in &self.frames {
            values.extend(frame.clear());
        }
        for namespace in &self.namespaces {
            let fields = std::mem::take(&mut *namespace.fields.borrow_mut());
            values.extend(fields.into_iter().map(|(_, value)| value));
        }
        drop(values);
    }

    /// The frame for a value that refers to it.
    pub(super) fn kept_frame(&mut self) -> Rc<Frame<'a>> {
        if self.frame.keep() {
            self.frames.push(self.frame.clone());
        }
        self.frame.clone()
    }

    pub fn new_namespace(&mut self, fields: Vec<(Text<'a>, Value<'a>)>) -> Result<Value<'a>> {
        self.meter.bytes(512)?;
        let namespace = Rc::new(Namespace {
            fields: fields.into(),
        });
        self.namespaces.push(namespace.clone());
        Ok(Value::Namespace(namespace))
    }

    /// Sets a scope's variables to what they begin as.
    fn enter(&mut self, scope: &Scope) -> Result<()> {
        for enter in scope {
            match *enter {
                Enter::Unset(slot) => {
                    self.frame.set(slot, Value::Undefined(Undefined::Unset));
                }
                Enter::Copy(slot, place) => self.frame.set(slot, self.load(place)),
                Enter::TopLevel { slot, top, context } => {
                    let value = match self.top_frame().get(top) {
                        Value::Undefined(Undefined::Unset) => self.load(Place::Context(context)),
                        set => set,
                    };
                    self.frame.set(slot, value);
                }
            }
        }
        Ok(())
    }

    /// The frame of the top level.
    fn top_frame(&self) -> Rc<Frame<'a>> {
        let mut top = &self.frame;
        while let Some(parent) = &top.parent {
            top = parent;
        }
        top.clone()
    }

    fn load(&self, place: Place) -> Value<'a> {
        self.look(place, Value::clone)
    }

    /// Looks at a variable.
    fn look<T>(&self, place: Place, see: impl FnOnce(&Value<'a>) -> T) -> T {
        match place {
            Place::Local(slot) => self.frame.look(slot, see),
            Place::Outer(levels, slot) => {
                let mut frame = &self.frame;
                for _ in 0..levels {
                    match &frame.parent {
                        Some(parent) => frame = parent,
                        None => return see(&Value::Undefined(Undefined::Unset)),
                    }
                }
                frame.look(slot, see)
            }
            Place::Context(index) => see(&self.context[index as usize]),
            Place::Unknown => see(&Value::Undefined(Undefined::Unset)),
        }
    }

    fn store(&mut self, place: Place, value: Value<'a>) {
        if let Place::Local(slot) = place {
            self.frame.set(slot, value);
        }
    }

    fn assign(&mut self, target: &'a Target, value: Value<'a>) -> Result<()> {
        match target {
            Target::Name(name) => {
                self.store(name.place, value);
                Ok(())
            }
            Target::Tuple(targets) => self.unpack(targets, &value),
            Target::Field(name, field) => match self.load(name.place) {
                Value::Namespace(namespace) => {
                    globals::check_field(field)?;
                    namespace.set(Text::trusted(field), value);
                    Ok(())
                }
                _ => fail(format!(
                    "only fields of a namespace can be assigned to, and '{}' is none",
                    name.name
                )),
            },
        }
    }

    fn unpack(&mut self, targets: &'a [Target], value: &Value<'a>) -> Result<()> {
        let mut items = self.iterate(value)?;
        let mut given = Vec::with_capacity(targets.len());
        while let Some(item) = self.next(&mut items)? {
            if given.len() == targets.len() {
                return fail(format!("too many values for {} names", targets.len()));
            }
            given.push(item);
        }
        if given.len() < targets.len() {
            return fail(format!(
                "{} values for {} names",
                given.len(),
                targets.len()
            ));
        }
        for (target, item) in targets.iter().zip(given) {
            self.assign(target, item)?;
        }
        Ok(())
    }

    /// Runs something with an output of its own.
    fn capture<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T>) -> Result<(T, Text<'a>)> {
        /// Bytes that most write.
        const USUAL: usize = 128;
        if self.captures == 0 {
            self.written = self.out.len();
        }
        self.captures += 1;
        let own = Builder::with_capacity(&self.meter, USUAL);
        let outer = std::mem::replace(&mut self.out, own);
        let done = run(self);
        let own = std::mem::replace(&mut self.out, outer);
        self.captures -= 1;
        Ok((done?, own.finish()?))
    }

    /// Writes `str(value)`.
    fn emit(&mut self, value: &Value<'a>) -> Result<()> {
        match value {
            Value::Str(text) if !self.autoescape || text.is_markup() => self.out.text(text),
            Value::Undefined(_) => {}
            Value::Loop(inside) => {
                let shown = self.loop_repr(&inside.clone())?;
                self.out.trusted(&shown);
            }
            other if self.autoescape => {
                let text = self.escape(other)?;
                self.out.text(&text);
            }
            other => repr::str_into(&mut self.out, other, &self.meter)?,
        }
        match self.out.is_full() {
            true => Err(Meter::too_large()),
            false => Ok(()),
        }
    }

    /// `str(value)` as a string.
    pub fn str(&self, value: &Value<'a>) -> Result<Text<'a>> {
        match value {
            Value::Str(text) => Ok(text.clone().marked(false)),
            Value::Undefined(_) => Ok(Text::trusted("")),
            other => {
                let mut out = self.builder();
                repr::str_into(&mut out, other, &self.meter)?;
                out.finish()
            }
        }
    }

    /// As `str`, but Markup stays Markup.
    pub fn soft_str(&self, value: &Value<'a>) -> Result<Text<'a>> {
        match value {
            Value::Str(text) => Ok(text.clone()),
            other => self.str(other),
        }
    }

    pub fn builder(&self) -> Builder {
        Builder::new(&self.meter)
    }
}

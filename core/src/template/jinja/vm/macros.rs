//! Macros and call blocks.

use std::rc::Rc;

use super::super::args::Args;
use super::super::ast;
use super::super::dict::Dict;
use super::super::fault::{Result, fail};
use super::super::frame::Frame;
use super::super::text::Text;
use super::super::value::{Macro, Undefined, Value};
use super::Vm;

impl<'a> Vm<'a> {
    pub(super) fn define_macro(&mut self, node: &'a ast::Macro) {
        let value = self.closure(node);
        if let Some(name) = &node.name {
            self.store(name.place, value);
        }
    }

    fn closure(&mut self, ast: &'a ast::Macro) -> Value<'a> {
        let frame = self.kept_frame();
        Value::Macro(Rc::new(Macro { ast, frame }))
    }

    pub(super) fn call_block(&mut self, node: &'a ast::CallBlock) -> Result<()> {
        let caller = self.closure(&node.caller);
        let line = node.call.line;
        let value = self.call_with(&node.call, Some(caller)).map_err(|fault| fault.at(line))?;
        self.emit(&value)
    }

    /// Runs something in another frame.
    pub(super) fn within<T>(
        &mut self,
        frame: Rc<Frame<'a>>,
        run: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<T> {
        self.meter.enter()?;
        let outer = std::mem::replace(&mut self.frame, frame);
        let done = run(self);
        self.frame = outer;
        self.meter.leave();
        done
    }

    /// Calls a macro: what it writes is its value.
    pub(super) fn call_macro(&mut self, called: &Macro<'a>, args: Args<'a>) -> Result<Value<'a>> {
        let frame = Frame::new(called.ast.slots, Some(called.frame.clone()));
        let text = self.within(frame, |vm| {
            let (_, text) = vm.capture(|vm| {
                vm.parameters(called.ast, args)?;
                vm.scoped(&called.ast.scoped)
            })?;
            Ok(text)
        })?;
        Ok(Value::Str(text.marked(self.autoescape)))
    }

    fn parameters(&mut self, ast: &'a ast::Macro, mut args: Args<'a>) -> Result<()> {
        let name = ast.name.as_ref().map_or("caller", |name| &name.name);
        let mut positional = args.positional.into_iter();
        let mut missing = Vec::new();
        for parameter in &ast.parameters {
            let named = match positional.next() {
                Some(value) => Some(value),
                None => {
                    let place = args
                        .named
                        .iter()
                        .position(|(known, _)| known.as_str() == &*parameter.name.name);
                    place.map(|place| args.named.remove(place).1)
                }
            };
            match named {
                Some(value) => self.store(parameter.name.place, value),
                None => missing.push(parameter),
            }
        }
        if let Some(place) = ast.caller {
            let given = args.named.iter().position(|(known, _)| known.as_str() == "caller");
            let caller = match given {
                Some(given) => args.named.remove(given).1,
                None => Value::Undefined(Undefined::Because("there is no caller")),
            };
            self.store(place, caller);
        }
        if let Some(place) = ast.kwargs {
            let pairs = args.named.into_iter().map(|(name, value)| (Value::Str(name), value));
            let kwargs = Dict::of_pairs(pairs, &self.meter)?;
            self.store(place, Value::Dict(kwargs));
        } else if let Some((extra, _)) = args.named.first() {
            return fail(format!("macro '{name}' has no parameter '{}'", extra.as_str()));
        }
        let rest: Vec<Value<'a>> = positional.collect();
        if let Some(place) = ast.varargs {
            let varargs = Value::tuple(rest, &self.meter)?;
            self.store(place, varargs);
        } else if !rest.is_empty() {
            return fail(format!(
                "macro '{name}' takes not more than {} arguments",
                ast.parameters.len()
            ));
        }
        // Defaults see the parameters before them, and the scope's other variables.
        self.enter(&ast.scoped.enter)?;
        for parameter in missing {
            let value = match &parameter.default {
                Some(default) => self.eval(default)?,
                None => Value::Undefined(Undefined::Parameter(&parameter.name.name)),
            };
            self.store(parameter.name.place, value);
        }
        Ok(())
    }
}

impl<'a> Macro<'a> {
    /// `macro.name` and the like.
    pub fn attribute(&self, name: &str, vm: &Vm<'a>) -> Result<Option<Value<'a>>> {
        let ast = self.ast;
        Ok(Some(match name {
            "name" => match &ast.name {
                Some(name) => Value::Str(Text::trusted(&name.name)),
                None => Value::None,
            },
            "arguments" => {
                let names = ast.parameters.iter();
                let names = names.map(|parameter| Value::Str(Text::trusted(&parameter.name.name)));
                Value::tuple(names.collect(), &vm.meter)?
            }
            "caller" => Value::Bool(ast.caller.is_some()),
            "catch_kwargs" => Value::Bool(ast.kwargs.is_some()),
            "catch_varargs" => Value::Bool(ast.varargs.is_some()),
            "explicit_caller" => {
                Value::Bool(ast.parameters.iter().any(|known| &*known.name.name == "caller"))
            }
            _ => return Ok(None),
        }))
    }
}

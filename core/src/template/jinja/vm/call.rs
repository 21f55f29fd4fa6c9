//! Calls of functions, macros and methods.

use super::super::args::Args;
use super::super::ast::{Call, Expr};
use super::super::fault::{Result, fail};
use super::super::globals;
use super::super::methods;
use super::super::text::Text;
use super::super::value::Value;
use super::Vm;

impl<'a> Vm<'a> {
    /// Evaluates a call; call blocks give it a caller.
    pub(super) fn call_with(
        &mut self,
        call: &'a Call,
        caller: Option<Value<'a>>,
    ) -> Result<Value<'a>> {
        if let Expr::Attribute(of, member) = &call.callee {
            let of = self.eval(of)?;
            if let Value::Undefined(undefined) = &of {
                return Err(undefined.fault());
            }
            let mut args = self.arguments(&call.arguments)?;
            if let Some(caller) = caller {
                args.named.push((Text::trusted("caller"), caller));
            }
            let name = &*member.name;
            if methods::exists(&of, name) {
                return methods::call(self, &of, name, args);
            }
            let callee = self.get_attribute(&of, member)?;
            return self.call(&callee, args);
        }
        let callee = self.eval(&call.callee)?;
        let mut args = self.arguments(&call.arguments)?;
        if let Some(caller) = caller {
            args.named.push((Text::trusted("caller"), caller));
        }
        self.call(&callee, args)
    }

    /// `value(...)`.
    pub fn call(&mut self, callee: &Value<'a>, args: Args<'a>) -> Result<Value<'a>> {
        self.meter.stack()?;
        match callee {
            Value::Undefined(undefined) => Err(undefined.fault()),
            Value::Function(function) => globals::call(self, *function, args),
            Value::Macro(called) => self.call_macro(&called.clone(), args),
            Value::Method(method) => methods::call(self, &method.of, method.name, args),
            Value::Loop(inside) => {
                let items = args.single("loop")?;
                self.recurse(&inside.clone(), items)
            }
            Value::Joiner(joiner) => {
                args.nothing("joiner")?;
                Ok(match joiner.used.replace(true) {
                    true => joiner.separator.clone(),
                    false => Value::text(""),
                })
            }
            Value::Block(index) => {
                args.nothing("a block")?;
                self.block(*index).map(Value::Str)
            }
            other => fail(format!("'{}' object is not callable", other.type_name())),
        }
    }
}

//! `a.b` and `a[b]`, with what the sandbox keeps back.

use std::rc::Rc;

use super::super::ast::{Expr, Member};
use super::super::fault::Result;
use super::super::kind::Type;
use super::super::methods;
use super::super::repr;
use super::super::slices;
use super::super::value::{Undefined, Value};
use super::Vm;

/// What there is instead of an attribute or item.
fn missing<'a>(of: Type, name: &'a str) -> Value<'a> {
    Value::Undefined(Undefined::Member(of, name))
}

impl<'a> Vm<'a> {
    /// `of.name`. Most are parts of what is in a variable, and stays there.
    pub(super) fn member(&mut self, of: &'a Expr, member: &'a Member) -> Result<Value<'a>> {
        if let Expr::Name(variable) = of {
            let found = self.look(variable.place, |of| match of {
                Value::Dict(dict) if !member.is_of_dict => {
                    let item = dict.get_str(&member.name);
                    item.or_else(|| Some(missing(Type::Dict, &member.name)))
                }
                Value::Namespace(namespace) => namespace.get(&member.name),
                _ => None,
            });
            if let Some(found) = found {
                self.meter.step()?;
                return Ok(found);
            }
        }
        let of = self.eval(of)?;
        self.get_attribute(&of, member)
    }

    /// `of[key]`, as `member`.
    pub(super) fn item(&mut self, of: &'a Expr, key: &'a Expr) -> Result<Value<'a>> {
        if let (Expr::Name(variable), Expr::Str(key)) = (of, key) {
            let found = self.look(variable.place, |of| match of {
                Value::Dict(dict) => match dict.get_str(key) {
                    None if !methods::is_of_dict(key) => Some(missing(Type::Dict, key)),
                    found => found,
                },
                _ => None,
            });
            if let Some(found) = found {
                self.meter.step()?;
                self.meter.step()?;
                return Ok(found);
            }
        }
        let of = self.eval(of)?;
        let key = self.eval(key)?;
        self.get_item(&of, key)
    }

    /// `of.name`: the attribute, else the item.
    pub(super) fn get_attribute(
        &mut self,
        of: &Value<'a>,
        member: &'a Member,
    ) -> Result<Value<'a>> {
        let name = &*member.name;
        let has_attribute = match of {
            Value::Dict(_) => member.is_of_dict,
            Value::Str(_) => member.is_of_str,
            _ => true,
        };
        if has_attribute {
            if let Some(found) = self.attribute(of, name)? {
                return Ok(found);
            }
        }
        let item = match of {
            Value::Dict(dict) => dict.get_str(name),
            Value::Template => self.block_named(name),
            _ => None,
        };
        Ok(item.unwrap_or(missing(of.kind(), name)))
    }

    /// An attribute in Python's sense.
    pub fn attribute(&mut self, of: &Value<'a>, name: &'a str) -> Result<Option<Value<'a>>> {
        let special = match of {
            Value::Undefined(undefined) => return Err(undefined.fault()),
            // Most lookups: a dictionary has methods only.
            Value::Dict(_) | Value::Str(_) => None,
            Value::Namespace(namespace) => return Ok(namespace.get(name)),
            Value::Loop(inside) => self.loop_attribute(&inside.clone(), name)?,
            Value::Macro(called) => called.attribute(name, self)?,
            Value::Tuple(seq) if seq.is_group => match name {
                "grouper" => seq.items.first().cloned(),
                "list" => seq.items.get(1).cloned(),
                _ => None,
            },
            Value::Range(range) => match name {
                "start" => Some(Value::Int(range.start)),
                "stop" => Some(Value::Int(range.stop)),
                "step" => Some(Value::Int(range.step)),
                _ => None,
            },
            Value::Cycler(cycler) => match name {
                "current" => Some(cycler.items[cycler.at.get()].clone()),
                "items" => Some(Value::tuple(cycler.items.clone(), &self.meter)?),
                "pos" => Some(Value::int(cycler.at.get())),
                _ => None,
            },
            Value::Joiner(joiner) => match name {
                "sep" => Some(joiner.separator.clone()),
                "used" => Some(Value::Bool(joiner.used.get())),
                _ => None,
            },
            Value::Bool(_) | Value::Int(_) | Value::Float(_) => methods::number_attribute(of, name),
            _ => None,
        };
        if special.is_some() {
            return Ok(special);
        }
        if methods::exists(of, name) {
            return Value::method(of.clone(), name).map(Some);
        }
        if methods::changes(of, name) {
            return Ok(Some(Value::Undefined(Undefined::Unsafe(of.kind(), name))));
        }
        Ok(None)
    }

    fn block_named(&self, name: &str) -> Option<Value<'a>> {
        let place = self
            .program
            .blocks
            .iter()
            .position(|block| *block.name == *name)?;
        Some(Value::Block(place as u32))
    }

    /// `of[key]`: the item, else the attribute.
    pub fn get_item(&mut self, of: &Value<'a>, key: Value<'a>) -> Result<Value<'a>> {
        let found = match of {
            Value::Undefined(undefined) => return Err(undefined.fault()),
            // An unhashable key is not an error here.
            Value::Dict(dict) => dict.get(&key, &self.meter).ok().flatten(),
            Value::Template => key
                .as_text()
                .and_then(|name| self.block_named(name.as_str())),
            Value::Str(text) => match key.as_int() {
                Some(index) => {
                    let passed = usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX);
                    self.meter.work(passed.min(text.len()))?;
                    slices::at(of, index)
                }
                None => None,
            },
            _ => key.as_int().and_then(|index| slices::at(of, index)),
        };
        if let Some(found) = found {
            return Ok(found);
        }
        if let Value::Str(name) = &key {
            if let Some(name) = name.borrowed() {
                if let Some(attribute) = self.attribute(of, name)? {
                    return Ok(attribute);
                }
                return Ok(missing(of.kind(), name));
            }
            if let Some(name) = methods::known_name(name.as_str()) {
                if let Some(attribute) = self.attribute(of, name)? {
                    return Ok(attribute);
                }
            }
        }
        self.meter.work(64)?;
        let key: Rc<str> = repr::short(&key, &self.meter).into();
        Ok(Value::Undefined(Undefined::Item(of.kind(), key)))
    }
}

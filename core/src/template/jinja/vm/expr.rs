//! Expressions.

use super::super::args::Args;
use super::super::ast::{Arguments, BinaryOp, CompareOp, Expr, FilterCall, Slice, TestCall};
use super::super::compare::{equal, order};
use super::super::dict::Dict;
use super::super::fault::{Fault, Result, fail};
use super::super::operators;
use super::super::slices;
use super::super::text::{Builder, Text};
use super::super::value::{Undefined, Value};
use super::Vm;

impl<'a> Vm<'a> {
    pub(super) fn is_true(&mut self, expr: &'a Expr) -> Result<bool> {
        match expr {
            Expr::Not(inner) => Ok(!self.is_true(inner)?),
            Expr::And(both) => Ok(self.is_true(&both.0)? && self.is_true(&both.1)?),
            Expr::Or(both) => Ok(self.is_true(&both.0)? || self.is_true(&both.1)?),
            Expr::Compare(first, rest) => {
                self.meter.step()?;
                self.meter.stack()?;
                self.compare(first, rest)
            }
            Expr::Test(call) => {
                self.meter.step()?;
                self.meter.stack()?;
                self.test(call)
            }
            Expr::Name(name) => {
                self.meter.step()?;
                Ok(self.look(name.place, Value::is_true))
            }
            other => Ok(self.eval(other)?.is_true()),
        }
    }

    pub(super) fn eval(&mut self, expr: &'a Expr) -> Result<Value<'a>> {
        self.meter.step()?;
        Ok(match expr {
            Expr::None => Value::None,
            Expr::Bool(value) => Value::Bool(*value),
            Expr::Int(int) => Value::Int(*int),
            Expr::Float(float) => Value::Float(*float),
            Expr::Str(text) => Value::Str(Text::trusted(text)),
            Expr::Name(name) => match self.load(name.place) {
                Value::Undefined(Undefined::Unset) => Value::Undefined(Undefined::Name(&name.name)),
                set => set,
            },
            Expr::Attribute(of, member) => return self.member(of, member),
            Expr::Item(both) => return self.item(&both.0, &both.1),
            compound => {
                self.meter.stack()?;
                return self.compound(compound);
            }
        })
    }

    fn compound(&mut self, expr: &'a Expr) -> Result<Value<'a>> {
        Ok(match expr {
            Expr::List(items) => Value::list(self.all(items)?, &self.meter)?,
            Expr::Tuple(items) => Value::tuple(self.all(items)?, &self.meter)?,
            Expr::Dict(pairs) => {
                let mut evaluated = Vec::with_capacity(pairs.len());
                for (key, value) in pairs {
                    evaluated.push((self.eval(key)?, self.eval(value)?));
                }
                Value::Dict(Dict::of_pairs(evaluated, &self.meter)?)
            }
            Expr::Not(inner) => Value::Bool(!self.is_true(inner)?),
            Expr::Negative(inner) => operators::negative(&self.eval(inner)?)?,
            Expr::Positive(inner) => operators::positive(&self.eval(inner)?)?,
            Expr::And(both) => match self.eval(&both.0)? {
                left if left.is_true() => self.eval(&both.1)?,
                left => left,
            },
            Expr::Or(both) => match self.eval(&both.0)? {
                left if left.is_true() => left,
                _ => self.eval(&both.1)?,
            },
            Expr::Chain(first, rest) => self.chain(first, rest)?,
            Expr::Concat(parts) => self.concat(parts)?,
            Expr::Compare(first, rest) => Value::Bool(self.compare(first, rest)?),
            Expr::Slice(slice) => self.slice(slice)?,
            Expr::Call(call) => self
                .call_with(call, None)
                .map_err(|fault| fault.at(call.line))?,
            Expr::Filter(call) => {
                let value = match &call.value {
                    Some(value) => self.eval(value)?,
                    None => Value::None,
                };
                self.filter(call, value)
                    .map_err(|fault| fault.at(call.line))?
            }
            Expr::Test(call) => Value::Bool(self.test(call)?),
            Expr::If(branches) => match (self.is_true(&branches.test)?, &branches.otherwise) {
                (true, _) => self.eval(&branches.then)?,
                (false, Some(otherwise)) => self.eval(otherwise)?,
                (false, None) => {
                    Value::Undefined(Undefined::Because("an inline if was false and has no else"))
                }
            },
            // All others are in `eval`.
            _ => Value::None,
        })
    }

    fn all(&mut self, items: &'a [Expr]) -> Result<Vec<Value<'a>>> {
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            all.push(self.eval(item)?);
        }
        Ok(all)
    }

    /// Operators of one rank. Sums of strings are built once, not at every plus.
    fn chain(&mut self, first: &'a Expr, rest: &'a [(BinaryOp, Expr)]) -> Result<Value<'a>> {
        let mut left = self.eval(first)?;
        let mut rest = rest.iter();
        while let Some((op, right)) = rest.next() {
            let right = self.eval(right)?;
            left = match (op, left, right) {
                (BinaryOp::Add, Value::Str(a), Value::Str(b))
                    if !a.is_markup() && !b.is_markup() =>
                {
                    let mut sum = Builder::with_capacity(&self.meter, a.len() + b.len());
                    sum.text(&a);
                    sum.text(&b);
                    let mut odd = None;
                    while let [(BinaryOp::Add, next), ..] = rest.as_slice() {
                        rest.next();
                        match self.eval(next)? {
                            Value::Str(text) if !text.is_markup() => sum.text(&text),
                            other => {
                                odd = Some(other);
                                break;
                            }
                        }
                    }
                    let sum = Value::Str(sum.finish()?);
                    match odd {
                        Some(odd) => operators::binary(BinaryOp::Add, sum, odd, self)?,
                        None => sum,
                    }
                }
                (op, left, right) => operators::binary(*op, left, right, self)?,
            };
        }
        Ok(left)
    }

    /// Prints a chain; a sum of strings goes to the output piece by piece.
    pub(super) fn print_chain(
        &mut self,
        first: &'a Expr,
        rest: &'a [(BinaryOp, Expr)],
    ) -> Result<()> {
        let sums = rest.iter().all(|(op, _)| *op == BinaryOp::Add);
        if !sums || self.autoescape {
            let value = self.chain(first, rest)?;
            return self.emit(&value);
        }
        let start = self.out.len();
        let mut left = self.eval(first)?;
        for (index, (_, right)) in rest.iter().enumerate() {
            let right = self.eval(right)?;
            match (&left, &right) {
                (Value::Str(a), Value::Str(b)) if !a.is_markup() && !b.is_markup() => {
                    self.out.text(a);
                    left = right;
                }
                _ => {
                    // No plain sum of strings: what was written is the left side.
                    let mut sum = self.builder();
                    sum.text(&self.out.split_off(start));
                    let mut value = match left {
                        Value::Str(last) if !last.is_markup() => {
                            sum.text(&last);
                            Value::Str(sum.finish()?)
                        }
                        other => other,
                    };
                    value = operators::binary(BinaryOp::Add, value, right, self)?;
                    for (op, right) in &rest[index + 1..] {
                        let right = self.eval(right)?;
                        value = operators::binary(*op, value, right, self)?;
                    }
                    return self.emit(&value);
                }
            }
        }
        self.emit(&left)
    }

    fn concat(&mut self, parts: &'a [Expr]) -> Result<Value<'a>> {
        let mut values = Vec::with_capacity(parts.len());
        for part in parts {
            values.push(self.eval(part)?);
        }
        let markup = self.autoescape
            && values
                .iter()
                .any(|value| value.as_text().is_some_and(Text::is_markup));
        let mut joined = self.builder();
        for value in &values {
            let text = match markup {
                true => self.escape(value)?,
                false => self.str(value)?,
            };
            joined.text(&text);
        }
        Ok(Value::Str(joined.finish()?.marked(markup)))
    }

    fn compare(&mut self, first: &'a Expr, rest: &'a [(CompareOp, Expr)]) -> Result<bool> {
        use std::cmp::Ordering::{Equal, Greater, Less};
        let mut left = self.eval(first)?;
        // Most that is compared is a role or a type with its name.
        if let [(op @ (CompareOp::Equal | CompareOp::NotEqual), Expr::Str(name))] = rest {
            self.meter.step()?;
            let same = left.as_text().is_some_and(|left| left.as_str() == &**name);
            return Ok(same == (*op == CompareOp::Equal));
        }
        for (op, right) in rest {
            let right = self.eval(right)?;
            let meter = &self.meter;
            let holds = match op {
                CompareOp::Equal => equal(&left, &right, meter)?,
                CompareOp::NotEqual => !equal(&left, &right, meter)?,
                CompareOp::Less => order(&left, &right, "<", meter)? == Some(Less),
                CompareOp::LessEqual => {
                    matches!(order(&left, &right, "<=", meter)?, Some(Less | Equal))
                }
                CompareOp::Greater => order(&left, &right, ">", meter)? == Some(Greater),
                CompareOp::GreaterEqual => {
                    matches!(order(&left, &right, ">=", meter)?, Some(Greater | Equal))
                }
                CompareOp::In => operators::contains(&right, &left, self)?,
                CompareOp::NotIn => !operators::contains(&right, &left, self)?,
            };
            if !holds {
                return Ok(false);
            }
            left = right;
        }
        Ok(true)
    }

    fn slice(&mut self, slice: &'a Slice) -> Result<Value<'a>> {
        let of = self.eval(&slice.of)?;
        let mut part = |part: &'a Option<Expr>| match part {
            Some(part) => match self.eval(part)? {
                Value::None => Ok(None),
                Value::Undefined(undefined) => Err(undefined.fault()),
                value => match value.as_int() {
                    Some(int) => Ok(Some(int)),
                    None => fail("the parts of a slice must be integers or none"),
                },
            },
            None => Ok(None),
        };
        let bounds = [part(&slice.start)?, part(&slice.stop)?, part(&slice.step)?];
        slices::slice(&of, bounds, &self.meter)
    }

    /// Evaluates arguments.
    pub(super) fn arguments(&mut self, arguments: &'a Arguments) -> Result<Args<'a>> {
        if arguments.is_empty() {
            return Ok(Args::none());
        }
        let mut args = Args {
            positional: self.all(&arguments.positional)?,
            named: Vec::with_capacity(arguments.named.len()),
        };
        for (name, value) in &arguments.named {
            args.named.push((Text::trusted(name), self.eval(value)?));
        }
        if let Some(list) = &arguments.list {
            let list = self.eval(list)?;
            let mut items = self.iterate(&list)?;
            while let Some(item) = self.next(&mut items)? {
                args.positional.push(item);
            }
        }
        if let Some(mapping) = &arguments.mapping {
            let Value::Dict(mapping) = self.eval(mapping)? else {
                return fail("what follows ** must be a mapping");
            };
            for (name, value) in mapping.pairs() {
                let Value::Str(name) = name else {
                    return fail("the keys of what follows ** must be strings");
                };
                if args
                    .named
                    .iter()
                    .any(|(known, _)| known.as_str() == name.as_str())
                {
                    return fail(format!("the argument '{}' is given twice", name.as_str()));
                }
                args.named.push((name.clone(), value.clone()));
            }
        }
        Ok(args)
    }

    pub(super) fn filter(&mut self, call: &'a FilterCall, value: Value<'a>) -> Result<Value<'a>> {
        let Some(filter) = call.filter else {
            return Err(Fault::runtime(format!(
                "there is no filter named '{}'",
                call.name
            )));
        };
        let args = self.arguments(&call.arguments)?;
        filter(self, value, args)
    }

    /// Filters over what a block wrote.
    pub(super) fn filter_chain(&mut self, expr: &'a Expr, text: Text<'a>) -> Result<Value<'a>> {
        let Expr::Filter(call) = expr else {
            return fail("a block is filtered by something that is no filter");
        };
        let value = match &call.value {
            Some(inner) => self.filter_chain(inner, text)?,
            None => Value::Str(text),
        };
        self.filter(call, value)
    }

    fn test(&mut self, call: &'a TestCall) -> Result<bool> {
        self.run_test(call).map_err(|fault| fault.at(call.line))
    }

    fn run_test(&mut self, call: &'a TestCall) -> Result<bool> {
        let value = self.eval(&call.value)?;
        let Some(test) = call.test else {
            return Err(Fault::runtime(format!(
                "there is no test named '{}'",
                call.name
            )));
        };
        let args = self.arguments(&call.arguments)?;
        test(self, &value, args)
    }
}

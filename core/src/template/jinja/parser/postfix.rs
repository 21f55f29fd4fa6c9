//! What follows a value: attributes, subscripts, calls, filters and tests.

use super::super::ast::{Arguments, Call, Expr, FilterCall, Member, Slice, TestCall};
use super::super::fault::{Fault, Result};
use super::super::lexer::Kind;
use super::super::{filters, methods, tests};
use super::Parser;

impl Parser {
    pub(super) fn postfix(&mut self, mut value: Expr) -> Result<Expr> {
        loop {
            value = match self.kind() {
                Kind::Op(".") => self.attribute(value)?,
                Kind::Op("[") => self.subscript(value)?,
                Kind::Op("(") => self.call(value)?,
                _ => return Ok(value),
            };
            self.link()?;
        }
    }

    pub(super) fn filters_and_tests(&mut self, mut value: Expr) -> Result<Expr> {
        loop {
            value = match self.kind() {
                Kind::Op("|") => {
                    self.next();
                    self.filter(Some(value))?
                }
                Kind::Op("(") => self.call(value)?,
                Kind::Name(name) if name == "is" => self.test(value)?,
                _ => return Ok(value),
            };
            self.link()?;
        }
    }

    fn attribute(&mut self, value: Expr) -> Result<Expr> {
        self.next();
        match self.kind() {
            Kind::Name(_) => {
                let name = self.identifier()?;
                let member = Member {
                    is_of_dict: methods::is_of_dict(&name),
                    is_of_str: methods::is_of_str(&name),
                    name: name.into(),
                };
                Ok(Expr::Attribute(Box::new(value), member))
            }
            Kind::Int(index) => {
                let index = *index;
                self.next();
                Ok(Expr::Item(Box::new((value, Expr::Int(index)))))
            }
            _ => self.fail("expected a name or a number after '.'"),
        }
    }

    fn subscript(&mut self, value: Expr) -> Result<Expr> {
        self.next();
        if self.is_op(":") {
            return self.slice(value, None);
        }
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            items.push(self.expression()?);
            if items.len() == 1 && self.is_op(":") {
                let start = items.pop();
                return self.slice(value, start);
            }
        }
        self.expect_op("]")?;
        let key = match items.len() {
            1 => items.remove(0),
            _ => Expr::Tuple(items),
        };
        Ok(Expr::Item(Box::new((value, key))))
    }

    /// The rest of `[start:stop:step]`, from the first colon on.
    fn slice(&mut self, of: Expr, start: Option<Expr>) -> Result<Expr> {
        self.expect_op(":")?;
        let stop = self.slice_part()?;
        let step = match self.skip_op(":") {
            true => self.slice_part()?,
            false => None,
        };
        self.expect_op("]")?;
        Ok(Expr::Slice(Box::new(Slice {
            of,
            start,
            stop,
            step,
        })))
    }

    fn slice_part(&mut self) -> Result<Option<Expr>> {
        match self.is_op(":") || self.is_op("]") {
            true => Ok(None),
            false => self.expression().map(Some),
        }
    }

    fn call(&mut self, callee: Expr) -> Result<Expr> {
        let line = self.line();
        let arguments = self.arguments()?;
        Ok(Expr::Call(Box::new(Call {
            callee,
            arguments,
            line,
        })))
    }

    fn arguments(&mut self) -> Result<Arguments> {
        self.expect_op("(")?;
        let mut arguments = Arguments::default();
        let mut first = true;
        while !self.is_op(")") {
            if !first {
                self.expect_op(",")?;
                if self.is_op(")") {
                    break;
                }
            }
            first = false;
            self.argument(&mut arguments)?;
        }
        self.expect_op(")")?;
        Ok(arguments)
    }

    fn argument(&mut self, arguments: &mut Arguments) -> Result<()> {
        let misplaced = "an argument stands where it cannot: plain ones come first, then named ones, then *list and **mapping";
        let is_named = matches!(self.kind(), Kind::Name(_)) && *self.look() == Kind::Op("=");
        if self.skip_op("*") {
            if arguments.list.is_some() || arguments.mapping.is_some() {
                return self.fail(misplaced);
            }
            arguments.list = Some(self.expression()?);
        } else if self.skip_op("**") {
            if arguments.mapping.is_some() {
                return self.fail(misplaced);
            }
            arguments.mapping = Some(self.expression()?);
        } else if is_named {
            if arguments.mapping.is_some() {
                return self.fail(misplaced);
            }
            let name = self.identifier()?;
            self.next();
            if arguments.named.iter().any(|(known, _)| **known == *name) {
                return self.fail(format!("the argument '{name}' is given twice"));
            }
            let value = self.expression()?;
            arguments.named.push((name.into(), value));
        } else {
            let later = !arguments.named.is_empty()
                || arguments.list.is_some()
                || arguments.mapping.is_some();
            if later {
                return self.fail(misplaced);
            }
            arguments.positional.push(self.expression()?);
        }
        Ok(())
    }

    fn dotted(&mut self) -> Result<String> {
        let mut name = self.identifier()?;
        while self.skip_op(".") {
            name.push('.');
            name.push_str(&self.identifier()?);
        }
        Ok(name)
    }

    /// One filter after its `|`.
    pub(super) fn filter(&mut self, value: Option<Expr>) -> Result<Expr> {
        let line = self.line();
        let name = self.dotted()?;
        let filter = filters::find(&name);
        if filter.is_none() && self.conditional == 0 {
            let message = format!("there is no filter named '{name}'");
            self.unknown.push(*Fault::syntax(message, line));
        }
        let arguments = match self.is_op("(") {
            true => self.arguments()?,
            false => Arguments::default(),
        };
        Ok(Expr::Filter(Box::new(FilterCall {
            value,
            name: name.into(),
            filter,
            arguments,
            line,
        })))
    }

    /// The filters of a filter block or of a block that is set; the first has no value.
    pub(super) fn filters(&mut self) -> Result<Expr> {
        let mut value = self.filter(None)?;
        while self.skip_op("|") {
            value = self.filter(Some(value))?;
        }
        Ok(value)
    }

    fn test(&mut self, value: Expr) -> Result<Expr> {
        let line = self.line();
        self.next();
        let negated = self.skip_name("not");
        let name = self.dotted()?;
        let test = tests::find(&name);
        if test.is_none() && self.conditional == 0 {
            let message = format!("there is no test named '{name}'");
            self.unknown.push(*Fault::syntax(message, line));
        }
        let arguments = match self.kind() {
            Kind::Op("(") => self.arguments()?,
            Kind::Name(next) if matches!(next.as_str(), "else" | "or" | "and") => {
                Arguments::default()
            }
            Kind::Name(next) if next == "is" => {
                return self.fail("tests cannot follow each other: use 'and'");
            }
            Kind::Name(_) | Kind::Str(_) | Kind::Int(_) | Kind::Float(_) | Kind::Op("[" | "{") => {
                let argument = self.primary()?;
                Arguments {
                    positional: vec![self.postfix(argument)?],
                    ..Arguments::default()
                }
            }
            _ => Arguments::default(),
        };
        let test = Expr::Test(Box::new(TestCall {
            value,
            name: name.into(),
            test,
            arguments,
            line,
        }));
        Ok(match negated {
            true => Expr::Not(Box::new(test)),
            false => test,
        })
    }
}

//! Text and tags.

use super::super::ast::*;
use super::super::fault::{Fault, Result};
use super::super::lexer::Kind;
use super::Parser;

impl Parser {
    /// Statements up to one of the `ends`, whose name is left as the current token.
    pub(super) fn statements(&mut self, ends: &[&str]) -> Result<Vec<Stmt>> {
        let mut body = Vec::new();
        loop {
            let line = self.line();
            match self.kind() {
                Kind::Data(_) => {
                    if let Kind::Data(text) = self.next() {
                        self.literals.push(text.clone());
                        body.push(Stmt::Data(text.into()));
                    }
                }
                Kind::PrintBegin => {
                    self.next();
                    let value = self.tuple(true, &[], false)?;
                    self.expect(&Kind::PrintEnd)?;
                    body.push(Stmt::Print(value, line));
                }
                Kind::BlockBegin => {
                    self.next();
                    if matches!(self.kind(), Kind::Name(name) if ends.contains(&name.as_str())) {
                        return Ok(body);
                    }
                    self.deeper(|parser| parser.statement(&mut body))?;
                    self.expect(&Kind::BlockEnd)?;
                }
                Kind::End if ends.is_empty() => return Ok(body),
                Kind::End => return self.missing_end(ends),
                _ => return self.unexpected(),
            }
        }
    }

    fn missing_end<T>(&self, ends: &[&str]) -> Result<T> {
        let ends: Vec<String> = ends.iter().map(|end| format!("'{end}'")).collect();
        let open = self.open.last().map_or("", String::as_str);
        self.fail(format!(
            "the template ends where {} is expected, the end of '{open}'",
            ends.join(" or ")
        ))
    }

    /// The body of a tag, from the end of the tag to one of the `ends`.
    fn body(&mut self, ends: &[&str]) -> Result<Vec<Stmt>> {
        self.skip_op(":");
        self.expect(&Kind::BlockEnd)?;
        self.statements(ends)
    }

    /// The body of a tag with a single end, which is passed.
    fn scoped(&mut self, end: &str, line: usize) -> Result<Scoped> {
        let body = self.unconditional(&[end])?;
        self.next();
        Ok(Scoped {
            enter: Scope::new(),
            body,
            line,
        })
    }

    /// A body that is compiled on its own, whatever is around it.
    fn unconditional(&mut self, ends: &[&str]) -> Result<Vec<Stmt>> {
        let outer = std::mem::replace(&mut self.conditional, 0);
        let body = self.body(ends);
        self.conditional = outer;
        body
    }

    /// Parses without the loop around it: functions of Python lie between.
    fn outside_loop<T>(&mut self, parse: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let outer = std::mem::replace(&mut self.in_loop, false);
        let parsed = parse(self);
        self.in_loop = outer;
        parsed
    }

    fn statement(&mut self, body: &mut Vec<Stmt>) -> Result<()> {
        let line = self.line();
        let Kind::Name(name) = self.kind() else {
            return self.fail("a tag begins with a name");
        };
        let name = name.clone();
        self.open.push(name.clone());
        if name != "for" {
            self.next();
        }
        match name.as_str() {
            "if" => body.push(self.if_statement(line)?),
            "for" => body.push(self.for_statement(line)?),
            "set" => body.push(self.set(line)?),
            "with" => body.push(self.with(line)?),
            "macro" => body.push(self.outside_loop(|parser| parser.macro_statement(line))?),
            "call" => body.push(self.outside_loop(|parser| parser.call_block(line))?),
            "filter" => body.push(self.filter_block(line)?),
            "block" => body.push(self.outside_loop(|parser| parser.block(line))?),
            "generation" => {
                let scoped = self.outside_loop(|parser| parser.scoped("endgeneration", line))?;
                body.push(Stmt::Generation(Box::new(scoped)));
            }
            "autoescape" => {
                let on = self.expression()?;
                let scoped = self.scoped("endautoescape", line)?;
                body.push(Stmt::Autoescape(on, Box::new(scoped)));
            }
            "print" => self.print(body, line)?,
            "break" | "continue" if self.in_loop => body.push(match name.as_str() {
                "break" => Stmt::Break,
                _ => Stmt::Continue,
            }),
            "break" | "continue" => {
                return Err(Fault::syntax(format!("'{name}' is outside of a loop"), line));
            }
            "extends" | "include" | "import" | "from" => {
                body.push(self.other_template(&name, line)?);
            }
            _ => return Err(self.unknown_tag(&name, line)),
        }
        self.open.pop();
        Ok(())
    }

    fn unknown_tag(&self, name: &str, line: usize) -> Box<Fault> {
        let open = self.open.iter().rev().nth(1);
        Fault::syntax(
            match open {
                Some(open) => format!("unknown tag '{name}' where the end of '{open}' is expected"),
                None => format!("unknown tag '{name}'"),
            },
            line,
        )
    }

    fn if_statement(&mut self, line: usize) -> Result<Stmt> {
        let mut branches = Vec::new();
        let mut otherwise = Vec::new();
        let mut line = line;
        self.conditional += 1;
        loop {
            let test = self.tuple(false, &[], false)?;
            let body = self.body(&["elif", "else", "endif"])?;
            branches.push((test, body, line));
            line = self.line();
            let Kind::Name(end) = self.next() else {
                return self.unexpected();
            };
            match end.as_str() {
                "elif" => continue,
                "else" => {
                    otherwise = self.body(&["endif"])?;
                    self.next();
                }
                _ => {}
            }
            self.conditional -= 1;
            return Ok(Stmt::If(branches, otherwise));
        }
    }

    fn for_statement(&mut self, line: usize) -> Result<Stmt> {
        self.next();
        let target = self.target(&["in"], false)?;
        self.expect_name("in")?;
        let iterable = self.tuple(false, &["recursive"], false)?;
        let test = match self.skip_name("if") {
            true => Some(LoopTest {
                target: copy_target(&target),
                enter: Scope::new(),
                test: self.expression()?,
            }),
            false => None,
        };
        let recursive = self.skip_name("recursive");
        let outer = std::mem::replace(&mut self.in_loop, true);
        let body = self.unconditional(&["endfor", "else"]);
        self.in_loop = outer;
        let body = Scoped {
            enter: Scope::new(),
            body: body?,
            line,
        };
        let otherwise = match self.next() {
            Kind::Name(end) if end == "else" => Some(self.scoped("endfor", line)?),
            _ => None,
        };
        Ok(Stmt::For(Box::new(For {
            target,
            iterable,
            test,
            recursive,
            body,
            otherwise,
            loop_place: None,
            slots: 0,
        })))
    }

    fn set(&mut self, line: usize) -> Result<Stmt> {
        let target = self.target(&[], true)?;
        if self.skip_op("=") {
            let value = self.tuple(true, &[], false)?;
            return Ok(Stmt::Set(target, value, line));
        }
        let filter = match self.skip_op("|") {
            true => Some(self.filters()?),
            false => None,
        };
        Ok(Stmt::SetBlock(Box::new(SetBlock {
            target,
            filter,
            scoped: self.scoped("endset", line)?,
        })))
    }

    fn with(&mut self, line: usize) -> Result<Stmt> {
        let mut targets = Vec::new();
        while *self.kind() != Kind::BlockEnd {
            if !targets.is_empty() {
                self.expect_op(",")?;
            }
            let target = self.target(&[], false)?;
            self.expect_op("=")?;
            targets.push((target, self.expression()?));
        }
        Ok(Stmt::With(Box::new(With {
            targets,
            scoped: self.scoped("endwith", line)?,
        })))
    }

    fn signature(&mut self) -> Result<Vec<Parameter>> {
        self.expect_op("(")?;
        let mut parameters: Vec<Parameter> = Vec::new();
        while !self.is_op(")") {
            if !parameters.is_empty() {
                self.expect_op(",")?;
            }
            let name = self.assigned_name()?;
            if parameters.iter().any(|known| known.name.name == name.name) {
                return self.fail(format!("two parameters are named '{}'", name.name));
            }
            let default = match self.skip_op("=") {
                true => Some(self.expression()?),
                false if parameters.last().is_some_and(|last| last.default.is_some()) => {
                    return self.fail("a parameter without a default follows one with a default");
                }
                false => None,
            };
            parameters.push(Parameter { name, default });
        }
        self.expect_op(")")?;
        Ok(parameters)
    }

    fn macro_statement(&mut self, line: usize) -> Result<Stmt> {
        let name = self.assigned_name()?;
        let parameters = self.signature()?;
        let scoped = self.scoped("endmacro", line)?;
        Ok(Stmt::Macro(Box::new(Macro::new(
            Some(name),
            parameters,
            scoped,
        ))))
    }

    fn call_block(&mut self, line: usize) -> Result<Stmt> {
        let parameters = match self.is_op("(") {
            true => self.signature()?,
            false => Vec::new(),
        };
        let Expr::Call(call) = self.expression()? else {
            return Err(Fault::syntax("a call block needs a call", line));
        };
        let scoped = self.scoped("endcall", line)?;
        Ok(Stmt::CallBlock(Box::new(CallBlock {
            call: *call,
            caller: Macro::new(None, parameters, scoped),
        })))
    }

    fn filter_block(&mut self, line: usize) -> Result<Stmt> {
        let filter = self.filters()?;
        Ok(Stmt::FilterBlock(Box::new(FilterBlock {
            filter,
            scoped: self.scoped("endfilter", line)?,
        })))
    }

    fn block(&mut self, line: usize) -> Result<Stmt> {
        let name = self.identifier()?;
        let sees_outside = self.skip_name("scoped");
        if self.skip_name("required") {
            return self.fail("a required block needs a template that extends this one");
        }
        let scoped = self.scoped("endblock", line)?;
        self.skip_name(&name);
        if sees_outside {
            return Ok(Stmt::ScopedBlock(Box::new(scoped)));
        }
        if self.blocks.iter().any(|block| *block.name == *name) {
            return Err(Fault::syntax(format!("the block '{name}' is defined twice"), line));
        }
        self.blocks.push(Block {
            name: name.into(),
            scoped,
            slots: 0,
        });
        Ok(Stmt::Block(self.blocks.len() as u32 - 1, line))
    }

    fn print(&mut self, body: &mut Vec<Stmt>, line: usize) -> Result<()> {
        let mut first = true;
        while *self.kind() != Kind::BlockEnd {
            if !std::mem::take(&mut first) {
                self.expect_op(",")?;
            }
            body.push(Stmt::Print(self.expression()?, line));
        }
        Ok(())
    }

    /// There is only this template; the tag is an error where it is reached.
    fn other_template(&mut self, tag: &str, line: usize) -> Result<Stmt> {
        self.expression()?;
        while *self.kind() != Kind::BlockEnd && *self.kind() != Kind::End {
            self.next();
        }
        Ok(Stmt::Absent(
            match tag {
                "extends" => "extends",
                "include" => "include",
                _ => "import",
            },
            line,
        ))
    }
}

/// A second target with the same names, for the test of a loop.
fn copy_target(target: &Target) -> Target {
    let copy_name = |name: &Name| Name {
        name: name.name.clone(),
        place: name.place,
    };
    match target {
        Target::Name(name) => Target::Name(copy_name(name)),
        Target::Tuple(items) => Target::Tuple(items.iter().map(copy_target).collect()),
        Target::Field(name, field) => Target::Field(copy_name(name), field.clone()),
    }
}

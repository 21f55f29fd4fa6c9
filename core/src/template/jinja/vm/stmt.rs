//! Statements.

use super::super::ast::{Expr, Scoped, SetBlock, Stmt};
use super::super::fault::{Fault, Result};
use super::super::frame::Frame;
use super::super::text::Text;
use super::super::value::Value;
use super::Vm;

/// How a body ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Through,
    Break,
    Continue,
}

impl<'a> Vm<'a> {
    pub(super) fn body(&mut self, body: &'a [Stmt]) -> Result<Flow> {
        for stmt in body {
            match stmt {
                Stmt::Data(text) => {
                    self.meter.step()?;
                    self.out.trusted(text);
                }
                Stmt::Print(value, line) => self.print(value).map_err(|fault| fault.at(*line))?,
                other => match self.statement(other)? {
                    Flow::Through => {}
                    leaves => return Ok(leaves),
                },
            }
        }
        Ok(Flow::Through)
    }

    fn statement(&mut self, stmt: &'a Stmt) -> Result<Flow> {
        self.meter.step()?;
        self.meter.stack()?;
        match stmt {
            Stmt::Data(_) | Stmt::Print(..) => {}
            Stmt::If(branches, otherwise) => {
                for (test, body, line) in branches {
                    if self.is_true(test).map_err(|fault| fault.at(*line))? {
                        return self.body(body);
                    }
                }
                return self.body(otherwise);
            }
            Stmt::For(node) => {
                return self.for_loop(node).map_err(|fault| fault.at(node.body.line));
            }
            Stmt::Set(target, value, line) => {
                let value = self.eval(value);
                value
                    .and_then(|value| self.assign(target, value))
                    .map_err(|fault| fault.at(*line))?;
            }
            Stmt::SetBlock(node) => return self.set_block(node),
            Stmt::With(node) => {
                let mut values = Vec::with_capacity(node.targets.len());
                for (_, value) in &node.targets {
                    values.push(self.eval(value).map_err(|fault| fault.at(node.scoped.line))?);
                }
                for ((target, _), value) in node.targets.iter().zip(values) {
                    self.assign(target, value)?;
                }
                return self.scoped(&node.scoped);
            }
            Stmt::Macro(node) => self.define_macro(node),
            Stmt::CallBlock(node) => self.call_block(node)?,
            Stmt::FilterBlock(node) => {
                let (flow, text) = self.capture(|vm| vm.scoped(&node.scoped))?;
                let value = self
                    .filter_chain(&node.filter, text)
                    .map_err(|fault| fault.at(node.scoped.line))?;
                self.emit(&value)?;
                return Ok(flow);
            }
            Stmt::Generation(scoped) => self.generation(scoped)?,
            Stmt::Autoescape(on, scoped) => {
                let on = self.is_true(on)?;
                let outer = std::mem::replace(&mut self.autoescape, on);
                let flow = self.scoped(scoped);
                self.autoescape = outer;
                return flow;
            }
            Stmt::Block(index, line) => {
                let text = self.block(*index).map_err(|fault| fault.at(*line))?;
                self.out.text(&text);
            }
            Stmt::ScopedBlock(scoped) => {
                self.scoped(scoped)?;
            }
            Stmt::Absent(tag, line) => {
                let message = format!("'{tag}' needs another template, and a chat template is alone");
                return Err(Fault::runtime(message).at(*line));
            }
            Stmt::Break => return Ok(Flow::Break),
            Stmt::Continue => return Ok(Flow::Continue),
        }
        Ok(Flow::Through)
    }

    pub(super) fn scoped(&mut self, scoped: &'a Scoped) -> Result<Flow> {
        self.enter(&scoped.enter)?;
        self.body(&scoped.body)
    }

    /// Prints without making a string first, where the expression joins strings.
    fn print(&mut self, value: &'a Expr) -> Result<()> {
        match value {
            Expr::Str(text) => {
                self.meter.step()?;
                self.out.trusted(text);
                Ok(())
            }
            Expr::Chain(first, rest) => self.print_chain(first, rest),
            Expr::Concat(parts) if !self.autoescape => {
                parts.iter().try_for_each(|part| self.print(part))
            }
            Expr::If(branches) => {
                if self.is_true(&branches.test)? {
                    return self.print(&branches.then);
                }
                branches.otherwise.iter().try_for_each(|other| self.print(other))
            }
            other => {
                let value = self.eval(other)?;
                self.emit(&value)
            }
        }
    }

    fn set_block(&mut self, node: &'a SetBlock) -> Result<Flow> {
        let (flow, text) = self.capture(|vm| vm.scoped(&node.scoped))?;
        if flow != Flow::Through {
            return Ok(flow);
        }
        let line = node.scoped.line;
        let text = text.marked(self.autoescape);
        let value = match &node.filter {
            Some(filter) => self.filter_chain(filter, text).map_err(|fault| fault.at(line))?,
            None => Value::Str(text),
        };
        self.assign(&node.target, value).map_err(|fault| fault.at(line))?;
        Ok(Flow::Through)
    }

    /// Marks what the assistant said. Like transformers, it counts from the end of what was written
    /// when the outermost block began.
    fn generation(&mut self, scoped: &'a Scoped) -> Result<()> {
        let from = self.out.len();
        let nested = self.captures > 0;
        if !nested {
            self.written = from;
        }
        self.captures += 1;
        let done = self.scoped(scoped);
        self.captures -= 1;
        done?;
        let length = self.out.len() - from;
        let start = self.written;
        self.generation.push(start..start + length);
        Ok(())
    }

    /// What `{% block %}` number `index` writes.
    pub(super) fn block(&mut self, index: u32) -> Result<Text<'a>> {
        let program = self.program;
        let block = &program.blocks[index as usize];
        let mut top = self.frame.clone();
        while let Some(parent) = &top.parent {
            top = parent.clone();
        }
        let frame = Frame::new(block.slots, Some(top));
        self.within(frame, |vm| {
            vm.capture(|vm| vm.scoped(&block.scoped)).map(|(_, text)| text)
        })
    }
}

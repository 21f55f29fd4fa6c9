//! Second pass: every name gets its place, scope after scope.

use super::super::ast::*;
use super::super::fault::{Fault, Result};
use super::names;
use super::Resolver;

impl Resolver {
    pub(super) fn body(&mut self, body: &mut [Stmt]) -> Result<()> {
        body.iter_mut().try_for_each(|stmt| self.stmt(stmt))
    }

    fn stmt(&mut self, stmt: &mut Stmt) -> Result<()> {
        match stmt {
            Stmt::Data(_) | Stmt::Block(..) | Stmt::Absent(..) | Stmt::Break | Stmt::Continue => {}
            Stmt::Print(value, _) => self.expr(value),
            Stmt::If(branches, otherwise) => {
                for (test, body, _) in branches {
                    self.expr(test);
                    self.body(body)?;
                }
                self.body(otherwise)?;
            }
            Stmt::For(node) => self.for_loop(node)?,
            Stmt::Set(target, value, _) => {
                self.expr(value);
                self.target(target);
            }
            Stmt::SetBlock(node) => {
                self.open_scope();
                self.analyse_body(&node.scoped.body);
                if let Some(filter) = &node.filter {
                    self.analyse_expr(filter);
                }
                node.scoped.enter = self.settle();
                self.body(&mut node.scoped.body)?;
                if let Some(filter) = &mut node.filter {
                    self.expr(filter);
                }
                self.scopes.pop();
                self.target(&mut node.target);
            }
            Stmt::With(node) => {
                node.targets.iter_mut().for_each(|(_, value)| self.expr(value));
                self.open_scope();
                for (target, _) in &mut node.targets {
                    self.parameters(target);
                }
                self.rest_of_scope(&mut node.scoped)?;
            }
            Stmt::Macro(node) => {
                self.function_body(node)?;
                if let Some(name) = &mut node.name {
                    name.place = self.place(&name.name);
                }
            }
            Stmt::CallBlock(node) => {
                self.expr(&mut node.call.callee);
                self.arguments(&mut node.call.arguments);
                self.function_body(&mut node.caller)?;
            }
            Stmt::FilterBlock(node) => {
                self.open_scope();
                self.analyse_body(&node.scoped.body);
                self.analyse_expr(&node.filter);
                node.scoped.enter = self.settle();
                self.body(&mut node.scoped.body)?;
                self.expr(&mut node.filter);
                self.scopes.pop();
            }
            Stmt::Generation(scoped) | Stmt::ScopedBlock(scoped) => self.scoped(scoped)?,
            Stmt::Autoescape(on, scoped) => {
                self.expr(on);
                self.scoped(scoped)?;
            }
        }
        Ok(())
    }

    fn scoped(&mut self, scoped: &mut Scoped) -> Result<()> {
        self.open_scope();
        self.rest_of_scope(scoped)
    }

    /// Everything of an open scope but its parameters.
    fn rest_of_scope(&mut self, scoped: &mut Scoped) -> Result<()> {
        self.analyse_body(&scoped.body);
        scoped.enter = self.settle();
        self.body(&mut scoped.body)?;
        self.scopes.pop();
        Ok(())
    }

    /// Targets that the entering of a scope assigns to.
    fn parameters(&mut self, target: &mut Target) {
        match target {
            Target::Name(name) => name.place = self.parameter(&name.name),
            Target::Tuple(items) => items.iter_mut().for_each(|item| self.parameters(item)),
            Target::Field(..) => {}
        }
    }

    fn for_loop(&mut self, node: &mut For) -> Result<()> {
        let mut binds_loop = names::assigns(&node.body.body, "loop");
        names::in_target(&node.target, &mut |name| binds_loop |= name == "loop");
        if binds_loop {
            let message = "'loop' cannot be assigned to inside of a loop";
            return Err(Fault::syntax(message, node.body.line));
        }
        self.expr(&mut node.iterable);
        if let Some(test) = &mut node.test {
            self.open_scope();
            self.parameters(&mut test.target);
            self.analyse_expr(&test.test);
            test.enter = self.settle();
            self.expr(&mut test.test);
            self.scopes.pop();
        }
        let uses_loop = node.recursive || names::reads(&node.body.body, "loop");
        if node.recursive {
            self.open_function();
        }
        self.open_scope();
        if uses_loop {
            node.loop_place = Some(self.parameter("loop"));
        }
        self.parameters(&mut node.target);
        self.rest_of_scope(&mut node.body)?;
        if let Some(otherwise) = &mut node.otherwise {
            self.scoped(otherwise)?;
        }
        if node.recursive {
            node.slots = self.close_function();
        }
        Ok(())
    }

    fn function_body(&mut self, node: &mut Macro) -> Result<()> {
        self.open_function();
        self.open_scope();
        for parameter in &mut node.parameters {
            parameter.name.place = self.parameter(&parameter.name.name);
        }
        for (special, place) in [
            ("caller", &mut node.caller),
            ("kwargs", &mut node.kwargs),
            ("varargs", &mut node.varargs),
        ] {
            let is_parameter = node.parameters.iter().any(|known| *known.name.name == *special);
            if !is_parameter && names::reads(&node.scoped.body, special) {
                *place = Some(self.parameter(special));
            }
        }
        for parameter in &node.parameters {
            if let Some(default) = &parameter.default {
                self.analyse_expr(default);
            }
        }
        self.analyse_body(&node.scoped.body);
        node.scoped.enter = self.settle();
        for parameter in &mut node.parameters {
            if let Some(default) = &mut parameter.default {
                self.expr(default);
            }
        }
        self.body(&mut node.scoped.body)?;
        self.scopes.pop();
        node.slots = self.close_function();
        Ok(())
    }

    pub(super) fn block(&mut self, block: &mut Block) -> Result<()> {
        self.open_function();
        self.open_scope();
        if let Some(scope) = self.scopes.last_mut() {
            scope.is_block = true;
        }
        self.rest_of_scope(&mut block.scoped)?;
        block.slots = self.close_function();
        Ok(())
    }

    fn target(&mut self, target: &mut Target) {
        match target {
            Target::Name(name) | Target::Field(name, _) => name.place = self.place(&name.name),
            Target::Tuple(items) => items.iter_mut().for_each(|item| self.target(item)),
        }
    }

    fn arguments(&mut self, arguments: &mut Arguments) {
        let named = arguments.named.iter_mut().map(|(_, value)| value);
        let spread = arguments.list.iter_mut().chain(&mut arguments.mapping);
        for value in arguments.positional.iter_mut().chain(named).chain(spread) {
            self.expr(value);
        }
    }

    fn expr(&mut self, expr: &mut Expr) {
        match expr {
            Expr::None | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) => {}
            Expr::Name(name) => name.place = self.place(&name.name),
            Expr::List(items) | Expr::Tuple(items) | Expr::Concat(items) => {
                items.iter_mut().for_each(|item| self.expr(item));
            }
            Expr::Dict(pairs) => pairs.iter_mut().for_each(|(key, value)| {
                self.expr(key);
                self.expr(value);
            }),
            Expr::Not(inner) | Expr::Negative(inner) | Expr::Positive(inner) => self.expr(inner),
            Expr::Attribute(inner, _) => self.expr(inner),
            Expr::And(both) | Expr::Or(both) | Expr::Item(both) => {
                self.expr(&mut both.0);
                self.expr(&mut both.1);
            }
            Expr::Chain(first, rest) => {
                self.expr(first);
                rest.iter_mut().for_each(|(_, operand)| self.expr(operand));
            }
            Expr::Compare(first, rest) => {
                self.expr(first);
                rest.iter_mut().for_each(|(_, operand)| self.expr(operand));
            }
            Expr::Slice(slice) => {
                self.expr(&mut slice.of);
                let parts = [&mut slice.start, &mut slice.stop, &mut slice.step];
                parts.into_iter().flatten().for_each(|part| self.expr(part));
            }
            Expr::Call(call) => {
                self.expr(&mut call.callee);
                self.arguments(&mut call.arguments);
            }
            Expr::Filter(call) => {
                call.value.iter_mut().for_each(|value| self.expr(value));
                self.arguments(&mut call.arguments);
            }
            Expr::Test(call) => {
                self.expr(&mut call.value);
                self.arguments(&mut call.arguments);
            }
            Expr::If(branches) => {
                self.expr(&mut branches.test);
                self.expr(&mut branches.then);
                branches.otherwise.iter_mut().for_each(|other| self.expr(other));
            }
        }
    }
}

impl Macro {
    /// A macro whose names are not resolved yet.
    pub fn new(name: Option<Name>, parameters: Vec<Parameter>, scoped: Scoped) -> Self {
        Self {
            name,
            parameters,
            caller: None,
            kwargs: None,
            varargs: None,
            scoped,
            slots: 0,
        }
    }
}

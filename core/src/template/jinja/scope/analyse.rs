//! First pass over a scope: which names it reads and assigns, in the order of the source. What has a
//! scope of its own is not entered.

use super::super::ast::*;
use super::Resolver;
use super::names::in_expr;

impl Resolver {
    pub(super) fn analyse_body(&mut self, body: &[Stmt]) {
        self.analyse(body, false);
    }

    fn analyse(&mut self, body: &[Stmt], conditional: bool) {
        for stmt in body {
            self.analyse_stmt(stmt, conditional);
        }
    }

    pub(super) fn analyse_expr(&mut self, expr: &Expr) {
        in_expr(expr, &mut |name| self.load(name));
    }

    fn analyse_target(&mut self, target: &Target, conditional: bool) {
        match target {
            Target::Name(name) => self.store(&name.name, conditional),
            Target::Tuple(items) => items
                .iter()
                .for_each(|item| self.analyse_target(item, conditional)),
            Target::Field(owner, _) => self.load(&owner.name),
        }
    }

    fn analyse_stmt(&mut self, stmt: &Stmt, conditional: bool) {
        match stmt {
            Stmt::Data(_) | Stmt::Block(..) | Stmt::Absent(..) | Stmt::Break | Stmt::Continue => {}
            Stmt::Generation(_) | Stmt::ScopedBlock(_) => {}
            Stmt::Print(value, _) | Stmt::Autoescape(value, _) => self.analyse_expr(value),
            Stmt::If(branches, otherwise) => {
                for (test, body, _) in branches {
                    self.analyse_expr(test);
                    self.analyse(body, true);
                }
                self.analyse(otherwise, true);
            }
            Stmt::For(node) => self.analyse_expr(&node.iterable),
            Stmt::Set(target, value, _) => {
                self.analyse_expr(value);
                self.analyse_target(target, conditional);
            }
            Stmt::SetBlock(node) => self.analyse_target(&node.target, conditional),
            Stmt::With(node) => {
                for (_, value) in &node.targets {
                    self.analyse_expr(value);
                }
            }
            Stmt::Macro(node) => {
                if let Some(name) = &node.name {
                    self.store(&name.name, conditional);
                }
            }
            Stmt::CallBlock(node) => {
                self.analyse_expr(&node.call.callee);
                self.analyse_arguments(&node.call.arguments);
            }
            Stmt::FilterBlock(node) => self.analyse_expr(&node.filter),
        }
    }

    fn analyse_arguments(&mut self, arguments: &Arguments) {
        let named = arguments.named.iter().map(|(_, value)| value);
        let spread = arguments.list.iter().chain(&arguments.mapping);
        for value in arguments.positional.iter().chain(named).chain(spread) {
            self.analyse_expr(value);
        }
    }
}

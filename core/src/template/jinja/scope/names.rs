//! Walks over the names in expressions and statements.

use super::super::ast::*;

/// Calls `see` with every name that an expression reads.
pub(super) fn in_expr<'e>(expr: &'e Expr, see: &mut impl FnMut(&'e str)) {
    match expr {
        Expr::None | Expr::Bool(_) | Expr::Int(_) | Expr::Float(_) | Expr::Str(_) => {}
        Expr::Name(name) => see(&name.name),
        Expr::List(items) | Expr::Tuple(items) | Expr::Concat(items) => {
            items.iter().for_each(|item| in_expr(item, see));
        }
        Expr::Dict(pairs) => pairs.iter().for_each(|(key, value)| {
            in_expr(key, see);
            in_expr(value, see);
        }),
        Expr::Not(inner) | Expr::Negative(inner) | Expr::Positive(inner) => in_expr(inner, see),
        Expr::Attribute(inner, _) => in_expr(inner, see),
        Expr::And(both) | Expr::Or(both) | Expr::Item(both) => {
            in_expr(&both.0, see);
            in_expr(&both.1, see);
        }
        Expr::Chain(first, rest) => {
            in_expr(first, see);
            rest.iter().for_each(|(_, operand)| in_expr(operand, see));
        }
        Expr::Compare(first, rest) => {
            in_expr(first, see);
            rest.iter().for_each(|(_, operand)| in_expr(operand, see));
        }
        Expr::Slice(slice) => {
            in_expr(&slice.of, see);
            let parts = [&slice.start, &slice.stop, &slice.step];
            parts.into_iter().flatten().for_each(|part| in_expr(part, see));
        }
        Expr::Call(call) => {
            in_expr(&call.callee, see);
            in_arguments(&call.arguments, see);
        }
        Expr::Filter(call) => {
            call.value.iter().for_each(|value| in_expr(value, see));
            in_arguments(&call.arguments, see);
        }
        Expr::Test(call) => {
            in_expr(&call.value, see);
            in_arguments(&call.arguments, see);
        }
        Expr::If(branches) => {
            in_expr(&branches.test, see);
            in_expr(&branches.then, see);
            branches.otherwise.iter().for_each(|other| in_expr(other, see));
        }
    }
}

fn in_arguments<'e>(arguments: &'e Arguments, see: &mut impl FnMut(&'e str)) {
    arguments.positional.iter().for_each(|value| in_expr(value, see));
    arguments.named.iter().for_each(|(_, value)| in_expr(value, see));
    let spread = [&arguments.list, &arguments.mapping];
    spread.into_iter().flatten().for_each(|value| in_expr(value, see));
}

/// Calls `see` with every name that is assigned to.
pub(super) fn in_target<'e>(target: &'e Target, see: &mut impl FnMut(&'e str)) {
    match target {
        Target::Name(name) => see(&name.name),
        Target::Tuple(items) => items.iter().for_each(|item| in_target(item, see)),
        Target::Field(..) => {}
    }
}

/// Whether statements read a name, at any depth.
pub(super) fn reads(body: &[Stmt], name: &str) -> bool {
    let mut found = false;
    walk(body, &mut |part| match part {
        Part::Read(expr) => in_expr(expr, &mut |read| found |= read == name),
        Part::Field(owner) => found |= owner == name,
        Part::Assigned(_) => {}
    });
    found
}

/// Whether statements assign to a name, at any depth.
pub(super) fn assigns(body: &[Stmt], name: &str) -> bool {
    let mut found = false;
    walk(body, &mut |part| {
        if let Part::Assigned(target) = part {
            in_target(target, &mut |assigned| found |= assigned == name);
        }
    });
    found
}

enum Part<'e> {
    Read(&'e Expr),
    Assigned(&'e Target),
    /// The namespace of a field that is assigned to.
    Field(&'e str),
}

fn walk<'e>(body: &'e [Stmt], see: &mut impl FnMut(Part<'e>)) {
    for stmt in body {
        match stmt {
            Stmt::Data(_) | Stmt::Block(..) | Stmt::Absent(..) | Stmt::Break | Stmt::Continue => {}
            Stmt::Print(value, _) => see(Part::Read(value)),
            Stmt::If(branches, otherwise) => {
                for (test, body, _) in branches {
                    see(Part::Read(test));
                    walk(body, see);
                }
                walk(otherwise, see);
            }
            Stmt::For(node) => {
                see(Part::Read(&node.iterable));
                see(Part::Assigned(&node.target));
                node.test.iter().for_each(|test| see(Part::Read(&test.test)));
                walk(&node.body.body, see);
                node.otherwise.iter().for_each(|other| walk(&other.body, see));
            }
            Stmt::Set(target, value, _) => {
                see(Part::Read(value));
                assigned(target, see);
            }
            Stmt::SetBlock(node) => {
                node.filter.iter().for_each(|filter| see(Part::Read(filter)));
                walk(&node.scoped.body, see);
                assigned(&node.target, see);
            }
            Stmt::With(node) => {
                for (target, value) in &node.targets {
                    see(Part::Read(value));
                    see(Part::Assigned(target));
                }
                walk(&node.scoped.body, see);
            }
            Stmt::Macro(node) => in_macro(node, see),
            Stmt::CallBlock(node) => {
                see(Part::Read(&node.call.callee));
                let arguments = &node.call.arguments;
                arguments.positional.iter().for_each(|value| see(Part::Read(value)));
                arguments.named.iter().for_each(|(_, value)| see(Part::Read(value)));
                let spread = [&arguments.list, &arguments.mapping];
                spread.into_iter().flatten().for_each(|value| see(Part::Read(value)));
                in_macro(&node.caller, see);
            }
            Stmt::FilterBlock(node) => {
                see(Part::Read(&node.filter));
                walk(&node.scoped.body, see);
            }
            Stmt::Generation(scoped) | Stmt::ScopedBlock(scoped) => walk(&scoped.body, see),
            Stmt::Autoescape(on, scoped) => {
                see(Part::Read(on));
                walk(&scoped.body, see);
            }
        }
    }
}

fn in_macro<'e>(node: &'e Macro, see: &mut impl FnMut(Part<'e>)) {
    for parameter in &node.parameters {
        parameter.default.iter().for_each(|default| see(Part::Read(default)));
    }
    walk(&node.scoped.body, see);
}

fn assigned<'e>(target: &'e Target, see: &mut impl FnMut(Part<'e>)) {
    match target {
        Target::Field(owner, _) => see(Part::Field(&owner.name)),
        Target::Tuple(items) => items.iter().for_each(|item| assigned(item, see)),
        Target::Name(_) => see(Part::Assigned(target)),
    }
}

//! Operators, from the loosest to the tightest, and literals.

use super::super::ast::{BinaryOp, CompareOp, Expr, IfExpr, Name};
use super::super::fault::Result;
use super::super::lexer::Kind;
use super::super::scope::Place;
use super::Parser;

impl Parser {
    pub(super) fn expression(&mut self) -> Result<Expr> {
        self.deeper(Self::if_expression)
    }

    /// Without `a if b else c`, where an `if` means something else.
    pub(super) fn plain_expression(&mut self) -> Result<Expr> {
        self.deeper(Self::or)
    }

    fn if_expression(&mut self) -> Result<Expr> {
        let known = self.unknown.len();
        let mut value = self.or()?;
        while self.skip_name("if") {
            let test = self.or()?;
            let otherwise = match self.skip_name("else") {
                true => Some(self.expression()?),
                false => None,
            };
            self.unknown.truncate(known);
            value = Expr::If(Box::new(IfExpr {
                test,
                then: value,
                otherwise,
            }));
        }
        Ok(value)
    }

    fn or(&mut self) -> Result<Expr> {
        let mut left = self.and()?;
        let mut links = 0;
        while self.skip_name("or") {
            links = self.link(links)?;
            left = Expr::Or(Box::new((left, self.and()?)));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expr> {
        let mut left = self.not()?;
        let mut links = 0;
        while self.skip_name("and") {
            links = self.link(links)?;
            left = Expr::And(Box::new((left, self.not()?)));
        }
        Ok(left)
    }

    /// Counts the links of a chain that becomes a tree as deep as the chain is long.
    pub(super) fn link(&self, links: usize) -> Result<usize> {
        /// More than jinja2 compiles.
        const LINKS: usize = 300;
        if links >= LINKS {
            return self.fail(format!("more than {LINKS} operators in a row"));
        }
        Ok(links + 1)
    }

    fn not(&mut self) -> Result<Expr> {
        if self.skip_name("not") {
            return Ok(Expr::Not(Box::new(self.deeper(Self::not)?)));
        }
        self.compare()
    }

    fn compare(&mut self) -> Result<Expr> {
        let first = self.sum()?;
        let mut rest = Vec::new();
        while let Some(op) = self.compare_op() {
            rest.push((op, self.sum()?));
        }
        match rest.is_empty() {
            true => Ok(first),
            false => Ok(Expr::Compare(Box::new(first), rest)),
        }
    }

    fn compare_op(&mut self) -> Option<CompareOp> {
        let op = match self.kind() {
            Kind::Op("==") => CompareOp::Equal,
            Kind::Op("!=") => CompareOp::NotEqual,
            Kind::Op("<") => CompareOp::Less,
            Kind::Op("<=") => CompareOp::LessEqual,
            Kind::Op(">") => CompareOp::Greater,
            Kind::Op(">=") => CompareOp::GreaterEqual,
            Kind::Name(name) if name == "in" => CompareOp::In,
            Kind::Name(name) if name == "not" => match self.look() {
                Kind::Name(next) if next == "in" => {
                    self.next();
                    CompareOp::NotIn
                }
                _ => return None,
            },
            _ => return None,
        };
        self.next();
        Some(op)
    }

    fn sum(&mut self) -> Result<Expr> {
        self.chain(Self::concat, |op| match op {
            "+" => Some(BinaryOp::Add),
            "-" => Some(BinaryOp::Subtract),
            _ => None,
        })
    }

    fn concat(&mut self) -> Result<Expr> {
        let first = self.product()?;
        if !self.is_op("~") {
            return Ok(first);
        }
        let mut parts = vec![first];
        while self.skip_op("~") {
            parts.push(self.product()?);
        }
        Ok(Expr::Concat(parts))
    }

    fn product(&mut self) -> Result<Expr> {
        self.chain(Self::power, |op| match op {
            "*" => Some(BinaryOp::Multiply),
            "/" => Some(BinaryOp::Divide),
            "//" => Some(BinaryOp::FloorDivide),
            "%" => Some(BinaryOp::Modulo),
            _ => None,
        })
    }

    /// jinja2 takes `2 ** 3 ** 2` from left to right, other than Python, as it writes parentheses.
    fn power(&mut self) -> Result<Expr> {
        self.chain(
            |parser| parser.unary(true),
            |op| (op == "**").then_some(BinaryOp::Power),
        )
    }

    fn chain(
        &mut self,
        operand: impl Fn(&mut Self) -> Result<Expr>,
        find: impl Fn(&str) -> Option<BinaryOp>,
    ) -> Result<Expr> {
        let first = operand(self)?;
        let mut rest = Vec::new();
        while let Kind::Op(op) = self.kind() {
            let Some(op) = find(op) else { break };
            self.next();
            rest.push((op, operand(self)?));
        }
        match rest.is_empty() {
            true => Ok(first),
            false => Ok(Expr::Chain(Box::new(first), rest)),
        }
    }

    fn unary(&mut self, with_filters: bool) -> Result<Expr> {
        let value = if self.skip_op("-") {
            Expr::Negative(Box::new(self.deeper(|parser| parser.unary(false))?))
        } else if self.skip_op("+") {
            Expr::Positive(Box::new(self.deeper(|parser| parser.unary(false))?))
        } else {
            self.primary()?
        };
        let value = self.postfix(value)?;
        match with_filters {
            true => self.filters_and_tests(value),
            false => Ok(value),
        }
    }

    pub(super) fn primary(&mut self) -> Result<Expr> {
        match self.kind() {
            Kind::Name(_) => self.name(),
            Kind::Str(_) => self.string(),
            Kind::Int(_) | Kind::Float(_) => match self.next() {
                Kind::Int(int) => Ok(Expr::Int(int)),
                Kind::Float(float) => Ok(Expr::Float(float)),
                _ => self.unexpected(),
            },
            Kind::Op("(") => {
                self.next();
                let inner = self.deeper(|parser| parser.tuple(true, &[], true))?;
                self.expect_op(")")?;
                Ok(inner)
            }
            Kind::Op("[") => self.list(),
            Kind::Op("{") => self.dict(),
            _ => self.unexpected(),
        }
    }

    fn name(&mut self) -> Result<Expr> {
        let name = self.identifier()?;
        Ok(match name.as_str() {
            "true" | "True" => Expr::Bool(true),
            "false" | "False" => Expr::Bool(false),
            "none" | "None" => Expr::None,
            _ => Expr::Name(Name {
                name: name.into(),
                place: Place::Unknown,
            }),
        })
    }

    /// Strings beside each other are one.
    fn string(&mut self) -> Result<Expr> {
        let mut text = String::new();
        while matches!(self.kind(), Kind::Str(_)) {
            if let Kind::Str(part) = self.next() {
                text.push_str(&part);
            }
        }
        self.literals.push(text.clone());
        Ok(Expr::Str(text.into()))
    }

    fn list(&mut self) -> Result<Expr> {
        self.expect_op("[")?;
        let mut items = Vec::new();
        while !self.is_op("]") {
            if !items.is_empty() {
                self.expect_op(",")?;
                if self.is_op("]") {
                    break;
                }
            }
            items.push(self.expression()?);
        }
        self.expect_op("]")?;
        Ok(Expr::List(items))
    }

    fn dict(&mut self) -> Result<Expr> {
        self.expect_op("{")?;
        let mut pairs = Vec::new();
        while !self.is_op("}") {
            if !pairs.is_empty() {
                self.expect_op(",")?;
                if self.is_op("}") {
                    break;
                }
            }
            let key = self.expression()?;
            self.expect_op(":")?;
            pairs.push((key, self.expression()?));
        }
        self.expect_op("}")?;
        Ok(Expr::Dict(pairs))
    }

    /// An expression, or several between commas, which are a tuple. It may be empty in parentheses.
    /// `ends` are names that end it.
    pub(super) fn tuple(
        &mut self,
        with_if: bool,
        ends: &[&str],
        in_parentheses: bool,
    ) -> Result<Expr> {
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.at_tuple_end(ends) {
                break;
            }
            items.push(match with_if {
                true => self.expression()?,
                false => self.plain_expression()?,
            });
            if !self.is_op(",") {
                break;
            }
            is_tuple = true;
        }
        if is_tuple {
            return Ok(Expr::Tuple(items));
        }
        match items.pop() {
            Some(item) => Ok(item),
            None if in_parentheses => Ok(Expr::Tuple(Vec::new())),
            None => self.fail(format!(
                "expected an expression, found '{}'",
                self.kind().describe()
            )),
        }
    }

    pub(super) fn at_tuple_end(&self, ends: &[&str]) -> bool {
        match self.kind() {
            Kind::PrintEnd | Kind::BlockEnd | Kind::Op(")") => true,
            Kind::Name(name) => ends.contains(&name.as_str()),
            _ => false,
        }
    }
}

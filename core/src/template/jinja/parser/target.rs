//! What is assigned to.

use super::super::ast::{Name, Target};
use super::super::fault::Result;
use super::super::scope::Place;
use super::Parser;

impl Parser {
    /// A name, or a tuple of targets, of `namespace.field` too where `with_fields`.
    pub(super) fn target(&mut self, ends: &[&str], with_fields: bool) -> Result<Target> {
        let mut items = Vec::new();
        let mut is_tuple = false;
        loop {
            if !items.is_empty() {
                self.expect_op(",")?;
            }
            if self.at_tuple_end(ends) || self.is_op("=") {
                break;
            }
            items.push(self.single_target(with_fields)?);
            if !self.is_op(",") {
                break;
            }
            is_tuple = true;
        }
        if is_tuple {
            return Ok(Target::Tuple(items));
        }
        match items.pop() {
            Some(item) => Ok(item),
            None => self.fail(format!(
                "expected a name to assign to, found '{}'",
                self.kind().describe()
            )),
        }
    }

    fn single_target(&mut self, with_fields: bool) -> Result<Target> {
        if self.skip_op("(") {
            let inner = self.deeper(|parser| parser.target(&[], with_fields))?;
            self.expect_op(")")?;
            return Ok(inner);
        }
        let name = self.assigned_name()?;
        if with_fields && self.skip_op(".") {
            let field = self.identifier()?;
            return Ok(Target::Field(name, field.into()));
        }
        Ok(Target::Name(name))
    }

    /// A name that can be assigned to.
    pub(super) fn assigned_name(&mut self) -> Result<Name> {
        let name = match self.kind() {
            super::Kind::Name(_) => self.identifier()?,
            other => {
                let what = other.describe().to_owned();
                return self.fail(format!("'{what}' cannot be assigned to"));
            }
        };
        let is_constant = matches!(
            name.as_str(),
            "true" | "True" | "false" | "False" | "none" | "None"
        );
        if is_constant {
            return self.fail(format!("'{name}' cannot be assigned to"));
        }
        Ok(Name {
            name: name.into(),
            place: Place::Unknown,
        })
    }
}

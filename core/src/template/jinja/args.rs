//! Arguments of a call.

use super::fault::{Result, fail};
use super::text::Text;
use super::value::Value;

/// Values by position and by name.
#[derive(Clone, Default)]
pub(crate) struct Args<'a> {
    pub positional: Vec<Value<'a>>,
    pub named: Vec<(Text<'a>, Value<'a>)>,
}

impl<'a> Args<'a> {
    pub fn none() -> Self {
        Self::default()
    }

    /// Takes a named argument out.
    pub fn take(&mut self, name: &str) -> Option<Value<'a>> {
        let place = self
            .named
            .iter()
            .position(|(known, _)| known.as_str() == name)?;
        Some(self.named.remove(place).1)
    }

    /// Sorts the arguments of `function` by its parameters, the first of which are `required`. A
    /// parameter without a name can only be given by position.
    pub fn bind<const N: usize>(
        self,
        function: &str,
        parameters: [&str; N],
        required: usize,
    ) -> Result<[Option<Value<'a>>; N]> {
        let mut bound: [Option<Value<'a>>; N] = [const { None }; N];
        if self.positional.len() > N {
            return fail(format!(
                "{function} takes at most {N} arguments, not {}",
                self.positional.len()
            ));
        }
        for (place, value) in bound.iter_mut().zip(self.positional) {
            *place = Some(value);
        }
        for (name, value) in self.named {
            let name = name.as_str();
            let place = parameters
                .iter()
                .position(|known| !known.is_empty() && *known == name);
            match place.map(|place| &mut bound[place]) {
                Some(place @ None) => *place = Some(value),
                Some(_) => return fail(format!("{function} is given '{name}' twice")),
                None => return fail(format!("{function} has no parameter '{name}'")),
            }
        }
        if bound[..required].iter().any(Option::is_none) {
            return fail(format!("{function} needs {required} arguments or more"));
        }
        Ok(bound)
    }

    /// The only argument there may be.
    pub fn optional(self, function: &str, parameter: &str) -> Result<Option<Value<'a>>> {
        let [value] = self.bind(function, [parameter], 0)?;
        Ok(value)
    }

    pub fn nothing(self, function: &str) -> Result<()> {
        if self.positional.is_empty() && self.named.is_empty() {
            return Ok(());
        }
        self.bind(function, [], 0).map(|_| ())
    }

    /// The only argument, which must be there.
    pub fn single(self, function: &str) -> Result<Value<'a>> {
        match self.bind(function, [""], 1)? {
            [Some(value)] => Ok(value),
            [None] => fail(format!("{function} needs an argument")),
        }
    }
}

/// An argument that must be a string.
pub(crate) fn string<'a>(function: &str, value: Value<'a>) -> Result<Text<'a>> {
    match value {
        Value::Str(text) => Ok(text),
        Value::Undefined(undefined) => Err(undefined.fault()),
        other => fail(format!(
            "{function} wants a string, not {}",
            other.type_name()
        )),
    }
}

/// An argument that must be an integer.
pub(crate) fn integer(function: &str, value: &Value<'_>) -> Result<i128> {
    match value {
        Value::Undefined(undefined) => Err(undefined.fault()),
        other => match other.as_int() {
            Some(int) => Ok(int),
            None => fail(format!(
                "{function} wants an integer, not {}",
                other.type_name()
            )),
        },
    }
}

/// An integer that says how many or how wide; huge ones are kept for a limit to stop.
pub(crate) fn size(function: &str, value: &Value<'_>) -> Result<usize> {
    let int = integer(function, value)?.max(0);
    Ok(usize::try_from(int).unwrap_or(usize::MAX))
}

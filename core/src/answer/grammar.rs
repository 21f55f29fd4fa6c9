//! One of the grammars that calls are written in, at work.

use super::calls::{Calls, Fault, Next, Step};
use super::gemma::Gemma;
use super::json::Json;
use super::named::Named;
use super::python::Python;
use super::tagged::Tagged;
use super::{gemma, json, named, python, tagged};

/// How calls are written.
#[derive(Debug, Clone, Copy)]
pub(super) enum Grammar {
    Json(&'static json::Shape),
    Named(&'static named::Shape),
    Tagged(&'static tagged::Shape),
    Gemma(&'static gemma::Shape),
    Python(&'static python::Shape),
    /// JSON where a brace or bracket comes first, else the other.
    JsonOr(&'static json::Shape, &'static Grammar),
}

impl Grammar {
    pub fn begin(self) -> Reading {
        match self {
            Self::Json(shape) => Reading::Json(shape, Json::default()),
            Self::Named(shape) => Reading::Named(shape, Named::default()),
            Self::Tagged(shape) => Reading::Tagged(shape, Tagged::new(shape)),
            Self::Gemma(shape) => Reading::Gemma(shape, Gemma::new()),
            Self::Python(shape) => Reading::Python(shape, Python::new()),
            Self::JsonOr(shape, other) => Reading::Undecided(shape, *other),
        }
    }

    /// Delimiters inside the calls.
    pub fn delimiters(self) -> Vec<&'static str> {
        match self {
            Self::Json(shape) => shape.close.to_vec(),
            Self::Named(shape) => [shape.inside, shape.next, shape.tail, shape.close].concat(),
            Self::Tagged(shape) => [
                &[
                    shape.call,
                    shape.call_close,
                    shape.parameter,
                    shape.key_end,
                    shape.tag_end,
                    shape.value,
                    shape.value_close,
                ],
                shape.close,
            ]
            .concat(),
            Self::Gemma(shape) => vec![shape.quote, shape.close],
            Self::Python(shape) => shape.close.to_vec(),
            Self::JsonOr(shape, other) => [shape.close, &other.delimiters()].concat(),
        }
    }
}

/// A grammar with what it has read.
#[derive(Debug)]
pub(super) enum Reading {
    Json(&'static json::Shape, Json),
    Named(&'static named::Shape, Named),
    Tagged(&'static tagged::Shape, Tagged),
    Gemma(&'static gemma::Shape, Gemma),
    Python(&'static python::Shape, Python),
    Undecided(&'static json::Shape, Grammar),
}

impl Reading {
    pub fn step(&mut self, c: char, calls: &mut Calls) -> Step {
        match self {
            Self::Json(shape, json) => json.step(c, shape, calls),
            Self::Named(shape, named) => named.step(c, shape, calls),
            Self::Tagged(shape, tagged) => tagged.step(c, shape, calls),
            Self::Gemma(shape, gemma) => gemma.step(c, shape, calls),
            Self::Python(shape, python) => python.step(c, shape, calls),
            Self::Undecided(..) if c.is_whitespace() => Ok(Next::More),
            Self::Undecided(shape, other) => {
                *self = match c {
                    '{' | '[' => Self::Json(shape, Json::default()),
                    _ => other.begin(),
                };
                self.step(c, calls)
            }
        }
    }

    /// The answer is over: whether the calls are too.
    pub fn finish(&self) -> Result<(), Fault> {
        match self {
            Self::Json(_, json) => json.finish(),
            Self::Named(_, named) => named.finish(),
            Self::Tagged(_, tagged) => tagged.finish(),
            Self::Gemma(_, gemma) => gemma.finish(),
            Self::Python(_, python) => python.finish(),
            Self::Undecided(..) => Err(Fault::broken("the answer ends inside the call")),
        }
    }
}

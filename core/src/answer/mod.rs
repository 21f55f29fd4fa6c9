//! From the raw text of an answer, as it grows, to text, reasoning and tool calls.
//!
//! A [`Format`] says how a model writes its answers; the chat template tells it. A [`Reader`] takes the
//! answer in pieces of any size and gives out what each adds. What may still become a delimiter is held
//! back, nothing else.

mod calls;
mod format;
mod gap;
mod gemma;
mod grammar;
mod json;
mod kinds;
mod named;
mod python;
mod reader;
mod schema;
mod shapes;
mod tagged;
#[cfg(test)]
mod tests;
mod thinking;

use serde_json::Value;

pub(crate) use format::Format;
pub(crate) use reader::Reader;

/// A part of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Text(String),
    Reasoning(String),
    Call(CallPiece),
}

/// A part of a tool call. Its number is its place among the calls that were begun; its first piece has
/// id and name. All pieces' arguments together are the JSON text of the arguments.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallPiece {
    pub index: u32,
    pub id: Option<String>,
    pub name: Option<String>,
    pub arguments: String,
}

/// A complete tool call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct ToolCall {
    /// The number that its pieces have.
    pub index: u32,
    pub id: String,
    pub name: String,
    /// An object.
    pub arguments: Value,
}

/// A call that could not be read. Its text was given back as text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Broken {
    /// The number of the pieces given out before that was known.
    pub index: Option<u32>,
    pub text: String,
    pub reason: String,
}

/// The end of an answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finished {
    /// What was held back.
    pub pieces: Vec<Piece>,
    /// The complete calls of the whole answer.
    pub calls: Vec<ToolCall>,
    pub broken: Vec<Broken>,
}

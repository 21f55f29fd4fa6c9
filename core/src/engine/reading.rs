//! From the raw text of an answer to the pieces that its reader gets.

use std::collections::BTreeSet;

use crate::answer::{Broken, Format, Piece, Reader};
use crate::surface::*;

/// How the answer to one request is read.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Unset for what is no answer to messages: that is text and nothing else.
    pub format: Option<Format>,
    /// The prompt ends inside reasoning.
    pub open: bool,
    /// The tools that may be called.
    pub tools: Option<Json>,
    /// What the prompt ends with to make the model call one; a part of the answer.
    pub forced: String,
    /// Ids of control tokens that tell the parts of an answer apart.
    pub markers: BTreeSet<u32>,
}

/// Reads one answer.
pub(crate) struct Answer(Option<Reader>);

/// The end of an answer.
#[derive(Default)]
pub(crate) struct Finished {
    pub pieces: Vec<Chunk>,
    pub calls: Vec<ToolCall>,
    pub warnings: Vec<Warning>,
}

impl Reading {
    /// Begins an answer, with the pieces that the forced text makes.
    pub fn begin(&self) -> (Answer, Vec<Chunk>) {
        let reader = |format| Reader::new(format, self.open, self.tools.as_ref());
        let mut answer = Answer(self.format.as_ref().map(reader));
        let pieces = answer.push(&self.forced);
        (answer, pieces)
    }
}

impl Answer {
    pub fn push(&mut self, text: &str) -> Vec<Chunk> {
        match &mut self.0 {
            Some(reader) => reader.push(text).into_iter().map(chunk).collect(),
            None => (!text.is_empty())
                .then(|| plain(text.to_owned()))
                .into_iter()
                .collect(),
        }
    }

    pub fn finish(&mut self) -> Finished {
        let Some(mut reader) = self.0.take() else {
            return Finished::default();
        };
        let end = reader.finish();
        let calls = end.calls.into_iter().map(|call| ToolCall {
            id: call.id,
            name: call.name,
            arguments: call.arguments,
        });
        Finished {
            pieces: end.pieces.into_iter().map(chunk).collect(),
            calls: calls.collect(),
            warnings: end.broken.iter().map(warning).collect(),
        }
    }
}

fn plain(text: String) -> Chunk {
    Chunk {
        text,
        ..Chunk::default()
    }
}

fn chunk(piece: Piece) -> Chunk {
    match piece {
        Piece::Text(text) => plain(text),
        Piece::Reasoning(text) => Chunk {
            kind: ChunkKind::Reasoning,
            ..plain(text)
        },
        Piece::Call(call) => Chunk {
            kind: ChunkKind::ToolCall,
            tool_call: Some(call.index),
            tool_call_id: call.id,
            tool_name: call.name,
            ..plain(call.arguments)
        },
    }
}

fn warning(broken: &Broken) -> Warning {
    let pieces = match broken.index {
        Some(index) => {
            format!("; the pieces of tool call {index} that were streamed before do not count")
        }
        None => String::new(),
    };
    Warning {
        kind: WarningKind::BrokenToolCall,
        message: format!(
            "what looked like a tool call could not be read ({}), so it is left in the text: {:?}{pieces}",
            broken.reason, broken.text
        ),
    }
}

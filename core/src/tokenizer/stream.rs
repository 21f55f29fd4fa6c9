//! The text of an answer while its tokens come.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::stages::{self, Stage};
use super::{Tokenizer, guarded};
use crate::surface::Result;

/// Decodes one answer token by token. All pieces together are what `Tokenizer::decode` gives for all
/// ids with the special tokens left out, but for those that are `kept`; the cost of a token does not depend on the answer's length.
#[derive(Debug)]
pub struct StreamDecoder {
    tokenizer: Arc<Tokenizer>,
    kept: BTreeSet<u32>,
    state: State,
}

#[derive(Debug)]
enum State {
    Stages(Vec<Stage>),
    /// A decoder that needs all tokens at once: the text comes with `finish`.
    Whole(Vec<u32>),
}

impl StreamDecoder {
    /// Starts an answer.
    pub fn new(tokenizer: Arc<Tokenizer>, kept: BTreeSet<u32>) -> Self {
        let state = match stages::of(tokenizer.inner.get_decoder()) {
            Some(stages) => State::Stages(stages),
            None => State::Whole(Vec::new()),
        };
        Self {
            tokenizer,
            kept,
            state,
        }
    }

    /// Takes the next token and gives the text that became certain: whole characters, perhaps none.
    pub fn push(&mut self, id: u32) -> Result<String> {
        match &mut self.state {
            State::Stages(stages) => match self.tokenizer.token(id, !self.kept.contains(&id)) {
                Some(token) => guarded(|| stages::push(stages, vec![token])).map(join),
                None => Ok(String::new()),
            },
            State::Whole(ids) => {
                if self.tokenizer.token(id, !self.kept.contains(&id)).is_some() {
                    ids.push(id);
                }
                Ok(String::new())
            }
        }
    }

    /// Ends the answer and gives the rest; bytes that are no whole character become U+FFFD. What
    /// comes after it would be another answer's beginning.
    pub fn finish(&mut self) -> Result<String> {
        match &mut self.state {
            State::Stages(stages) => guarded(|| stages::finish(stages)).map(join),
            State::Whole(ids) => self.tokenizer.decode(&std::mem::take(ids), false),
        }
    }
}

fn join(pieces: Vec<String>) -> String {
    pieces.concat()
}

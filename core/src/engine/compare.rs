//! Whether the tokenizer belongs to the model: the runtime's text of the first tokens against ours.

use std::sync::Arc;

use super::text::RuntimeText;
use crate::surface::{Warning, WarningKind};
use crate::tokenizer::Tokenizer;

/// How many tokens are compared: enough to tell, and little work.
const TOKENS: usize = 32;

/// The beginning of one answer, as the runtime writes it.
pub(super) struct Comparison {
    tokenizer: Arc<Tokenizer>,
    ids: Vec<u32>,
    said: String,
    text: RuntimeText,
}

impl Comparison {
    pub fn new(tokenizer: Arc<Tokenizer>) -> Self {
        Self {
            tokenizer,
            ids: Vec::new(),
            said: String::new(),
            text: RuntimeText::default(),
        }
    }

    pub fn add(&mut self, id: u32, said: &[u8], waiting: bool) {
        if self.ids.len() < TOKENS {
            self.ids.push(id);
            self.said += &self.text.push(said, waiting);
        }
    }

    /// The warning, where the two texts differ. A runtime that says nothing says nothing wrong.
    pub fn verdict(&self) -> Option<Warning> {
        let said = &self.said;
        if comparable(said).is_empty() {
            return None;
        }
        // Whether the runtime writes special tokens out is not the same everywhere.
        let ours: Vec<String> = [false, true]
            .into_iter()
            .filter_map(|skip| self.tokenizer.decode(&self.ids, skip).ok())
            .collect();
        if ours.iter().any(|ours| alike(ours, said)) {
            return None;
        }
        let ours = ours.first().map_or("", |ours| comparable(ours));
        Some(Warning {
            kind: WarningKind::TokenizerMismatch,
            message: format!(
                "the runtime's text of the first {} tokens is {:?}, the tokenizer's is {ours:?}: the tokenizer \
                 probably belongs to another model, and then the prompt was wrong too; put the tokenizer.json of \
                 this model into its folder, or name it with the option tokenizer",
                self.ids.len(),
                comparable(said),
            ),
        })
    }
}

/// Both texts without what may differ in a correct pair: white space at the beginning, which tokenizers
/// treat in several ways, and a character that is cut at the end.
fn comparable(text: &str) -> &str {
    text.trim_start()
        .trim_end_matches(char::REPLACEMENT_CHARACTER)
}

fn alike(ours: &str, said: &str) -> bool {
    let (ours, said) = (comparable(ours), comparable(said));
    ours == said || ours.trim_end() == said.trim_end()
}

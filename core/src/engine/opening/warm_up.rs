//! The first run of a model, for nothing but to have it done.

use crate::engine::control::Deadlines;
use crate::engine::desk::{Told, Wish};
use crate::engine::model::Model;
use crate::engine::prompt::Prompt;
use crate::surface::{GenerateOptions, InputKind, Result};
use crate::vendor::{Input, RunRequest, capabilities};

/// Any text does.
const TEXT: &str = "Hi";

impl Model {
    /// Produces a token, and leaves nothing of it.
    pub(super) fn warm_up(&self) -> Result<()> {
        let input = match self.info.input {
            InputKind::Tokens => {
                let options = GenerateOptions::default();
                let prepared = self
                    .with(|tokens, session| tokens.prepare(&Prompt::Text(TEXT), &options, session));
                prepared?.input
            }
            InputKind::Text | InputKind::RuntimeTemplate => Input::Text(TEXT.to_owned()),
        };
        let request = RunRequest {
            inputs: vec![input; self.batches],
            max_new_tokens: 1,
            ..RunRequest::default()
        };
        // Where the runtime ends by itself, no abort is needed.
        let ends = self.capabilities.has(capabilities::RUN_TOKEN_LIMIT);
        self.errand(Deadlines::default(), move |desk| {
            desk.run(&request, false, &mut |told| match told {
                Told::Token(_) if !ends => Wish::Enough,
                Told::Token(_) | Told::Rows(_) => Wish::More,
            })?;
            desk.with(|session| {
                // Where it cannot be emptied, no later run makes use of it.
                let _ = session.clear_cache(false, &[]);
                Ok(())
            })
        })
    }
}

//! A conversation with a model.

use std::sync::Arc;

use crate::engine;
use crate::surface::{ChatOptions, GenerateOptions, Generation, Json, Message, Model, Result};

/// A conversation: it keeps the messages, adds the answers, and sends as much of it as fits the
/// context window.
///
/// An answer becomes a message of the chat when its generation ends. One that was cancelled stays as far
/// as it came; where it had not said anything yet, or failed, the messages that it was to answer are taken
/// back, so that they can be sent again. Until then the chat is `Busy`. Handles of one chat share the
/// conversation. A chat keeps its model open, and answers go on when the chat is dropped.
///
/// Where prompts go through the runtime's own template (`InputKind.RuntimeTemplate`), the runtime keeps
/// the conversation: only users' texts can be sent, and any other use of the model in between ends it.
#[derive(Debug, Clone)]
pub struct Chat {
    inner: Arc<engine::Chat>,
}

impl Chat {
    /// Begins a conversation with a model.
    pub fn open(model: &Model, options: &ChatOptions) -> Result<Self> {
        let inner = engine::Chat::open(model.inner.clone(), options)?;
        Ok(Self { inner })
    }

    /// Takes up a conversation that `to_json` gave.
    pub fn from_json(model: &Model, state: &Json, options: &ChatOptions) -> Result<Self> {
        let inner = engine::Chat::from_json(model.inner.clone(), state, options)?;
        Ok(Self { inner })
    }

    /// Says something as the user. The answer streams from what it returns. Options count for this
    /// request.
    pub fn send(&self, text: &str, options: &GenerateOptions) -> Result<Generation> {
        let message = serde_json::json!({"role": "user", "content": text});
        let inner = self.inner.send(&message, options)?;
        Ok(Generation { inner })
    }

    /// Sends a message of any role, or a JSON array of them, such as the results of tools.
    pub fn send_message(&self, message: &Json, options: &GenerateOptions) -> Result<Generation> {
        let inner = self.inner.send(message, options)?;
        Ok(Generation { inner })
    }

    /// As `send_message`, with the messages in structs.
    /// @c_only there messages are objects of the language
    pub fn send_messages(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<Generation> {
        self.send_message(&engine::messages(messages)?, options)
    }

    /// Answers the last message of the user again: what came after it is dropped, and comes back if
    /// this answer fails.
    pub fn regenerate(&self, options: &GenerateOptions) -> Result<Generation> {
        let inner = self.inner.regenerate(options)?;
        Ok(Generation { inner })
    }

    /// All messages, a JSON array that begins with the system prompt. Those that were left out of a
    /// prompt are still here.
    pub fn messages(&self) -> Result<Json> {
        self.inner.messages()
    }

    /// Puts a message in the place of another, counted from 0 in `messages`, and drops those after it.
    /// `regenerate` then answers.
    pub fn edit(&self, index: u32, message: &Json) -> Result<()> {
        self.inner.edit(index, message)
    }

    /// A chat of its own that goes on from here.
    pub fn branch(&self) -> Result<Chat> {
        let inner = self.inner.branch()?;
        Ok(Self { inner })
    }

    /// The conversation and its tools as JSON, for `from_json`.
    pub fn to_json(&self) -> Result<Json> {
        self.inner.to_json()
    }

    /// Drops all messages but the system prompt.
    pub fn reset(&self) -> Result<()> {
        self.inner.reset()
    }

    /// How many tokens a prompt with all messages has; 0 where there is none, or nobody can count.
    pub fn token_count(&self) -> Result<u32> {
        self.inner.token_count()
    }
}

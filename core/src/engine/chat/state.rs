//! What a chat remembers, and a conversation as JSON.

use std::sync::Arc;

use serde_json::json;

use super::fit;
use crate::engine::stream::Stream;
use crate::surface::*;
use crate::template::context;

/// What `to_json` writes; a reader of an older form has to know.
const FORM: u64 = 1;

/// A chat between two requests.
#[derive(Debug, Clone, Default)]
pub(super) struct Past {
    pub messages: Vec<Json>,
    /// How many of them the last prompt left out.
    pub left_out: usize,
    /// Tokens of the last prompt and its answer; none where nothing goes on from them.
    pub tokens: Option<Vec<u32>>,
    /// The conversation in the runtime's cache, where the runtime keeps it.
    pub conversation: Option<u64>,
}

/// A request whose answer is not part of the chat yet.
#[derive(Debug)]
pub(super) struct Pending {
    pub stream: Arc<Stream>,
    /// The chat as it was.
    pub before: Past,
    /// The prompt's tokens.
    pub prompt: Option<Vec<u32>>,
    /// The answer belongs to the last message.
    pub continues: bool,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub past: Past,
    pub pending: Option<Pending>,
}

impl Past {
    pub fn of(messages: Vec<Json>) -> Self {
        Self {
            messages,
            ..Self::default()
        }
    }

    /// The answer to a prompt with these messages becomes one of them.
    fn add(&mut self, mut answer: Json, continues: bool) {
        let last = self.messages.last_mut().filter(|_| continues);
        match last.and_then(Json::as_object_mut) {
            Some(last) => {
                let said = answer["content"].as_str().unwrap_or_default();
                answer["content"] = match last.get("content") {
                    Some(Json::Array(parts)) => {
                        let part = json!({"type": "text", "text": said});
                        parts.iter().cloned().chain([part]).collect()
                    }
                    begun => {
                        let begun = begun.and_then(Json::as_str).unwrap_or_default();
                        format!("{begun}{said}").into()
                    }
                };
                if let Json::Object(answer) = answer {
                    last.extend(answer);
                }
            }
            None => self.messages.push(answer),
        }
    }
}

impl State {
    /// Takes the answer in, if it has ended since.
    pub fn settle(&mut self) {
        let Some(pending) = self.pending.take() else {
            return;
        };
        let Some(outcome) = pending.stream.outcome() else {
            self.pending = Some(pending);
            return;
        };
        let Some(message) = outcome.message else {
            self.past = pending.before;
            self.past.tokens = None;
            if outcome.begun {
                // The cache has more now than the chat.
                self.past.conversation = None;
            }
            return;
        };
        self.past.add(message, pending.continues);
        self.past.tokens = pending.prompt.map(|mut tokens| {
            tokens.extend(outcome.token_ids);
            tokens
        });
    }
}

/// The messages of one, or of an array of them.
pub(super) fn messages_of(message: &Json) -> Result<Vec<Json>> {
    let several = match message {
        Json::Array(several) => several.clone(),
        one => vec![one.clone()],
    };
    if several.is_empty() {
        return Err(Error::invalid_argument(
            "there is no message to send; give one, or an array of them",
        ));
    }
    let several = Json::Array(several);
    context::messages(&several)?;
    match several {
        Json::Array(several) => Ok(several),
        _ => Ok(Vec::new()),
    }
}

/// Puts the system prompt where it belongs, in the place of another.
pub(super) fn with_system(system: Option<&str>, mut messages: Vec<Json>) -> Vec<Json> {
    if let Some(system) = system {
        messages.drain(..fit::head(&messages));
        messages.insert(0, json!({"role": "system", "content": system}));
    }
    messages
}

/// A conversation for `read`.
pub(super) fn write(messages: &[Json], tools: Option<&Json>) -> Json {
    let mut state = json!({"version": FORM, "messages": messages});
    if let Some(tools) = tools {
        state["tools"] = tools.clone();
    }
    state
}

/// Messages and tools of what `write` wrote.
pub(super) fn read(state: &Json) -> Result<(Vec<Json>, Option<Json>)> {
    match state["version"].as_u64() {
        Some(FORM) => {}
        Some(other) => {
            return Err(Error::invalid_argument(format!(
                "the state of this chat has version {other}, and this rkchat reads version {FORM}; take a newer rkchat"
            )));
        }
        None => {
            return Err(Error::invalid_argument(
                "this is no state of a chat: it is a JSON object with version and messages, as to_json gives",
            ));
        }
    }
    let messages = context::messages(&state["messages"])?.to_vec();
    Ok((messages, state.get("tools").cloned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_comes_back_as_it_was() {
        let messages = vec![json!({"role": "user", "content": "?", "name": "N", "n": 1.0})];
        let tools = json!([{"type": "function"}]);
        let state = write(&messages, Some(&tools));
        let text = state.to_string();
        let back = read(&text.parse().unwrap()).unwrap();
        assert_eq!(back, (messages.clone(), Some(tools)));
        assert_eq!(read(&write(&messages, None)).unwrap(), (messages, None));
    }

    #[test]
    fn other_json_is_refused() {
        for wrong in [
            json!([]),
            json!({"messages": []}),
            json!({"version": 2, "messages": []}),
            json!({"version": 1}),
            json!({"version": 1, "messages": [1]}),
        ] {
            let error = read(&wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidArgument, "{wrong}");
        }
    }

    #[test]
    fn the_system_prompt_comes_first_and_once() {
        let user = json!({"role": "user", "content": "?"});
        let old = json!({"role": "system", "content": "old"});
        let new = json!({"role": "system", "content": "new"});
        let messages = vec![old.clone(), user.clone()];
        assert_eq!(with_system(None, messages.clone()), messages);
        assert_eq!(with_system(Some("new"), messages), [new.clone(), user]);
        assert_eq!(with_system(Some("new"), Vec::new()), [new]);
    }

    #[test]
    fn an_answer_goes_on_with_the_last_message_where_it_was_asked_to() {
        let begun = json!({"role": "assistant", "content": "Sure, "});
        let answer = json!({"role": "assistant", "content": "yes", "tool_calls": []});
        let mut past = Past::of(vec![begun.clone()]);
        past.add(answer.clone(), true);
        let joined = json!({"role": "assistant", "content": "Sure, yes", "tool_calls": []});
        assert_eq!(past.messages, [joined]);
        let mut past = Past::of(vec![begun.clone()]);
        past.add(answer.clone(), false);
        assert_eq!(past.messages, [begun, answer.clone()]);
        let part = |text| json!({"type": "text", "text": text});
        let mut past = Past::of(vec![json!({"role": "assistant", "content": [part("a")]})]);
        past.add(answer, true);
        assert_eq!(past.messages[0]["content"], json!([part("a"), part("yes")]));
    }
}

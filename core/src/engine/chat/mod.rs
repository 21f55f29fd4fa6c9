//! Conversations: what was said, and what of it goes into the next prompt.

mod beginning;
mod carry;
mod fit;
mod state;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use beginning::Keeper;
pub(super) use carry::Lost;
use fit::{Fitted, Room};
use state::{Past, Pending, State};

use super::control::{Before, Deadlines, Kept};
use super::model::Model;
use super::prompt::{Prepared, Prompt};
use super::stream::Stream;
use crate::surface::*;

/// What a chat adds to a request.
#[derive(Default)]
pub(super) struct Turn {
    pub warning: Option<Warning>,
    pub lost: Option<Lost>,
    pub kept: Option<Kept>,
    pub before: Option<Before>,
}

/// A conversation, as its handles see it.
///
/// Its answer is taken in when somebody next asks for something: nothing can be seen of a chat before.
#[derive(Debug)]
pub(crate) struct Chat {
    model: Arc<Model>,
    options: ChatOptions,
    /// Keeps what the prompts begin with.
    keeper: Option<Keeper>,
    /// Held while a prompt is made, so that two of them never go on from the same past.
    state: Mutex<State>,
}

impl Chat {
    pub fn open(model: Arc<Model>, options: &ChatOptions) -> Result<Arc<Self>> {
        Self::new(model, Vec::new(), options.clone())
    }

    pub fn from_json(model: Arc<Model>, state: &Json, options: &ChatOptions) -> Result<Arc<Self>> {
        let (messages, tools) = state::read(state)?;
        let options = ChatOptions {
            tools: options.tools.clone().or(tools),
            ..options.clone()
        };
        Self::new(model, messages, options)
    }

    fn new(model: Arc<Model>, messages: Vec<Json>, options: ChatOptions) -> Result<Arc<Self>> {
        options.check()?;
        let messages = state::with_system(options.system.as_deref(), messages);
        if is_kept(&model) && (!messages.is_empty() || options.tools.is_some()) {
            return Err(only_questions());
        }
        let state = State {
            past: Past::of(messages),
            pending: None,
        };
        Ok(Arc::new(Self {
            keeper: Keeper::of(&model, &options)?,
            model,
            options,
            state: Mutex::new(state),
        }))
    }

    /// The chat as it is now.
    fn state(&self) -> Result<MutexGuard<'_, State>> {
        self.model.check_home()?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.settle();
        Ok(state)
    }

    /// The chat where no answer is on its way.
    fn idle(&self) -> Result<MutexGuard<'_, State>> {
        let state = self.state()?;
        match state.pending {
            None => Ok(state),
            Some(_) => Err(Error::new(
                ErrorKind::Busy,
                "an answer of this chat is still coming; wait for its end, or cancel its generation",
            )),
        }
    }

    pub fn send(&self, message: &Json, options: &GenerateOptions) -> Result<Arc<Stream>> {
        let said = state::messages_of(message)?;
        let mut state = self.idle()?;
        let goes_on = said.len() == 1;
        let mut messages = state.past.messages.clone();
        messages.extend(said);
        self.ask(&mut state, messages, goes_on, options)
    }

    pub fn regenerate(&self, options: &GenerateOptions) -> Result<Arc<Stream>> {
        let mut state = self.idle()?;
        let mut messages = state.past.messages.clone();
        let last = messages.iter().rposition(|one| one["role"] == "user");
        let Some(last) = last else {
            return Err(Error::invalid_argument(
                "no message of the user is there to be answered again; send one",
            ));
        };
        messages.truncate(last + 1);
        state.past.tokens = None;
        self.ask(&mut state, messages, false, options)
    }

    pub fn messages(&self) -> Result<Json> {
        Ok(self.state()?.past.messages.clone().into())
    }

    pub fn edit(&self, index: u32, message: &Json) -> Result<()> {
        let mut state = self.idle()?;
        let mut messages = state.past.messages.clone();
        if !message.is_object() {
            return Err(Error::invalid_argument(
                "the new message is a JSON object with role and content",
            ));
        }
        if index as usize >= messages.len() {
            return Err(Error::invalid_argument(format!(
                "there is no message {index}: the chat has {}, counted from 0",
                messages.len()
            )));
        }
        messages.truncate(index as usize);
        messages.extend(state::messages_of(message)?);
        state.past = Past::of(messages);
        Ok(())
    }

    pub fn branch(&self) -> Result<Arc<Self>> {
        let past = Past {
            // Only one of them can go on in the runtime's cache.
            conversation: None,
            ..self.idle()?.past.clone()
        };
        let state = State {
            past,
            pending: None,
        };
        Ok(Arc::new(Self {
            model: self.model.clone(),
            options: self.options.clone(),
            keeper: self.keeper.clone(),
            state: Mutex::new(state),
        }))
    }

    pub fn to_json(&self) -> Result<Json> {
        let messages = &self.idle()?.past.messages;
        Ok(state::write(messages, self.options.tools.as_ref()))
    }

    pub fn reset(&self) -> Result<()> {
        let mut state = self.idle()?;
        let mut messages = state.past.messages.clone();
        messages.truncate(fit::head(&messages));
        state.past = Past::of(messages);
        Ok(())
    }

    pub fn token_count(&self) -> Result<u32> {
        let messages = self.state()?.past.messages.clone();
        if messages.is_empty() || is_kept(&self.model) {
            return Ok(0);
        }
        let options = self.options_of(&GenerateOptions::default());
        let prompt = Json::Array(messages);
        let prepared = self.model.prepare(&Prompt::Messages(&prompt), &options)?;
        Ok(prepared.tokens)
    }

    /// The options of a request, with the chat's own where it has none.
    fn options_of(&self, options: &GenerateOptions) -> GenerateOptions {
        let tools = options.tools.clone();
        GenerateOptions {
            tools: tools.or_else(|| self.options.tools.clone()),
            ..options.clone()
        }
    }

    /// Asks for an answer to messages, which become those of the chat. `goes_on`: they are those it had
    /// and one more.
    fn ask(
        &self,
        state: &mut State,
        messages: Vec<Json>,
        goes_on: bool,
        options: &GenerateOptions,
    ) -> Result<Arc<Stream>> {
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        let _held = self.model.hold();
        let options = self.options_of(options);
        let continues = options.continue_final_message;
        if continues && messages.last().is_none_or(|one| one["role"] != "assistant") {
            return Err(Error::invalid_argument(
                "`continue_final_message` goes on with a message of the assistant, and the last one here is not; send \
                 its beginning with send_message",
            ));
        }
        let (prepared, left_out, turn) = match is_kept(&self.model) {
            true => self.next_question(&state.past, &messages, goes_on, &options)?,
            false => self.fitted(&state.past, &messages, &options)?,
        };
        let next = Past {
            messages,
            left_out,
            tokens: None,
            conversation: turn.kept.map(|kept| kept.conversation),
        };
        let prompt = prepared.ids();
        let stream = self.model.start(prepared, &options, deadlines, turn)?;
        state.pending = Some(Pending {
            stream: stream.clone(),
            before: std::mem::replace(&mut state.past, next),
            prompt,
            continues,
        });
        Ok(stream)
    }

    /// As much of the messages as fits.
    fn fitted(
        &self,
        past: &Past,
        messages: &[Json],
        options: &GenerateOptions,
    ) -> Result<(Prepared, usize, Turn)> {
        let window = self.model.info().max_context_len;
        let reserve = fit::reserve(window, options.max_new_tokens, self.options.reserve);
        let room = Room::new(window, reserve);
        // The images of messages that are left out could not be told from the others.
        let media = options.images.is_some() || options.videos.is_some();
        let strict = media || self.options.overflow == Some(Overflow::Error);
        let prepare = |messages: Vec<Json>| {
            let messages = Json::Array(messages);
            let prepared = self.model.prepare(&Prompt::Messages(&messages), options)?;
            let tokens = prepared.tokens;
            match strict && tokens > room.prompt {
                true => Err(overflow(tokens, reserve, window)),
                false => Ok((prepared, tokens)),
            }
        };
        let Fitted {
            prompt: prepared,
            left_out,
        } = fit::fit(messages, past.left_out, room, prepare)?;
        let before = past.tokens.as_ref().filter(|_| past.left_out == left_out);
        let lost = match (before, prepared.ids()) {
            (Some(before), Some(ids)) if self.model.reuses_prompts()? => {
                Some(carry::lost(before, &ids, |ids| {
                    self.model.decode(ids, &DecodeOptions::default())
                })?)
            }
            _ => None,
        };
        let keeper = self.keeper.as_ref().zip(prepared.ids());
        let before =
            keeper.map(|(keeper, ids)| keeper.before(&self.model, messages, options, &ids));
        let turn = Turn {
            warning: (left_out > 0).then(|| told(left_out, messages.len())),
            lost,
            kept: None,
            before: before.transpose()?.flatten(),
        };
        Ok((prepared, left_out, turn))
    }

    /// The last of the messages alone, for a runtime that has those before in its cache.
    fn next_question(
        &self,
        past: &Past,
        messages: &[Json],
        goes_on: bool,
        options: &GenerateOptions,
    ) -> Result<(Prepared, usize, Turn)> {
        let kept = match (messages.len(), past.conversation) {
            (1, _) => Kept {
                conversation: new_conversation(),
                begins: true,
            },
            (_, Some(conversation)) if goes_on => Kept {
                conversation,
                begins: false,
            },
            _ => return Err(lost_from_cache()),
        };
        let question = Json::Array(messages.last().cloned().into_iter().collect());
        let prepared = self.model.prepare(&Prompt::Messages(&question), options)?;
        let turn = Turn {
            kept: Some(kept),
            ..Turn::default()
        };
        Ok((prepared, 0, turn))
    }
}

/// Whether the runtime keeps conversations, because only it has the template.
fn is_kept(model: &Model) -> bool {
    model.info().input == InputKind::RuntimeTemplate
}

fn new_conversation() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

fn told(left_out: usize, of: usize) -> Warning {
    Warning {
        kind: WarningKind::LeftOut,
        message: format!(
            "the oldest {left_out} of the chat's {of} messages were left out of the prompt, so that it and the answer fit \
             the context window; the chat still has them"
        ),
    }
}

fn overflow(tokens: u32, reserve: u32, window: u32) -> Error {
    Error::new(
        ErrorKind::ContextOverflow,
        format!(
            "the chat has {tokens} tokens, the answer is to have room for {reserve}, and the context window is {window}; \
             let the oldest turns be dropped (overflow), reset or edit the chat, or open the model with a larger \
             max_context_len"
        ),
    )
    .with("prompt_tokens", tokens)
    .with("max_context_len", window)
}

fn only_questions() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "no tokenizer is known for this model (or assume says input=text), so the runtime keeps the conversation, and a \
         chat has neither a system prompt nor tools nor earlier messages; put the model's tokenizer.json and \
         tokenizer_config.json into its folder",
    )
}

/// For a conversation that the runtime was to keep.
pub(super) fn lost_from_cache() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "the runtime does not have this conversation any more: something else was asked in between, a request failed, or \
         the chat was changed, and without a tokenizer it cannot be sent again; reset the chat to begin anew, or put \
         the model's tokenizer.json and tokenizer_config.json into its folder",
    )
}

//! An opened model, as the handles see it.

use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;

use super::absent::Absent;
use super::chat::Turn;
use super::control::{Ask, Control, Deadlines, Job, Work, closed};
use super::desk::Desk;
use super::fork::Home;
use super::life::{Life, Stage};
use super::loaded::Loaded;
use super::opening::memory::Need;
use super::owner::SessionCell;
use super::prompt::{Prepared, Prompt};
use super::prompt_file::Identity;
use super::sampling::ModelSampling;
use super::stop_text::Stops;
use super::stream::Stream;
use super::tokens::Tokens;
use crate::surface::*;
use crate::vendor::capabilities::{self, Capabilities, Capability};
use crate::vendor::{Input, RunRequest, Session};

/// The handles' side of a model; the owner thread has the other.
pub(crate) struct Model {
    pub(super) info: ModelInfo,
    pub(super) capabilities: Capabilities,
    pub(super) loaded: Arc<Loaded>,
    /// For prompt caches: what the file was when it was opened.
    pub(super) identity: Result<Identity>,
    pub(super) sampling: ModelSampling,
    /// Requests may go on after the end-of-sequence token.
    pub(super) ignores_eos: bool,
    /// Inputs of each run.
    pub(super) batches: usize,
    /// It was opened for cross attention.
    pub(super) attends: bool,
    pub(super) need: Need,
    pub(super) home: Home,
    pub(super) control: Arc<Control>,
    pub(super) life: Arc<Life>,
    pub(super) session: Arc<SessionCell>,
    pub(super) tokens: Arc<OnceLock<Tokens>>,
    pub(super) owner: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Model").field(&self.info.path).finish()
    }
}

/// See [`Model::hold`].
pub(super) struct Held<'a>(&'a Model);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.life.release();
        // The time without requests counts again.
        self.0.control.ready();
    }
}

impl Model {
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    pub fn generate(&self, prompt: Prompt<'_>, options: &GenerateOptions) -> Result<Arc<Stream>> {
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        let _held = self.hold();
        let prepared = self.prepare(&prompt, options)?;
        self.start(prepared, options, deadlines, Turn::default())
    }

    /// What the runtime would be fed.
    pub(super) fn prepare(
        &self,
        prompt: &Prompt<'_>,
        options: &GenerateOptions,
    ) -> Result<Prepared> {
        options.check()?;
        match prompt {
            Prompt::Ids(_) => {
                let instead = "Give the text itself to complete.";
                self.require(capabilities::TOKEN_INPUT, instead)?;
            }
            Prompt::Embeddings(_) => {
                let instead = "Give the text itself to complete.";
                self.require(capabilities::EMBEDDING_INPUT, instead)?;
            }
            Prompt::Messages(_) | Prompt::Text(_) => {}
        }
        if let Some(images) = &options.images {
            let instead = "Use a runtime that can.";
            self.require(capabilities::IMAGE_INPUT, instead)?;
            if images.shape().first().is_some_and(|count| *count > 1) {
                self.require(capabilities::SEVERAL_IMAGES, "Give one image.")?;
            }
        }
        if options.videos.is_some() {
            self.require(capabilities::VIDEO_INPUT, "Use a runtime that can.")?;
        }
        self.with(|tokens, session| {
            if tokens.is_templated(options) && options.enable_thinking.is_some() {
                let instead = "Leave enable_thinking out, or put the model's tokenizer.json and tokenizer_config.json into \
                               its folder.";
                self.require(capabilities::THINKING_SWITCH, instead)?;
            }
            let prepared = tokens.prepare(prompt, options, session)?;
            if let Input::Multimodal(parts) = &prepared.input {
                // Also where nobody can count the text.
                self.room(u32::try_from(parts.tokens()).unwrap_or(u32::MAX), Some(1))?;
            }
            Ok(prepared)
        })
    }

    /// Refuses what runs a single input where the model takes several.
    pub(super) fn require_single(&self) -> Result<()> {
        match self.batches {
            1 => Ok(()),
            batches => Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the model was opened with n_batch {batches}, and runs nothing but batches; use generate_batch, or \
                     open it without n_batch"
                ),
            )),
        }
    }

    /// Puts a request into the queue; `turn` is what a chat adds to it.
    pub(super) fn start(
        &self,
        prepared: Prepared,
        options: &GenerateOptions,
        deadlines: Deadlines,
        turn: Turn,
    ) -> Result<Arc<Stream>> {
        self.require_single()?;
        let asked = self.sampling.request(options, &self.info.runtime)?;
        let adapter = self.loaded.adapter(options.adapter.as_deref())?;
        let Prepared {
            input,
            tokens: prompt_tokens,
            reading,
            thinking,
            warnings,
        } = prepared;
        let (max_new_tokens, limit_reason) = self.room(prompt_tokens, options.max_new_tokens)?;
        let stops = self.stops(options)?;
        let stream = Stream::new(self.control.clone(), prompt_tokens);
        if let Some(lost) = turn.lost {
            stream.lost(lost);
        }
        for warning in warnings
            .into_iter()
            .chain(asked.warnings)
            .chain(turn.warning)
        {
            stream.warn(warning);
        }
        self.control.enqueue(Job {
            stream: stream.clone(),
            work: Work::Answer(Box::new(Ask {
                request: RunRequest {
                    inputs: vec![input],
                    max_new_tokens,
                    sampling: asked.run,
                    enable_thinking: thinking,
                    keep_history: turn.kept.is_some(),
                    adapter,
                    ..RunRequest::default()
                },
                init_sampling: asked.init,
                limit_reason,
                reading,
                stops,
                kept: turn.kept,
                before: turn.before,
            })),
            deadlines,
        })?;
        Ok(stream)
    }

    /// Whether what a prompt has in common with the one before is not computed again.
    pub(super) fn reuses_prompts(&self) -> Result<bool> {
        let reuses = self.capabilities.has(capabilities::PREFIX_REUSE);
        self.with(|tokens, _| Ok(reuses && !tokens.fresh_runs()))
    }

    /// Does something with the model when it is its turn, and waits for what comes of it.
    pub(super) fn errand<T: Send + 'static>(
        &self,
        deadlines: Deadlines,
        errand: impl FnOnce(&mut Desk<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, outcome) = sync_channel(1);
        let work = move |desk: &mut Desk<'_>| {
            // Nobody waits any more where its time has passed.
            let _ = sender.send(errand(desk));
        };
        let stream = self.wait_for(deadlines, Work::Errand(Box::new(work)))?;
        match outcome.try_recv() {
            // What ended it from outside is why the errand failed.
            Ok(Err(error)) => Err(stream.completion().err().unwrap_or(error)),
            Ok(outcome) => outcome,
            Err(_) => Err(stream.completion().err().unwrap_or_else(closed)),
        }
    }

    /// Puts work into the queue that streams no answer, and waits for its end.
    fn wait_for(&self, deadlines: Deadlines, work: Work) -> Result<Arc<Stream>> {
        self.home.check()?;
        if self.control.is_served_here() {
            return Err(Error::new(
                ErrorKind::Busy,
                "this thread is the one that would do it: a wake-up must not wait for the model",
            ));
        }
        let stream = Stream::new(self.control.clone(), 0);
        self.control.enqueue(Job {
            stream: stream.clone(),
            work,
            deadlines,
        })?;
        stream.wait(None)?;
        Ok(stream)
    }

    /// How many tokens may come, and why it ends after them: the window is never filled to its end, so no
    /// runtime ever shifts it.
    pub(super) fn room(
        &self,
        prompt_tokens: u32,
        asked: Option<u32>,
    ) -> Result<(u32, FinishReason)> {
        let window = self.info.max_context_len;
        let room = window.saturating_sub(prompt_tokens);
        if room == 0 {
            return Err(Error::new(
                ErrorKind::ContextOverflow,
                format!(
                    "the prompt has {prompt_tokens} tokens and the context window {window}, with no room for an \
                     answer; shorten the prompt, or open the model with a larger max_context_len"
                ),
            )
            .with("prompt_tokens", prompt_tokens)
            .with("max_context_len", window));
        }
        Ok(match asked {
            Some(asked) if asked <= room => (asked, FinishReason::Length),
            _ => (room, FinishReason::ContextFull),
        })
    }

    /// What ends the answer by the wish of its request.
    pub(super) fn stops(&self, options: &GenerateOptions) -> Result<Stops> {
        if options.ignore_eos && !self.ignores_eos {
            let instead = "Open the model with ignore_eos, too.";
            self.require(capabilities::IGNORE_EOS, instead)?;
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the runtime ends its answers by itself unless it is told before. {instead}"
                ),
            ));
        }
        let texts = options.stop_strings.clone().unwrap_or_default();
        if texts.iter().any(String::is_empty) {
            return Err(Error::invalid_argument(
                "`stop_strings` has an empty text, which would end every answer before it begins",
            ));
        }
        let ids = self.with(|tokens, session| Ok(tokens.control_ids(&texts, session)))?;
        Ok(Stops {
            texts,
            ids,
            ignore_model: options.ignore_eos,
        })
    }

    pub(super) fn require(&self, wanted: Capability, instead: &str) -> Result<()> {
        capabilities::require(&self.info.runtime, self.capabilities, wanted, instead)
    }

    pub fn render(&self, messages: &Json, options: &RenderOptions) -> Result<String> {
        self.with(|tokens, _| tokens.render(messages, options))
    }

    pub fn encode(&self, text: &str, options: &EncodeOptions) -> Result<Vec<u32>> {
        self.with(|tokens, session| tokens.encode(text, options.add_special_tokens, session))
    }

    pub fn decode(&self, ids: &[u32], options: &DecodeOptions) -> Result<String> {
        self.with(|tokens, session| tokens.decode(ids, options.skip_special_tokens, session))
    }

    pub(super) fn check_home(&self) -> Result<()> {
        self.home.check()
    }

    /// Does something with text and tokens. Where they are the runtime's own and the model is unloaded, it
    /// is loaded for that.
    pub(super) fn with<R>(
        &self,
        call: impl FnOnce(&Tokens, &dyn Session) -> Result<R>,
    ) -> Result<R> {
        self.home.check()?;
        let tokens = self.tokens.get().ok_or_else(closed)?;
        let _held = self.hold();
        loop {
            if self.life.now().stage != Stage::Loaded && !tokens.is_runtimes() {
                return match self.control.queue().over {
                    true => Err(closed()),
                    false => call(tokens, &Absent),
                };
            }
            let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(session) = session.as_deref() {
                return call(tokens, session);
            }
            drop(session);
            self.errand(Deadlines::default(), |_| Ok(()))?;
        }
    }

    /// Keeps the model from being unloaded between two steps of one request.
    pub(super) fn hold(&self) -> Held<'_> {
        self.life.hold();
        Held(self)
    }

    /// Lets the runtime free the model until the next request.
    pub fn unload(&self) -> Result<()> {
        self.wait_for(Deadlines::default(), Work::Unload)?
            .completion()?;
        Ok(())
    }

    pub fn close(&self) -> Result<()> {
        self.home.check()?;
        self.control.close();
        self.join();
        Ok(())
    }

    /// Waits until the owner thread has freed the model; not on the model's own threads, where a wake-up
    /// may run.
    fn join(&self) {
        if self.control.is_served_here() {
            return;
        }
        let mut owner = self.owner.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(owner) = owner.take() {
            // A panic there has been told to every stream.
            let _ = owner.join();
        }
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // Answers that someone still reads go on without the handle, and free the model at their end.
        if !self.home.is_here() {
            // Letting go of the handle would detach whichever of the child's threads has its number now.
            std::mem::forget(self.owner.get_mut().map(Option::take));
        } else if !self.control.retire() {
            self.join();
        }
    }
}

pub(super) fn with_session<R>(
    session: &SessionCell,
    call: impl FnOnce(&dyn Session) -> Result<R>,
) -> Result<R> {
    let session = session.read().unwrap_or_else(PoisonError::into_inner);
    call(session.as_deref().ok_or_else(closed)?)
}

//! An opened model, as the handles see it.

use std::path::Path;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use super::control::{Control, Job, closed};
use super::exit;
use super::fork::Home;
use super::opening::Opening;
use super::owner::{Owner, SessionCell};
use super::prompt::{Prepared, Prompt, Tokens, Way};
use super::runtime;
use super::stream::Stream;
use crate::model;
use crate::surface::*;
use crate::vendor::assume::Assume;
use crate::vendor::capabilities::{self, Capabilities, Capability};
use crate::vendor::instances::Place;
use crate::vendor::{InitParams, RunRequest, Sampling, Session};

/// The window where nobody says otherwise: what the vendor's demos use and every runtime since 1.1
/// takes.
const DEFAULT_CONTEXT: u32 = 4096;

const DEFAULT_QUEUE: u32 = 16;

/// The handles' side of a model; the owner thread has the other.
pub(crate) struct Model {
    info: ModelInfo,
    capabilities: Capabilities,
    home: Home,
    control: Arc<Control>,
    session: Arc<SessionCell>,
    tokens: Arc<OnceLock<Tokens>>,
    owner: Mutex<Option<JoinHandle<()>>>,
}

impl std::fmt::Debug for Model {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Model").field(&self.info.path).finish()
    }
}

impl Model {
    pub fn open(path: &Path, options: &ModelOptions) -> Result<Arc<Self>> {
        options.check()?;
        let home = Home::here();
        let found = model::find(path, options)?;
        let library = runtime::for_model(&found, options)?;
        let capabilities = library.capabilities();
        let assume = Assume::of(options.assume.as_ref(), library.measured().as_ref())?;
        let control = Control::new(options.max_queue.unwrap_or(DEFAULT_QUEUE) as usize);
        let asked = options.max_context_len.or(found.max_context_len());
        let params = InitParams {
            model_path: found.weights.clone(),
            max_context_len: asked.unwrap_or(DEFAULT_CONTEXT),
            sampling: sampling(options, &found.sampling),
            unlimited: assume.unlimited(),
            capture_logs: options.capture_logs,
        };
        let session: Arc<SessionCell> = Arc::default();
        let tokens: Arc<OnceLock<Tokens>> = Arc::default();
        let (opened, outcome) = sync_channel(1);
        let owner = Owner {
            library: library.clone(),
            _place: Place::take(library.info(), capabilities, assume.many_instances())?,
            control: control.clone(),
            session: session.clone(),
            tokens: tokens.clone(),
        };
        exit::watch(&control, home);
        let thread = owner.spawn(params, asked.is_none(), opened)?;
        let opening = Opening::new(control.clone(), thread);
        // While the runtime loads.
        let files = found.read(options)?;
        let max_context_len = match outcome.recv() {
            Ok(Ok(max_context_len)) => max_context_len,
            Ok(Err(error)) => return Err(with_doubts(error, &files.warnings)),
            Err(_) => return Err(Error::panic(&"the model's thread ended")),
        };
        let template_source = files.template.as_ref().map(|(_, source)| source.clone());
        let template = files.template.map(|(template, _)| template);
        let tokenizer_source = files.tokenizer.as_ref().map(|(_, source)| source.clone());
        let tokenizer = files.tokenizer.map(|(tokenizer, _)| tokenizer);
        let stop_ids: Vec<u32> = files.stop_ids.iter().copied().collect();
        let assumed = assume.lines();
        let way = Way {
            tokenizer,
            template,
            control: files.control,
            stop_ids: files.stop_ids,
            stop_texts: files.stop_texts,
            without_template: files.without_template,
            capabilities,
            assume,
        };
        let chosen = with_session(&session, |session| Ok(Tokens::new(way, session)))?;
        let info = ModelInfo {
            path: files.weights,
            runtime: library.info().clone(),
            max_context_len,
            input: chosen.input(),
            template_source,
            tokenizer_source: tokenizer_source
                .or_else(|| chosen.is_runtimes().then(|| "runtime".to_owned())),
            stop_ids,
            assumed,
            facts: files.facts,
            warnings: warnings(files.warnings, chosen.input()),
        };
        // The owner only looks when a request comes.
        let _ = tokens.set(chosen);
        exit::after_loading(&library.info().path);
        Ok(Arc::new(Self {
            info,
            capabilities,
            home,
            control,
            session,
            tokens,
            owner: Mutex::new(opening.done()),
        }))
    }

    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    pub fn generate(&self, prompt: Prompt<'_>, options: &GenerateOptions) -> Result<Arc<Stream>> {
        options.check()?;
        let sampling = self.request_sampling(options)?;
        if matches!(prompt, Prompt::Ids(_)) {
            let instead = "Give the text itself to complete.";
            self.require(capabilities::TOKEN_INPUT, instead)?;
        }
        let Prepared {
            input,
            tokens: prompt_tokens,
            warnings,
        } = self.with(|tokens, session| tokens.prepare(&prompt, options, session))?;
        let (max_new_tokens, limit_reason) = self.room(prompt_tokens, options.max_new_tokens)?;
        let stream = Stream::new(self.control.clone(), prompt_tokens);
        for warning in warnings {
            stream.warn(warning);
        }
        self.control.enqueue(Job {
            stream: stream.clone(),
            request: RunRequest {
                input,
                max_new_tokens,
                sampling,
            },
            limit_reason,
            deadline: options
                .queue_timeout
                .and_then(|timeout| Instant::now().checked_add(timeout)),
        })?;
        Ok(stream)
    }

    /// How many tokens may come, and why it ends after them: the window is never filled to its end, so no
    /// runtime ever shifts it.
    fn room(&self, prompt_tokens: u32, asked: Option<u32>) -> Result<(u32, FinishReason)> {
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

    fn request_sampling(&self, options: &GenerateOptions) -> Result<Sampling> {
        let asked = Sampling {
            top_k: options.top_k,
            top_p: options.top_p,
            temperature: options.temperature,
            repeat_penalty: options.repeat_penalty,
            frequency_penalty: options.frequency_penalty,
            presence_penalty: options.presence_penalty,
        };
        if asked != Sampling::default() {
            let instead = "Give these settings in the options of Model.open.";
            self.require(capabilities::RUN_SAMPLING, instead)?;
        }
        Ok(asked)
    }

    fn require(&self, wanted: Capability, instead: &str) -> Result<()> {
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

    fn with<R>(&self, call: impl FnOnce(&Tokens, &dyn Session) -> Result<R>) -> Result<R> {
        self.home.check()?;
        let tokens = self.tokens.get().ok_or_else(closed)?;
        with_session(&self.session, |session| call(tokens, session))
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

fn with_session<R>(
    session: &SessionCell,
    call: impl FnOnce(&dyn Session) -> Result<R>,
) -> Result<R> {
    let session = session.read().unwrap_or_else(PoisonError::into_inner);
    call(session.as_deref().ok_or_else(closed)?)
}

fn sampling(options: &ModelOptions, recommended: &Sampling) -> Sampling {
    Sampling {
        top_k: options.top_k.or(recommended.top_k),
        top_p: options.top_p.or(recommended.top_p),
        temperature: options.temperature.or(recommended.temperature),
        repeat_penalty: options.repeat_penalty.or(recommended.repeat_penalty),
        frequency_penalty: options.frequency_penalty,
        presence_penalty: options.presence_penalty,
    }
}

/// What was doubtful about a model may be why the runtime refuses it.
fn with_doubts(error: Error, doubts: &[Warning]) -> Error {
    let doubts = doubts
        .iter()
        .filter(|doubt| doubt.kind != WarningKind::BuiltInTemplate);
    let doubts: Vec<&str> = doubts.map(|doubt| doubt.message.as_str()).collect();
    if error.kind() != ErrorKind::RuntimeFailed || doubts.is_empty() {
        return error;
    }
    let message = format!(
        "{}. What may be why: {}",
        error.message(),
        doubts.join("; ")
    );
    error.reworded(message)
}

/// The warnings that hold for the way that prompts take.
fn warnings(mut warnings: Vec<Warning>, input: InputKind) -> Vec<Warning> {
    if input == InputKind::RuntimeTemplate {
        warnings.retain(|warning| warning.kind != WarningKind::BuiltInTemplate);
        warnings.push(Warning {
            kind: WarningKind::RuntimeTemplate,
            message: "prompts go as text, through the template that was built into the model file, and that takes a \
                      single user message. Put the model's tokenizer.json and tokenizer_config.json into its folder \
                      to send whole conversations"
                .to_owned(),
        });
    }
    warnings
}

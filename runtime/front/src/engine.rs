//! What an engine is: the trait, and the plain data that crosses it.

mod hosts;
mod params;
mod request;

pub use hosts::{HostEmbedding, HostTokenizer, Hosts};
pub use params::{InitParams, ModelInfo, Prepared, Sampling};
pub use request::{Cache, CrossAttention, Images, Input, Mode, Part, Prompt, Request, Videos};

use crate::session::ContextLimit;
use std::ffi::CStr;
use std::path::Path;

/// Something that generates tokens: a model, or a script that stands for one.
///
/// Errors are texts for the log; they say what was wrong, where, and what to do.
pub trait Engine: Send + Sync + Sized + 'static {
    /// How error messages name this runtime.
    const NAME: &'static str;
    /// Appended to the runtime version in the log; empty for a stand-in of the vendor's library.
    const SUFFIX: &'static str;
    /// Driver version in the log.
    const DRIVER: &'static str;
    /// Platform in the log.
    const PLATFORM: &'static str;

    /// Whether models can be opened for cross attention.
    const CROSS_ATTENTION: bool = false;
    /// Whether prompts may have videos.
    const VIDEO: bool = false;

    /// `rkllm_init` was called; nothing is checked or logged yet. For imitations.
    fn opening(_params: &InitParams) {}

    /// Loads the model. `Ok(None)` imitates a library that reports success without a handle.
    fn load(params: &InitParams) -> Result<Option<Self>, String>;

    /// Facts of the loaded model.
    fn model(&self) -> ModelInfo;

    /// What becomes of a `max_context_len` above the model's limit; imitations may differ from
    /// their group.
    fn context_limit(&self, of_group: ContextLimit) -> ContextLimit {
        of_group
    }

    /// Makes the loaded model ready for runs of `lanes` prompts at once, each with a window of
    /// `n_ctx` tokens.
    fn prepare(&mut self, n_ctx: u32, lanes: u32) -> Result<Prepared, String>;

    /// Token ids of a text. `add_special` adds what the vocabulary puts around a text,
    /// `parse_special` reads markers as single tokens.
    fn tokenize(
        &self,
        text: &str,
        add_special: bool,
        parse_special: bool,
    ) -> Result<Vec<i32>, String>;

    /// The bytes of tokens, joined as they are.
    fn detokenize(&self, ids: &[i32], skip_special: bool) -> Result<Vec<u8>, String>;

    /// Whether the vocabulary marks a token as an end of generation.
    fn is_stop(&self, id: i32) -> Result<bool, String>;

    /// Whether a token is a control token.
    fn is_special(&self, id: i32) -> Result<bool, String>;

    /// The token that starts a text, if the vocabulary adds one.
    fn bos(&self) -> Option<i32>;

    /// The model's own chat template, applied to messages; `answer`: ready for the answer.
    fn chat_template(&self, messages: &[Message<'_>], answer: bool) -> Result<String, String>;

    /// Tokens in a lane's cache. Never blocks, even during a run.
    fn cached(&self, lane: usize) -> usize;

    /// Keeps the first `keep` tokens of each lane's cache. Not called during a run, as all below.
    fn truncate_cache(&self, keep: usize) -> Result<(), String>;

    /// Takes the tokens from `start` to before `end` out of a lane's cache and closes the gap.
    fn cut_cache(&self, _lane: usize, _start: usize, _end: usize) -> Result<(), String> {
        Err(unsupported::<Self>("clearing a part of the cache"))
    }

    /// Loads an adapter that runs pick by name; a name that is there already is replaced.
    fn load_lora(&self, _name: &str, _path: &Path, _scale: f32) -> Result<(), String> {
        Err(unsupported::<Self>("LoRA adapters"))
    }

    /// Writes the cache to a file.
    fn save_prompt_cache(&self, _path: &Path) -> Result<(), String> {
        Err(unsupported::<Self>("prompt cache files"))
    }

    /// Reads a file of [`Engine::save_prompt_cache`], for prompts that begin like it.
    fn load_prompt_cache(&self, _path: &Path) -> Result<(), String> {
        Err(unsupported::<Self>("prompt cache files"))
    }

    /// Forgets what [`Engine::load_prompt_cache`] read.
    fn release_prompt_cache(&self) -> Result<(), String> {
        Err(unsupported::<Self>("prompt cache files"))
    }

    /// Sets what a model attends to that was opened for cross attention.
    fn set_cross_attn(&self, _encoder: &CrossAttention) -> Result<(), String> {
        Err(unsupported::<Self>("cross attention"))
    }

    /// `rkllm_abort` was called; the run has been told to end. For imitations.
    fn aborting(&self) {}

    /// Generates. One run at a time; `sink` hears of each step and says when to stop.
    fn run(&self, request: &Request, sink: &mut dyn Sink) -> Result<Ending, String>;
}

/// Says that an engine lacks a part of the vendor's API.
pub fn unsupported<E: Engine>(what: &str) -> String {
    format!("{} does not have {what}", E::NAME)
}

/// One message of a conversation.
#[derive(Clone, Copy, Debug)]
pub struct Message<'a> {
    /// Who speaks.
    pub role: &'a str,
    /// What is said.
    pub text: &'a str,
}

/// Hears of a run's progress, on whichever thread the engine calls it.
pub trait Sink: Send + Sync {
    /// One step of the run.
    fn event(&mut self, event: Event<'_>) -> Flow;

    /// Whether the run shall end; asked often, so that a long prompt can be aborted.
    fn aborted(&self) -> bool;

    /// For imitations: what makes calls of the run's callback when the run is over.
    fn later(&self) -> Option<Later> {
        None
    }
}

/// Makes calls of a run's callback, also when the run is over.
pub type Later = Box<dyn Fn(RawCall<'_>) + Send>;

/// Whether a run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// End the run now.
    Stop,
}

/// One step of a run.
pub enum Event<'a> {
    /// The next token of each lane.
    Tokens(&'a [Drawn<'a>]),
    /// The last layer's output for each token of the prompt.
    HiddenStates(Matrix<'a>),
    /// For imitations.
    Raw(RawCall<'a>),
}

/// One call of the result callback exactly as given, right or wrong: for engines that imitate a
/// library which breaks the rules.
#[derive(Clone, Copy)]
pub struct RawCall<'a> {
    /// Call state.
    pub state: State,
    /// Token id.
    pub id: i32,
    /// Text, or NULL.
    pub text: Option<&'a CStr>,
}

/// What one lane's step brought.
#[derive(Clone, Copy, Default)]
pub struct Drawn<'a> {
    /// The token; negative if the lane has ended.
    pub id: i32,
    /// Its bytes, which may end inside a character.
    pub bytes: &'a [u8],
    /// With [`Mode::Logits`]: first a row for each token of the prompt, later one. The token was
    /// drawn from the last row.
    pub logits: Option<Matrix<'a>>,
    /// If asked for: the token, then the likeliest ones, best first.
    pub logprobs: &'a [LogProb],
}

/// Rows of numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Matrix<'a> {
    /// The numbers, row by row.
    pub values: &'a [f32],
    /// Numbers in a row.
    pub columns: usize,
}

impl Matrix<'_> {
    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }
}

/// A token and its log probability, in the layout of group 1.0.1's `Token`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[repr(C)]
#[allow(missing_docs)]
pub struct LogProb {
    pub logprob: f32,
    pub id: i32,
}

/// What a call of the result callback is about; each group has its own numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Output.
    Normal,
    /// The token ends inside a character.
    Waiting,
    /// The run is over.
    Finish,
    /// The run failed.
    Error,
}

/// How a run ended.
pub enum Ending {
    /// As it should: the callback gets FINISH, the caller 0.
    Finish(Counts),
    /// The callback gets nothing more, the caller this status: for imitations.
    Silent(i32),
}

/// Measurements of a run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Counts {
    /// Tokens of the prompt, reused ones included.
    pub prompt_tokens: u64,
    /// Tokens of the prompt that were still in the cache.
    pub reused_tokens: u64,
    /// Tokens generated.
    pub new_tokens: u64,
    /// Time of the prompt in microseconds.
    pub prefill_us: u64,
    /// Time of the generated tokens in microseconds.
    pub decode_us: u64,
}

/// What every engine says about a prompt without a token.
pub const EMPTY_PROMPT: &str = "the prompt is empty: it has no token";

/// What every engine says about a prompt that fills the window.
pub fn prompt_too_long(prompt: usize, n_ctx: u32) -> String {
    format!(
        "the prompt has {prompt} tokens, but the context window has {n_ctx} \
         and must have room for at least one more; shorten the prompt or raise max_context_len"
    )
}

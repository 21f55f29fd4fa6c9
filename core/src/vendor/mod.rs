//! Rockchip's `librkllmrt.so`, whatever its version.
//!
//! The rest of the crate sees two traits and plain data: nothing that goes in or comes out is borrowed
//! from the library, so that a runtime in another process could stand behind them. No version is
//! looked at outside this room: what a runtime cannot do is missing from its [`Capabilities`].

pub mod abi;
pub(crate) mod assume;
pub mod assumptions;
pub mod board;
mod callback;
pub mod capabilities;
mod capture;
pub mod choose;
mod extension;
mod find;
pub mod get;
mod group;
pub(crate) mod instances;
pub mod known;
mod library;
mod loaded;
pub(crate) mod log;
mod mapped;
pub mod measured;
pub mod pairs;
pub mod rank;
pub mod recognise;
pub mod search;
pub mod store;
mod unfinished;
pub mod version;
pub mod worker;

use std::path::PathBuf;

use crate::surface::{Error, GetOptions, Result};

pub(crate) use capabilities::Capabilities;
pub(crate) use find::{find, named};
pub(crate) use library::Library;
pub(crate) use recognise::word::Word;

/// What a model is opened with.
#[derive(Debug, Clone)]
pub(crate) struct InitParams {
    pub model_path: PathBuf,
    pub max_context_len: u32,
    pub sampling: Sampling,
    /// Say -1 for the token limit, as the vendor's demos do, and not the size of the window.
    pub unlimited: bool,
    /// Go on after the end-of-sequence token; only for runtimes that can.
    pub ignore_eos: bool,
    /// Read what the runtime prints meanwhile.
    pub capture_logs: bool,
}

/// Sampling settings; unset ones stay as the runtime has them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sampling {
    pub top_k: Option<i32>,
    pub top_p: Option<f32>,
    pub temperature: Option<f32>,
    pub repeat_penalty: Option<f32>,
    pub frequency_penalty: Option<f32>,
    pub presence_penalty: Option<f32>,
    pub mirostat: Option<i32>,
    pub mirostat_tau: Option<f32>,
    pub mirostat_eta: Option<f32>,
}

/// Why a model was not opened.
#[derive(Debug, Clone)]
pub(crate) struct InitFailure {
    /// What `rkllm_init` returned; 0 where it claimed success and gave no handle.
    pub status: i32,
    /// What the runtime printed, as far as it was read.
    pub log: Vec<String>,
}

/// What a run is fed.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Tokens(Vec<i32>),
    Text(String),
}

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct RunRequest {
    pub input: Input,
    /// Tokens to produce at the most; only a hint on runtimes that cannot set it per run.
    pub max_new_tokens: u32,
    /// Only for runtimes that can set it per run.
    pub sampling: Sampling,
}

/// What a run reports, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RunEvent {
    /// A token: its id where it has one, and its text, which may be empty or end inside a character.
    /// `waiting`: the runtime says that the character goes on in the next one.
    Token {
        id: Option<u32>,
        text: Vec<u8>,
        waiting: bool,
    },
    /// The run is over.
    Finish { perf: Option<Perf> },
    /// The run failed.
    Error,
}

/// What the runtime measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Perf {
    pub prefill_ms: f32,
    pub prefill_tokens: u32,
    pub decode_ms: f32,
    pub decode_tokens: u32,
    /// The most memory that the process held, in megabytes.
    pub peak_memory_mb: f32,
}

/// What rkchat's runtime knows about its last run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RunCounts {
    pub prompt_tokens: u32,
    pub reused_tokens: u32,
}

/// Takes a run's events; called from whichever thread the runtime calls back on.
pub(crate) type EventSink<'a> = &'a mut (dyn FnMut(RunEvent) + Send);

/// A loaded library that can open models.
pub(crate) trait Driver: Send + Sync {
    fn init(&self, params: &InitParams) -> Result<Opened, InitFailure>;
}

/// An opened model, and what the runtime printed meanwhile.
pub(crate) struct Opened {
    pub session: Box<dyn Session>,
    pub log: Vec<String>,
}

/// An opened model. Dropping it frees the model, so that must not happen while `run` is in progress.
pub(crate) trait Session: Send + Sync {
    /// Runs and blocks until the runtime returns; gives its status. One run at a time.
    fn run(&self, request: &RunRequest, sink: EventSink<'_>) -> i32;
    /// Asks the run in progress to end; from any thread.
    fn abort(&self) -> i32;
    /// Forgets what runs left in the cache; not while a run is in progress.
    fn clear_cache(&self) -> i32;
    /// Tokens in the cache, where the runtime can tell; not while a run is in progress.
    fn cache_size(&self) -> Option<u32>;
    /// The runtime's own tokenizer, where it offers one.
    fn vocabulary(&self) -> Option<&dyn Vocabulary>;
    /// The runtime's own account of the last failure on this thread, where it offers one.
    fn last_error(&self) -> Option<String>;
    /// Counts of the last run, where it offers them.
    fn counts(&self) -> Option<RunCounts>;
}

/// A runtime's own tokenizer; usable from any thread, also during a run.
pub(crate) trait Vocabulary: Send + Sync {
    /// Token ids of a text. With `parse_special` control tokens that it spells become those tokens;
    /// user-defined ones always do.
    fn tokenize(
        &self,
        text: &str,
        add_special: bool,
        parse_special: bool,
    ) -> Result<Vec<u32>, String>;
    /// Bytes of tokens, which may end inside a character.
    fn detokenize(&self, ids: &[u32], skip_special: bool) -> Result<Vec<u8>, String>;
}

/// Fetches a runtime, as `Runtime.get` asks for it.
pub(crate) fn get(options: &GetOptions) -> Result<PathBuf> {
    let what = match (&options.release, &options.model_version) {
        (Some(release), None) => get::What::Release(release.clone()),
        (None, Some(model)) => get::What::ForModel(model.clone()),
        _ => {
            let message = "one of release and model_version has to be set, and only one";
            return Err(Error::invalid_argument(message));
        }
    };
    let request = get::GetRequest {
        what,
        from: options.source.clone(),
        platform: options.platform.clone(),
        progress: None,
    };
    Ok(get::get(request)?.path)
}

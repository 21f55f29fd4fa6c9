//! Rockchip's `librkllmrt.so`, whatever its version.
//!
//! The rest of the crate sees two traits and plain data: nothing that goes in or comes out is borrowed
//! from the library, so that a runtime in another process could stand behind them. No version is
//! looked at outside this room: what a runtime cannot do is missing from its [`Capabilities`].
#![cfg_attr(
    not(test),
    expect(
        dead_code,
        reason = "rkchat needs neither the runtime's word on whether it runs (rkllm_is_running), nor its template and \
                  tools (rkllm_set_chat_template, rkllm_set_function_tools)"
    )
)]

pub mod abi;
pub(crate) mod assume;
pub mod assumptions;
pub mod board;
mod callback;
pub mod capabilities;
mod capture;
pub mod choose;
mod event;
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
pub(crate) mod npu_lock;
pub(crate) mod npu_memory;
pub mod pairs;
pub mod rank;
pub mod recognise;
mod request;
pub mod search;
pub mod store;
mod unfinished;
pub mod version;
pub mod worker;

use std::path::{Path, PathBuf};

use crate::surface::{Error, GetOptions, Result};

pub(crate) use capabilities::Capabilities;
pub(crate) use event::{Flow, Perf, Rows, RunCounts, RunEvent, Token};
pub(crate) use find::{find, named};
pub(crate) use library::Library;
pub(crate) use recognise::word::Word;
pub(crate) use request::{
    CrossAttention, Images, InitParams, Input, Markers, Mode, Multimodal, RunRequest, Sampling,
    Videos,
};

/// Why a model was not opened.
#[derive(Debug, Clone)]
pub(crate) struct InitFailure {
    /// What `rkllm_init` returned; 0 where it claimed success and gave no handle.
    pub status: i32,
    /// What the runtime printed, as far as it was read.
    pub log: Vec<String>,
}

/// Takes a run's events and says whether it goes on; called from whichever thread the runtime calls back
/// on.
pub(crate) type EventSink<'a> = &'a mut (dyn FnMut(RunEvent) -> Flow + Send);

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
///
/// Statuses are what the runtime returned: 0 is success. Where the ABI group lacks a call, or what it was
/// to be given cannot be given in C (a NUL byte in a text, sizes that do not fit), the status is -1. All
/// but `run`, `abort` and `is_running` are for when no run is in progress.
pub(crate) trait Session: Send + Sync {
    /// Runs and blocks until the runtime returns. One run at a time.
    ///
    /// A run that was paused is gone on with by the next one, whose input takes the place of the token
    /// that the sink paused on: the same token goes on as if nothing had been.
    fn run(&self, request: &RunRequest, sink: EventSink<'_>) -> i32;
    /// Asks the run in progress to end; from any thread.
    fn abort(&self) -> i32;
    /// Whether the runtime says that a run is in progress, where it can tell; from any thread.
    fn is_running(&self) -> Option<bool>;
    /// Forgets what runs left in the cache, but for the system prompt where that is to stay. `ranges`,
    /// one from a position to before another for each input, are taken out instead while a run is paused;
    /// none is all.
    fn clear_cache(&self, keep_system: bool, ranges: &[(u32, u32)]) -> i32;
    /// Tokens in the cache of the first input, where the runtime can tell.
    fn cache_size(&self) -> Option<u32>;
    /// Loads a LoRA adapter under a name by which runs pick it.
    fn load_adapter(&self, name: &str, path: &Path, scale: f32) -> i32;
    /// Loads a file that a run wrote (`RunRequest::save_cache`), for prompts that begin like its own.
    fn load_prompt_cache(&self, path: &Path) -> i32;
    /// Forgets what `load_prompt_cache` loaded; to be called before another file is.
    fn release_prompt_cache(&self) -> i32;
    /// Replaces the template that text input gets. Empties the cache.
    fn set_chat_template(&self, system: &str, prefix: &str, postfix: &str) -> i32;
    /// Puts functions (a JSON array) into the prompts of text input, with a system prompt of their own.
    fn set_function_tools(&self, system: &str, tools: &str, tool_response: &str) -> i32;
    /// Sets what the decoder attends to. Its sizes have to be the model's: the runtime does not ask.
    fn set_cross_attention(&self, encoder: CrossAttention) -> i32;
    /// The runtime's own tokenizer, where it offers one.
    fn vocabulary(&self) -> Option<&dyn Vocabulary>;
    /// What is known of the last failure: the runtime's own account of it on this thread, where it
    /// offers one, or that of the tokenizer or embedding layer that the model was opened with.
    fn last_error(&self) -> Option<String>;
    /// Counts of the last run, where it offers them.
    fn counts(&self) -> Option<RunCounts>;
}

/// The tokenizer of a model that was converted without one. Called on whichever thread the runtime likes.
pub(crate) trait HostTokenizer: std::fmt::Debug + Send + Sync {
    /// Token ids of a text.
    fn tokenize(&self, text: &str) -> Result<Vec<i32>, String>;
}

/// The embedding layer of a model that was converted without one. Called on whichever thread the runtime
/// likes.
pub(crate) trait HostEmbedding: std::fmt::Debug + Send + Sync {
    /// The embeddings of tokens, one after the other, each of `width` numbers.
    fn embed(&self, tokens: &[i32], width: usize) -> Result<Vec<f32>, String>;
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

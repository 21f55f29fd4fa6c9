//! Prompt caches in files.

use std::path::PathBuf;
use std::time::Duration;

use crate::surface::Json;

/// How the cache of a prompt is saved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PromptCacheOptions {
    /// The name to load it by: letters, digits, `-`, `_` and `.`. One of the same name is replaced. Unset:
    /// made from the prompt.
    pub name: Option<String>,
    /// The folder for the files. Unset: one for the model in `rkchat/prompts` in the user's cache folder
    /// (`XDG_CACHE_HOME`, or `~/.cache`).
    pub folder: Option<PathBuf>,
    /// As in `GenerateOptions`. The cache serves requests with the same adapter.
    pub adapter: Option<String>,
    /// As in `RenderOptions`; only for messages.
    pub tools: Option<Json>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

/// How a prompt cache is loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadPromptCacheOptions {
    /// As in `PromptCacheOptions`.
    pub folder: Option<PathBuf>,
    /// The prompt that it should be of, as it was saved; another is refused. Unset: any.
    pub prompt: Option<Json>,
    /// As in `RenderOptions`; only for a prompt of messages.
    pub tools: Option<Json>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

/// Which prompt caches are listed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListPromptCachesOptions {
    /// As in `PromptCacheOptions`.
    pub folder: Option<PathBuf>,
}

//! How a conversation is kept.

use std::path::PathBuf;

use crate::surface::{Json, Overflow};

/// How a chat is held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatOptions {
    /// The system prompt, which is the first of its messages. Unset: none, or that of the state that
    /// the chat is made from.
    pub system: Option<String>,
    /// The tools of every request that names none itself; as `GenerateOptions.tools`. Unset: none, or
    /// those of the state that the chat is made from.
    pub tools: Option<Json>,
    /// What is done where the messages do not fit the context window. Unset: `DropOldest`.
    pub overflow: Option<Overflow>,
    /// How much of the window is left for an answer whose `max_new_tokens` is unset, or larger than the
    /// window. Unset: a quarter of the window, and 512 at the most.
    /// @unit tokens
    /// @range 1..=1048576
    pub reserve: Option<u32>,
    /// Keep the tokens of system prompt and tools in a file, so that they are computed once and not for
    /// every request. For runtimes that compute every prompt from its first token (those before 1.2.0);
    /// of no effect on others, and `Unsupported` on 1.0. The files are those of
    /// `Model.save_prompt_cache`, with names that begin with `chat-`. Beginnings below 32
    /// tokens and requests with an adapter go without, and so does everything while a cache is loaded by
    /// hand.
    /// @default false
    pub prompt_cache: bool,
    /// As `PromptCacheOptions.folder`, for those files.
    pub prompt_cache_folder: Option<PathBuf>,
    /// Room for those files of one model: the oldest go first. One that is larger by itself is not kept.
    /// 500 tokens of Gemma 2 9B take 172 MB. Unset: 512 MiB.
    /// @unit bytes
    /// @range 1..=9007199254740991
    pub prompt_cache_limit: Option<u64>,
}

//! Requests that are answered with numbers.

use std::time::Duration;

use crate::surface::Pooling;

/// How texts become embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedOptions {
    /// How the hidden states of a text's tokens become its embedding. Unset: `Last`.
    pub pooling: Option<Pooling>,
    /// Make the length of each row 1.
    /// @default true
    pub normalize: bool,
    /// As in `GenerateOptions`.
    pub adapter: Option<String>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

impl Default for EmbedOptions {
    fn default() -> Self {
        Self {
            pooling: None,
            normalize: true,
            adapter: None,
            timeout: None,
            queue_timeout: None,
        }
    }
}

/// Which logits are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogitsOptions {
    /// The tokens after which, counted from 0, in the order of the rows that come. Unset: the last.
    pub positions: Option<Vec<u32>>,
    /// As in `GenerateOptions`.
    pub adapter: Option<String>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

/// How a text is scored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreOptions {
    /// As in `GenerateOptions`.
    pub adapter: Option<String>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

//! Tokenizers by themselves.

use std::path::Path;
use std::sync::Arc;

use crate::surface::{DecodeOptions, EncodeOptions, Result, TokenizerInfo};
use crate::tokenizer;

/// A tokenizer. Needs no runtime.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    pub(super) inner: Arc<tokenizer::Tokenizer>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`, that of a model folder, or that of a repository in the Hugging Face
    /// cache, by its id (`org/name`). The tokenizer inside a GGUF file is reached through `Model.encode`.
    /// @blocking
    pub fn open(path: &Path) -> Result<Self> {
        let inner = Arc::new(tokenizer::Tokenizer::open(path)?);
        Ok(Self { inner })
    }

    /// Text to token ids.
    pub fn encode(&self, text: &str, options: &EncodeOptions) -> Result<Vec<u32>> {
        self.inner.encode(text, options.add_special_tokens)
    }

    /// Token ids to text.
    pub fn decode(&self, ids: &[u32], options: &DecodeOptions) -> Result<String> {
        self.inner.decode(ids, options.skip_special_tokens)
    }

    /// How many tokens a text has.
    pub fn count(&self, text: &str, options: &EncodeOptions) -> Result<u32> {
        self.inner.count(text, options.add_special_tokens)
    }

    /// Its vocabulary and its special tokens.
    /// @constant
    pub fn info(&self) -> TokenizerInfo {
        self.inner.info()
    }
}

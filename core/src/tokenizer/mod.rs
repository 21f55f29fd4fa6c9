//! Text to token ids and back, by Hugging Face `tokenizers`.

mod bytes;
mod stages;
mod stream;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tokenizers::Decoder;

pub use stream::StreamDecoder;

use crate::model::files;
use crate::surface::{Error, ErrorKind, Result};

/// The name of the file in a model folder.
pub(crate) const FILE: &str = "tokenizer.json";

/// A tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    special: Vec<(String, u32)>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`, or that of a folder.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_file(path).map(|(tokenizer, _)| tokenizer)
    }

    /// As `open`, with the file that was read.
    pub(crate) fn open_file(path: &Path) -> Result<(Self, PathBuf)> {
        let mut file = files::existing(path, "a tokenizer.json, or a folder with one")?;
        if file.is_dir() {
            let folder = file;
            file = folder.join(FILE);
            if !file.is_file() {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!("no {FILE} in {}", folder.display()),
                )
                .with("path", folder.to_string_lossy()));
            }
        }
        let json = files::read(&file, ErrorKind::Tokenizer)?;
        let tokenizer = Self::from_json(&json).map_err(|error| files::in_file(error, &file))?;
        Ok((tokenizer, file))
    }

    /// Takes the contents of a `tokenizer.json`.
    pub fn from_json(json: &[u8]) -> Result<Self> {
        let mut inner = guarded(|| tokenizers::Tokenizer::from_bytes(json)).map_err(|error| {
            Error::new(
                ErrorKind::Tokenizer,
                format!("not a usable {FILE}: {}", error.message()),
            )
        })?;
        // Files keep what their author last trained with; a prompt is neither cut nor padded.
        inner.with_padding(None);
        inner.with_truncation(None).map_err(failed)?;
        let mut special: Vec<(String, u32)> = inner
            .get_added_tokens_decoder()
            .into_iter()
            .filter(|(_, token)| token.special)
            .map(|(id, token)| (token.content, id))
            .collect();
        special.sort_by_key(|(_, id)| *id);
        Ok(Self { inner, special })
    }

    /// Text to token ids. Special tokens that are written in the text become their ids.
    pub fn encode(&self, text: &str, add_special_tokens: bool) -> Result<Vec<u32>> {
        let encoding = guarded(|| self.inner.encode_fast(text, add_special_tokens))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// How many ids `encode` gives.
    pub fn count(&self, text: &str, add_special_tokens: bool) -> Result<u32> {
        let encoding = guarded(|| self.inner.encode_fast(text, add_special_tokens))?;
        u32::try_from(encoding.len())
            .map_err(|_| Error::new(ErrorKind::Tokenizer, "the text has more than 2^32 tokens"))
    }

    /// Token ids to text. Ids outside the vocabulary give nothing.
    pub fn decode(&self, ids: &[u32], skip_special_tokens: bool) -> Result<String> {
        let tokens: Vec<String> = ids
            .iter()
            .filter_map(|id| self.token(*id, skip_special_tokens))
            .collect();
        if tokens.is_empty() {
            return Ok(String::new());
        }
        match self.inner.get_decoder() {
            Some(decoder) => guarded(|| decoder.decode(tokens)),
            None => Ok(tokens.join(" ")),
        }
    }

    /// The vocabulary's spelling of a token.
    fn token(&self, id: u32, skip_special: bool) -> Option<String> {
        let added = self.inner.get_added_vocabulary();
        let token = match added.simple_id_to_token(id) {
            Some(token) => token,
            None => tokenizers::Model::id_to_token(self.inner.get_model(), id)?,
        };
        (!skip_special || !added.is_special_token(&token)).then_some(token)
    }

    /// The id of a token, by the vocabulary's spelling.
    pub fn token_to_id(&self, text: &str) -> Option<u32> {
        self.inner.token_to_id(text)
    }

    /// Special tokens: text and id, by id.
    pub fn special_tokens(&self) -> &[(String, u32)] {
        &self.special
    }
}

fn failed(error: tokenizers::Error) -> Error {
    Error::new(
        ErrorKind::Tokenizer,
        format!("the tokenizer failed: {error}"),
    )
}

/// Calls into `tokenizers`, which panics on some odd configurations (a `Strip` decoder that takes more
/// characters than a token has, for one).
fn guarded<T>(call: impl FnOnce() -> tokenizers::Result<T>) -> Result<T> {
    match catch_unwind(AssertUnwindSafe(call)) {
        Ok(result) => result.map_err(failed),
        Err(_) => Err(Error::new(
            ErrorKind::Tokenizer,
            "the tokenizer failed: its tokenizer.json does not fit together",
        )),
    }
}

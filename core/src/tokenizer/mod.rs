//! Text to token ids and back, by Hugging Face `tokenizers`.

mod added;
mod bytes;
mod class;
mod control;
mod file;
#[cfg(test)]
mod file_tests;
mod literal;
#[cfg(test)]
mod literal_tests;
mod named;
mod stages;
mod stream;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use tokenizers::{Decoder, OffsetType};

pub(crate) use added::Spellings;
pub(crate) use control::ControlTokens;
pub use stream::StreamDecoder;

use crate::model::configs::{Config, Configs};
use crate::model::{files, find};
use crate::surface::{
    Error, ErrorKind, Json, Result, SpecialToken, TokenizerInfo, UntrustedContent,
};
use crate::template::Rendered;
use class::Class;
use file::File;
use literal::Added;
use named::Named;

/// The name of the file in a model folder.
pub(crate) const FILE: &str = "tokenizer.json";

/// From this many bytes on, what reading the file took is worth giving back.
const LARGE: usize = 4 << 20;

/// A tokenizer.
#[derive(Debug)]
pub struct Tokenizer {
    inner: tokenizers::Tokenizer,
    added: Added,
    special: Vec<(String, u32)>,
    named: Named,
    control: ControlTokens,
}

/// What stands beside a `tokenizer.json` and changes what it means; null where it is not there.
#[derive(Debug)]
struct Beside<'a> {
    /// `tokenizer_config.json`
    config: Cow<'a, Json>,
    /// `config.json`
    model: &'a Json,
}

impl<'a> Beside<'a> {
    fn read(configs: &'a Configs) -> Result<Self> {
        let read = |config| configs.get(config, ErrorKind::Tokenizer);
        let mut config = Cow::Borrowed(read(Config::Tokenizer)?);
        // Older files keep the special tokens apart.
        let apart = config.is_object() && config.get("added_tokens_decoder").is_none();
        if let (true, Json::Object(map)) = (apart, read(Config::SpecialTokens)?) {
            let config = config.to_mut();
            for (name, token) in map {
                config[name] = token.clone();
            }
        }
        Ok(Self {
            config,
            model: read(Config::Model)?,
        })
    }
}

impl Tokenizer {
    /// Reads a `tokenizer.json`, or that of a folder or Hub id.
    pub fn open(path: &Path) -> Result<Self> {
        Self::open_file(path).map(|(tokenizer, _)| tokenizer)
    }

    /// As `open`, with the file that was read.
    pub(crate) fn open_file(path: &Path) -> Result<(Self, PathBuf)> {
        let expected = "a tokenizer.json, a folder with one, or a Hub id";
        let mut file = find::place(path, expected)?;
        if file.is_dir() {
            let folder = file;
            file = folder.join(FILE);
            if !file.is_file() {
                return Err(Error::new(
                    ErrorKind::NotFound,
                    format!(
                        "no {FILE} in {}{}",
                        folder.display(),
                        find::rest_of(&folder)
                    ),
                )
                .with("path", folder.to_string_lossy()));
            }
        }
        let tokenizer = Self::read(&file, &Configs::of(file.parent()))?;
        Ok((tokenizer, file))
    }

    /// Reads a `tokenizer.json` with what stands beside it.
    pub(crate) fn read(file: &Path, configs: &Configs) -> Result<Self> {
        let json = files::read(file, files::MAX_TOKENIZER, ErrorKind::Tokenizer)?;
        let large = json.len() > LARGE;
        let tokenizer = Self::with(json, &Beside::read(configs)?)
            .map_err(|error| files::in_file(error, file))?;
        if large {
            give_back();
        }
        Ok(tokenizer)
    }

    /// Takes the contents of a `tokenizer.json`.
    #[cfg(test)]
    pub fn from_json(json: &[u8]) -> Result<Self> {
        Self::with(json.to_vec(), &Beside::read(&Configs::default())?)
    }

    fn with(json: Vec<u8>, beside: &Beside<'_>) -> Result<Self> {
        let control = ControlTokens::from_config(&beside.config)?;
        let class = Class::of(&beside.config, beside.model, &json);
        let read = || {
            let mut file = File::parse(&json)?;
            // The tables take as much again.
            drop(json);
            if let Some(class) = class {
                class.rebuild(&mut file, &beside.config)?;
            }
            let mut inner = file.build()?;
            let named = named::add(&mut inner, &beside.config, class)?;
            Ok((inner, named))
        };
        let (inner, named) = guarded(read).map_err(|error| {
            Error::new(
                ErrorKind::Tokenizer,
                format!("not a usable {FILE}: {}", error.message()),
            )
        })?;
        let added = inner.get_added_vocabulary().get_added_tokens_decoder();
        let special = added.iter().filter(|(_, token)| token.special);
        let mut special: Vec<(String, u32)> = special
            .map(|(id, token)| (token.content.clone(), *id))
            .collect();
        special.sort_by_key(|(_, id)| *id);
        Ok(Self {
            added: Added::of(&inner),
            inner,
            special,
            named,
            control,
        })
    }

    /// The ids of a rendered prompt, which brings its special tokens with it.
    pub(crate) fn encode_prompt(
        &self,
        prompt: &Rendered,
        literals: &[String],
        content: UntrustedContent,
    ) -> Result<Vec<u32>> {
        match content {
            UntrustedContent::Transformers => self.encode(&prompt.text, false),
            UntrustedContent::Literal => {
                let encoding = self.encode_literal(prompt, literals, OffsetType::None)?;
                Ok(encoding.get_ids().to_vec())
            }
        }
    }

    /// For each id of a prompt, 1 where it is inside a generation block. As in transformers, a block
    /// that begins between two tokens ends the search.
    pub(crate) fn assistant_mask(
        &self,
        prompt: &Rendered,
        literals: &[String],
        content: UntrustedContent,
    ) -> Result<Vec<u32>> {
        let encoding = match content {
            UntrustedContent::Transformers => {
                guarded(|| self.inner.encode(prompt.text.as_str(), false))?
            }
            UntrustedContent::Literal => self.encode_literal(prompt, literals, OffsetType::Byte)?,
        };
        let mut mask = vec![0; encoding.len()];
        for block in &prompt.generation {
            let last = prompt.text[..block.end].char_indices().next_back();
            let last = last.map_or(0, |(place, _)| place);
            let Some(start) = encoding.char_to_token(block.start, 0) else {
                break;
            };
            let end = match encoding.char_to_token(last, 0) {
                None | Some(0) => mask.len(),
                Some(end) => end + 1,
            };
            mask[start..end.max(start)].fill(1);
        }
        Ok(mask)
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

    /// Whether there is a token of this id.
    pub(crate) fn has_id(&self, id: u32) -> bool {
        self.token(id, false).is_some()
    }

    /// The id of a token, by the vocabulary's spelling.
    pub fn token_to_id(&self, text: &str) -> Option<u32> {
        self.inner.token_to_id(text)
    }

    pub fn info(&self) -> TokenizerInfo {
        let mut names: HashMap<&str, Vec<String>> = HashMap::new();
        for (name, token) in &self.named {
            names
                .entry(&token.content)
                .or_default()
                .extend(name.clone());
        }
        let special = self.special.iter().map(|(text, id)| SpecialToken {
            names: names.get(text.as_str()).cloned().unwrap_or_default(),
            text: text.clone(),
            id: *id,
        });
        TokenizerInfo {
            vocabulary_size: u32::try_from(self.inner.get_vocab_size(true)).unwrap_or(u32::MAX),
            special_tokens: special.collect(),
        }
    }

    /// Special tokens: text and id, by id.
    pub fn special_tokens(&self) -> &[(String, u32)] {
        &self.special
    }
}

/// Gives free memory back to the system: what reading took lies between what is kept, where glibc would
/// leave it.
fn give_back() {
    // SAFETY: the call may be made at any time and from any thread.
    unsafe { libc::malloc_trim(0) };
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

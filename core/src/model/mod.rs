//! What a path means: the model file, and the files that came with it.

mod cache_shape;
mod card;
pub(crate) mod configs;
mod context;
mod control;
mod defaults;
mod evidence;
mod families;
pub(crate) mod files;
pub(crate) mod find;
mod front_matter;
mod gather;
pub(crate) mod gguf;
mod gguf_reader;
mod gguf_tensors;
pub(crate) mod health;
mod hub;
mod lacking;
mod name;
mod platform;
mod read;
mod sources;
mod stops;
#[cfg(test)]
mod tests;
mod tokens;
pub mod untrusted;
mod width;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::surface::{Error, ErrorKind, Fact, FolderInfo, ModelOptions, Result, Warning};
use crate::template::Templates;
use crate::tokenizer::Tokenizer;
use crate::vendor::Sampling;
use cache_shape::CacheShape;
use configs::{Config, Configs};
pub use control::{Control, Spelling};
pub use gather::ModelVersion;
use gather::Told;
use gguf::GgufInfo;

/// The format of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightsFormat {
    /// Rockchip's, which is not public.
    Rkllm,
    /// llama.cpp's.
    Gguf,
}

/// A model whose files are found: all that a runtime needs to load it.
#[derive(Debug)]
pub struct Located {
    /// The model file, as an absolute path.
    pub weights: PathBuf,
    /// Its format.
    pub format: WeightsFormat,
    /// The sampling settings that its authors recommend.
    pub sampling: Sampling,
    /// The files that came with it.
    configs: Configs,
    gguf: Option<GgufInfo>,
    told: Told,
    /// What to do about a template that is not there: a sentence.
    without_template: String,
    /// The tokenizer, where it was asked for before the rest.
    tokenizer: Option<(Arc<Tokenizer>, String)>,
}

/// Everything that is known of a model before a runtime has loaded it.
#[derive(Debug)]
pub struct ModelFiles {
    /// The model file, as an absolute path.
    pub weights: PathBuf,
    /// The chat templates, and where they come from: a file, `gguf`, `option`, or rkchat itself.
    pub template: Option<(Templates, String)>,
    /// The tokenizer, and the file it comes from.
    pub tokenizer: Option<(Arc<Tokenizer>, String)>,
    /// Control tokens, where there is no tokenizer.
    pub control: Control,
    /// Token ids that end an answer.
    pub stop_ids: BTreeSet<u32>,
    /// Texts that end an answer, where no tokenizer gives their ids.
    pub stop_texts: Vec<String>,
    /// What to do about a template that is not there: a sentence.
    pub without_template: String,
    /// What is known of it, and from where.
    pub facts: Vec<Fact>,
    /// What does not agree, and what may not be what was meant.
    pub warnings: Vec<Warning>,
}

/// Finds the model at `path`, and reads what is known of it at once.
///
/// The files beside a model count as its own where the path names the folder, where the model is
/// alone in its folder, and for a `.rkllm` file always: it has none of this inside.
pub fn find(path: &Path, options: &ModelOptions) -> Result<Located> {
    let found = find::model(path, options.file.as_deref())?;
    let gguf = match found.format {
        WeightsFormat::Gguf => Some(gguf::read(&found.weights)?),
        WeightsFormat::Rkllm => None,
    };
    let configs = Configs::of(found.folder.as_deref());
    let config = configs.get(Config::Model, ErrorKind::InvalidModel)?;
    let mut told = gather::gather(&found, config, options)?;
    let without_template = lacking::template(&found, &told);
    let sampling = defaults::recommended(&configs, options)?;
    for (name, value) in defaults::named(&sampling) {
        told.fact(name, &value, Config::Generation.file());
    }
    Ok(Located {
        weights: found.weights,
        format: found.format,
        sampling,
        configs,
        gguf,
        told,
        without_template,
        tokenizer: None,
    })
}

impl Located {
    /// The context limit that the `.rkllm` file was converted with, in tokens, where that is told.
    pub fn max_context_len(&self) -> Option<u32> {
        self.told.max_context_len
    }

    /// The bytes that its cache has for so many tokens, where its files tell.
    pub fn cache_bytes(&self, tokens: u32) -> Option<u64> {
        let of_config = || {
            let config = self.configs.get(Config::Model, ErrorKind::InvalidModel);
            CacheShape::of_config(config.ok()?)
        };
        let of_gguf = self.gguf.as_ref().and_then(|gguf| gguf.cache);
        of_gguf.or_else(of_config).map(|shape| shape.bytes(tokens))
    }

    /// How many numbers the model's embeddings have, where GGUF metadata or `config.json` tell.
    pub fn embedding_width(&self) -> Result<Option<usize>> {
        let config = self.configs.get(Config::Model, ErrorKind::InvalidModel)?;
        Ok(width::find(self.gguf.as_ref(), config))
    }

    /// The version of the toolkit that converted it.
    pub fn version(&self) -> &ModelVersion {
        &self.told.version
    }
}

/// What is known of the model at `path`.
pub fn inspect(path: &Path, options: &ModelOptions) -> Result<FolderInfo> {
    let files = find(path, options)?.read(options)?;
    Ok(FolderInfo {
        path: files.weights,
        facts: files.facts,
        warnings: files.warnings,
    })
}

/// rkchat's own template for the `.rkllm` model at `path`, as `find` and `read` choose it where no file of
/// the model has one. A family that is not known is the same error.
pub(crate) fn own_template(path: &Path) -> Result<Templates> {
    let mut located = find(path, &ModelOptions::default())?;
    match read::of_family(&located.configs, &mut located.told)? {
        Some((template, _)) => Ok(template),
        None => Err(Error::new(ErrorKind::Template, located.without_template)),
    }
}

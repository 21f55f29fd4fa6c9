//! What a path means: the model file, and the files that came with it.

mod control;
pub(crate) mod files;
pub(crate) mod find;
pub(crate) mod gguf;
mod gguf_reader;
mod gguf_tensors;
mod name;
mod stops;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::surface::{ModelOptions, Result};
use crate::template::{self, SpecialTokens, Template, Templates};
use crate::tokenizer::Tokenizer;
pub use control::Spelling;
use gguf::GgufInfo;

/// The format of a model file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WeightsFormat {
    /// Rockchip's, which is not public.
    Rkllm,
    /// llama.cpp's.
    Gguf,
}

/// Everything that is known of a model before a runtime loads it.
#[derive(Debug)]
pub struct ModelFiles {
    /// The model file, as an absolute path.
    pub weights: PathBuf,
    /// The chat templates, and where they come from: a file, `gguf` or `option`.
    pub template: Option<(Templates, String)>,
    /// Control tokens by their spelling, where there is no tokenizer to ask.
    pub control: Vec<Spelling>,
    /// The tokenizer, and the file it comes from.
    pub tokenizer: Option<(Arc<Tokenizer>, String)>,
    /// Token ids that end an answer.
    pub stop_ids: BTreeSet<u32>,
}

/// A model whose files are found: all that a runtime needs to load it.
#[derive(Debug)]
pub struct Found {
    /// The model file, as an absolute path.
    pub weights: PathBuf,
    /// Its format.
    pub format: WeightsFormat,
    /// The context length that the file's name tells, in tokens: the limit that a `.rkllm` file was
    /// converted with.
    pub max_context_len: Option<u32>,
    folder: Option<PathBuf>,
    gguf: Option<GgufInfo>,
}

/// Finds the model at `path`.
///
/// The files beside a model count as its own where the path names the folder, where the model is
/// alone in its folder, and for a `.rkllm` file always: it has none of this inside.
pub fn find(path: &Path) -> Result<Found> {
    let found = find::model(path)?;
    let gguf = match found.format {
        WeightsFormat::Gguf => Some(gguf::read(&found.weights)?),
        WeightsFormat::Rkllm => None,
    };
    Ok(Found {
        gguf,
        max_context_len: name::context_length(&found.weights),
        weights: found.weights,
        format: found.format,
        folder: found.folder,
    })
}

impl Found {
    /// Reads what came with the model. A large tokenizer takes a second, which is better spent while
    /// the runtime loads.
    pub fn read(self, options: &ModelOptions) -> Result<ModelFiles> {
        let (folder, gguf) = (self.folder.as_deref(), self.gguf.as_ref());
        let template = find_template(folder, gguf, options)?;
        let tokenizer = find_tokenizer(folder, options)?;
        let stop_ids = stops::find(&stops::Sources {
            folder,
            template: template.as_ref().map(|(template, _)| template),
            tokenizer: tokenizer.as_ref().map(|(tokenizer, _)| tokenizer.as_ref()),
            gguf,
        })?;
        let control = match &tokenizer {
            Some(_) => Vec::new(),
            None => control::find(folder, gguf)?,
        };
        Ok(ModelFiles {
            control,
            weights: self.weights,
            template,
            tokenizer,
            stop_ids,
        })
    }
}

/// Finds the model at `path` and reads what came with it.
pub fn resolve(path: &Path, options: &ModelOptions) -> Result<ModelFiles> {
    find(path)?.read(options)
}

fn find_template(
    folder: Option<&Path>,
    gguf: Option<&GgufInfo>,
    options: &ModelOptions,
) -> Result<Option<(Templates, String)>> {
    if let Some(source) = &options.chat_template {
        let template = Template::from_source(source, special(folder, gguf)?)?;
        return Ok(Some((template.into(), "option".to_owned())));
    }
    if let Some(folder) = folder {
        if let Some((template, file)) = template::in_folder(folder)? {
            return Ok(Some((template, file.to_string_lossy().into_owned())));
        }
    }
    let Some(gguf) = gguf else {
        return Ok(None);
    };
    let templates = template::in_gguf(gguf, &special(folder, Some(gguf))?)?;
    Ok(templates.map(|templates| (templates, "gguf".to_owned())))
}

/// Special tokens by the GGUF's metadata; the folder's files win.
fn special(folder: Option<&Path>, gguf: Option<&GgufInfo>) -> Result<SpecialTokens> {
    let mut special = gguf.map(|gguf| gguf.special.clone()).unwrap_or_default();
    if let Some(folder) = folder {
        for (name, text) in template::special_in_folder(folder)?.iter() {
            special.set(name, text);
        }
    }
    Ok(special)
}

fn find_tokenizer(
    folder: Option<&Path>,
    options: &ModelOptions,
) -> Result<Option<(Arc<Tokenizer>, String)>> {
    let path = match (&options.tokenizer, folder) {
        (Some(path), _) => path.clone(),
        (None, Some(folder)) if folder.join(crate::tokenizer::FILE).is_file() => folder.to_owned(),
        (None, _) => return Ok(None),
    };
    let (tokenizer, file) = Tokenizer::open_file(&path)?;
    Ok(Some((
        Arc::new(tokenizer),
        file.to_string_lossy().into_owned(),
    )))
}

//! What a path means: the model file, and the files that came with it.

mod card;
mod context;
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
mod health;
mod hub;
mod name;
mod platform;
mod sources;
mod stops;
#[cfg(test)]
mod tests;
mod tokens;
pub mod untrusted;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::surface::{
    ErrorKind, Fact, FolderInfo, Json, ModelOptions, Result, Warning, WarningKind,
};
use crate::template::{self, SpecialTokens, Template};
use crate::tokenizer::Tokenizer;
use crate::vendor::Sampling;
use gather::{Told, ToldFamily};
use gguf::GgufInfo;

pub use gather::ModelVersion;

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
    /// Its format.
    pub format: WeightsFormat,
    /// The chat template, and where it comes from: a file, `gguf` or `option`.
    pub template: Option<(Template, String)>,
    /// The tokenizer, and the file it comes from.
    pub tokenizer: Option<(Arc<Tokenizer>, String)>,
    /// Token ids that end an answer.
    pub stop_ids: BTreeSet<u32>,
    /// Texts that end an answer, where no tokenizer gives their ids.
    pub stop_texts: Vec<String>,
    /// The context limit that the `.rkllm` file was converted with, in tokens, where that is told.
    pub max_context_len: Option<u32>,
    /// The version of the toolkit that converted it.
    pub version: ModelVersion,
    /// The sampling settings that its authors recommend.
    pub sampling: Sampling,
    /// What to do about a template that is not there: a sentence.
    pub without_template: String,
    /// What is known of it, and from where.
    pub facts: Vec<Fact>,
    /// What does not agree, and what may not be what was meant.
    pub warnings: Vec<Warning>,
}

/// Finds the model at `path` and reads what came with it.
///
/// The files beside a model count as its own where the path names the folder, where the model is
/// alone in its folder, and for a `.rkllm` file always: it has none of this inside.
pub fn resolve(path: &Path, options: &ModelOptions) -> Result<ModelFiles> {
    let found = find::model(path, options.file.as_deref())?;
    let gguf = match found.format {
        WeightsFormat::Gguf => Some(gguf::read(&found.weights)?),
        WeightsFormat::Rkllm => None,
    };
    let folder = found.folder.as_deref();
    let config = gather::read_config(folder)?;
    let mut told = gather::gather(&found, &config, options)?;
    let without_template = without_template(&found, &told);
    let mut template = find_template(folder, gguf.as_ref(), options)?;
    let mut ends = Vec::new();
    if template.is_none() && found.format == WeightsFormat::Rkllm {
        template = of_family(folder, &mut told)?;
        ends = stop_texts(template.as_ref(), &told);
    }
    let tokenizer = find_tokenizer(folder, options)?;
    tokens::check(
        tokenizer.as_ref().map(|(tokenizer, _)| tokenizer.as_ref()),
        &config,
        &mut told,
        options,
    )?;
    let stop_ids = stops::find(&stops::Sources {
        folder,
        template: template.as_ref().map(|(template, _)| template),
        tokenizer: tokenizer.as_ref().map(|(tokenizer, _)| tokenizer.as_ref()),
        gguf: gguf.as_ref(),
        ends: &ends,
    })?;
    let sampling = recommended(folder, options, &mut told)?;
    let stop_texts = match tokenizer {
        Some(_) => Vec::new(),
        None => stop_texts(template.as_ref(), &told),
    };
    sources(&template, &tokenizer, &stop_ids, &mut told);
    Ok(ModelFiles {
        weights: found.weights,
        format: found.format,
        template,
        tokenizer,
        stop_ids,
        stop_texts,
        max_context_len: told.max_context_len,
        version: told.version,
        sampling,
        without_template,
        facts: told.facts,
        warnings: told.warnings,
    })
}

/// What is known of the model at `path`.
pub fn inspect(path: &Path, options: &ModelOptions) -> Result<FolderInfo> {
    let files = resolve(path, options)?;
    Ok(FolderInfo {
        path: files.weights,
        facts: files.facts,
        warnings: files.warnings,
    })
}

/// rkchat's own template for the model's family.
fn of_family(folder: Option<&Path>, told: &mut Told) -> Result<Option<(Template, String)>> {
    let Some(ToldFamily { family, source, .. }) = told.family.clone() else {
        return Ok(None);
    };
    let template = family.template(&special(folder, None)?)?;
    let trust = match family.verified {
        true => "It is checked against the official one",
        false => "It is not verified, for there is no official one: it follows what is documented",
    };
    told.warn(
        WarningKind::BuiltInTemplate,
        format!(
            "the chat template is rkchat's own for {}, which {source} tells. {trust}. The model's \
             tokenizer_config.json in its folder would be used instead",
            family.name
        ),
    );
    Ok(Some((
        template,
        format!("rkchat's own for {}", family.name),
    )))
}

fn stop_texts(template: Option<&(Template, String)>, told: &Told) -> Vec<String> {
    let eos = template.and_then(|(template, _)| template.token("eos_token"));
    let mut texts: Vec<String> = eos.map(str::to_owned).into_iter().collect();
    if let Some(told) = &told.family {
        for text in told.family.end_texts() {
            name::add(&mut texts, text);
        }
    }
    texts.retain(|text| !text.is_empty());
    texts
}

/// The settings of `generation_config.json` that no option sets.
fn recommended(folder: Option<&Path>, options: &ModelOptions, told: &mut Told) -> Result<Sampling> {
    const FILE: &str = "generation_config.json";
    let config = match folder
        .map(|folder| folder.join(FILE))
        .filter(|path| path.is_file())
    {
        Some(path) => files::read_json(&path, ErrorKind::InvalidModel)?,
        None => Json::Null,
    };
    let mut sampling = defaults::read(&config);
    // A model that is meant to be greedy is not where an option wants it to sample.
    if sampling.top_k == Some(1) && (options.temperature.is_some() || options.top_p.is_some()) {
        sampling.top_k = None;
    }
    sampling.top_k = sampling.top_k.filter(|_| options.top_k.is_none());
    sampling.top_p = sampling.top_p.filter(|_| options.top_p.is_none());
    sampling.temperature = sampling
        .temperature
        .filter(|_| options.temperature.is_none());
    sampling.repeat_penalty = sampling
        .repeat_penalty
        .filter(|_| options.repeat_penalty.is_none());
    for (name, value) in defaults::named(&sampling) {
        told.fact(name, &value, FILE);
    }
    Ok(sampling)
}

fn sources(
    template: &Option<(Template, String)>,
    tokenizer: &Option<(Arc<Tokenizer>, String)>,
    stop_ids: &BTreeSet<u32>,
    told: &mut Told,
) {
    if let Some((_, source)) = template {
        told.fact("template", source, source);
    }
    if let Some((_, source)) = tokenizer {
        told.fact("tokenizer", source, source);
    }
    if !stop_ids.is_empty() {
        let ids: Vec<String> = stop_ids.iter().map(u32::to_string).collect();
        let source = "the model's configuration files and chat template";
        told.fact("stop_ids", &ids.join(", "), source);
    }
}

/// Says which files are missing, and from where they can be had.
fn without_template(found: &find::Found, told: &Told) -> String {
    let weights = found.weights.display();
    if found.format == WeightsFormat::Gguf {
        return format!(
            "{weights} has no chat template inside, and none beside it; give its source with the option \
             chat_template, or continue plain text with complete"
        );
    }
    let wanted = "tokenizer.json tokenizer_config.json generation_config.json";
    let folder = found.weights.parent().unwrap_or(&found.weights).display();
    let from = match told.base_models.first() {
        Some(id) => format!(" (hf download {id} {wanted} --local-dir {folder})"),
        None => String::new(),
    };
    let why = match &told.families {
        Some(why) => why,
        None => "no name tells a family that rkchat knows",
    };
    format!(
        "no chat template is known for {weights}: nothing beside it has one, and {why}. Put the files {} of the model \
         that it was made from beside it{from}; or give the option chat_template; or continue plain text with complete",
        wanted.replace(' ', ", ")
    )
}

fn find_template(
    folder: Option<&Path>,
    gguf: Option<&GgufInfo>,
    options: &ModelOptions,
) -> Result<Option<(Template, String)>> {
    if let Some(source) = &options.chat_template {
        let template = Template::from_source(source, special(folder, gguf)?)?;
        return Ok(Some((template, "option".to_owned())));
    }
    if let Some(folder) = folder {
        if let Some((template, file)) = template::in_folder(folder)? {
            return Ok(Some((template, file.to_string_lossy().into_owned())));
        }
    }
    match gguf.and_then(|gguf| gguf.chat_template.as_ref()) {
        Some(source) => {
            let template = Template::from_source(source, special(folder, gguf)?)?;
            Ok(Some((template, "gguf".to_owned())))
        }
        None => Ok(None),
    }
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

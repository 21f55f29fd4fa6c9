//! What came with a model: template, tokenizer, and what ends an answer.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::configs::{Config, Configs};
use super::gather::{Told, ToldFamily};
use super::gguf::GgufInfo;
use super::{Control, Located, ModelFiles, WeightsFormat, control, name, stops, tokens};
use crate::surface::{ErrorKind, ModelOptions, Result, WarningKind};
use crate::template::{self, SpecialTokens, Template, Templates};
use crate::tokenizer::{self, Tokenizer};

impl Located {
    /// The tokenizer, before the rest is read.
    pub fn tokenizer(&mut self, options: &ModelOptions) -> Result<Option<Arc<Tokenizer>>> {
        if self.tokenizer.is_none() {
            self.tokenizer = find_tokenizer(&self.configs, options)?;
        }
        Ok(self.tokenizer.as_ref().map(|(read, _)| read.clone()))
    }

    /// Reads what came with the model. A large tokenizer takes a second, which is better spent while
    /// the runtime loads.
    pub fn read(self, options: &ModelOptions) -> Result<ModelFiles> {
        let (configs, gguf) = (&self.configs, self.gguf.as_ref());
        let mut told = self.told;
        let mut template = find_template(configs, gguf, options)?;
        let mut ends = Vec::new();
        if template.is_none() && self.format == WeightsFormat::Rkllm {
            template = of_family(configs, &mut told)?;
            ends = stop_texts(template.as_ref(), &told);
        }
        let tokenizer = match self.tokenizer {
            Some(read) => Some(read),
            None => find_tokenizer(configs, options)?,
        };
        let own = tokenizer.as_ref().map(|(tokenizer, _)| tokenizer.as_ref());
        let config = configs.get(Config::Model, ErrorKind::InvalidModel)?;
        tokens::check(own, config, &mut told, options)?;
        let stop_ids = stops::find(&stops::Sources {
            configs,
            template: template.as_ref().map(|(template, _)| template),
            tokenizer: own,
            gguf,
            ends: &ends,
        })?;
        let (control, stop_texts) = match own {
            Some(_) => (Control::default(), Vec::new()),
            None => {
                let stop_texts = stop_texts(template.as_ref(), &told);
                let family = told.family.as_ref().map(|told| told.family);
                (
                    control::find(configs, gguf, family, &stop_texts)?,
                    stop_texts,
                )
            }
        };
        sources(&template, &tokenizer, &stop_ids, &mut told);
        Ok(ModelFiles {
            weights: self.weights,
            template,
            tokenizer,
            control,
            stop_ids,
            stop_texts,
            without_template: self.without_template,
            facts: told.facts,
            warnings: told.warnings,
        })
    }
}

fn find_template(
    configs: &Configs,
    gguf: Option<&GgufInfo>,
    options: &ModelOptions,
) -> Result<Option<(Templates, String)>> {
    if let Some(source) = &options.chat_template {
        let template = Template::from_source(source, special(configs, gguf)?)?;
        return Ok(Some((template.into(), "option".to_owned())));
    }
    if let Some((template, file)) = template::in_folder(configs)? {
        return Ok(Some((template, file.to_string_lossy().into_owned())));
    }
    let Some(gguf) = gguf else {
        return Ok(None);
    };
    let templates = template::in_gguf(gguf, &special(configs, Some(gguf))?)?;
    Ok(templates.map(|templates| (templates, "gguf".to_owned())))
}

/// Special tokens by the GGUF's metadata; the folder's files win.
fn special(configs: &Configs, gguf: Option<&GgufInfo>) -> Result<SpecialTokens> {
    let mut special = gguf.map(|gguf| gguf.special.clone()).unwrap_or_default();
    for (name, text) in template::special_in_folder(configs)?.iter() {
        special.set(name, text);
    }
    Ok(special)
}

fn find_tokenizer(
    configs: &Configs,
    options: &ModelOptions,
) -> Result<Option<(Arc<Tokenizer>, String)>> {
    let own = configs.folder().map(|folder| folder.join(tokenizer::FILE));
    let (tokenizer, file) = match (&options.tokenizer, own) {
        (Some(path), _) => Tokenizer::open_file(path)?,
        (None, Some(own)) if own.is_file() => (Tokenizer::read(&own, configs)?, own),
        (None, _) => return Ok(None),
    };
    Ok(Some((
        Arc::new(tokenizer),
        file.to_string_lossy().into_owned(),
    )))
}

/// rkchat's own template for the model's family.
pub(super) fn of_family(configs: &Configs, told: &mut Told) -> Result<Option<(Templates, String)>> {
    let Some(ToldFamily { family, source, .. }) = told.family.clone() else {
        return Ok(None);
    };
    let template = family.template(&special(configs, None)?)?;
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
        template.into(),
        format!("rkchat's own for {}", family.name),
    )))
}

fn stop_texts(template: Option<&(Templates, String)>, told: &Told) -> Vec<String> {
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

fn sources(
    template: &Option<(Templates, String)>,
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

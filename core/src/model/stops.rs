//! The tokens that end an answer.

use std::collections::BTreeSet;

use super::configs::{Config, Configs};
use super::gguf::GgufInfo;
use crate::surface::{ErrorKind, Json, Result};
use crate::template::{self, Templates};
use crate::tokenizer::Tokenizer;

/// Where stop ids are looked for.
pub(super) struct Sources<'a> {
    pub configs: &'a Configs,
    pub template: Option<&'a Templates>,
    pub tokenizer: Option<&'a Tokenizer>,
    pub gguf: Option<&'a GgufInfo>,
    /// Texts that end an answer of the family, where its template is rkchat's.
    pub ends: &'a [String],
}

/// All ids that the model's files declare, and the control token that its template writes after an
/// assistant message: Gemma's files may declare only `<eos>` while its turns end in `<end_of_turn>`.
pub(super) fn find(sources: &Sources) -> Result<BTreeSet<u32>> {
    let mut ids = BTreeSet::new();
    let mut begin = BTreeSet::new();
    let read = |config| sources.configs.get(config, ErrorKind::InvalidModel);
    for config in [Config::Generation, Config::Model] {
        let (ends, begins) = declared(read(config)?);
        ids.extend(ends);
        begin.extend(begins);
    }
    let config = read(Config::Tokenizer)?;
    let id = |name: &str| {
        sources
            .tokenizer?
            .token_to_id(template::token_text(&config[name])?)
    };
    ids.extend(id("eos_token"));
    begin.extend(id("bos_token"));
    if let Some(gguf) = sources.gguf {
        ids.extend(&gguf.end_ids);
        begin.extend(gguf.bos_id);
    }
    if let Some(tokenizer) = sources.tokenizer {
        let ends = sources.ends.iter();
        ids.extend(ends.filter_map(|text| tokenizer.token_to_id(text)));
    }
    let special = special_tokens(sources);
    ids.extend(end_of_turn(sources.template, special).filter(|id| !begin.contains(id)));
    Ok(ids)
}

/// The ids that a configuration says end a text, and those that begin one. Models with pictures keep those
/// of their text side apart.
pub(super) fn declared(config: &Json) -> (Vec<u32>, Vec<u32>) {
    let both = [config, &config["text_config"]];
    let all = |name: &str| both.iter().flat_map(|one| token_ids(&one[name])).collect();
    (all("eos_token_id"), all("bos_token_id"))
}

/// An id, or a list of ids.
fn token_ids(json: &Json) -> Vec<u32> {
    let id = |json: &Json| json.as_u64()?.try_into().ok();
    match json {
        Json::Array(ids) => ids.iter().filter_map(id).collect(),
        other => id(other).into_iter().collect(),
    }
}

/// The tokenizer's special tokens, or the GGUF's where there is no tokenizer.
fn special_tokens<'a>(sources: &Sources<'a>) -> &'a [(String, u32)] {
    match (sources.tokenizer, sources.gguf) {
        (Some(tokenizer), _) => tokenizer.special_tokens(),
        (None, Some(gguf)) => &gguf.control,
        (None, None) => &[],
    }
}

/// The special token right after an assistant message, unless it is one that opens a turn.
fn end_of_turn(template: Option<&Templates>, special: &[(String, u32)]) -> Option<u32> {
    let turns = template?.turns()?;
    let id = first_special(&turns.after_assistant, special)?;
    let prompts = special
        .iter()
        .any(|(text, other)| *other == id && turns.generation_prompt.contains(text.as_str()));
    let opens = turns
        .openings
        .iter()
        .any(|opening| last_special(opening, special) == Some(id));
    (!prompts && !opens).then_some(id)
}

/// The longest special token at the start, white space aside.
fn first_special(text: &str, special: &[(String, u32)]) -> Option<u32> {
    let text = text.trim_start();
    special
        .iter()
        .filter(|(token, _)| !token.is_empty() && text.starts_with(token.as_str()))
        .max_by_key(|(token, _)| token.len())
        .map(|(_, id)| *id)
}

/// The special token that ends last. What opens a turn is near the end of what is written before an answer,
/// and a model has many tokens.
fn last_special(text: &str, special: &[(String, u32)]) -> Option<u32> {
    const NEAR: usize = 4 << 10;
    let start = text.len().saturating_sub(NEAR);
    let text = (start..).find_map(|start| text.get(start..))?;
    special
        .iter()
        .filter(|(token, _)| !token.is_empty())
        .filter_map(|(token, id)| {
            Some((text.rfind(token.as_str())? + token.len(), token.len(), *id))
        })
        .max()
        .map(|(_, _, id)| id)
}

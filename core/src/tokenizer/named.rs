//! The special tokens that `tokenizer_config.json` names, put into the tokenizer as transformers does.

use std::collections::HashMap;

use serde_json::json;
use tokenizers::AddedToken;

use super::class::Class;
use crate::surface::Json;
use crate::template::token_text;

/// What a special token may be called.
const NAMES: [&str; 7] = [
    "bos_token",
    "eos_token",
    "unk_token",
    "sep_token",
    "pad_token",
    "cls_token",
    "mask_token",
];

/// Special tokens by name; `None` for those of the lists that have none.
pub(super) type Named = Vec<(Option<String>, AddedToken)>;

/// Adds what the configuration declares, and gives the special tokens by name. What goes around a text
/// is left as the file has it: `add_bos_token` and `add_eos_token` mean nothing to transformers beside a
/// `tokenizer.json`.
pub(super) fn add(
    inner: &mut tokenizers::Tokenizer,
    config: &Json,
    class: Option<Class>,
) -> tokenizers::Result<Named> {
    let mut wanted = declared(config);
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, token) in wanted.iter().enumerate() {
        // A spelling that is there twice is the first one's.
        places.entry(token.content.clone()).or_insert(place);
    }
    let of_file = inner.get_added_vocabulary();
    // Where the configuration declares tokens, those of the file do not count.
    let known = |text: &str| match wanted.is_empty() {
        true => {
            let id = of_file.get_vocab().get(text)?;
            of_file.get_added_tokens_decoder().get(id)
        }
        false => places.get(text).map(|place| &wanted[*place]),
    };
    let named = named(config, class, |text| known(text).cloned());
    for (_, token) in &named {
        match places.get(&token.content) {
            Some(place) => wanted[*place] = token.clone(),
            None => {
                places.insert(token.content.clone(), wanted.len());
                wanted.push(token.clone());
            }
        }
    }
    let added = inner.get_added_vocabulary();
    wanted.retain(|token| {
        let id = added.get_vocab().get(&token.content);
        id.and_then(|id| added.get_added_tokens_decoder().get(id)) != Some(token)
    });
    if !wanted.is_empty() {
        inner.add_tokens(wanted)?;
    }
    Ok(named)
}

/// `added_tokens_decoder`, by id.
fn declared(config: &Json) -> Vec<AddedToken> {
    let Some(tokens) = config["added_tokens_decoder"].as_object() else {
        return Vec::new();
    };
    let mut tokens: Vec<(u32, AddedToken)> = tokens
        .iter()
        .filter_map(|(id, token)| Some((id.parse().ok()?, flags(token)?)))
        .collect();
    tokens.sort_by_key(|(id, _)| *id);
    tokens.into_iter().map(|(_, token)| token).collect()
}

/// A token that is written as an object.
fn flags(json: &Json) -> Option<AddedToken> {
    let flag = |name: &str| json[name].as_bool();
    let special = flag("special").unwrap_or(false);
    let mut token = AddedToken::from(json["content"].as_str()?, special)
        .lstrip(flag("lstrip").unwrap_or(false))
        .rstrip(flag("rstrip").unwrap_or(false))
        .single_word(flag("single_word").unwrap_or(false));
    token.normalized = flag("normalized").unwrap_or(!special);
    Some(token)
}

/// What the configuration names; `known` finds the token of a spelling.
fn named(config: &Json, class: Option<Class>, known: impl Fn(&str) -> Option<AddedToken>) -> Named {
    let token = |value: &Json| {
        let text = token_text(value)?;
        let token = known(text).or_else(|| flags(value));
        let token = token.unwrap_or_else(|| AddedToken::from(text, true));
        Some(token.special(true))
    };
    let mut named = Named::new();
    for name in NAMES {
        let value = match config.get(name) {
            Some(value) => token(value),
            None => {
                let defaults = class.map_or(&[][..], Class::special_tokens);
                let default = defaults.iter().find(|(known, _)| *known == name);
                default.and_then(|(_, text)| token(&json!(text)))
            }
        };
        named.extend(value.map(|value| (Some(name.to_owned()), value)));
    }
    let own = config.as_object().into_iter().flatten();
    let own = own.filter(|(name, _)| name.ends_with("_token") && !NAMES.contains(&name.as_str()));
    named.extend(own.filter_map(|(name, value)| Some((Some(name.clone()), token(value)?))));
    for list in ["extra_special_tokens", "additional_special_tokens"] {
        match &config[list] {
            Json::Object(tokens) => named.extend(
                tokens
                    .iter()
                    .filter_map(|(name, value)| Some((Some(name.clone()), token(value)?))),
            ),
            Json::Array(tokens) => {
                named.extend(
                    tokens
                        .iter()
                        .filter_map(|value| Some((None, token(value)?))),
                );
            }
            _ => {}
        }
    }
    named
}

//! Control tokens by their spelling, for models whose tokenizer is not at hand.

use super::configs::{Config, Configs};
use super::gguf::GgufInfo;
use crate::surface::{ErrorKind, Json, Result};
use crate::template::{self, token_text};

/// How an added token is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Spelling {
    /// The text.
    pub text: String,
    /// The id, where it is known.
    pub id: Option<u32>,
    /// It is a control token wherever it stands. Others are only if the template writes them.
    pub special: bool,
}

/// Added tokens by the GGUF's metadata and the configuration files of the folder.
pub(super) fn find(configs: &Configs, gguf: Option<&GgufInfo>) -> Result<Vec<Spelling>> {
    let mut found = Vec::new();
    let of_gguf = |tokens: &[(String, u32)], special: bool| {
        let spelling = |(text, id): &(String, u32)| Spelling {
            text: text.clone(),
            id: Some(*id),
            special,
        };
        tokens.iter().map(spelling).collect::<Vec<_>>()
    };
    if let Some(gguf) = gguf {
        found.extend(of_gguf(&gguf.control, true));
        found.extend(of_gguf(&gguf.user_defined, false));
    }
    found.extend(in_folder(configs)?);
    Ok(found)
}

fn in_folder(configs: &Configs) -> Result<Vec<Spelling>> {
    let spelling = |text: &str, special| Spelling {
        text: text.to_owned(),
        id: None,
        special,
    };
    let named = template::special_in_folder(configs)?;
    let mut found: Vec<Spelling> = named.iter().map(|(_, text)| spelling(text, true)).collect();
    let config = configs.get(Config::Tokenizer, ErrorKind::Tokenizer)?;
    let added = config["added_tokens_decoder"].as_object();
    found.extend(added.into_iter().flatten().filter_map(|(_, token)| {
        let special = token["special"].as_bool().unwrap_or(false);
        Some(spelling(token_text(token)?, special))
    }));
    let further = config["additional_special_tokens"].as_array();
    let further = further.into_iter().flatten().filter_map(Json::as_str);
    found.extend(further.map(|text| spelling(text, true)));
    Ok(found)
}

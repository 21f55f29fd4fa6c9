//! Control tokens by their spelling, for models whose tokenizer is not at hand.

use std::collections::HashMap;

use super::configs::{Config, Configs};
use super::families::{self, Family};
use super::gguf::GgufInfo;
use crate::surface::{ErrorKind, Result};
use crate::template::{self, token_text};
use crate::tokenizer::ControlTokens;

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

/// What is known of a model's control tokens.
#[derive(Debug, Clone, Default)]
pub struct Control {
    /// Its added tokens, each text once.
    pub tokens: Vec<Spelling>,
    /// Control tokens with a number in them, for which `#` stands.
    pub numbered: Vec<&'static str>,
    /// What the runtime's tokenizer may take for a control token though no file says so.
    pub doubtful: Vec<String>,
    /// The model's files tell them all.
    pub told: bool,
    /// Nothing tells of them, so what looks like a token is taken for one.
    pub guessed: bool,
    /// Which of the tokens that are not special are control tokens all the same.
    pub(crate) chosen: ControlTokens,
}

/// Added tokens by the GGUF's metadata and the configuration files of the folder. Where there is no such
/// metadata, those of the family and the texts that end its answers; where no family is known either,
/// those of all.
pub(super) fn find(
    configs: &Configs,
    gguf: Option<&GgufInfo>,
    family: Option<&Family>,
    stop_texts: &[String],
) -> Result<Control> {
    let mut found = Found::default();
    if let Some(gguf) = gguf {
        for (tokens, special) in [(&gguf.control, true), (&gguf.user_defined, false)] {
            for (text, id) in tokens {
                found.add(text, Some(*id), special);
            }
        }
        found.control.doubtful = families::control_of_all().map(str::to_owned).collect();
    }
    let told = in_folder(configs, &mut found)? || gguf.is_some();
    if gguf.is_none() {
        for text in stop_texts {
            found.add(text, None, true);
        }
        match family {
            Some(family) => found.add_all(family.control.iter().copied()),
            None if told => {}
            None => found.add_all(families::control_of_all()),
        }
        found.control.guessed = family.is_none() && !told;
    }
    found.control.told = told;
    Ok(found.control)
}

/// What was found so far.
#[derive(Default)]
struct Found {
    control: Control,
    /// Where in the list a text is.
    places: HashMap<String, usize>,
}

impl Found {
    /// Adds a token. What several files tell of one is put together.
    fn add(&mut self, text: &str, id: Option<u32>, special: bool) {
        let tokens = &mut self.control.tokens;
        match self.places.get(text) {
            Some(place) => {
                let known = &mut tokens[*place];
                known.id = known.id.or(id);
                known.special |= special;
            }
            None => {
                self.places.insert(text.to_owned(), tokens.len());
                tokens.push(Spelling {
                    text: text.to_owned(),
                    id,
                    special,
                });
            }
        }
    }

    fn add_all(&mut self, texts: impl Iterator<Item = &'static str>) {
        for text in texts {
            match text.contains('#') {
                true => self.control.numbered.push(text),
                false => self.add(text, None, true),
            }
        }
    }
}

/// Adds the tokens of a folder's files, and says whether those are all that there are.
fn in_folder(configs: &Configs, found: &mut Found) -> Result<bool> {
    for (_, text) in template::special_in_folder(configs)?.iter() {
        found.add(text, None, true);
    }
    let config = configs.get(Config::Tokenizer, ErrorKind::Tokenizer)?;
    let added = config["added_tokens_decoder"].as_object();
    for token in added.into_iter().flat_map(|added| added.values()) {
        if let Some(text) = token_text(token) {
            found.add(text, None, token["special"].as_bool().unwrap_or(false));
        }
    }
    for list in ["additional_special_tokens", "extra_special_tokens"] {
        let further = config[list].as_array();
        for text in further.into_iter().flatten().filter_map(token_text) {
            found.add(text, None, true);
        }
    }
    found.control.chosen = ControlTokens::from_config(config)?;
    Ok(added.is_some_and(|added| !added.is_empty()))
}

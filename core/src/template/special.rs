//! The special tokens that a template sees as variables.

use std::collections::HashMap;
use std::sync::Arc;

use crate::surface::{Error, ErrorKind, Json, Result, TemplateOptions};

/// Texts of special tokens by name (`bos_token`, `eos_token` ...), in the order they were given. A clone
/// shares them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SpecialTokens(Arc<Texts>);

#[derive(Debug, Clone, Default, PartialEq)]
struct Texts {
    texts: Vec<(String, String)>,
    /// Where each name is: files of strangers name as many as they like.
    places: HashMap<String, usize>,
}

impl SpecialTokens {
    /// Sets a token; one that was set before is replaced.
    pub fn set(&mut self, name: &str, text: &str) {
        let Texts { texts, places } = Arc::make_mut(&mut self.0);
        match places.get(name) {
            Some(place) => texts[*place].1 = text.to_owned(),
            None => {
                places.insert(name.to_owned(), texts.len());
                texts.push((name.to_owned(), text.to_owned()));
            }
        }
    }

    /// The text of one of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        let place = self.0.places.get(name)?;
        Some(&self.0.texts[*place].1)
    }

    /// Names and texts.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let texts = self.0.texts.iter();
        texts.map(|(name, text)| (name.as_str(), text.as_str()))
    }

    pub(super) fn from_options(options: &TemplateOptions) -> Result<Self> {
        let mut special = Self::default();
        for (name, text) in [
            ("bos_token", &options.bos_token),
            ("eos_token", &options.eos_token),
        ] {
            if let Some(text) = text {
                special.set(name, text);
            }
        }
        let Some(further) = &options.special_tokens else {
            return Ok(special);
        };
        let invalid = |what: String| Error::new(ErrorKind::InvalidArgument, what);
        let further = further
            .as_object()
            .ok_or_else(|| invalid("special_tokens must be a JSON object of strings".into()))?;
        for (name, text) in further {
            let text = text.as_str().ok_or_else(|| {
                invalid(format!(
                    "special_tokens: the value of {name:?} must be a string"
                ))
            })?;
            special.set(name, text);
        }
        Ok(special)
    }

    /// Adds those in the contents of a `tokenizer_config.json` or `special_tokens_map.json`: each
    /// `*_token` that is a string or an object with `content`, and `extra_special_tokens`.
    pub(crate) fn add(&mut self, config: &Json) {
        let named = config.as_object().into_iter().flatten();
        let extra = config.get("extra_special_tokens").and_then(Json::as_object);
        for (name, value) in named
            .filter(|(name, _)| name.ends_with("_token"))
            .chain(extra.into_iter().flatten())
        {
            if let Some(text) = token_text(value) {
                self.set(name, text);
            }
        }
    }
}

/// Configurations write a token as its text, or as an object with the text in `content`.
pub(crate) fn token_text(value: &Json) -> Option<&str> {
    value.as_str().or_else(|| value.get("content")?.as_str())
}

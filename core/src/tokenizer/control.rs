//! Which added tokens are control tokens, as transformers tells them.

use std::collections::HashSet;

use crate::surface::{Error, ErrorKind, Json, Result};

/// The choice that `tokenizer_config.json` makes, for models whose template puts its tokens together.
#[derive(Debug, Default, Clone)]
pub(crate) struct ControlTokens(Option<HashSet<String>>);

impl ControlTokens {
    /// Reads `chat_control_tokens`.
    pub fn from_config(config: &Json) -> Result<Self> {
        let texts = match &config["chat_control_tokens"] {
            Json::Null => return Ok(Self::default()),
            Json::Array(texts) => texts.iter().map(Json::as_str).collect::<Option<Vec<_>>>(),
            _ => None,
        };
        let texts = texts.ok_or_else(|| {
            Error::new(
                ErrorKind::Tokenizer,
                "chat_control_tokens in tokenizer_config.json must be a list of strings",
            )
        })?;
        Ok(Self(Some(texts.into_iter().map(str::to_owned).collect())))
    }

    /// Special tokens are, and of the others those that the configuration names, or where it names none
    /// those that stand in the template's own text, unless they are white space.
    pub fn has(&self, text: &str, special: bool, literals: &[String]) -> bool {
        if special {
            return true;
        }
        match &self.0 {
            Some(named) => named.contains(text),
            None => {
                !text.chars().all(char::is_whitespace)
                    && literals.iter().any(|literal| literal.contains(text))
            }
        }
    }
}

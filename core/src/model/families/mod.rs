//! Families of models that Rockchip's toolkit converts, for models that come without the files that say how
//! to talk to them. The templates beside this file are rkchat's own; a test compares them with the real
//! ones.

mod control;
mod recognise;
mod table;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::surface::Result;
use crate::template::{SpecialTokens, Template};

pub(super) use recognise::{by_name, by_tokens, by_type};
pub(super) use table::FAMILIES;

/// Models that are talked to in the same way.
pub(super) struct Family {
    /// Its short name.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its chat template.
    template: &'static str,
    /// The tokens that begin and end a text, where its template or its files name them.
    pub bos: Option<&'static str>,
    pub eos: &'static str,
    /// Texts that end an answer, besides `eos`.
    pub ends: &'static [&'static str],
    /// Whether its template gives what the real one gives. Where it is false there is no official one.
    pub verified: bool,
    /// `model_type` in `config.json`.
    pub types: &'static [&'static str],
    /// Tokens that its tokenizer has, and that not every other has.
    pub marks: &'static [&'static str],
    /// What its tokenizer or its format reads as structure; `#` stands for a number.
    pub control: &'static [&'static str],
    /// Whose models these are: families of one tokenizer.
    pub house: &'static str,
}

/// Before each template: nothing of what these leave out is dropped in silence.
const NO_TOOLS: &str = "{%- if tools %}{{- raise_exception('the template is rkchat\\'s own for this family of models, \
                        and has no tools; put the model\\'s tokenizer_config.json into its folder') }}{% endif %}";

impl Family {
    /// Its template, with the special tokens that the model's own files name instead of the usual ones.
    pub fn template(&self, named: &SpecialTokens) -> Result<Template> {
        let mut special = SpecialTokens::default();
        for (name, text) in [("bos_token", self.bos), ("eos_token", Some(self.eos))] {
            if let Some(text) = text {
                special.set(name, text);
            }
        }
        for (name, text) in named.iter() {
            special.set(name, text);
        }
        Template::from_source(&format!("{NO_TOOLS}{}", self.template), special)
    }

    /// All texts that end an answer.
    pub fn end_texts(&self) -> Vec<String> {
        let texts = std::iter::once(&self.eos).chain(self.ends);
        texts.map(|text| (*text).to_owned()).collect()
    }
}

/// What is structure in any family or known format. Words that only one format takes for structure are
/// not among it: they stand in ordinary text.
pub(super) fn control_of_all() -> impl Iterator<Item = &'static str> {
    let lists = FAMILIES.iter().map(|family| family.control);
    let all = lists.chain([control::OTHERS]).flatten().copied();
    all.filter(|text| !text.starts_with('\n'))
}

impl fmt::Debug for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id)
    }
}

impl PartialEq for Family {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

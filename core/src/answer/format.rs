//! How a model writes its answers.

use super::calls::Ids;
use super::kinds::{self, Kind};
use super::thinking::{self, Delimiters};
use crate::surface::{Error, ErrorKind, Result};

/// The delimiters of a model's reasoning and the format of its tool calls.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Format {
    pub(super) reasoning: Vec<Delimiters>,
    /// Delimiters that are no part of any text.
    pub(super) silent: Vec<&'static str>,
    pub(super) kind: &'static Kind,
    pub(super) ids: Ids,
}

impl Format {
    /// Told from the source of the template that rendered the prompt.
    pub fn of_template(source: &str) -> Self {
        let found: Vec<_> = thinking::KNOWN
            .iter()
            .filter(|known| known.is_in(source))
            .collect();
        // Mistral's templates refuse the ids of others, each in its own words.
        let nine = source.contains("length 9") || source.contains("length >= 9");
        Self {
            reasoning: found.iter().map(|known| known.delimiters()).collect(),
            silent: found
                .iter()
                .flat_map(|known| known.silent)
                .copied()
                .collect(),
            kind: kinds::of_template(source),
            ids: if nine { Ids::Nine } else { Ids::Prefixed },
        }
    }

    /// Takes another format for tool calls, by its name.
    pub fn with_tools(mut self, name: &str) -> Result<Self> {
        self.kind = kinds::named(name).ok_or_else(|| {
            let names: Vec<&str> = kinds::names().collect();
            Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "no format of tool calls is called {name:?}; there are {}",
                    names.join(", ")
                ),
            )
        })?;
        Ok(self)
    }

    /// The name of the format of tool calls.
    pub fn tools(&self) -> &'static str {
        self.kind.name
    }

    /// Texts that must reach the reader where a tokenizer has them as special tokens.
    pub fn markers(&self) -> impl Iterator<Item = &str> {
        let reasoning = self.reasoning.iter();
        let reasoning = reasoning.flat_map(|pair| [pair.open.as_str(), pair.close.as_str()]);
        let calls = self.kind.sections.iter().flat_map(|section| {
            let inside = section.grammar.delimiters();
            inside.into_iter().chain([section.open])
        });
        let silent = self.silent.iter().chain(self.kind.silent).copied();
        let all = reasoning.chain(silent).chain(calls);
        let mut markers: Vec<&str> = all.flat_map(tokens_in).collect();
        markers.sort_unstable();
        markers.dedup();
        markers.into_iter()
    }

    /// Whether the prompt has left reasoning open: what the template wrote last, white space aside, opens
    /// it.
    pub fn opened_by(&self, prompt: &str) -> bool {
        let end = prompt.trim_end();
        self.reasoning.iter().any(|pair| end.ends_with(&pair.open))
    }

    /// Text that, put behind the prompt, makes the model call a function: the one named, or any. `None`
    /// where the format has no such beginning. The reader must be given the same text first.
    pub fn forced(&self, function: Option<&str>) -> Option<String> {
        let (before, after) = self.kind.forced?;
        let Some(name) = function else {
            return (!before.is_empty()).then(|| before.to_owned());
        };
        let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        name.chars()
            .all(plain)
            .then(|| format!("{before}{name}{after}"))
    }
}

/// The parts of a delimiter that a tokenizer may have as one token each.
fn tokens_in(delimiter: &str) -> impl Iterator<Item = &str> {
    let mut rest = delimiter;
    std::iter::from_fn(move || {
        loop {
            rest = &rest[rest.find(['<', '[', '◁', '｜'])?..];
            let open = rest.chars().next()?;
            let close = match open {
                '<' => '>',
                '[' => ']',
                '◁' => '▷',
                other => other,
            };
            let inside = &rest[open.len_utf8()..];
            let Some(length) = inside.find(close) else {
                rest = inside;
                continue;
            };
            let (token, after) = rest.split_at(open.len_utf8() + length + close.len_utf8());
            rest = after;
            return Some(token);
        }
    })
}

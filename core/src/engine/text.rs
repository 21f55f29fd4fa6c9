//! From tokens to whole characters.

use super::compare::Comparison;
use crate::surface::{Error, ErrorKind, Result};
use crate::tokenizer::StreamDecoder;
use crate::vendor::Vocabulary;

/// Joins bytes to whole characters; what cannot become one turns into U+FFFD.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    held: Vec<u8>,
}

impl Joiner {
    /// The text that became certain.
    pub fn push(&mut self, bytes: &[u8]) -> String {
        self.held.extend_from_slice(bytes);
        let mut text = String::new();
        let mut start = 0;
        for chunk in self.held.utf8_chunks() {
            text.push_str(chunk.valid());
            start += chunk.valid().len();
            let invalid = chunk.invalid();
            if start + invalid.len() == self.held.len() && may_go_on(invalid) {
                break;
            }
            if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
                start += invalid.len();
            }
        }
        self.held.drain(..start);
        text
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> String {
        let text = String::from_utf8_lossy(&self.held).into_owned();
        self.held.clear();
        text
    }
}

/// Whether these bytes are the beginning of a character.
fn may_go_on(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// The way from one answer's tokens to its text.
pub(super) enum Decoder<'a> {
    /// Our tokenizer decodes the ids; what the runtime says is only compared.
    Tokenizer {
        decoder: Box<StreamDecoder>,
        comparison: Box<Comparison>,
    },
    /// The runtime's tokenizer gives the bytes of each id.
    Vocabulary {
        vocabulary: &'a dyn Vocabulary,
        joiner: Joiner,
    },
    /// Only the runtime's text is known.
    RuntimeText(Joiner),
}

impl Decoder<'_> {
    /// The text that a token makes certain; `said` is the runtime's text of it.
    pub fn push(&mut self, id: Option<u32>, said: &[u8]) -> Result<String> {
        match (self, id) {
            (
                Self::Tokenizer {
                    decoder,
                    comparison,
                },
                Some(id),
            ) => {
                comparison.add(id, said);
                decoder.push(id)
            }
            (Self::Vocabulary { vocabulary, joiner }, Some(id)) => {
                let bytes = vocabulary.detokenize(&[id], true);
                let bytes = bytes.map_err(|message| Error::new(ErrorKind::Tokenizer, message))?;
                Ok(joiner.push(&bytes))
            }
            (Self::RuntimeText(joiner), _) => Ok(joiner.push(said)),
            // A callback without a token brings no text of its own where ids are decoded.
            (_, None) => Ok(String::new()),
        }
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> Result<String> {
        match self {
            Self::Tokenizer { decoder, .. } => decoder.finish(),
            Self::Vocabulary { joiner, .. } | Self::RuntimeText(joiner) => Ok(joiner.finish()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_joined_however_they_are_cut() {
        let text = "añ€🎉 👩‍👩‍👧 日本";
        for size in 1..6 {
            let mut joiner = Joiner::default();
            let parts: Vec<String> = text
                .as_bytes()
                .chunks(size)
                .map(|part| joiner.push(part))
                .collect();
            assert_eq!(parts.concat() + &joiner.finish(), text);
        }
    }

    #[test]
    fn what_cannot_become_a_character_is_replaced_at_once() {
        let mut joiner = Joiner::default();
        assert_eq!(joiner.push(b"a\xffb"), "a\u{fffd}b");
        assert_eq!(joiner.push(b"\xf0\x9f"), "");
        assert_eq!(joiner.push(b"c"), "\u{fffd}c");
        assert_eq!(joiner.push(b"\xe2\x82"), "");
        assert_eq!(joiner.finish(), "\u{fffd}");
        assert_eq!(joiner.finish(), "");
    }
}

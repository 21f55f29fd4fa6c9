//! From tokens to whole characters.

use std::collections::BTreeSet;

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

/// The runtime's own text. What comes while it waits for the rest of a character may be the beginning
/// that the next piece goes on from, or may come once more with that piece: no document says which.
#[derive(Debug, Default)]
pub(super) struct RuntimeText {
    joiner: Joiner,
    /// What came in the state WAITING since the last piece.
    waiting: Vec<u8>,
}

impl RuntimeText {
    /// The text that became certain.
    pub fn push(&mut self, said: &[u8], waiting: bool) -> String {
        if waiting {
            self.waiting.extend_from_slice(said);
            return String::new();
        }
        let before = std::mem::take(&mut self.waiting);
        match said.first() {
            Some(first) if !is_continuation(*first) => self.joiner.push(said),
            _ => self.joiner.push(&[&before, said].concat()),
        }
    }

    /// What is left at the end.
    pub fn finish(&mut self) -> String {
        self.push(&[], false) + &self.joiner.finish()
    }
}

/// Whether a byte belongs to a character that began before it.
fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

/// Whether these bytes are the beginning of a character.
fn may_go_on(bytes: &[u8]) -> bool {
    !bytes.is_empty() && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

/// The way from one answer's tokens to its text.
pub(super) enum Decoder<'a> {
    /// Our tokenizer decodes the ids; what the runtime says is at the most compared.
    Tokenizer {
        decoder: Box<StreamDecoder>,
        comparison: Option<Box<Comparison>>,
    },
    /// The runtime's tokenizer gives the bytes of each id.
    Vocabulary {
        vocabulary: &'a dyn Vocabulary,
        /// Control tokens that are part of the text all the same.
        markers: &'a BTreeSet<u32>,
        joiner: Joiner,
    },
    /// Only the runtime's text is known.
    RuntimeText(RuntimeText),
}

impl Decoder<'_> {
    /// The text that a token makes certain; `said` is the runtime's text of it.
    pub fn push(&mut self, id: Option<u32>, said: &[u8], waiting: bool) -> Result<String> {
        match (self, id) {
            (
                Self::Tokenizer {
                    decoder,
                    comparison,
                },
                Some(id),
            ) => {
                if let Some(comparison) = comparison {
                    comparison.add(id, said, waiting);
                }
                decoder.push(id)
            }
            (
                Self::Vocabulary {
                    vocabulary,
                    markers,
                    joiner,
                },
                Some(id),
            ) => {
                let bytes = vocabulary.detokenize(&[id], !markers.contains(&id));
                let bytes = bytes.map_err(|message| Error::new(ErrorKind::Tokenizer, message))?;
                Ok(joiner.push(&bytes))
            }
            (Self::RuntimeText(text), _) => Ok(text.push(said, waiting)),
            // A callback without a token brings no text of its own where ids are decoded.
            (_, None) => Ok(String::new()),
        }
    }

    /// What was held back, at the end.
    pub fn finish(&mut self) -> Result<String> {
        match self {
            Self::Tokenizer { decoder, .. } => decoder.finish(),
            Self::Vocabulary { joiner, .. } => Ok(joiner.finish()),
            Self::RuntimeText(text) => Ok(text.finish()),
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

    #[test]
    fn a_runtime_may_wait_with_the_beginning_or_repeat_it() {
        let said = |pieces: &[(&[u8], bool)]| {
            let mut text = RuntimeText::default();
            let mut all = String::new();
            for (piece, waiting) in pieces {
                all += &text.push(piece, *waiting);
            }
            all + &text.finish()
        };
        let (begin, rest) = (&b"\xf0\x9f"[..], &b"\x8e\x89!"[..]);
        assert_eq!(said(&[(begin, true), (rest, false)]), "🎉!");
        assert_eq!(said(&[(begin, true), ("🎉!".as_bytes(), false)]), "🎉!");
        assert_eq!(said(&[(b"", true), ("🎉!".as_bytes(), false)]), "🎉!");
        assert_eq!(
            said(&[(begin, true), (b"\x8e", true), (b"\x89", false)]),
            "🎉"
        );
        assert_eq!(said(&[(b"a", false), (begin, true)]), "a\u{fffd}");
    }
}

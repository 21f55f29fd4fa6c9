//! Tokens that stand for bytes.

use std::collections::HashMap;
use std::sync::LazyLock;

/// GPT-2's byte-level alphabet: each byte has a printable character. Bytes that are printable in
/// Latin-1 stand for themselves, the others count on from U+0100.
static BYTES: LazyLock<HashMap<char, u8>> = LazyLock::new(|| {
    let mut next = 0x100_u32;
    (0..=u8::MAX)
        .map(|byte| {
            let printable = matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
            let character = if printable {
                char::from(byte)
            } else {
                next += 1;
                char::from_u32(next - 1).unwrap_or(char::REPLACEMENT_CHARACTER)
            };
            (character, byte)
        })
        .collect()
});

/// The bytes of a byte-level token; one with characters outside the alphabet is text as it stands.
pub(super) fn of_byte_level(token: &str) -> Vec<u8> {
    let bytes: Option<Vec<u8>> = token.chars().map(|c| BYTES.get(&c).copied()).collect();
    bytes.unwrap_or_else(|| token.as_bytes().to_vec())
}

/// The byte of a SentencePiece token such as `<0x0A>`.
pub(super) fn of_fallback(token: &str) -> Option<u8> {
    let digits = token.strip_prefix("<0x")?.strip_suffix('>')?;
    if digits.len() != 2 {
        return None;
    }
    u8::from_str_radix(digits, 16).ok()
}

/// Bytes that come in pieces, as `String::from_utf8_lossy` reads them all at once.
#[derive(Debug, Default)]
pub(super) struct LossyUtf8 {
    /// The beginning of a character, at most three bytes.
    partial: Vec<u8>,
}

impl LossyUtf8 {
    /// Adds bytes and gives the text that is certain.
    pub(super) fn push(&mut self, bytes: &[u8]) -> String {
        self.partial.extend_from_slice(bytes);
        let mut text = String::new();
        let mut rest = self.partial.as_slice();
        loop {
            match std::str::from_utf8(rest) {
                Ok(valid) => {
                    text.push_str(valid);
                    rest = &[];
                    break;
                }
                Err(error) => {
                    let (valid, after) = rest.split_at(error.valid_up_to());
                    text.push_str(&String::from_utf8_lossy(valid));
                    rest = after;
                    let Some(invalid) = error.error_len() else {
                        break;
                    };
                    text.push(char::REPLACEMENT_CHARACTER);
                    rest = &rest[invalid..];
                }
            }
        }
        self.partial = rest.to_vec();
        text
    }

    /// What an unfinished character becomes.
    pub(super) fn finish(&mut self) -> String {
        String::from_utf8_lossy(&std::mem::take(&mut self.partial)).into_owned()
    }
}

//! Joins the bytes of tokens to whole UTF-8 characters.

use std::ffi::CString;

/// Holds the bytes of a character that is not complete yet.
#[derive(Default)]
pub struct Joiner {
    pending: Vec<u8>,
}

impl Joiner {
    /// Adds a token's bytes. `None` while the text ends inside a character; then the text since
    /// the last `Some`, with U+FFFD for bytes that are not UTF-8. NUL cannot be said in a C string
    /// and becomes U+FFFD too.
    pub fn push(&mut self, bytes: &[u8]) -> Option<CString> {
        self.pending.extend_from_slice(bytes);
        if ends_inside_character(&self.pending) {
            return None;
        }
        let bytes = std::mem::take(&mut self.pending);
        let text = String::from_utf8_lossy(&bytes).replace('\0', "\u{fffd}");
        Some(CString::new(text).unwrap_or_default())
    }
}

/// A token's bytes as they are, whole characters or not; only NUL becomes U+FFFD.
pub fn unjoined(bytes: &[u8]) -> CString {
    let parts: Vec<_> = bytes.split(|byte| *byte == 0).collect();
    CString::new(parts.join("\u{fffd}".as_bytes())).unwrap_or_default()
}

/// Whether the text's end is the beginning of a character and nothing else.
fn ends_inside_character(bytes: &[u8]) -> bool {
    bytes.utf8_chunks().last().is_some_and(|chunk| {
        let rest = chunk.invalid();
        // A chunk's invalid part is a cut-off character only if appending could complete it.
        !rest.is_empty() && matches!(std::str::from_utf8(rest), Err(e) if e.error_len().is_none())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(joiner: &mut Joiner, bytes: &[u8]) -> Option<String> {
        joiner.push(bytes).map(|text| text.into_string().unwrap())
    }

    #[test]
    fn holds_a_character_until_it_is_whole() {
        let mut joiner = Joiner::default();
        assert_eq!(push(&mut joiner, b"a\xF0"), None);
        assert_eq!(push(&mut joiner, b"\x9F"), None);
        assert_eq!(push(&mut joiner, b"\x98"), None);
        assert_eq!(push(&mut joiner, b"\x80b").as_deref(), Some("a\u{1F600}b"));
        assert_eq!(push(&mut joiner, b"").as_deref(), Some(""));
    }

    #[test]
    fn replaces_what_can_never_be_a_character() {
        let mut joiner = Joiner::default();
        assert_eq!(push(&mut joiner, b"\xFFx").as_deref(), Some("\u{fffd}x"));
        assert_eq!(push(&mut joiner, b"\x80").as_deref(), Some("\u{fffd}"));
        assert_eq!(push(&mut joiner, b"\xE2\x82"), None);
        assert_eq!(push(&mut joiner, b"!").as_deref(), Some("\u{fffd}!"));
        assert_eq!(push(&mut joiner, b"a\0b").as_deref(), Some("a\u{fffd}b"));
    }

    #[test]
    fn bytes_go_out_as_they_are() {
        assert_eq!(unjoined(b"a\xF0\x9F").as_bytes(), b"a\xF0\x9F");
        assert_eq!(unjoined(b"\0b").to_str(), Ok("\u{fffd}b"));
        assert_eq!(unjoined(b"").as_bytes(), b"");
    }
}

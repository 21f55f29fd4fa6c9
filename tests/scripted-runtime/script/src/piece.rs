//! The pieces of output in a script.

use rkchat_runtime_front::engine::{RawCall, State};
use serde::{Deserialize, Deserializer};
use std::ffi::CString;

/// One token of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Token id; where the script gives none, 1000 and the piece's place in the list.
    pub id: Option<i32>,
    /// Its bytes; `None` is a NULL text.
    pub bytes: Option<Vec<u8>>,
    /// The call is made in this state with the bytes as they are, right or wrong. If not given, the
    /// front joins characters and picks the state; a NULL text comes in NORMAL.
    pub state: Option<State>,
    /// Replaces `delay_ms`.
    pub delay_ms: Option<u64>,
}

impl Piece {
    /// Hands the piece as one call of the callback to `make`; `place` is that in its list.
    pub fn call<T>(&self, place: usize, make: impl FnOnce(RawCall<'_>) -> T) -> T {
        let text = self.bytes.as_ref().map(|bytes| {
            // A NUL ends what the caller sees.
            let end = bytes.iter().position(|byte| *byte == 0);
            CString::new(&bytes[..end.unwrap_or(bytes.len())]).unwrap_or_default()
        });
        make(RawCall {
            state: self.state.unwrap_or(State::Normal),
            id: self.id(place),
            text: text.as_deref(),
        })
    }

    /// The token id.
    pub fn id(&self, place: usize) -> i32 {
        self.id.unwrap_or(1000 + i32::try_from(place).unwrap_or(0))
    }
}

impl<'de> Deserialize<'de> for Piece {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let piece = match Form::deserialize(deserializer)? {
            Form::Text(text) => Fields {
                text: Some(text),
                ..Fields::default()
            },
            Form::TextId(text, id) => Fields {
                text: Some(text),
                id: Some(id),
                ..Fields::default()
            },
            Form::Fields(fields) => fields,
        };
        let bytes = match (piece.text, piece.hex, piece.null) {
            (Some(text), None, false) => Some(text.into_bytes()),
            (None, Some(hex), false) => Some(unhex(&hex).map_err(serde::de::Error::custom)?),
            (None, None, true) => None,
            _ => {
                return Err(serde::de::Error::custom(
                    "a piece has one of text, hex and null",
                ));
            }
        };
        Ok(Piece {
            id: piece.id,
            bytes,
            state: piece.state.map(Into::into),
            delay_ms: piece.delay_ms,
        })
    }
}

/// How a script writes a piece: `"text"`, `["text", id]`, or an object.
#[derive(Deserialize)]
#[serde(untagged)]
enum Form {
    Text(String),
    TextId(String, i32),
    Fields(Fields),
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Fields {
    text: Option<String>,
    hex: Option<String>,
    null: bool,
    id: Option<i32>,
    state: Option<Name>,
    delay_ms: Option<u64>,
}

/// Call states as scripts write them.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Name {
    Normal,
    Waiting,
    Finish,
    Error,
}

impl From<Name> for State {
    fn from(name: Name) -> State {
        match name {
            Name::Normal => State::Normal,
            Name::Waiting => State::Waiting,
            Name::Finish => State::Finish,
            Name::Error => State::Error,
        }
    }
}

fn unhex(hex: &str) -> Result<Vec<u8>, String> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect();
    match digits {
        Some(digits) if digits.len() % 2 == 0 => Ok(digits
            .chunks(2)
            .map(|pair| pair[0] << 4 | pair[1])
            .collect()),
        _ => Err(format!("{hex:?} is not an even number of hex digits")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<Piece>, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_every_form() {
        let pieces = parse(
            r#"["a", ["b", 7], {"hex": "f09f", "id": 8, "delay_ms": 3},
                {"null": true, "state": "waiting"}]"#,
        )
        .unwrap();
        let bytes: Vec<_> = pieces.iter().map(|piece| piece.bytes.as_deref()).collect();
        assert_eq!(
            bytes,
            [Some(&b"a"[..]), Some(b"b"), Some(b"\xF0\x9F"), None]
        );
        let ids: Vec<_> = pieces.iter().map(|piece| piece.id).collect();
        assert_eq!(ids, [None, Some(7), Some(8), None]);
        assert_eq!(pieces[2].delay_ms, Some(3));
        assert_eq!(pieces[3].state, Some(State::Waiting));
    }

    #[test]
    fn refuses_what_is_no_piece() {
        assert!(parse(r#"[{"hex": "f"}]"#).is_err());
        assert!(parse(r#"[{"text": "a", "null": true}]"#).is_err());
        assert!(parse(r#"[{"text": "a", "state": "asleep"}]"#).is_err());
    }
}

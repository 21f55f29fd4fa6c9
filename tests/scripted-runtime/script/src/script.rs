//! What a script says.

use serde::{Deserialize, Deserializer};
use std::path::{Path, PathBuf};

/// A script. Every field has a default; an unknown field is an error.
#[derive(Clone, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Script {
    /// What `rkllm_init` does.
    pub init: Init,
    /// How long `rkllm_init` takes, in milliseconds.
    pub init_ms: u64,
    /// The text of the log line when `init` fails or lies.
    pub init_error: String,
    /// Largest `max_context_len`.
    pub max_context_limit: u32,
    /// The built-in chat template; none leaves text as it is. Group 1.1.0 never applies it.
    pub template: Template,
    /// Whether the template knows `enable_thinking`.
    pub thinks: bool,
    /// Numbers in a hidden state, and in an embedding as input.
    pub hidden_size: usize,
    /// Numbers in a row of logits.
    pub vocab_size: usize,
    /// How a run ends.
    pub run: Run,
    /// Time before the first piece, in milliseconds.
    pub prefill_ms: u64,
    /// Time before each further piece, in milliseconds.
    pub delay_ms: u64,
    /// Output.
    pub pieces: Vec<Piece>,
    /// How often the pieces are played; 0 is without end.
    pub repeat: u64,
    /// How long a run goes on after `rkllm_abort`, in milliseconds.
    pub abort_ms: u64,
    /// `rkllm_abort` has no effect at all.
    pub deaf: bool,
    /// Plays on past `max_new_tokens` and past the end of the context window.
    pub unlimited: bool,
    /// Makes the callbacks on a thread that did not call `rkllm_run`.
    pub callback_thread: bool,
    /// File that gets one JSON line with what was received per `init`, `run` and `destroy`, and per
    /// call that loads, saves or releases something;
    /// relative to the script's folder.
    pub record: Option<PathBuf>,
}

impl Default for Script {
    fn default() -> Self {
        Script {
            init: Init::Ok,
            init_ms: 0,
            init_error: "invalid rknn llm model magic".into(),
            max_context_limit: 4096,
            template: Template::default(),
            thinks: false,
            hidden_size: 4,
            vocab_size: 8,
            run: Run::Ok,
            prefill_ms: 0,
            delay_ms: 0,
            pieces: Vec::new(),
            repeat: 1,
            abort_ms: 0,
            deaf: false,
            unlimited: false,
            callback_thread: false,
            record: None,
        }
    }
}

impl Script {
    /// Reads a script.
    pub fn read(path: &Path) -> Result<Script, String> {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("cannot read the script {}: {error}", path.display()))?;
        let mut script: Script = serde_json::from_str(&text)
            .map_err(|error| format!("{} is not a script: {error}", path.display()))?;
        if script.hidden_size == 0 || script.vocab_size == 0 {
            return Err("hidden_size and vocab_size must be at least 1".into());
        }
        if let (Some(record), Some(folder)) = (&script.record, path.parent()) {
            script.record = Some(folder.join(record));
        }
        Ok(script)
    }
}

/// What `rkllm_init` does.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// Succeeds.
    Ok,
    /// Logs `init_error` and returns -1.
    Fail,
    /// Returns 0 and a NULL handle.
    NullHandle,
    /// Logs `init_error`, returns 0 and a handle; each run then returns -1.
    Lie,
    /// Ends the process as a crash does.
    Crash,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Run {
    /// FINISH, then 0.
    Ok,
    /// -1 at once, without a callback.
    Fail,
    /// The pieces, then -1 without a last callback.
    FailAfter,
    /// ERROR at once, then -1.
    Error,
    /// The pieces, then ERROR, then -1.
    ErrorAfter,
    /// The pieces, then 0 without FINISH.
    NoFinish,
    /// FINISH twice, then 0.
    FinishTwice,
    /// FINISH, then -1.
    FinishAndFail,
    /// The pieces, then the end of the process.
    Crash,
}

/// A built-in chat template.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Template {
    /// Goes before the text.
    pub prefix: String,
    /// Goes after the text.
    pub postfix: String,
}

/// One token of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Token id; where the script gives none, 1000 and the piece's place in the list.
    pub id: Option<i32>,
    /// Its bytes; `None` is a NULL text in state NORMAL, which breaks the rules.
    pub bytes: Option<Vec<u8>>,
    /// The bytes go to the callback as they are, in state NORMAL, even if they are no UTF-8.
    pub raw: bool,
    /// Replaces `delay_ms`.
    pub delay_ms: Option<u64>,
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
            raw: piece.raw,
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
    raw: bool,
    delay_ms: Option<u64>,
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

    fn parse(text: &str) -> Result<Script, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn reads_every_form_of_a_piece() {
        let script = parse(
            r#"{"pieces": ["a", ["b", 7], {"hex": "f09f", "id": 8, "delay_ms": 3}, {"null": true}]}"#,
        )
        .unwrap();
        let bytes: Vec<_> = script
            .pieces
            .iter()
            .map(|piece| piece.bytes.as_deref())
            .collect();
        assert_eq!(
            bytes,
            [Some(&b"a"[..]), Some(b"b"), Some(b"\xF0\x9F"), None]
        );
        let ids: Vec<_> = script.pieces.iter().map(|piece| piece.id).collect();
        assert_eq!(ids, [None, Some(7), Some(8), None]);
        assert_eq!(script.pieces[2].delay_ms, Some(3));
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(
            parse(r#"{"piece": []}"#)
                .unwrap_err()
                .contains("unknown field")
        );
        assert!(parse(r#"{"pieces": [{"hex": "f"}]}"#).is_err());
        assert!(parse(r#"{"pieces": [{"text": "a", "null": true}]}"#).is_err());
        assert!(parse(r#"{"run": "explode"}"#).is_err());
    }
}

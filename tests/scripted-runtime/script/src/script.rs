//! What a script says.

use crate::piece::Piece;
use serde::Deserialize;
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
    /// What `rkllm_init` does while another model is open whose script has this field too.
    pub second: Second,
    /// Ends the process as a crash does where release 1.2.3 was seen to: on NULL image markers and
    /// roles, and on `n_batch` 0.
    pub strict: bool,
    /// What becomes of a `max_context_len` above `max_context_limit`; as the group has it if not
    /// given.
    pub context_limit: Option<Limit>,
    /// Where log lines go.
    pub log_to: LogTo,
    /// The built-in chat template; none leaves text as it is. Groups before 1.2.0 never apply it.
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
    /// Output of the first runs, a list for each; those after them have `pieces`.
    pub first: Vec<Vec<Piece>>,
    /// Output.
    pub pieces: Vec<Piece>,
    /// Output for each input of a run with several, played once; those beyond the list get the pieces.
    pub batch: Vec<Vec<Piece>>,
    /// How often the pieces are played; 0 is without end.
    pub repeat: u64,
    /// How long a run goes on after `rkllm_abort`, in milliseconds.
    pub abort_ms: u64,
    /// How long the call of `rkllm_abort` itself takes, in milliseconds.
    pub abort_call_ms: u64,
    /// After an aborted run, every further run returns -1 without a callback.
    pub abort_breaks: bool,
    /// How many pieces that an aborted run would have played next come at the beginning of the
    /// next run.
    pub stale: usize,
    /// `rkllm_abort` has no effect at all.
    pub deaf: bool,
    /// Plays on past `max_new_tokens` and past the end of the context window.
    pub unlimited: bool,
    /// Makes the callbacks on a thread that did not call `rkllm_run`.
    pub callback_thread: bool,
    /// Calls of the callback on a thread of their own, `late_ms` after each run.
    pub late: Vec<Piece>,
    /// See `late`, in milliseconds.
    pub late_ms: u64,
    /// File that gets one JSON line with what was received per `init`, `run` and `destroy`, and per
    /// call that loads, saves, releases or clears something; relative to the script's folder.
    pub record: Option<PathBuf>,
}

impl Default for Script {
    fn default() -> Self {
        Script {
            init: Init::Ok,
            init_ms: 0,
            init_error: "invalid rknn llm model magic".into(),
            max_context_limit: 4096,
            second: Second::Ok,
            strict: false,
            context_limit: None,
            log_to: LogTo::Stderr,
            template: Template::default(),
            thinks: false,
            hidden_size: 4,
            vocab_size: 8,
            run: Run::Ok,
            prefill_ms: 0,
            delay_ms: 0,
            first: Vec::new(),
            pieces: Vec::new(),
            batch: Vec::new(),
            repeat: 1,
            abort_ms: 0,
            abort_call_ms: 0,
            abort_breaks: false,
            stale: 0,
            deaf: false,
            unlimited: false,
            callback_thread: false,
            late: Vec::new(),
            late_ms: 20,
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

/// What `rkllm_init` does while another model is open.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Second {
    /// Opens this one as well.
    Ok,
    /// Waits until the other is destroyed.
    Block,
    /// Logs an error and returns -1.
    Fail,
    /// Ends the process as a crash does.
    Crash,
}

/// What becomes of a `max_context_len` above the model's limit.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum Limit {
    /// `rkllm_init` fails.
    Strict,
    /// The limit takes its place, with a log line.
    Clamp,
}

/// Where log lines go.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "snake_case")]
pub enum LogTo {
    /// Standard error.
    Stderr,
    /// Standard output.
    Stdout,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Script, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn refuses_what_it_does_not_know() {
        assert!(
            parse(r#"{"piece": []}"#)
                .unwrap_err()
                .contains("unknown field")
        );
        assert!(parse(r#"{"second": "maybe"}"#).is_err());
        assert!(parse(r#"{"run": "explode"}"#).is_err());
    }
}

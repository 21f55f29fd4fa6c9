//! What a run reports: owned, plain data.

/// What a run reports, in order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum RunEvent {
    /// A token of the answer to one of the run's inputs. With neither an id nor a text: that answer is
    /// over, which is told again with every further token of the others.
    Token(Token),
    /// The last layer's output for the input's tokens.
    Hidden { batch: usize, states: Rows },
    /// Logits: a row for each of the input's tokens, later one for each token.
    Logits { batch: usize, logits: Rows },
    /// The run is over.
    Finish { perf: Option<Perf> },
    /// The run failed; where rkchat found out why, that is said.
    Error { message: Option<String> },
}

/// A token: its id where it has one, and its text, which may be empty or end inside a character.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Token {
    /// The place of the input that it answers.
    pub batch: usize,
    pub id: Option<u32>,
    pub text: Vec<u8>,
    /// The runtime says that the character goes on in the next one.
    pub waiting: bool,
    /// The log probabilities of the likeliest tokens with their ids, where they were asked for.
    pub logprobs: Vec<(i32, f32)>,
}

/// Numbers in rows, one for each token.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Rows {
    pub values: Vec<f32>,
    pub tokens: usize,
    /// Numbers in a row.
    pub width: usize,
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Flow {
    #[default]
    Go,
    /// Stop here, so that a later run goes on. Only for runs without `keep_history` on runtimes that can
    /// pause; others go on.
    Pause,
}

/// What the runtime measured.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Perf {
    pub prefill_ms: f32,
    pub prefill_tokens: u32,
    pub decode_ms: f32,
    pub decode_tokens: u32,
    /// The most memory that the process held, in megabytes.
    pub peak_memory_mb: f32,
}

/// What rkchat's runtime knows about its last run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct RunCounts {
    pub prompt_tokens: u32,
    pub reused_tokens: u32,
}

//! What the caller's callback is told.

use crate::engine::{Counts, LogProb, Matrix, State};
use std::ffi::{CStr, c_void};

/// One call of the caller's result callback.
pub struct Delivery<'a> {
    /// What the call is about.
    pub state: State,
    /// As many as `n_batch`; callers get them as consecutive structs.
    pub answers: &'a [Answer<'a>],
    /// The run's userdata.
    pub userdata: *mut c_void,
}

/// What a call says about one prompt of the run.
#[derive(Clone, Copy, Default)]
pub struct Answer<'a> {
    /// Token id; negative where there is none.
    pub id: i32,
    /// Text, or NULL.
    pub text: Option<&'a CStr>,
    /// The last layer's output, a row for each token of the prompt. Only in
    /// [`Mode::HiddenStates`](crate::engine::Mode); valid during the call.
    pub hidden_states: Option<Matrix<'a>>,
    /// What the token was drawn from. Only in [`Mode::Logits`](crate::engine::Mode); valid during
    /// the call.
    pub logits: Option<Matrix<'a>>,
    /// If `top_logprobs` is set: the token, then the likeliest ones, best first.
    pub logprobs: &'a [LogProb],
    /// Measurements, with [`State::Finish`].
    pub perf: Option<Perf>,
}

/// The measurements that callers get with FINISH.
#[derive(Clone, Copy)]
pub struct Perf {
    /// Measurements of the run.
    pub counts: Counts,
    /// Peak resident memory in megabytes.
    pub memory_mb: f32,
}

/// Makes a call of the caller's callback in the group's layout. Returns what the callback returned:
/// 0 goes on, 1 pauses; 2 frees the output buffer, which ours is after each call anyway. Groups
/// whose callback returns nothing say 0.
pub type Deliver = Box<dyn Fn(Delivery<'_>) -> i32 + Send + Sync>;

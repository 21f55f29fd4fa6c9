//! One answer on its way from the owner thread to its reader.
//!
//! It holds as much as there is, so a reader that stops reading delays nobody. It ends exactly once:
//! whoever comes first (the runtime, the caller, a deadline) says how, and later words are ignored.

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use serde_json::json;

use super::chat::Lost;
use super::control::Control;
use super::fork::Home;
use super::timing::Clock;
use crate::surface::*;
use crate::vendor::{Perf, RunCounts};

type Wake = Box<dyn FnOnce() + Send>;

/// A generation, shared by its reader, the queue, and the owner thread.
pub(crate) struct Stream {
    control: Arc<Control>,
    home: Home,
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    unread: VecDeque<Chunk>,
    text: String,
    reasoning: String,
    tool_calls: Vec<ToolCall>,
    token_ids: Vec<u32>,
    /// Tokens without text of their own yet: they travel with the next piece.
    carried: Vec<u32>,
    usage: Usage,
    warnings: Vec<Warning>,
    clock: Clock,
    /// How it will end, once the runtime has let go or a moment has passed.
    conclusion: Option<FinishReason>,
    end: Option<Result<FinishReason>>,
    wake: Option<Wake>,
    /// Who waits for the end alone, by number.
    at_end: BTreeMap<u64, Waker>,
}

/// What became of an answer.
pub(super) struct Outcome {
    /// What stays of it: everything, or what a cancelled one had said; none where there is nothing.
    pub message: Option<Json>,
    pub token_ids: Vec<u32>,
    /// The runtime has seen its prompt.
    pub begun: bool,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Stream {
    /// `prompt_tokens` is 0 where nobody has counted them.
    pub fn new(control: Arc<Control>, prompt_tokens: u32) -> Arc<Self> {
        Arc::new(Self {
            control,
            home: Home::here(),
            state: Mutex::new(State {
                unread: VecDeque::new(),
                text: String::new(),
                reasoning: String::new(),
                tool_calls: Vec::new(),
                token_ids: Vec::new(),
                carried: Vec::new(),
                usage: Usage {
                    prompt_tokens,
                    reused_tokens: None,
                    new_tokens: 0,
                    counted_by: Measure::Rkchat,
                    retokenized_tokens: None,
                    rewritten_tokens: None,
                },
                warnings: Vec::new(),
                clock: Clock::start(),
                conclusion: None,
                end: None,
                wake: None,
                at_end: BTreeMap::new(),
            }),
            changed: Condvar::new(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    // The reader's side.

    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Chunk>> {
        self.home.check()?;
        // A timeout beyond what the clock can count to is none.
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        loop {
            if let Poll::Ready(ready) = state.take() {
                return ready;
            }
            state = self.wait_for_change(state, deadline).ok_or_else(|| {
                Error::new(
                    ErrorKind::Timeout,
                    "no further piece of the answer came in the time allowed; it goes on",
                )
            })?;
        }
    }

    /// Waits for a change; none where the deadline has passed.
    fn wait_for_change<'a>(
        &self,
        state: MutexGuard<'a, State>,
        deadline: Option<Instant>,
    ) -> Option<MutexGuard<'a, State>> {
        match deadline {
            None => Some(
                self.changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
            ),
            Some(deadline) => {
                let left = deadline.checked_duration_since(Instant::now())?;
                let (state, _) = self
                    .changed
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner);
                Some(state)
            }
        }
    }

    pub fn poll(&self, wake: Wake) -> Poll<Result<Option<Chunk>>> {
        if let Err(error) = self.home.check() {
            return Poll::Ready(Err(error));
        }
        let mut state = self.lock();
        let ready = state.take();
        let replaced = match ready {
            Poll::Pending => state.wake.replace(wake),
            Poll::Ready(_) => Some(wake),
        };
        // What a binding's closure does when it is dropped is its own business, not under this lock.
        drop(state);
        drop(replaced);
        ready
    }

    pub fn cancel(self: &Arc<Self>) {
        if self.home.is_here() && self.end(Ok(FinishReason::Cancelled)) {
            self.control.ended(self);
        }
    }

    pub fn finish_reason(&self) -> Option<FinishReason> {
        if !self.home.is_here() {
            return None;
        }
        let end = &self.lock().end;
        end.as_ref()
            .map(|end| *end.as_ref().unwrap_or(&FinishReason::Error))
    }

    /// Waits for the end; false where the time has passed.
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.home.check()?;
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut state = self.lock();
        while state.end.is_none() {
            let Some(changed) = self.wait_for_change(state, deadline) else {
                return Ok(false);
            };
            state = changed;
        }
        Ok(true)
    }

    pub fn completion(&self) -> Result<Completion> {
        self.wait(None)?;
        let state = self.lock();
        // `wait` has seen it.
        let finish_reason = state.end.clone().unwrap_or(Ok(FinishReason::Error))?;
        Ok(Completion {
            text: state.text.clone(),
            reasoning: (!state.reasoning.is_empty()).then(|| state.reasoning.clone()),
            tool_calls: state.tool_calls.clone(),
            message: state.message(),
            token_ids: state.token_ids.clone(),
            finish_reason,
            usage: state.usage,
            timings: state.clock.timings(&state.usage),
            warnings: state.warnings.clone(),
        })
    }

    /// Waits for the end and gives the text.
    pub fn text(&self) -> Result<String> {
        self.wait(None)?;
        let state = self.lock();
        match &state.end {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(state.text.clone()),
        }
    }

    /// As `text`, without waiting: the waker is told of the end, in place of the one before it of this
    /// number.
    pub fn poll_text(&self, number: u64, waker: &Waker) -> Poll<Result<String>> {
        if let Err(error) = self.home.check() {
            return Poll::Ready(Err(error));
        }
        let mut state = self.lock();
        if state.end.is_none() {
            let before = state.at_end.insert(number, waker.clone());
            // Dropping it may run anything.
            drop(state);
            drop(before);
            return Poll::Pending;
        }
        drop(state);
        Poll::Ready(self.text())
    }

    pub fn wait_no_more(&self, number: u64) {
        let waker = self.lock().at_end.remove(&number);
        drop(waker);
    }

    // A chat's side.

    /// What cannot be reused for this request of what the one before left.
    pub(super) fn lost(&self, lost: Lost) {
        let usage = &mut self.lock().usage;
        usage.retokenized_tokens = Some(lost.retokenized);
        usage.rewritten_tokens = Some(lost.rewritten);
    }

    /// How it ended; none while it goes on.
    pub(super) fn outcome(&self) -> Option<Outcome> {
        let state = self.lock();
        let end = state.end.as_ref()?;
        let said = !state.text.is_empty() || !state.tool_calls.is_empty();
        let whole = matches!(end, Ok(reason) if *reason != FinishReason::Cancelled);
        Some(Outcome {
            message: (end.is_ok() && (whole || said)).then(|| state.message()),
            token_ids: state.token_ids.clone(),
            begun: state.clock.has_begun(),
        })
    }

    // The owner thread's side.

    /// Whether nothing more is wanted from the runtime.
    pub fn is_over(&self) -> bool {
        let state = self.lock();
        state.end.is_some() || state.conclusion.is_some()
    }

    /// The answer is complete. The end is told when the runtime has let go, for then its numbers are
    /// known, or by `end_concluded`.
    pub fn conclude(&self, reason: FinishReason) {
        let mut state = self.lock();
        if state.conclusion.is_none() {
            state.clock.stop();
            state.conclusion = Some(reason);
        }
    }

    /// Ends an answer that is complete, without waiting longer for the runtime.
    pub fn end_concluded(&self) {
        let conclusion = self.lock().conclusion;
        if let Some(reason) = conclusion {
            self.end(Ok(reason));
        }
    }

    /// The run begins.
    pub fn begin(&self) {
        self.lock().clock.begin();
    }

    /// A token came, with the pieces of the answer that it made certain. `shown` is false for the token
    /// that ends the answer.
    pub fn token(&self, id: Option<u32>, pieces: Vec<Chunk>, shown: bool) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        state.usage.new_tokens += 1;
        state.clock.token();
        let id = id.filter(|_| shown);
        state.token_ids.extend(id);
        state.carried.extend(id);
        self.add(state, pieces);
    }

    /// Pieces that no token brought: what was held back when the runtime stopped.
    pub fn rest(&self, pieces: Vec<Chunk>) {
        let state = self.lock();
        if state.end.is_none() {
            self.add(state, pieces);
        }
    }

    fn add(&self, mut state: MutexGuard<'_, State>, pieces: Vec<Chunk>) {
        if pieces.is_empty() {
            return;
        }
        for mut piece in pieces {
            match piece.kind {
                ChunkKind::Text => state.text.push_str(&piece.text),
                ChunkKind::Reasoning => state.reasoning.push_str(&piece.text),
                ChunkKind::ToolCall => {}
            }
            piece.token_ids = std::mem::take(&mut state.carried);
            state.unread.push_back(piece);
        }
        let wake = state.wake.take();
        drop(state);
        self.tell(wake);
    }

    /// The tools that the answer calls.
    pub fn calls(&self, calls: Vec<ToolCall>) {
        self.lock().tool_calls = calls;
    }

    pub fn warn(&self, warning: Warning) {
        self.lock().warnings.push(warning);
    }

    /// The runtime's own numbers.
    pub fn measured(&self, perf: Option<Perf>, counts: Option<RunCounts>) {
        let mut state = self.lock();
        if let Some(perf) = perf {
            state.clock.measured(perf);
        }
        let State { usage, clock, .. } = &mut *state;
        if let Some(counts) = counts {
            usage.prompt_tokens = counts.prompt_tokens;
            usage.reused_tokens = Some(counts.reused_tokens);
            usage.counted_by = Measure::Runtime;
        } else if let Some(prefilled) = clock.prefilled().filter(|_| usage.prompt_tokens == 0) {
            usage.prompt_tokens = prefilled;
            usage.counted_by = Measure::Runtime;
        }
    }

    /// Ends the answer, if nobody did before. Gives whether this was the end.
    pub fn end(&self, end: Result<FinishReason>) -> bool {
        let mut state = self.lock();
        if state.end.is_some() {
            return false;
        }
        state.clock.stop();
        if matches!(end, Ok(FinishReason::Cancelled)) {
            state.unread.clear();
        }
        state.end = Some(end);
        let wake = state.wake.take();
        let at_end = std::mem::take(&mut state.at_end);
        drop(state);
        self.tell(wake);
        for waker in at_end.into_values() {
            let _ = catch_unwind(AssertUnwindSafe(|| waker.wake()));
        }
        true
    }

    fn tell(&self, wake: Option<Wake>) {
        self.changed.notify_all();
        if let Some(wake) = wake {
            // A panic in there is its owner's; it must not end the model's threads.
            let _ = catch_unwind(AssertUnwindSafe(wake));
        }
    }

    /// Forgets whom to wake. Not even dropped, for that runs the owner's code too.
    pub fn silence(&self) {
        let mut state = self.lock();
        std::mem::forget((state.wake.take(), std::mem::take(&mut state.at_end)));
    }
}

impl State {
    /// What a reader gets now.
    fn take(&mut self) -> Poll<Result<Option<Chunk>>> {
        if let Some(chunk) = self.unread.pop_front() {
            return Poll::Ready(Ok(Some(chunk)));
        }
        match &self.end {
            None => Poll::Pending,
            Some(Ok(_)) => Poll::Ready(Ok(None)),
            Some(Err(error)) => Poll::Ready(Err(error.clone())),
        }
    }

    /// The answer in the OpenAI shape; arguments as an object, as chat templates want them.
    fn message(&self) -> Json {
        let mut message = json!({"role": "assistant", "content": self.text});
        if !self.reasoning.is_empty() {
            message["reasoning_content"] = self.reasoning.as_str().into();
        }
        if !self.tool_calls.is_empty() {
            let calls = self.tool_calls.iter().map(|call| {
                let function = json!({"name": call.name, "arguments": call.arguments});
                json!({"id": call.id, "type": "function", "function": function})
            });
            message["tool_calls"] = calls.collect();
        }
        message
    }
}

//! One answer on its way from the owner thread to its reader.
//!
//! It holds as much as there is, so a reader that stops reading delays nobody. It ends exactly once:
//! whoever comes first (the runtime, the caller, a deadline) says how, and later words are ignored.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::{Duration, Instant};

use super::control::Control;
use super::fork::Home;
use super::timing::Clock;
use crate::surface::{Chunk, Completion, Error, ErrorKind, FinishReason, Result, Usage, Warning};
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
    token_ids: Vec<u32>,
    new_tokens: u32,
    prompt_tokens: u32,
    reused_tokens: Option<u32>,
    warnings: Vec<Warning>,
    clock: Clock,
    /// How it will end, once the runtime has let go or a moment has passed.
    conclusion: Option<FinishReason>,
    end: Option<Result<FinishReason>>,
    wake: Option<Wake>,
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").finish_non_exhaustive()
    }
}

impl Stream {
    pub fn new(control: Arc<Control>, prompt_tokens: u32) -> Arc<Self> {
        Arc::new(Self {
            control,
            home: Home::here(),
            state: Mutex::new(State {
                unread: VecDeque::new(),
                text: String::new(),
                token_ids: Vec::new(),
                new_tokens: 0,
                prompt_tokens,
                reused_tokens: None,
                warnings: Vec::new(),
                clock: Clock::start(),
                conclusion: None,
                end: None,
                wake: None,
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
            token_ids: state.token_ids.clone(),
            finish_reason,
            usage: Usage {
                prompt_tokens: state.prompt_tokens,
                reused_tokens: state.reused_tokens,
                new_tokens: state.new_tokens,
            },
            timings: state.clock.timings(
                state.prompt_tokens,
                state.reused_tokens,
                state.new_tokens,
            ),
            warnings: state.warnings.clone(),
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

    /// A token came, with the text that it made certain. `shown` is false for the token that ends the
    /// answer.
    pub fn token(&self, id: Option<u32>, text: &str, shown: bool) {
        let mut state = self.lock();
        if state.end.is_some() {
            return;
        }
        state.new_tokens += 1;
        state.clock.token();
        let State {
            unread,
            text: whole,
            token_ids,
            ..
        } = &mut *state;
        // Tokens without text of their own yet travel with the next piece that has some.
        let mut ids: Vec<u32> = id.filter(|_| shown).into_iter().collect();
        token_ids.extend(&ids);
        whole.push_str(text);
        match unread.back_mut() {
            Some(last) if last.text.is_empty() => {
                last.text.push_str(text);
                last.token_ids.append(&mut ids);
            }
            _ => unread.push_back(Chunk {
                text: text.to_owned(),
                token_ids: ids,
            }),
        }
        let wake = if text.is_empty() {
            None
        } else {
            state.wake.take()
        };
        drop(state);
        self.tell(wake);
    }

    /// Text that no token brought: what was held back when the runtime stopped.
    pub fn rest(&self, text: &str) {
        let mut state = self.lock();
        if state.end.is_some() || text.is_empty() {
            return;
        }
        state.text.push_str(text);
        match state.unread.back_mut() {
            Some(last) if last.text.is_empty() => last.text.push_str(text),
            _ => state.unread.push_back(Chunk {
                text: text.to_owned(),
                token_ids: Vec::new(),
            }),
        }
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
        if let Some(counts) = counts {
            state.prompt_tokens = counts.prompt_tokens;
            state.reused_tokens = Some(counts.reused_tokens);
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
        drop(state);
        self.tell(wake);
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
        std::mem::forget(self.lock().wake.take());
    }
}

impl State {
    /// What a reader gets now.
    fn take(&mut self) -> Poll<Result<Option<Chunk>>> {
        let over = self.end.is_some();
        while let Some(chunk) = self.unread.pop_front() {
            if !chunk.text.is_empty() {
                return Poll::Ready(Ok(Some(chunk)));
            }
            if !over {
                // Waits for text to travel with.
                self.unread.push_front(chunk);
                break;
            }
        }
        match &self.end {
            None => Poll::Pending,
            Some(Ok(_)) => Poll::Ready(Ok(None)),
            Some(Err(error)) => Poll::Ready(Err(error.clone())),
        }
    }
}

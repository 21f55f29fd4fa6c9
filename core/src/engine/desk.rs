//! Where errands are run: requests that need the model to themselves and stream no answer. They run on
//! the owner thread, between answers.

use std::sync::{Arc, PoisonError};

use super::control::closed;
use super::owner::{Owner, Stand};
use super::run;
use super::stream::Stream;
use crate::surface::{Error, Result};
use crate::vendor::{Flow, Rows, RunEvent, RunRequest, Sampling, Session, Token};

/// A request that streams no answer.
pub(crate) type Errand = Box<dyn FnOnce(&mut Desk<'_>) + Send>;

/// What an errand has at hand.
pub(crate) struct Desk<'a> {
    pub(super) owner: &'a Owner,
    pub(super) stream: &'a Arc<Stream>,
    pub(super) stand: &'a mut Stand,
}

/// Something that a run has to tell.
pub(super) enum Told {
    /// Hidden states or logits.
    Rows(Rows),
    /// A token; the first is number 1.
    Token(u32),
}

/// Whether more is wanted of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    More,
    Enough,
}

/// What became of a run.
struct Outcome {
    status: i32,
    heard: bool,
    cut: bool,
    error: Option<Error>,
}

impl<'a> Desk<'a> {
    pub(super) fn new(owner: &'a Owner, stream: &'a Arc<Stream>, stand: &'a mut Stand) -> Self {
        Self {
            owner,
            stream,
            stand,
        }
    }

    /// The model, while nothing runs in it.
    pub(super) fn with<R>(&self, call: impl FnOnce(&dyn Session) -> Result<R>) -> Result<R> {
        let session = self.owner.session.read();
        let session = session.unwrap_or_else(PoisonError::into_inner);
        call(session.as_deref().ok_or_else(closed)?)
    }

    /// Runs a request to its end, or until `take` has enough. `anew`: nothing that is in the cache may be
    /// made use of. Gives whether it was cut short.
    pub(super) fn run(
        &mut self,
        request: &RunRequest,
        anew: bool,
        take: &mut (dyn FnMut(Told) -> Wish + Send),
    ) -> Result<bool> {
        let mut outcome = self.attempt(request, anew, take)?;
        let over = self.stream.is_over();
        // As in `run::run`: some releases refuse runs after one that was cut short.
        if self.stand.after_cut && outcome.status != 0 && !outcome.heard && !over {
            self.open_again()?;
            outcome = self.attempt(request, anew, take)?;
        }
        self.stand.after_cut = outcome.cut;
        match outcome.error {
            Some(error) if !outcome.cut => Err(error),
            // Whoever asked has an end already.
            _ if self.stream.is_over() => Err(closed()),
            _ => Ok(outcome.cut),
        }
    }

    /// Opens the model again; where that fails it is unloaded.
    pub(super) fn open_again(&mut self) -> Result<()> {
        self.owner.open_again(self.stand)
    }

    /// Opens the model again where runs are to be sampled in another way that its runtime fixes then.
    pub(super) fn sample_with(&mut self, wanted: Option<Sampling>) -> Result<()> {
        match self.stand.takes(wanted) {
            true => self.open_again(),
            false => Ok(()),
        }
    }

    fn attempt(
        &mut self,
        request: &RunRequest,
        anew: bool,
        take: &mut (dyn FnMut(Told) -> Wish + Send),
    ) -> Result<Outcome> {
        if self.stream.is_over() {
            return Err(closed());
        }
        let owner = self.owner;
        let session = owner.session.read().unwrap_or_else(PoisonError::into_inner);
        let session = session.as_deref().ok_or_else(closed)?;
        owner.freshen(session, request, anew, self.stand);
        let (mut heard, mut finished, mut failed) = (false, false, false);
        let (mut message, mut tokens) = (None, 0);
        let status = session.run(request, &mut |event| {
            let told = match event {
                RunEvent::Hidden { states, .. } => Told::Rows(states),
                RunEvent::Logits { logits, .. } => Told::Rows(logits),
                // Some releases report the end of a run as one more token.
                RunEvent::Token(Token { id: None, text, .. }) if text.is_empty() => {
                    return Flow::Go;
                }
                RunEvent::Token(_) => {
                    tokens += 1;
                    Told::Token(tokens)
                }
                RunEvent::Finish { .. } => {
                    finished = true;
                    return Flow::Go;
                }
                RunEvent::Error { message: why } => {
                    failed = true;
                    message = message.take().or(why);
                    return Flow::Go;
                }
            };
            heard = true;
            if take(told) == Wish::Enough {
                owner.control.enough();
            }
            Flow::Go
        });
        let cut = owner.control.step_over();
        let error = (failed || status != 0 && !finished)
            .then(|| run::failure(status, message.or_else(|| session.last_error())));
        Ok(Outcome {
            status,
            heard,
            cut,
            error,
        })
    }
}

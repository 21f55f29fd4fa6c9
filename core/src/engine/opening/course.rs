//! How far an opening has come, and whether anybody still wants it.

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::reading::Reading;
use crate::surface::{Error, ErrorKind, OpeningProgress, OpeningStage, Result};

#[derive(Debug, Default)]
pub(super) struct Course(Mutex<State>);

#[derive(Debug)]
struct State {
    stage: OpeningStage,
    reading: Option<Reading>,
    given_up: bool,
}

impl Default for State {
    fn default() -> Self {
        Self {
            stage: OpeningStage::Recognising,
            reading: None,
            given_up: false,
        }
    }
}

impl Course {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The runtime begins to load a file.
    pub fn loads(&self, weights: &Path) {
        self.lock().reading = Reading::begin(weights);
    }

    /// Goes on to the next stage; fails where nobody wants the model any more.
    pub fn reach(&self, stage: OpeningStage) -> Result<()> {
        let mut state = self.lock();
        state.look();
        if state.given_up {
            return Err(given_up());
        }
        state.stage = stage;
        Ok(())
    }

    /// It is over; fails where it was given up.
    pub fn ended(&self, well: bool) -> Result<()> {
        let mut state = self.lock();
        state.stage = match well && !state.given_up {
            true => OpeningStage::Ready,
            false => OpeningStage::Failed,
        };
        match state.given_up {
            true => Err(given_up()),
            false => Ok(()),
        }
    }

    pub fn give_up(&self) {
        self.lock().given_up = true;
    }

    pub fn progress(&self) -> OpeningProgress {
        let mut state = self.lock();
        state.look();
        OpeningProgress {
            stage: state.stage,
            bytes_read: state.reading.as_ref().and_then(|reading| reading.read),
            bytes_total: state.reading.as_ref().map(|reading| reading.total),
        }
    }
}

impl State {
    /// Looks how much has been read, while the runtime reads.
    fn look(&mut self) {
        let loads = matches!(self.stage, OpeningStage::Tokenizer | OpeningStage::Loading);
        if let Some(reading) = self.reading.as_mut().filter(|_| loads) {
            reading.look();
        }
    }
}

pub(super) fn given_up() -> Error {
    Error::new(ErrorKind::Closed, "the opening of the model was given up")
}

//! A model on its way to be open.

use std::path::Path;
use std::time::Duration;

use crate::engine;
use crate::surface::{Model, ModelOptions, OpeningProgress, Result};

/// A model that is being opened, in the background. Dropping it gives it up, unless the model was taken.
#[derive(Debug)]
pub struct Opening {
    inner: engine::Opening,
}

impl Opening {
    /// Begins to open a model, as `Model.open` does, and returns at once.
    pub fn start(path: &Path, options: &ModelOptions) -> Result<Self> {
        let inner = engine::Opening::start(path, options)?;
        Ok(Self { inner })
    }

    /// How far it has come.
    pub fn progress(&self) -> Result<OpeningProgress> {
        self.inner.progress()
    }

    /// Waits until the model is open, or cannot be opened, at the most for `timeout`; false where it is
    /// still on its way.
    /// @blocking
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.inner.wait(timeout)
    }

    /// Waits until it is open and gives the model; why it could not be opened is reported here. Asked
    /// again, it gives the same model.
    /// @blocking
    pub fn model(&self) -> Result<Model> {
        let inner = self.inner.model()?;
        Ok(Model { inner })
    }

    /// Gives it up: `model` is `Closed` then. What a runtime has begun to load it loads to its end, in the
    /// background, and is freed; `wait` tells when. Changes nothing for a model that was taken.
    pub fn cancel(&self) {
        self.inner.cancel();
    }
}

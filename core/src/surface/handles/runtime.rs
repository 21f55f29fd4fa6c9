//! Rockchip's library.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::surface::{FindOptions, GetOptions, Result, RuntimeInfo, RuntimeOptions};
use crate::vendor;

/// A loaded `librkllmrt.so`, to look at; `ModelOptions.runtime` takes its path. It stays loaded until the
/// process ends.
#[derive(Debug, Clone)]
pub struct Runtime {
    inner: Arc<vendor::Library>,
}

impl Runtime {
    /// Loads the library at `path` and tells which ABI group it belongs to. No model is opened.
    /// @blocking
    pub fn open(path: &Path, options: &RuntimeOptions) -> Result<Self> {
        let word = vendor::Word::of(options.abi.as_deref(), options.abi_unchecked)?;
        let inner = vendor::Library::open(path, word)?;
        Ok(Self { inner })
    }

    /// Finds the library that fits a model best: the one that `RKCHAT_RUNTIME` names, else among those
    /// that `get` fetched and those in the system's folders. `info` tells why it was chosen. Where none
    /// is there, or none that fits, the error says which to get.
    /// @blocking
    pub fn find(options: &FindOptions) -> Result<Self> {
        let inner = vendor::find(options, vendor::Word::of(None, false)?)?;
        Ok(Self { inner })
    }

    /// Fetches Rockchip's library in one of its releases, checks that it is the official file, stores it
    /// in the user's data folder (`rkchat/runtimes/<release>`), where `find` looks, and gives its path.
    /// One that is there already is not fetched again. Nothing is loaded.
    /// @blocking
    pub fn get(options: &GetOptions) -> Result<PathBuf> {
        vendor::get(options)
    }

    /// What was loaded and how it was recognised.
    /// @constant
    pub fn info(&self) -> RuntimeInfo {
        self.inner.info().clone()
    }
}

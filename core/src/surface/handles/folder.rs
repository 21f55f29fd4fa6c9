//! A model on disk.

use std::path::Path;
use std::sync::Arc;

use crate::model;
use crate::surface::{FolderInfo, ModelOptions, Result};

/// A model as it lies on disk, to look at. No runtime is needed.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    inner: Arc<FolderInfo>,
}

impl ModelFolder {
    /// Reads what is known of the model that `Model.open` would open.
    /// @blocking
    pub fn open(path: &Path, options: &ModelOptions) -> Result<Self> {
        let inner = Arc::new(model::inspect(path, options)?);
        Ok(Self { inner })
    }

    /// What is known of it.
    /// @constant
    pub fn info(&self) -> FolderInfo {
        (*self.inner).clone()
    }
}

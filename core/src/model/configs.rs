//! The JSON files of a model folder that several look into.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use super::files;
use crate::surface::{ErrorKind, Json, Result};

/// One of the files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Config {
    Model,
    Generation,
    Tokenizer,
    SpecialTokens,
}

impl Config {
    /// Its name in the folder.
    pub const fn file(self) -> &'static str {
        match self {
            Self::Model => "config.json",
            Self::Generation => "generation_config.json",
            Self::Tokenizer => "tokenizer_config.json",
            Self::SpecialTokens => "special_tokens_map.json",
        }
    }
}

/// The files of a folder, each of which is read once, when it is first asked for.
#[derive(Debug, Default)]
pub(crate) struct Configs {
    folder: Option<PathBuf>,
    read: [OnceCell<Json>; 4],
}

impl Configs {
    /// Of no folder: there are none.
    pub fn of(folder: Option<&Path>) -> Self {
        Self {
            folder: folder.map(Path::to_owned),
            read: Default::default(),
        }
    }

    pub fn folder(&self) -> Option<&Path> {
        self.folder.as_deref()
    }

    /// What the file holds; null where it is not there. `kind` is the error for one that is not right.
    pub fn get(&self, config: Config, kind: ErrorKind) -> Result<&Json> {
        let read = &self.read[config as usize];
        if let Some(json) = read.get() {
            return Ok(json);
        }
        let path = self.folder().map(|folder| folder.join(config.file()));
        let json = match path.filter(|path| path.is_file()) {
            Some(path) => files::read_json(&path, kind)?,
            None => Json::Null,
        };
        Ok(read.get_or_init(|| json))
    }
}

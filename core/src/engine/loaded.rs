//! What is loaded into a model besides: adapters, a prompt cache, an encoder's output. Known on both sides of the queue,
//! and loaded again where the model is opened again.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::surface::{AdapterInfo, Error, ErrorKind, Result};
use crate::vendor::{CrossAttention, Session};

#[derive(Debug, Default)]
pub(super) struct Loaded(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    adapters: Vec<AdapterInfo>,
    prompt_cache: Option<PathBuf>,
    /// Caches of chats that were larger than they might be, with their sizes: they are not written over
    /// and over.
    too_large: Vec<(String, u64)>,
    cross_attention: Option<Arc<CrossAttention>>,
}

impl Loaded {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn adapters(&self) -> Vec<AdapterInfo> {
        self.lock().adapters.clone()
    }

    pub fn add_adapter(&self, adapter: AdapterInfo) {
        self.lock().adapters.push(adapter);
    }

    /// The file of the prompt cache.
    pub fn prompt_cache(&self) -> Option<PathBuf> {
        self.lock().prompt_cache.clone()
    }

    pub fn set_prompt_cache(&self, path: Option<PathBuf>) {
        self.lock().prompt_cache = path;
    }

    pub fn set_cross_attention(&self, encoder: Arc<CrossAttention>) {
        self.lock().cross_attention = Some(encoder);
    }

    pub fn add_too_large(&self, name: String, size: u64) {
        self.lock().too_large.push((name, size));
    }

    pub fn is_too_large(&self, name: &str, limit: u64) -> bool {
        let state = self.lock();
        let mut known = state.too_large.iter();
        known.any(|(other, size)| other == name && *size > limit)
    }

    /// The adapter that a request names, which has to be there.
    pub fn adapter(&self, name: Option<&str>) -> Result<Option<String>> {
        let Some(name) = name else { return Ok(None) };
        let state = self.lock();
        let mut names = state.adapters.iter().map(|adapter| adapter.name.as_str());
        if names.clone().any(|other| other == name) {
            return Ok(Some(name.to_owned()));
        }
        let loaded = match names.next() {
            None => "none is loaded; Model.load_adapter loads one".to_owned(),
            Some(first) => {
                let names: Vec<&str> = std::iter::once(first).chain(names).collect();
                format!("loaded are {}", names.join(", "))
            }
        };
        Err(Error::new(
            ErrorKind::InvalidArgument,
            format!("`adapter`: there is no adapter {name:?}; {loaded}"),
        ))
    }

    /// Loads all of it into a model that was opened again. An adapter is part of what requests ask for; a
    /// prompt cache only saves time, and is let go where it does not load.
    pub fn restore(&self, session: &dyn Session) -> Result<()> {
        let mut state = self.lock();
        for adapter in &state.adapters {
            let status = session.load_adapter(&adapter.name, &adapter.path, adapter.scale);
            if status != 0 {
                return Err(super::adapters::refused(
                    adapter,
                    status,
                    session.last_error(),
                ));
            }
        }
        if let Some(encoder) = &state.cross_attention {
            super::cross::set(session, encoder)?;
        }
        let cache = state.prompt_cache.take();
        state.prompt_cache = cache.filter(|path| session.load_prompt_cache(path) == 0);
        Ok(())
    }
}

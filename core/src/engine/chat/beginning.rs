//! What a chat begins with (system prompt and tools), kept in a prompt cache for runtimes that compute
//! every prompt from its first token.

use std::sync::Arc;

use serde_json::json;

use super::fit;
use crate::engine::control::Before;
use crate::engine::loaded::Loaded;
use crate::engine::model::Model;
use crate::engine::prompt::Prompt;
use crate::engine::prompt_cache::Cached;
use crate::engine::prompt_file::{Content, OF_CHATS, Shelf};
use crate::surface::*;
use crate::vendor::capabilities;

/// Shorter beginnings are computed as soon as they are read.
const WORTH: usize = 32;
/// Bytes for the caches of a model. 500 tokens of Gemma 2 9B take 172 MB.
const LIMIT: u64 = 512 << 20;

/// Keeps beginnings for one chat.
#[derive(Debug, Clone)]
pub(super) struct Keeper {
    shelf: Shelf,
    limit: u64,
}

impl Keeper {
    /// Where it was asked for and is of use.
    pub fn of(model: &Model, options: &ChatOptions) -> Result<Option<Self>> {
        if !options.prompt_cache || model.reuses_prompts()? {
            return Ok(None);
        }
        let instead = "Leave `prompt_cache` of the chat out; every prompt is computed anew.";
        model.require(capabilities::PROMPT_CACHE, instead)?;
        Ok(Some(Self {
            shelf: Shelf::of(options.prompt_cache_folder.as_deref(), &model.info().path)?,
            limit: options.prompt_cache_limit.unwrap_or(LIMIT),
        }))
    }

    /// What has to be done before a prompt of these messages runs; none where its beginning is short or
    /// not always the same.
    pub fn before(
        &self,
        model: &Arc<Model>,
        messages: &[Json],
        options: &GenerateOptions,
        prompt: &[u32],
    ) -> Result<Option<Before>> {
        let other = model.loaded.prompt_cache();
        let by_hand = other
            .is_some_and(|path| !is_ours(&path.file_name().unwrap_or_default().to_string_lossy()));
        if by_hand || options.adapter.is_some() {
            return Ok(None);
        }
        let Some(beginning) = beginning(model, messages, options) else {
            return Ok(None);
        };
        if beginning.len() < WORTH || !prompt.starts_with(&beginning) || prompt == beginning {
            return Ok(None);
        }
        let ids = beginning.iter().map(|id| i32::try_from(*id));
        let Ok(ids) = ids.collect::<std::result::Result<Vec<i32>, _>>() else {
            return Ok(None);
        };
        let content = Content::Tokens(ids);
        let identity = model.identity.clone()?;
        let cached = Cached {
            name: format!("{OF_CHATS}{}-{}", identity.key(), content.name()),
            shelf: self.shelf.clone(),
            identity,
            content,
        };
        if model.loaded.is_too_large(&cached.name, self.limit) {
            return Ok(None);
        }
        let (keeper, loaded) = (self.clone(), model.loaded.clone());
        Ok(Some(Box::new(move |desk| {
            if !cached.is_whole() {
                cached.save(desk)?;
                keeper.make_room(&cached, &loaded)?;
            }
            cached.load(desk, &loaded)
        })))
    }

    /// Removes the oldest beginnings, until those that are left have no more than the limit.
    fn make_room(&self, newest: &Cached, loaded: &Loaded) -> Result<()> {
        let mut found = Vec::new();
        for name in newest.shelf.names()? {
            let Ok(Some(note)) = newest.shelf.get(&name) else {
                continue;
            };
            if is_ours(&name) {
                let written = newest
                    .shelf
                    .cache(&note)
                    .metadata()
                    .and_then(|file| file.modified());
                found.push((name == newest.name, written.ok(), note.size(), name));
            }
        }
        // The newest last, whatever the clock says.
        found.sort();
        let mut total: u64 = found.iter().map(|(_, _, size, _)| size).sum();
        for (is_newest, _, size, name) in found {
            if total <= self.limit {
                break;
            }
            newest.shelf.remove(&name)?;
            total -= size;
            if is_newest {
                loaded.add_too_large(name, size);
                return Err(Error::new(
                    ErrorKind::Io,
                    format!(
                        "its prompt cache has {size} bytes, and `prompt_cache_limit` is {}; let it be larger, or leave \
                         prompt_cache out",
                        self.limit
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn is_ours(name: &str) -> bool {
    name.starts_with(OF_CHATS)
}

/// The tokens that come before whatever is said first; none where the template takes no such question.
fn beginning(model: &Model, messages: &[Json], options: &GenerateOptions) -> Option<Vec<u32>> {
    let head = &messages[..fit::head(messages)];
    if head.is_empty() && options.tools.is_none() {
        return None;
    }
    let options = GenerateOptions {
        continue_final_message: false,
        ..options.clone()
    };
    let asking = |said: &str| {
        let question = json!({"role": "user", "content": said});
        let messages = head.iter().cloned().chain([question]).collect();
        let prepared = model.prepare(&Prompt::Messages(&messages), &options);
        prepared.ok()?.ids()
    };
    let (mut ids, other) = (asking("a")?, asking("1")?);
    let common = ids.iter().zip(&other).take_while(|(a, b)| a == b).count();
    ids.truncate(common);
    Some(ids)
}

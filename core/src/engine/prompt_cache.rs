//! The cache of a prompt, saved and loaded by the runtime.

use std::fs;
use std::path::{Path, PathBuf};

use super::control::Deadlines;
use super::desk::{Desk, Told, Wish};
use super::loaded::Loaded;
use super::model::Model;
use super::prompt::Prompt;
use super::prompt_file::{Content, Identity, Note, OF_CHATS, Shelf, check_name, mismatch};
use crate::surface::*;
use crate::vendor::{Input, RunRequest, capabilities};

impl Model {
    pub fn save_prompt_cache(&self, prompt: &Json, options: &PromptCacheOptions) -> Result<String> {
        self.require_single()?;
        self.require_cache()?;
        let adapter = self.loaded.adapter(options.adapter.as_deref())?;
        let content = self.cached_prompt(prompt, options.tools.as_ref())?;
        let name = options.name.clone().unwrap_or_else(|| content.name());
        check_name(&name)?;
        if name.starts_with(OF_CHATS) {
            return Err(Error::invalid_argument(format!(
                "`name` is {name:?}; names that begin with {OF_CHATS} are for the caches of chats"
            )));
        }
        let identity = self.identity.clone()?.with(adapter);
        let shelf = Shelf::of(options.folder.as_deref(), &self.info.path)?;
        shelf.make()?;
        if let Some(others) = shelf
            .get(&name)
            .ok()
            .flatten()
            .filter(|note| !note.identity.is_same_model(&identity))
        {
            let message = format!(
                "there is a prompt cache {name:?} of {} in the folder; give this one another name or folder",
                others.identity.model().display()
            );
            return Err(mismatch(message, "the model"));
        }
        let cached = Cached {
            name: name.clone(),
            shelf,
            identity,
            content,
        };
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        self.errand(deadlines, move |desk| cached.save(desk))?;
        Ok(name)
    }

    pub fn load_prompt_cache(&self, name: &str, options: &LoadPromptCacheOptions) -> Result<()> {
        self.require_cache()?;
        check_name(name)?;
        let shelf = Shelf::of(options.folder.as_deref(), &self.info.path)?;
        let here = self.identity.clone()?;
        let prompt = options.prompt.as_ref();
        let prompt = prompt.map(|prompt| self.cached_prompt(prompt, options.tools.as_ref()));
        let content = prompt.transpose()?;
        let note = shelf.get(name)?.ok_or_else(|| {
            let message = format!(
                "there is no prompt cache {name:?}; Model.prompt_caches lists those that are there"
            );
            Error::new(ErrorKind::NotFound, message)
        })?;
        let path = shelf.cache(&note);
        if let Some(differs) = note.differs(&shelf, &here, content.as_ref()) {
            let message = format!(
                "the prompt cache {name:?} ({}) is not for this: what differs is {differs}; save it again",
                path.display()
            );
            return Err(mismatch(message, &differs));
        }
        let loaded = self.loaded.clone();
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        self.errand(deadlines, move |desk| load(desk, &loaded, path))
    }

    pub fn release_prompt_cache(&self) -> Result<()> {
        self.require_cache()?;
        let loaded = self.loaded.clone();
        self.errand(Deadlines::default(), move |desk| {
            if loaded.prompt_cache().is_some() {
                release(desk)?;
                loaded.set_prompt_cache(None);
            }
            Ok(())
        })
    }

    pub fn prompt_caches(&self, options: &ListPromptCachesOptions) -> Result<Vec<PromptCacheInfo>> {
        let shelf = Shelf::of(options.folder.as_deref(), &self.info.path)?;
        let here = self.identity.clone()?;
        let loaded = self.loaded.prompt_cache();
        let mut caches = Vec::new();
        for name in shelf.names()? {
            // Other files may lie there, too.
            let Ok(Some(note)) = shelf.get(&name) else {
                continue;
            };
            let path = shelf.cache(&note);
            caches.push(PromptCacheInfo {
                name,
                size: note.size(),
                tokens: note.prompt.tokens(),
                adapter: note.identity.adapter().map(str::to_owned),
                loaded: loaded.as_deref() == Some(&*path),
                differs: note.differs(&shelf, &here, None),
                path,
            });
        }
        Ok(caches)
    }

    fn require_cache(&self) -> Result<()> {
        let instead = "Without it every prompt is computed anew.";
        self.require(capabilities::PROMPT_CACHE, instead)
    }

    /// Messages, a text or token ids as they are fed.
    fn cached_prompt(&self, prompt: &Json, tools: Option<&Json>) -> Result<Content> {
        let ids = prompt
            .as_array()
            .filter(|list| list.iter().any(Json::is_number));
        let id = |id: &Json| id.as_u64().and_then(|id| u32::try_from(id).ok());
        let ids = ids.map(|list| list.iter().map(id).collect::<Option<Vec<u32>>>());
        let wrong = "`prompt` is a list of numbers, and some are not token ids";
        let ids = ids.map(|ids| ids.ok_or_else(|| Error::invalid_argument(wrong)));
        let ids = ids.transpose()?;
        let given = match (&ids, prompt) {
            (Some(ids), _) => Prompt::Ids(ids),
            (None, Json::String(text)) => Prompt::Text(text),
            (None, messages) => Prompt::Messages(messages),
        };
        let options = GenerateOptions {
            tools: tools.cloned(),
            ..GenerateOptions::default()
        };
        let prepared = self.with(|tokens, session| tokens.prepare(&given, &options, session))?;
        self.room(prepared.tokens, Some(1))?;
        match prepared.input {
            Input::Tokens(ids) => Ok(Content::Tokens(ids)),
            Input::Text(text) => Ok(Content::Text(text)),
            Input::Embeddings { .. } | Input::Multimodal(_) => {
                unreachable!("prompts are ids or text")
            }
        }
    }
}

/// A prompt cache in its place, there or not yet.
pub(super) struct Cached {
    pub name: String,
    pub shelf: Shelf,
    pub identity: Identity,
    pub content: Content,
}

impl Cached {
    /// Whether it is there as it should be.
    pub fn is_whole(&self) -> bool {
        let note = self.shelf.get(&self.name).ok().flatten();
        note.is_some_and(|note| {
            let differs = note.differs(&self.shelf, &self.identity, Some(&self.content));
            differs.is_none()
        })
    }

    /// Has the runtime write it.
    pub fn save(&self, desk: &mut Desk<'_>) -> Result<()> {
        self.shelf.make()?;
        let part = self.shelf.part(&self.name);
        let input = match &self.content {
            Content::Tokens(ids) => Input::Tokens(ids.clone()),
            Content::Text(text) => Input::Text(text.clone()),
        };
        let request = RunRequest {
            inputs: vec![input],
            max_new_tokens: 1,
            adapter: self.identity.adapter().map(str::to_owned),
            save_cache: Some(part.clone()),
            ..RunRequest::default()
        };
        let put = write(desk, &request, &part).and_then(|()| {
            let note = Note::new(self.identity.clone(), self.content.clone());
            self.shelf.put(&self.name, &part, note)
        });
        if put.is_err() {
            // It may not be there.
            let _ = fs::remove_file(&part);
        }
        put
    }

    /// Has the runtime read it, unless it has.
    pub fn load(&self, desk: &Desk<'_>, loaded: &Loaded) -> Result<()> {
        let note = self.shelf.get(&self.name)?;
        let path = note.map(|note| self.shelf.cache(&note));
        match path {
            Some(path) if loaded.prompt_cache().as_ref() != Some(&path) => load(desk, loaded, path),
            _ => Ok(()),
        }
    }
}

/// Has the runtime read a file in place of the one before.
fn load(desk: &Desk<'_>, loaded: &Loaded, path: PathBuf) -> Result<()> {
    if loaded.prompt_cache().is_some() {
        release(desk)?;
        loaded.set_prompt_cache(None);
    }
    desk.with(|session| match session.load_prompt_cache(&path) {
        0 => Ok(()),
        status => Err(refused(
            "load",
            "rkllm_load_prompt_cache",
            &path,
            status,
            session.last_error(),
        )),
    })?;
    loaded.set_prompt_cache(Some(path));
    Ok(())
}

/// Runs a prompt until the runtime has written its file. The file comes after the run; whether it also comes
/// after one that was cut short is not documented, so where it does not, the run may end by itself.
fn write(desk: &mut Desk<'_>, request: &RunRequest, part: &Path) -> Result<()> {
    let is_there = || fs::metadata(part).is_ok_and(|file| file.len() > 0);
    let cut = desk.run(request, false, &mut |told| match told {
        Told::Token(number) if number > 1 => Wish::Enough,
        Told::Token(_) | Told::Rows(_) => Wish::More,
    })?;
    if cut && !is_there() {
        desk.run(request, false, &mut |_| Wish::More)?;
    }
    match is_there() {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::RuntimeFailed,
            format!(
                "the runtime ended the run and wrote no prompt cache to {}",
                part.display()
            ),
        )),
    }
}

fn release(desk: &Desk<'_>) -> Result<()> {
    desk.with(|session| match session.release_prompt_cache() {
        0 => Ok(()),
        status => {
            let said = session.last_error();
            let call = "rkllm_release_prompt_cache";
            Err(refused(
                "release",
                call,
                Path::new("the one before"),
                status,
                said,
            ))
        }
    })
}

fn refused(what: &str, call: &str, path: &Path, status: i32, said: Option<String>) -> Error {
    let said =
        said.unwrap_or_else(|| "it gave no reason; its log on stderr may have one".to_owned());
    Error::new(
        ErrorKind::RuntimeFailed,
        format!(
            "the runtime did not {what} the prompt cache {} ({call} returned {status}): {said}",
            path.display()
        ),
    )
    .with("vendor_status", status)
}

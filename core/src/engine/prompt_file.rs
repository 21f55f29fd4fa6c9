//! Prompt caches on disk: the runtime's file, and beside it one that says what it is of. The first has a
//! name of its own each time; the second names it, and is put in place last, in one step. So there is a
//! whole cache under a name, or the one before, or none.

use std::env;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};
use sha1::{Digest, Sha1};

use crate::model::files::failed;
use crate::surface::{Error, ErrorKind, ModelInfo, Result};

/// What a cache is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    model: PathBuf,
    model_bytes: u64,
    /// Seconds and nanoseconds.
    model_changed: (i64, i64),
    runtime: String,
    adapter: Option<String>,
}

/// The prompt of a cache.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Content {
    Tokens(Vec<i32>),
    /// Where only the runtime knows the tokens.
    Text(String),
}

/// The file that says what a cache is of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Note {
    /// Of this file's form.
    version: u32,
    /// The runtime's file, beside this one.
    file: String,
    bytes: u64,
    pub identity: Identity,
    pub prompt: Content,
}

const VERSION: u32 = 1;
const NOTE: &str = "json";

/// The folder with the caches of one model.
#[derive(Debug, Clone)]
pub(super) struct Shelf(PathBuf);

impl Identity {
    pub fn of(info: &ModelInfo) -> Result<Self> {
        let metadata = fs::metadata(&info.path).map_err(|error| failed(&info.path, &error))?;
        let runtime = &info.runtime;
        let release = runtime.release.as_deref().unwrap_or("unknown release");
        Ok(Self {
            model: info.path.clone(),
            model_bytes: metadata.len(),
            model_changed: (metadata.mtime(), metadata.mtime_nsec()),
            runtime: format!("{} {release}, group {}", runtime.name, runtime.abi_group),
            adapter: None,
        })
    }

    /// The same with an adapter.
    pub fn with(self, adapter: Option<String>) -> Self {
        Self { adapter, ..self }
    }

    pub fn model(&self) -> &Path {
        &self.model
    }

    pub fn is_same_model(&self, other: &Self) -> bool {
        self.model == other.model
    }

    pub fn adapter(&self) -> Option<&str> {
        self.adapter.as_deref()
    }

    /// A short text that others do not have.
    pub fn key(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        hex(&Sha1::digest(text)[..4])
    }

    /// In what another differs where they cannot serve each other. A cache of any adapter may be loaded:
    /// the runtime uses it for that one.
    fn difference(&self, other: &Self) -> Option<&'static str> {
        let differences = [
            (self.model != other.model, "the model"),
            (
                (self.model_bytes, self.model_changed) != (other.model_bytes, other.model_changed),
                "the model's file, which has changed since",
            ),
            (self.runtime != other.runtime, "the runtime"),
        ];
        let found = differences.into_iter().find(|(differs, _)| *differs);
        found.map(|(_, what)| what)
    }
}

impl Content {
    pub fn tokens(&self) -> Option<u32> {
        match self {
            Self::Tokens(ids) => u32::try_from(ids.len()).ok(),
            Self::Text(_) => None,
        }
    }

    /// A name for it.
    pub fn name(&self) -> String {
        let mut hash = Sha1::new();
        match self {
            Self::Tokens(ids) => ids.iter().for_each(|id| hash.update(id.to_le_bytes())),
            Self::Text(text) => hash.update(text),
        }
        hex(&hash.finalize()[..8])
    }
}

impl Note {
    pub fn new(identity: Identity, prompt: Content) -> Self {
        Self {
            version: VERSION,
            file: String::new(),
            bytes: 0,
            identity,
            prompt,
        }
    }

    /// Why the cache is not for a model, or not for a prompt.
    pub fn differs(
        &self,
        shelf: &Shelf,
        here: &Identity,
        prompt: Option<&Content>,
    ) -> Option<String> {
        let of_prompt = prompt.is_some_and(|prompt| *prompt != self.prompt);
        if let Some(what) = self.identity.difference(here) {
            return Some(what.to_owned());
        }
        if of_prompt {
            return Some("the prompt".to_owned());
        }
        let size = fs::metadata(shelf.cache(self)).map(|file| file.len());
        (size.ok() != Some(self.bytes)).then(|| "the size of the file, which is damaged".to_owned())
    }

    pub fn size(&self) -> u64 {
        self.bytes
    }
}

impl Shelf {
    /// The folder that the user named, or the model's own in the user's cache folder. Neither need exist.
    pub fn of(folder: Option<&Path>, model: &Path) -> Result<Self> {
        if let Some(folder) = folder {
            let folder = std::path::absolute(folder).map_err(|error| failed(folder, &error))?;
            return Ok(Self(folder));
        }
        // A relative path counts as unset, as the XDG specification says.
        let set = |name| {
            env::var_os(name)
                .map(PathBuf::from)
                .filter(|path| path.is_absolute())
        };
        let cache = set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache")));
        let cache = cache.ok_or_else(|| {
            Error::new(
                ErrorKind::Io,
                "there is no folder to keep prompt caches in: neither XDG_CACHE_HOME nor HOME is set to an absolute \
                 path; set one of them, or the option folder",
            )
        })?;
        let stem = model.file_stem().unwrap_or_default().to_string_lossy();
        let place = Sha1::digest(model.as_os_str().as_encoded_bytes());
        let folder = format!("{stem}-{}", hex(&place[..4]));
        Ok(Self(cache.join("rkchat/prompts").join(folder)))
    }

    /// Makes the folder, for its user only: what is in it are prompts.
    pub fn make(&self) -> Result<()> {
        let mut builder = DirBuilder::new();
        let made = builder.recursive(true).mode(0o700).create(&self.0);
        made.map_err(|error| failed(&self.0, &error))
    }

    fn note(&self, name: &str) -> PathBuf {
        self.0.join(format!("{name}.{NOTE}"))
    }

    /// The runtime's file.
    pub fn cache(&self, note: &Note) -> PathBuf {
        self.0.join(&note.file)
    }

    /// A path that nothing is at, for the runtime to write to.
    pub fn part(&self, name: &str) -> PathBuf {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        let now = now.map_or(0, |now| now.as_nanos());
        let process = std::process::id();
        self.0
            .join(format!("{name}-{now:x}-{process}-{number}.part"))
    }

    /// Puts what the runtime wrote under its name, in place of what was there.
    pub fn put(&self, name: &str, part: &Path, mut note: Note) -> Result<()> {
        let before = self.get(name).ok().flatten();
        let cache = part.with_extension("cache");
        note.file = cache
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let mut write = || -> io::Result<()> {
            let file = fs::File::open(part)?;
            file.sync_all()?;
            note.bytes = file.metadata()?.len();
            fs::rename(part, &cache)?;
            let text = serde_json::to_string_pretty(&note)?;
            let draft = cache.with_extension("note");
            fs::write(&draft, text)?;
            fs::rename(&draft, self.note(name))
        };
        write().map_err(|error| failed(&cache, &error))?;
        if let Some(before) = before {
            // What stays behind takes room, and does no other harm.
            let _ = fs::remove_file(self.cache(&before));
        }
        Ok(())
    }

    /// Takes away what is under a name.
    pub fn remove(&self, name: &str) -> Result<()> {
        let note = self.get(name)?;
        let files = note.map(|note| [self.note(name), self.cache(&note)]);
        for path in files.iter().flatten() {
            fs::remove_file(path).map_err(|error| failed(path, &error))?;
        }
        Ok(())
    }

    /// What is under a name; none where nothing is.
    pub fn get(&self, name: &str) -> Result<Option<Note>> {
        let path = self.note(name);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(&path, &error)),
        };
        let note = serde_json::from_str::<Note>(&text);
        let whole = |note: &Note| {
            // A name, and not a way to somewhere else.
            let inside = Path::new(&note.file).file_name() == Some(note.file.as_ref());
            note.version == VERSION && inside
        };
        match note.ok().filter(whole) {
            Some(note) => Ok(Some(note)),
            None => Err(mismatch(
                format!(
                    "{} is not what this rkchat wrote beside a prompt cache; save it again",
                    path.display()
                ),
                "the note beside it",
            )),
        }
    }

    /// The names of all that is there, sorted.
    pub fn names(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.0) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.0, &error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| failed(&self.0, &error))?.path();
            let name = path.file_stem().and_then(|stem| stem.to_str());
            if let (Some(name), true) = (name, path.extension().is_some_and(|end| end == NOTE)) {
                names.push(name.to_owned());
            }
        }
        names.sort_unstable();
        Ok(names)
    }
}

pub(super) fn mismatch(message: String, differs: &str) -> Error {
    Error::new(ErrorKind::CacheMismatch, message).with("differs", differs)
}

/// What the names of chats' caches begin with.
pub(super) const OF_CHATS: &str = "chat-";

/// A name that is one in every file system, and never a way to somewhere else.
pub(super) fn check_name(name: &str) -> Result<()> {
    let good = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    match !name.is_empty() && name.len() <= 100 && !name.starts_with('.') && name.chars().all(good)
    {
        true => Ok(()),
        false => Err(Error::invalid_argument(format!(
            "`name` is {name:?}; a prompt cache's name has 1 to 100 letters, digits, - _ and ., and begins with no ."
        ))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

//! Who has models on the NPU: each process of rkchat notes itself in a file of its own and holds a lock
//! on it, which ends with the process however that ends. It is advice: where the folder cannot be used,
//! nobody is noted, and two that begin at the same moment may miss each other.
//!
//! The locks are those of `fcntl`, which a forked child does not have.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::surface::NpuHolder;

/// How the names of the files begin; what tells the process from others follows, and a number.
const NAME: &str = "npu-";
/// Bytes of a note, filled up with spaces: a note is replaced by one write, and never half of one is read.
const SIZE: usize = 1024;

/// What is noted of a process.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    pub pid: u32,
    pub program: String,
    pub models: u32,
    /// How many of them are in runtimes that let no other model in.
    pub alone: u32,
}

impl Note {
    pub fn holder(&self) -> NpuHolder {
        NpuHolder {
            pid: self.pid,
            program: self.program.clone(),
            models: self.models,
        }
    }
}

/// What this process has noted.
static OWN: Mutex<Own> = Mutex::new(Own {
    note: Note {
        pid: 0,
        program: String::new(),
        models: 0,
        alone: 0,
    },
    file: None,
});

struct Own {
    note: Note,
    /// The file that is locked, and where it is.
    file: Option<(File, PathBuf)>,
}

/// A model of this process that is noted, until it is dropped.
#[derive(Debug)]
pub(super) struct Noted {
    process: u32,
    alone: bool,
}

impl Noted {
    pub fn new(alone: bool) -> Self {
        let process = std::process::id();
        with_own(|own| {
            own.note.models += 1;
            own.note.alone += u32::from(alone);
            own.write();
        });
        Self { process, alone }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        with_own(|own| {
            if own.note.pid == self.process && own.note.models > 0 {
                own.note.models -= 1;
                own.note.alone -= u32::from(self.alone);
                own.write();
            }
        });
    }
}

fn with_own<R>(call: impl FnOnce(&mut Own) -> R) -> R {
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    let pid = std::process::id();
    if own.note.pid != pid {
        // In a fork the file is the parent's, and closing it here ends no lock of the parent.
        own.file = None;
        own.note = Note {
            pid,
            program: program(),
            ..Note::default()
        };
    }
    call(&mut own)
}

impl Own {
    /// Brings the file to what the note says; without a model there is none.
    fn write(&mut self) {
        if self.note.models == 0 {
            if let Some((_file, path)) = self.file.take() {
                // Unlinked before the lock ends with the file. A file that stays is found unlocked.
                let _ = fs::remove_file(path);
            }
            return;
        }
        let Some(text) = self.text() else { return };
        match &self.file {
            // As much as the file has.
            Some((file, _)) => drop(file.write_all_at(&text, 0)),
            None => self.file = folder().and_then(|folder| begin(&folder, &text)),
        }
    }

    fn text(&self) -> Option<Vec<u8>> {
        let mut text = serde_json::to_vec(&self.note).ok()?;
        text.resize(SIZE.max(text.len()), b' ');
        Some(text)
    }
}

/// Makes the file of this process, which is locked before others can see it.
fn begin(folder: &Path, text: &[u8]) -> Option<(File, PathBuf)> {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    let name = format!("{}{:x}", own_names(), now.map_or(0, |now| now.as_nanos()));
    let (draft, path) = (folder.join(format!(".{name}")), folder.join(name));
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&draft)
        .ok()?;
    let mut lock = whole_file();
    // SAFETY: the descriptor is open, and the struct is what F_SETLK reads.
    let locked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &mut lock) } == 0;
    let placed = locked && file.write_all_at(text, 0).is_ok() && fs::rename(&draft, &path).is_ok();
    if !placed {
        let _ = fs::remove_file(&draft);
    }
    placed.then_some((file, path))
}

/// What the names of this process's files begin with. Containers that share the folder may have processes
/// of the same number.
fn own_names() -> String {
    let space = fs::metadata("/proc/self/ns/pid").map_or(0, |space| space.ino());
    format!("{NAME}{}-{space:x}-", std::process::id())
}

/// All processes that are noted, this one among them.
pub(crate) fn holders() -> Vec<NpuHolder> {
    let own = with_own(|own| own.note.clone());
    let own = (own.models > 0).then_some(own);
    let notes = own.into_iter().chain(others());
    notes.map(|note| note.holder()).collect()
}

/// The other processes that are noted and alive.
pub(super) fn others() -> Vec<Note> {
    folder().map_or_else(Vec::new, |folder| others_in(&folder))
}

fn others_in(folder: &Path) -> Vec<Note> {
    let own = own_names();
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let others = files.filter(|file| {
        let name = file.file_name();
        // An own file must not be opened: closing it would end its lock.
        name.to_str()
            .is_some_and(|name| name.starts_with(NAME) && !name.starts_with(&own))
    });
    let mut notes: Vec<Note> = others.filter_map(|file| read(&file.path())).collect();
    notes.sort_by_key(|note| note.pid);
    notes
}

/// The note of a process. Where that is gone there is none, and its file goes, too.
fn read(path: &Path) -> Option<Note> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .ok()?;
    let mut lock = whole_file();
    // SAFETY: the descriptor is open, and the struct is what F_GETLK reads and writes.
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &mut lock) } == 0;
    if asked && lock.l_type == libc::F_UNLCK as libc::c_short {
        let _ = fs::remove_file(path);
    }
    if !asked || lock.l_type == libc::F_UNLCK as libc::c_short {
        return None;
    }
    let mut text = [0; SIZE];
    let length = file.read_at(&mut text, 0).ok()?;
    serde_json::from_slice(&text[..length]).ok()
}

fn whole_file() -> libc::flock {
    // SAFETY: a C struct of numbers, for which zero means the whole file from its beginning.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::F_WRLCK as libc::c_short;
    lock.l_whence = libc::SEEK_SET as libc::c_short;
    lock
}

/// The folder of the files, made where it is missing; none where it is not this user's alone to write to.
fn folder() -> Option<PathBuf> {
    let named = std::env::var_os("RKCHAT_LOCK_DIR").map(PathBuf::from);
    // SAFETY: the call cannot fail and touches nothing.
    let user = unsafe { libc::geteuid() };
    // Not XDG_RUNTIME_DIR: services and cron jobs of the same user have none, or another.
    let path = named
        .filter(|path| path.is_absolute())
        .unwrap_or_else(|| PathBuf::from(format!("/tmp/rkchat-{user}")));
    // One that is there already is looked at below.
    let _ = DirBuilder::new().mode(0o700).create(&path);
    let metadata = fs::symlink_metadata(&path).ok()?;
    let ours = metadata.is_dir() && metadata.uid() == user && metadata.mode() & 0o022 == 0;
    ours.then_some(path)
}

/// The name of the program that runs.
fn program() -> String {
    let line = fs::read("/proc/self/cmdline").unwrap_or_default();
    let first = line.split(|byte| *byte == 0).next().unwrap_or_default();
    let name = first.rsplit(|byte| *byte == b'/').next();
    // Short enough for a note, whatever is in it.
    let name = String::from_utf8_lossy(name.unwrap_or_default());
    name.chars().take(100).collect()
}

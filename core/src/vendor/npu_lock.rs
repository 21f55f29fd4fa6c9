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

/// How the names of the files begin; the number of the process follows.
const NAME: &str = "npu-";

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
        if self.file.is_none() {
            self.file = folder().and_then(|folder| begin(&folder, self.note.pid));
        }
        let text = serde_json::to_vec(&self.note);
        if let (Some((file, _)), Ok(text)) = (&self.file, text) {
            // Whoever reads a half of it takes the number of the process from the file's name.
            let _ = file.set_len(0).and_then(|()| file.write_all_at(&text, 0));
        }
    }
}

/// Makes the file of this process and locks it.
fn begin(folder: &Path, pid: u32) -> Option<(File, PathBuf)> {
    let path = folder.join(format!("{NAME}{pid}"));
    // What a process of the same number left behind.
    let _ = fs::remove_file(&path);
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&path)
        .ok()?;
    let mut lock = whole_file();
    // SAFETY: the descriptor is open, and the struct is what F_SETLK reads.
    let locked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &mut lock) } == 0;
    locked.then_some((file, path))
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
    let own = std::process::id();
    let files = fs::read_dir(folder).into_iter().flatten().flatten();
    let numbered = files.filter_map(|file| {
        let name = file.file_name();
        let pid: u32 = name.to_str()?.strip_prefix(NAME)?.parse().ok()?;
        // The own file must not be opened: closing it would end the lock.
        (pid != own).then(|| (pid, file.path()))
    });
    let mut notes: Vec<Note> = numbered
        .filter_map(|(pid, path)| read(&path, pid))
        .collect();
    notes.sort_by_key(|note| note.pid);
    notes
}

/// The note of a process; none where that is gone.
fn read(path: &Path, pid: u32) -> Option<Note> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(path)
        .ok()?;
    let mut lock = whole_file();
    // SAFETY: the descriptor is open, and the struct is what F_GETLK reads and writes.
    let asked = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &mut lock) } == 0;
    if !asked || lock.l_type == libc::F_UNLCK as libc::c_short {
        return None;
    }
    let mut text = [0; 4096];
    let length = file.read_at(&mut text, 0).unwrap_or(0);
    let note = serde_json::from_slice(&text[..length]).unwrap_or_default();
    Some(Note { pid, ..note })
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
    String::from_utf8_lossy(name.unwrap_or_default()).into_owned()
}

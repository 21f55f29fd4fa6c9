//! Makes sure that what is driven is the file that was recognised.
//!
//! The dynamic linker gives what it once loaded under a name, also where another file has that name now;
//! what was mapped changes when the file is written over; and a file may change between being read and
//! being loaded.

use std::fs;
use std::mem::ManuallyDrop;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use super::abi::layout::Address;
use super::mapped;
use super::recognise::facts::Facts;
use crate::surface::{Error, ErrorKind, Result};

/// A file that was loaded.
#[derive(PartialEq, Eq)]
struct Loaded {
    path: PathBuf,
    /// Device and inode.
    file: (u64, u64),
    blob: [u8; 20],
}

/// Only ever locked if that needs no waiting: in a forked child it may be locked for ever.
static LOADED: Mutex<Vec<Loaded>> = Mutex::new(Vec::new());

/// Loads the library at `path` with `load`, and refuses one that is not what `facts` are about.
pub(super) fn load(
    path: &Path,
    facts: &Facts,
    load: impl FnOnce(&Path) -> Result<libloading::Library>,
) -> Result<ManuallyDrop<libloading::Library>> {
    let metadata = fs::metadata(path).map_err(|error| refused(path, &error.to_string()))?;
    let this = Loaded {
        path: path.to_owned(),
        file: (metadata.dev(), metadata.ino()),
        blob: facts.blob,
    };
    let known = was_loaded(&this)?;
    // Never unloaded: its threads and exit handlers would outlive it.
    let library = ManuallyDrop::new(load(path)?);
    let now = Facts::of(path).map_err(|unfit| unfit.at(path))?;
    if now.blob != facts.blob {
        return Err(refused(path, "it changed while it was loaded; try again"));
    }
    if !known && is_of_a_deleted_file(&library, path) {
        return Err(replaced(path));
    }
    if let Ok(mut loaded) = LOADED.try_lock() {
        if !loaded.contains(&this) {
            loaded.push(this);
        }
    }
    Ok(library)
}

/// Whether this very content was loaded before from there; an error where another was.
fn was_loaded(this: &Loaded) -> Result<bool> {
    let Ok(loaded) = LOADED.try_lock() else {
        return Ok(false);
    };
    let mut there = loaded
        .iter()
        .filter(|known| known.path == this.path || known.file == this.file)
        .peekable();
    let known = there.peek().is_some();
    match there.all(|known| known.blob == this.blob) {
        true => Ok(known),
        false => Err(replaced(&this.path)),
    }
}

fn is_of_a_deleted_file(library: &libloading::Library, path: &Path) -> bool {
    // SAFETY: only the address is taken.
    let found = unsafe { library.get::<Address>(b"rkllm_init\0") };
    let file = found
        .ok()
        .and_then(|address| mapped::file_at(*address as usize));
    file.is_some_and(|file| file != path && file.as_os_str().as_bytes().ends_with(b" (deleted)"))
}

fn replaced(path: &Path) -> Error {
    refused(
        path,
        "it was replaced after this process had loaded it, and what is loaded stays; start the process again to \
         use the new file",
    )
}

fn refused(path: &Path, why: &str) -> Error {
    let message = format!("the runtime {}: {why}", path.display());
    Error::new(ErrorKind::RuntimeInvalid, message).with("path", path.to_string_lossy())
}

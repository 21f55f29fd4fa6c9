//! Files that appear whole or not at all, also where several programs write the same one.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::surface::{Error, ErrorKind, Result};

/// How the names of files that are being written begin. Whoever writes one holds a lock on it, so a file
/// that can be locked was left behind.
const UNFINISHED: &str = ".rkchat-unfinished-";

/// A file that is being written. It takes its name all at once; dropped before, it leaves nothing.
#[derive(Debug)]
pub(crate) struct Unfinished {
    file: File,
    folder: PathBuf,
    path: PathBuf,
}

impl Unfinished {
    /// Begins a file in a folder, which is made where it is missing, and removes what was left there by
    /// programs that were killed.
    pub fn begin(folder: &Path) -> Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        // Another program may remove the folder while it is empty, or this file before it is locked.
        for _ in 0..100 {
            fs::create_dir_all(folder).map_err(|error| cannot_write(folder, &error))?;
            clean(folder);
            let number = NEXT.fetch_add(1, Ordering::Relaxed);
            let path = folder.join(format!("{UNFINISHED}{}-{number}", process::id()));
            let file = match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => file,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                // The number of a process that was killed came round again, and another program has not
                // cleaned up yet.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(cannot_write(folder, &error)),
            };
            let unfinished = Self {
                file,
                folder: folder.to_owned(),
                path,
            };
            lock(&unfinished.file, libc::LOCK_EX).map_err(|error| cannot_write(folder, &error))?;
            let metadata = unfinished.file.metadata();
            let links = metadata
                .map_err(|error| cannot_write(folder, &error))?
                .nlink();
            if links > 0 {
                return Ok(unfinished);
            }
        }
        let message = format!(
            "{}: other programs keep removing what is written there; try again",
            folder.display()
        );
        Err(Error::new(ErrorKind::Io, message))
    }

    /// Writes the bytes to the disk and gives the file its name, in place of one that has it.
    pub fn finish(mut self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let target = self.folder.join(name);
        let written = self
            .file
            .write_all(bytes)
            .and_then(|()| self.file.set_permissions(fs::Permissions::from_mode(0o644)))
            .and_then(|()| self.file.sync_all())
            .and_then(|()| fs::rename(&self.path, &target))
            .and_then(|()| File::open(&self.folder)?.sync_all());
        written.map_err(|error| cannot_write(&self.folder, &error))?;
        Ok(target)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Neither is there after a success: the file has its name, and the folder is not empty.
        let _ = fs::remove_file(&self.path);
        let _ = fs::remove_dir(&self.folder);
    }
}

/// Removes unfinished files that nobody writes any more. What cannot be removed does no harm.
fn clean(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(UNFINISHED) {
            continue;
        }
        let path = entry.path();
        let _ = OpenOptions::new().write(true).open(&path).and_then(|file| {
            lock(&file, libc::LOCK_EX | libc::LOCK_NB)?;
            // Removed while it is locked, so that whoever has just made it sees that it is gone.
            fs::remove_file(&path)
        });
    }
}

/// `flock`, whose lock ends with the process however that ends.
fn lock(file: &File, operation: libc::c_int) -> io::Result<()> {
    loop {
        // SAFETY: the descriptor is that of an open file.
        if unsafe { libc::flock(file.as_raw_fd(), operation) } == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
}

fn cannot_write(folder: &Path, error: &io::Error) -> Error {
    let message = format!(
        "{}: cannot be written: {error}. Runtimes are kept in the data folder: set XDG_DATA_HOME to one that can be \
         written",
        folder.display()
    );
    Error::new(ErrorKind::Io, message).with("path", folder.to_string_lossy())
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::*;

    const NAME: &str = "librkllmrt.so";

    fn folder(name: &str) -> PathBuf {
        let folder =
            env::temp_dir().join(format!("rkchat-unfinished-test-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let folder = folder("whole");
        let dropped = Unfinished::begin(&folder).unwrap();
        assert_eq!(names(&folder).len(), 1);
        drop(dropped);
        assert!(!folder.exists());

        let first = Unfinished::begin(&folder).unwrap();
        let second = Unfinished::begin(&folder).unwrap();
        second.finish(NAME, b"second").unwrap();
        let path = first.finish(NAME, b"first").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"first");
        assert_eq!(names(&folder), [NAME]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn what_a_killed_program_left_is_removed() {
        let folder = folder("left");
        fs::create_dir_all(&folder).unwrap();
        let left = folder.join(format!("{UNFINISHED}1-0"));
        fs::write(&left, "half").unwrap();
        fs::write(folder.join("notes.txt"), "the user's").unwrap();
        let alive = Unfinished::begin(&folder).unwrap();
        let other = Unfinished::begin(&folder).unwrap();
        assert!(!left.exists());
        assert!(alive.path.exists() && other.path.exists());
        drop((alive, other));
        assert_eq!(names(&folder), ["notes.txt"]);
        fs::remove_dir_all(folder).unwrap();
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_named() {
        // Holds for root as well: a file is in the way.
        let file = folder("file");
        fs::write(&file, "").unwrap();
        let error = Unfinished::begin(&file.join("1.1.4")).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Io);
        assert!(error.message().contains("XDG_DATA_HOME"), "{error}");
        fs::remove_file(file).unwrap();
    }
}

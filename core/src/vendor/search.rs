//! Where a runtime is looked for when none is named.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::store::FILE_NAME;
use crate::surface::{Error, ErrorKind, Result};

/// The environment variable that names a runtime.
const RUNTIME_VARIABLE: &str = "RKCHAT_RUNTIME";

/// The group of rkchat's own runtime that is taken by itself.
const OWN_GROUP: &str = "1.3.0";

/// Where Rockchip's library is installed by hand on the usual images. The dynamic linker's own list
/// is not asked, because it also has the current directory where `LD_LIBRARY_PATH` has an empty entry.
const SYSTEM_FOLDERS: [&str; 6] = [
    "/usr/local/lib",
    "/usr/lib",
    "/lib",
    "/usr/lib/aarch64-linux-gnu",
    "/usr/lib/arm-linux-gnueabihf",
    "/usr/lib64",
];

/// Folders that bindings named, each with one folder per ABI group.
static FOLDERS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Adds a folder with rkchat's own runtimes, one folder per ABI group, such as the one in a wheel.
pub fn add_folder(folder: PathBuf) {
    let mut folders = FOLDERS.lock().unwrap_or_else(PoisonError::into_inner);
    if !folders.contains(&folder) {
        folders.push(folder);
    }
}

/// The runtime that was named by option or environment.
pub(crate) fn named(option: Option<&Path>) -> Option<PathBuf> {
    let variable = || env::var_os(RUNTIME_VARIABLE).filter(|value| !value.is_empty());
    option
        .map(Path::to_owned)
        .or_else(|| variable().map(PathBuf::from))
}

/// rkchat's own runtime, for GGUF.
pub(crate) fn own() -> Result<PathBuf> {
    let folders = FOLDERS
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone();
    let candidates = folders
        .into_iter()
        .chain(beside_this_library())
        .map(|folder| folder.join(OWN_GROUP).join(FILE_NAME));
    let mut seen = Vec::new();
    for candidate in candidates {
        if candidate.is_file() {
            return Ok(candidate);
        }
        seen.push(candidate.display().to_string());
    }
    Err(Error::new(
        ErrorKind::RuntimeNotFound,
        format!(
            "rkchat's CPU runtime was not found; looked at {}. Name it with the option runtime or the environment \
             variable {RUNTIME_VARIABLE}.",
            seen.join(", ")
        ),
    ))
}

/// Where Rockchip's library is looked for, for `.rkllm`.
pub(super) fn system_places() -> impl Iterator<Item = PathBuf> {
    let library_path = env::var_os("LD_LIBRARY_PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&library_path)
        .filter(|folder| folder.is_absolute())
        .collect();
    let folders = folders.into_iter().chain(SYSTEM_FOLDERS.map(PathBuf::from));
    folders.map(|folder| folder.join(FILE_NAME))
}

/// `runtime/` in the folder of the file that holds this code, or one level up.
fn beside_this_library() -> Vec<PathBuf> {
    let folders = this_file();
    let folders = folders.ancestors().skip(1).take(2);
    folders.map(|folder| folder.join("runtime")).collect()
}

/// The file that holds this code: a program, `librkchat.so`, a binding's module. Empty where that
/// cannot be told.
///
/// The kernel is asked, because the dynamic linker has the name as it was given, for a program the one it
/// was called by: looked up in the current directory that may be another file.
pub(crate) fn this_file() -> PathBuf {
    let address = this_file as fn() -> PathBuf as usize;
    let maps = fs::read("/proc/self/maps").unwrap_or_default();
    let file = maps
        .split(|byte| *byte == b'\n')
        .find_map(|line| mapped_file(line, address));
    file.or_else(|| env::current_exe().ok()).unwrap_or_default()
}

/// The file of a line `begin-end flags offset device inode path` whose addresses hold this one.
fn mapped_file(line: &[u8], address: usize) -> Option<PathBuf> {
    let mut fields = line.splitn(6, |byte| *byte == b' ');
    let range = std::str::from_utf8(fields.next()?).ok()?;
    let (begin, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    if !(number(begin)?..number(end)?).contains(&address) {
        return None;
    }
    let path = fields.nth(4)?.trim_ascii_start();
    path.starts_with(b"/")
        .then(|| PathBuf::from(OsStr::from_bytes(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_address_is_found() {
        let line = b"7f001000-7f002000 r-xp 00001000 08:01 42                  /a folder/x.so";
        let found = mapped_file(line, 0x7f00_1fff);
        assert_eq!(found.as_deref(), Some("/a folder/x.so".as_ref()));
        assert_eq!(mapped_file(line, 0x7f00_2000), None);
        for other in [
            &b""[..],
            b"1000-2000 rw-p 00000000 00:00 0",
            b"1000-2000 rw-p 0 00:00 0    [heap]",
        ] {
            assert_eq!(mapped_file(other, 0x1800), None);
        }
        let here = env::current_exe().unwrap().canonicalize().unwrap();
        assert_eq!(this_file().canonicalize().unwrap(), here);
    }
}

//! Where a runtime is looked for when none is named.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::mapped;
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
    let file = mapped::file_at(address).or_else(|| env::current_exe().ok());
    file.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::process::Command;

    /// Set in the child.
    const CHILD: &str = "RKCHAT_TEST_SEARCH";

    #[test]
    fn a_program_that_is_found_in_the_path_loads_nothing_from_where_it_is_called() {
        if env::var_os(CHILD).is_some() {
            println!(
                "found: {:?}",
                own().map_err(|error| error.message().to_owned())
            );
            return;
        }
        let folder = env::temp_dir().join(format!("rkchat-search-{}", std::process::id()));
        let (bin, here) = (folder.join("bin"), folder.join("here"));
        let planted = here.join("runtime").join(OWN_GROUP);
        fs::create_dir_all(&bin).unwrap();
        fs::create_dir_all(&planted).unwrap();
        fs::write(planted.join(FILE_NAME), "").unwrap();
        fs::write(here.join("program"), "").unwrap();
        fs::copy(env::current_exe().unwrap(), bin.join("program")).unwrap();
        let name = "loads_nothing_from_where_it_is_called";
        let mut command = Command::new("/bin/sh");
        command.args(["-c", "program --nocapture \"$1\"", "sh", name]);
        command.env(CHILD, "1").env("PATH", &bin).current_dir(&here);
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let looked_at = bin.join("runtime").join(OWN_GROUP).join(FILE_NAME);
        assert!(said.contains("found: Err"), "{said}");
        assert!(said.contains(looked_at.to_str().unwrap()), "{said}");
        assert!(!said.contains(here.to_str().unwrap()), "{said}");
        fs::remove_dir_all(folder).unwrap();
    }
}

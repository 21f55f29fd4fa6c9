//! Runtime files that are replaced while the process lives: what is loaded stays, and must not be taken
//! for the new file.

mod common;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use common::{Folder, scripted_runtime};
use rkchat::{ErrorKind, Runtime, RuntimeOptions};

/// A copy of a group's runtime, in place of what was there.
fn put(folder: &Folder, group: &str) -> PathBuf {
    let path = folder.path().join("librkllmrt.so");
    let new = folder.path().join("new");
    fs::copy(scripted_runtime(group), &new).unwrap();
    fs::rename(new, &path).unwrap();
    path
}

fn group(path: &Path) -> String {
    let runtime = Runtime::open(path, &RuntimeOptions::default()).unwrap();
    runtime.info().abi_group
}

fn refused(path: &Path) {
    let error = Runtime::open(path, &RuntimeOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeInvalid);
    assert!(
        error.message().contains("start the process again"),
        "{error}"
    );
}

#[test]
fn another_file_under_the_same_name_is_refused() {
    let folder = Folder::new();
    let path = put(&folder, "1.1.0");
    assert_eq!(group(&path), "1.1.0");
    refused(&put(&folder, "1.3.0"));
    // The same content again is as good as what is loaded.
    assert_eq!(group(&put(&folder, "1.1.0")), "1.1.0");
}

#[test]
fn a_file_that_is_written_over_is_refused() {
    let folder = Folder::new();
    let path = put(&folder, "1.2.1");
    assert_eq!(group(&path), "1.2.1");
    let mut file = fs::OpenOptions::new().append(true).open(&path).unwrap();
    file.write_all(b"more").unwrap();
    refused(&path);
}

#[test]
fn what_others_have_loaded_is_seen() {
    let folder = Folder::new();
    let path = put(&folder, "1.2.0");
    // SAFETY: the scripted runtime does nothing when it is loaded.
    let theirs = unsafe { libloading::Library::new(&path) }.unwrap();
    refused(&put(&folder, "1.3.0"));
    drop(theirs);
}

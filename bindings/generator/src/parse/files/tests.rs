//! The real surface in a copy, with one thing in it that is wrong or another order.

use super::*;
use crate::parse::{surface, surface_hash};

struct Checkout(tempfile::TempDir);

impl Checkout {
    fn new() -> Self {
        let checkout = Self(tempfile::tempdir().unwrap());
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        copy(&root.join("core/src/surface"), &checkout.folder());
        checkout
    }

    fn folder(&self) -> PathBuf {
        self.0.path().join("core/src/surface")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder().join(name)).unwrap()
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.folder().join(name), text).unwrap();
    }

    #[track_caller]
    fn refused(&self, place: &str, words: &str) {
        let error = surface(self.0.path()).expect_err("this surface must be refused");
        let error = format!("{error:#}");
        assert!(error.contains(place) && error.contains(words), "{error}");
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn mod_rs_gives_the_order() {
    let checkout = Checkout::new();
    let names = || -> Vec<String> {
        let handles = surface(checkout.0.path()).unwrap().handles;
        handles.into_iter().map(|handle| handle.name).collect()
    };
    let before = names();
    assert_eq!(before.first().unwrap(), "Runtime");
    let list = checkout
        .read("handles/mod.rs")
        .replace("mod runtime;\n", "");
    checkout.write("handles/mod.rs", &format!("{list}\nmod runtime;\n"));
    let after = names();
    assert_eq!(after.last().unwrap(), "Runtime");
    assert_eq!(after[..after.len() - 1], before[1..]);
}

#[test]
fn an_error_names_the_file_in_the_folder() {
    for name in ["options/model.rs", "handles/chat.rs"] {
        let checkout = Checkout::new();
        let text = checkout.read(name);
        checkout.write(name, &format!("{text}fn beside() {{}}\n"));
        let line = text.lines().count() + 1;
        checkout.refused(&format!("core/src/surface/{name}:{line}: "), "hold only");
    }
}

#[test]
fn a_folder_has_what_its_mod_rs_names() {
    let checkout = Checkout::new();
    checkout.write("options/beside.rs", "");
    checkout.refused("options/beside.rs: ", "options/mod.rs does not name it");

    let checkout = Checkout::new();
    checkout.write("options/mod.rs", "//! Inputs.\n\nmod absent;\n");
    checkout.refused("options/mod.rs:3: ", "there is no options/absent.rs");

    for item in ["mod inside {}", "#[cfg(unix)]\nmod chat;", "fn beside() {}"] {
        let checkout = Checkout::new();
        checkout.write("handles/mod.rs", item);
        checkout.refused("handles/mod.rs:1: ", "only names the files");
    }
}

#[test]
fn the_surface_has_known_names_only() {
    let checkout = Checkout::new();
    checkout.write("handles.rs", "");
    checkout.refused("handles.rs: ", "the surface has only");
}

#[test]
fn the_hash_counts_the_files_in_folders() {
    let checkout = Checkout::new();
    let before = surface_hash::of(&checkout.folder()).unwrap();
    let text = checkout.read("options/chat.rs");
    checkout.write("options/chat.rs", &format!("{text}\n"));
    assert_ne!(surface_hash::of(&checkout.folder()).unwrap(), before);
    checkout.write("options/chat.rs", &text);
    assert_eq!(surface_hash::of(&checkout.folder()).unwrap(), before);
}

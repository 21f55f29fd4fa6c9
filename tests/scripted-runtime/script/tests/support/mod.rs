//! What the tests of all groups share: scripts in a folder of their own, and children that may die.

// Each test program uses a part.
#![allow(dead_code)]

#[path = "../../../../../runtime/front/tests/client/mod.rs"]
pub mod client;

pub use client::{Call, Heard};
use serde_json::Value;
use std::ffi::CString;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A script file in a temporary folder, with a record beside it.
pub struct ScriptFile {
    folder: tempfile::TempDir,
}

impl ScriptFile {
    pub fn new(mut script: Value) -> Self {
        let folder = tempfile::tempdir().unwrap();
        script["record"] = "record.jsonl".into();
        std::fs::write(folder.path().join("script.json"), script.to_string()).unwrap();
        ScriptFile { folder }
    }

    pub fn path(&self) -> CString {
        let path: PathBuf = self.folder.path().join("script.json");
        CString::new(path.to_str().unwrap()).unwrap()
    }

    /// The recorded calls of one kind.
    pub fn recorded(&self, call: &str) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("record.jsonl")).unwrap();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.filter(|line| line["call"] == call).collect()
    }
}

/// Set in a child of [`in_child`].
const CHILD: &str = "RKCHAT_TEST_CHILD";

/// A program that starts this one, where the kernel cannot: it is built for another processor.
const RUNNER: &str = "RKCHAT_TEST_RUNNER";

/// Runs a test's body in a process of its own, in a folder; `None` in that process itself. `test`
/// is the test's full name.
pub fn in_child(test: &str, folder: &Path, body: impl FnOnce()) -> Option<Output> {
    if std::env::var_os(CHILD).is_some() {
        body();
        return None;
    }
    let own = std::env::current_exe().unwrap();
    let mut words = std::env::var_os(RUNNER).into_iter().chain([own.into()]);
    let output = Command::new(words.next().unwrap())
        .args(words)
        .args(["--exact", test, "--nocapture"])
        .env(CHILD, "1")
        .current_dir(folder)
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(stdout.contains("running 1 test"), "{test}: {stdout}");
    Some(output)
}

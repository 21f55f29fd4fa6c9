//! What the tests of both groups share: scripts in a folder of their own, and a callback that
//! writes down what it gets.

use rkchat_runtime_front::abi::v1_1_0::{
    RKLLM_RUN_ERROR, RKLLM_RUN_FINISH, RKLLM_RUN_NORMAL, RKLLM_RUN_WAITING,
};
use serde_json::Value;
use std::ffi::{CStr, CString, c_char, c_int};
use std::path::PathBuf;
use std::sync::{Condvar, Mutex};
use std::time::Duration;

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

/// One call of the callback.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    Normal(Option<String>, i32),
    Waiting,
    Finish,
    Error,
    /// Rows and columns, in group 1.1.0's own state.
    HiddenStates(c_int, c_int),
}

/// Gets the calls of a run; its address is the run's userdata.
#[derive(Default)]
pub struct Heard {
    pub calls: Mutex<Vec<Call>>,
    changed: Condvar,
}

impl Heard {
    /// # Safety
    /// `text` is NULL or NUL-terminated.
    pub unsafe fn add(&self, state: u32, text: *const c_char, id: i32) {
        // SAFETY: the caller vouches for the text.
        let text = (!text.is_null()).then(|| unsafe { CStr::from_ptr(text) });
        let text = text.map(|text| text.to_string_lossy().into_owned());
        let call = match state {
            RKLLM_RUN_NORMAL => Call::Normal(text, id),
            RKLLM_RUN_WAITING => Call::Waiting,
            RKLLM_RUN_FINISH => {
                assert_eq!(text, None, "FINISH has no text");
                Call::Finish
            }
            RKLLM_RUN_ERROR => Call::Error,
            other => panic!("unknown state {other}"),
        };
        self.calls.lock().unwrap().push(call);
        self.changed.notify_all();
    }

    #[allow(dead_code, reason = "only group 1.1.0 has a state for them")]
    pub fn add_hidden_states(&self, rows: c_int, columns: c_int) {
        let mut calls = self.calls.lock().unwrap();
        calls.push(Call::HiddenStates(rows, columns));
    }

    pub fn take(&self) -> Vec<Call> {
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// The joined text of all NORMAL calls.
    pub fn text(&self) -> String {
        let calls = self.calls.lock().unwrap();
        let texts = calls.iter().filter_map(|call| match call {
            Call::Normal(text, _) => text.as_deref(),
            _ => None,
        });
        texts.collect()
    }

    /// Waits for a call that `wanted` accepts.
    pub fn wait_for(&self, wanted: impl Fn(&Call) -> bool) {
        let calls = self.calls.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(calls, Duration::from_secs(10), |calls| {
                !calls.iter().any(&wanted)
            });
        let timeout = waited.unwrap().1;
        assert!(!timeout.timed_out(), "the call did not come");
    }
}

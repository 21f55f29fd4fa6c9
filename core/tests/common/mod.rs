//! Models for tests: scripts for the scripted runtime, which stands for a vendor library.

// Each test program uses a part of it.
#![allow(dead_code)]

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rkchat::{GenerateOptions, Generation, Json, Model, ModelOptions, Result};
use serde_json::{Map, json};

/// All ABI groups.
pub const ALL_GROUPS: [&str; 7] = [
    "1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0",
];

/// Those that take and give token ids, as most tests do.
pub const GROUPS: [&str; 5] = ["1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"];

/// The scripted runtime of a group, as `runtime/install.sh` lays it out beside the test programs.
pub fn scripted_runtime(group: &str) -> PathBuf {
    runtime(&format!("scripted/{group}"))
}

/// The CPU runtime of a group.
pub fn cpu_runtime(group: &str) -> PathBuf {
    runtime(group)
}

fn runtime(place: &str) -> PathBuf {
    let program = std::env::current_exe().expect("the test program has a path");
    let folder = program.ancestors().nth(2).expect("target/PROFILE/deps");
    let path = folder.join(format!("runtime/{place}/librkllmrt.so"));
    assert!(
        path.is_file(),
        "{} is missing; make test lays it out",
        path.display()
    );
    path
}

/// SmolLM2, which `make test` fetches.
pub fn smollm() -> Option<PathBuf> {
    let name = "../.cache/models/SmolLM2-135M-Instruct.Q4_1.gguf";
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name);
    if !path.is_file() {
        eprintln!(
            "SKIPPED: {} is missing; make test fetches it",
            path.display()
        );
        return None;
    }
    Some(path)
}

/// Options for the CPU runtime of a group, for answers that are always the same.
pub fn greedy(group: &str, max_context_len: u32) -> ModelOptions {
    ModelOptions {
        runtime: Some(cpu_runtime(group)),
        top_k: Some(1),
        repeat_penalty: Some(1.0),
        max_context_len: Some(max_context_len),
        ..ModelOptions::default()
    }
}

/// To be held by a test that computes for long: two at a time would need more threads than there are
/// cores, and take many times as long.
pub fn turn() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// SmolLM2 in the CPU runtime of a group, with a small window.
pub fn smollm_in(group: &str) -> Option<Model> {
    let options = greedy(group, 256);
    Some(Model::open(&smollm()?, &options).expect("it opens"))
}

/// Says how many lines of a file of shared vectors a test ran, where tests/run.py finds it: past what
/// captures a test's output.
pub fn ran(vectors: &str, lines: usize) {
    let mut out = std::io::stdout();
    writeln!(out, "\nvectors {vectors}: {lines}").expect("an output");
}

/// A folder of its own for one test, removed at the end.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path =
            std::env::temp_dir().join(format!("rkchat-test-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&path).expect("a writable temporary folder");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file and gives its path.
    pub fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).expect("a writable temporary folder");
        path
    }

    /// The lines that a script with `"record": "record.jsonl"` wrote for a call.
    pub fn record(&self, call: &str) -> Vec<Json> {
        let text = std::fs::read_to_string(self.0.join("record.jsonl")).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).expect("JSON lines"));
        lines.filter(|line| line["call"] == call).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Options for the scripted runtime of a group.
pub fn options(group: &str) -> ModelOptions {
    ModelOptions {
        runtime: Some(scripted_runtime(group)),
        abi: Some(group.to_owned()),
        // Tests run side by side in one process.
        assume: Some(json!({"instances": "many"})),
        ..ModelOptions::default()
    }
}

/// Opens a script; the folder has to outlive nothing, it is read at once.
pub fn open(group: &str, script: &str) -> Model {
    open_with(script, &options(group)).expect("the script opens")
}

/// Opens a script with options.
pub fn open_with(script: &str, options: &ModelOptions) -> Result<Model> {
    let folder = Folder::new();
    Model::open(&folder.file("script.rkllm", script), options)
}

/// A script that records what it is given, opened with further options, and its folder.
pub fn recording(group: &str, script: &str, more: ModelOptions) -> (Folder, Model) {
    let folder = Folder::new();
    let path = folder.file("s.rkllm", script);
    let ModelOptions {
        runtime,
        abi,
        assume,
        ..
    } = options(group);
    let options = ModelOptions {
        runtime,
        abi,
        assume,
        ..more
    };
    let model = Model::open(&path, &options).expect("the script opens");
    (folder, model)
}

/// Id of [`byte_tokenizer`]'s `<|end|>`.
pub const END: u32 = 256;

/// A `tokenizer.json` with one token for each byte, in the alphabet of byte-level BPE, and the special
/// tokens `<|end|>` and `<|start|>`.
pub fn byte_tokenizer() -> String {
    let printable = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut others = 0x100..;
    let vocabulary: Map<String, Json> = (0..256)
        .map(|byte| {
            let code = if printable(byte) {
                byte
            } else {
                others.next().expect("endless")
            };
            let letter = char::from_u32(code).expect("below the surrogates");
            (letter.to_string(), byte.into())
        })
        .collect();
    let special = |id: u32, content: &str| {
        json!({"id": id, "content": content, "special": true, "single_word": false, "lstrip": false,
               "rstrip": false, "normalized": false})
    };
    let byte_level = json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false});
    json!({
        "version": "1.0",
        "added_tokens": [special(END, "<|end|>"), special(END + 1, "<|start|>")],
        "pre_tokenizer": byte_level,
        "decoder": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    })
    .to_string()
}

/// Words at 20 ms each, without end.
pub const ENDLESS: &str = r#"{"pieces": ["a ", "b ", "c "], "repeat": 0, "delay_ms": 20}"#;
/// Three words at once.
pub const SHORT: &str = r#"{"pieces": [["one ", 1], ["two ", 2], ["three", 3]]}"#;

/// Sooner than any runtime lets go here.
pub const SOON: Duration = Duration::from_millis(400);
/// Longer than any test takes.
pub const LONG: Duration = Duration::from_secs(20);

/// Asks with default options.
pub fn ask(model: &Model) -> Generation {
    ask_with(model, &GenerateOptions::default())
}

/// Asks for what follows three tokens.
pub fn ask_with(model: &Model, options: &GenerateOptions) -> Generation {
    model
        .complete_ids(&[5, 6, 7], options)
        .expect("the request is taken")
}

/// Options for so many tokens.
pub fn at_most(max_new_tokens: u32) -> GenerateOptions {
    GenerateOptions {
        max_new_tokens: Some(max_new_tokens),
        ..GenerateOptions::default()
    }
}

/// All pieces of an answer, each read within `LONG`.
pub fn read(generation: &Generation) -> Vec<String> {
    let mut pieces = Vec::new();
    while let Some(chunk) = generation.next(Some(LONG)).expect("no failure") {
        assert!(!chunk.text.is_empty());
        pieces.push(chunk.text);
    }
    pieces
}

/// Waits until an answer has begun.
pub fn begun(generation: &Generation) {
    generation
        .next(Some(LONG))
        .expect("no failure")
        .expect("a piece");
}

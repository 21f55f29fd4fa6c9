//! The drivers over the scripted and the CPU runtimes, and over functions that write down what they get.

mod cpu_runtime;
mod fakes;
mod hosts;
mod reuse;
mod scripted;

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use super::Group;
use crate::surface::Json;
use crate::vendor::capabilities::Capability;
use crate::vendor::{Flow, InitParams, Input, Library, RunEvent, RunRequest, Session, Token, Word};

/// A runtime that `runtime/install.sh` laid out beside the test programs.
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

/// Whether a group can.
fn can(group: Group, capability: Capability) -> bool {
    crate::vendor::Capabilities::of(group, None, false).has(capability)
}

/// The groups that can.
fn groups_with(capability: Capability) -> impl Iterator<Item = Group> {
    Group::ALL
        .into_iter()
        .filter(move |group| can(*group, capability))
}

/// Opens a model in the library at `place`.
fn open(group: Group, place: &str, params: &InitParams) -> Box<dyn Session> {
    let word = Word::parse(group.name()).expect("a group's name is a release");
    let library = Library::open(&runtime(place), Some(word)).expect("the library opens");
    match library.driver().init(params) {
        Ok(opened) => opened.session,
        Err(failure) => panic!("{}: {failure:?}", group.name()),
    }
}

/// A run of one input.
fn request(input: Input) -> RunRequest {
    RunRequest {
        inputs: vec![input],
        max_new_tokens: 64,
        ..RunRequest::default()
    }
}

/// Runs to the end, or until a token with this number is to pause it; all that was reported.
fn run_until(
    session: &dyn Session,
    request: &RunRequest,
    pause_after: Option<usize>,
) -> (i32, Vec<RunEvent>) {
    let mut events = Vec::new();
    let mut tokens = 0;
    let status = session.run(request, &mut |event| {
        tokens += usize::from(matches!(&event, RunEvent::Token(token) if token.id.is_some()));
        events.push(event);
        match pause_after == Some(tokens) {
            true => Flow::Pause,
            false => Flow::Go,
        }
    });
    (status, events)
}

/// Runs to the end, which is good.
fn run(session: &dyn Session, request: &RunRequest) -> Vec<RunEvent> {
    let (status, events) = run_until(session, request, None);
    assert_eq!(status, 0, "{events:?} {:?}", session.last_error());
    events
}

fn tokens(events: &[RunEvent]) -> Vec<&Token> {
    let tokens = events.iter().filter_map(|event| match event {
        RunEvent::Token(token) => Some(token),
        _ => None,
    });
    tokens.collect()
}

fn ids(events: &[RunEvent]) -> Vec<u32> {
    tokens(events).iter().filter_map(|token| token.id).collect()
}

/// A folder of its own for one test, removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("rkchat-group-test-{}-{number}", process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("a writable temporary folder");
        Self(path)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file and gives its path.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text).expect("a writable temporary folder");
        self.path(name)
    }

    /// The lines that a script with `"record": "record.jsonl"` wrote for a call.
    fn record(&self, call: &str) -> Vec<Json> {
        let text = fs::read_to_string(self.path("record.jsonl")).unwrap_or_default();
        let lines = text
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap());
        lines.filter(|line| line["call"] == call).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a temporary folder's name is text")
}

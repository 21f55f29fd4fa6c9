//! Runs, watched closely.

use std::path::PathBuf;
use std::sync::mpsc;
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use super::Subject;
use crate::vendor::capabilities;
use crate::vendor::{Flow, Input, Perf, RunEvent, RunRequest, callback};

/// How long a callback may come after its run before it counts as never.
const AFTER: Duration = Duration::from_millis(500);

/// One callback with a token.
pub(super) struct Seen {
    pub id: Option<u32>,
    pub text: Vec<u8>,
    pub waiting: bool,
    pub thread: ThreadId,
}

/// What a run did.
pub(super) struct Observed {
    pub status: i32,
    pub tokens: Vec<Seen>,
    pub perf: Option<Perf>,
    /// FINISH and ERROR, in order.
    pub ends: usize,
    pub failed: bool,
    /// Whether it was ended early, and how long that took.
    pub abort: Option<Aborted>,
    /// Callbacks that came after `rkllm_run` had returned.
    pub late: usize,
}

pub(super) struct Aborted {
    /// What `rkllm_abort` returned, each time.
    pub statuses: Vec<i32>,
    /// From the first abort to the return of `rkllm_run`.
    pub took: Duration,
}

impl Observed {
    pub fn ids(&self) -> Vec<u32> {
        self.tokens.iter().filter_map(|seen| seen.id).collect()
    }
}

/// Runs until `enough` tokens have come, or to its end.
pub(super) fn run(subject: &Subject<'_>, input: Input, enough: u32) -> Observed {
    watch(subject, input, enough, 1)
}

/// As [`run`]; aborts so many times where it has to be ended.
pub(super) fn watch(subject: &Subject<'_>, input: Input, enough: u32, aborts: usize) -> Observed {
    observe(subject, input, None, enough, aborts)
}

/// As [`watch`], of a run that is ended early and is to write its prompt cache.
pub(super) fn cut_short(subject: &Subject<'_>, input: Input, save_cache: PathBuf) -> Observed {
    observe(subject, input, Some(save_cache), 2, 2)
}

fn observe(
    subject: &Subject<'_>,
    input: Input,
    save_cache: Option<PathBuf>,
    enough: u32,
    aborts: usize,
) -> Observed {
    let request = RunRequest {
        inputs: vec![input],
        // Where the runtime counts, it is left to end by itself, but for runs that are to be aborted.
        max_new_tokens: match aborts {
            1 if subject.capabilities.has(capabilities::RUN_TOKEN_LIMIT) => enough,
            _ => super::WINDOW,
        },
        save_cache,
        ..RunRequest::default()
    };
    let before = callback::late();
    let (told, events) = mpsc::channel();
    let mut observed = thread::scope(|scope| {
        let run = scope.spawn(|| {
            let mut sink = |event| {
                // The receiver stays until the run is over.
                let _ = told.send((event, thread::current().id()));
                Flow::Go
            };
            let status = subject.session.run(&request, &mut sink);
            drop(told);
            (status, Instant::now())
        });
        let mut observed = collect(subject, &events, enough, aborts);
        if let Ok((status, returned)) = run.join() {
            observed.0.status = status;
            if let (Some(abort), Some(from)) = (&mut observed.0.abort, observed.1) {
                abort.took = returned.saturating_duration_since(from);
            }
        }
        observed.0
    });
    thread::sleep(AFTER);
    observed.late = callback::late() - before;
    observed
}

/// Takes the events of a run as they come, and ends it when there are enough.
fn collect(
    subject: &Subject<'_>,
    events: &mpsc::Receiver<(RunEvent, ThreadId)>,
    enough: u32,
    aborts: usize,
) -> (Observed, Option<Instant>) {
    let mut observed = Observed {
        status: -1,
        tokens: Vec::new(),
        perf: None,
        ends: 0,
        failed: false,
        abort: None,
        late: 0,
    };
    let mut aborted_at = None;
    for (event, thread) in events {
        match event {
            RunEvent::Token(token) => observed.tokens.push(Seen {
                id: token.id,
                text: token.text,
                waiting: token.waiting,
                thread,
            }),
            RunEvent::Finish { perf } => {
                observed.ends += 1;
                observed.perf = perf;
            }
            RunEvent::Error { .. } => {
                observed.ends += 1;
                observed.failed = true;
            }
            RunEvent::Hidden { .. } | RunEvent::Logits { .. } => {}
        }
        let counts = aborts == 1 && subject.capabilities.has(capabilities::RUN_TOKEN_LIMIT);
        let over = observed.ends > 0 || counts;
        if aborted_at.is_none() && !over && observed.tokens.len() >= enough as usize {
            aborted_at = Some(Instant::now());
            let statuses = (0..aborts).map(|_| subject.session.abort()).collect();
            observed.abort = Some(Aborted {
                statuses,
                took: Duration::ZERO,
            });
        }
    }
    (observed, aborted_at)
}

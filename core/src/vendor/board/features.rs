//! Checks of what goes beyond text: hidden states, logits, runs that pause.

use super::checks::{SOME, fresh, holds, question_input};
use super::observe;
use super::{Finding, Subject, Verdict};
use crate::vendor::capabilities::{self, Capability};
use crate::vendor::{Flow, Input, Mode, RunEvent, RunRequest};

/// Tokens of the input whose numbers are counted.
const INPUT: [i32; 7] = [300, 301, 302, 303, 304, 305, 306];

/// Those that need no abort.
pub(super) fn all(subject: &Subject<'_>) -> Vec<Finding> {
    let unseen = |id, why| Finding::new(id, Verdict::Unknown, why);
    vec![
        hidden_states(subject),
        rows(subject),
        release(subject),
        resume(subject),
        unseen(
            "npu-memory-words",
            "only a model that does not fit shows it",
        ),
        unseen(
            "kept-after-abort",
            "only a conversation that goes on after an answer was cut short shows it",
        ),
        unseen(
            "batch-results",
            "the model was opened for one input in a run",
        ),
        unseen(
            "kept-memory",
            "how long memory is looked at cannot be seen from outside",
        ),
        unseen(
            "sizes-unasked",
            "what is read too much cannot be seen from outside",
        ),
        unseen("images-in-text", "only a model with a vision part shows it"),
        unseen(
            "host-callbacks",
            "only a model that was converted without its tokenizer or embedding layer shows it",
        ),
    ]
}

fn lacks(subject: &Subject<'_>, id: &'static str, wanted: Capability) -> Option<Finding> {
    let lacks = !subject.capabilities.has(wanted);
    let seen = || format!("this release cannot {}", wanted.can);
    lacks.then(|| Finding::new(id, Verdict::Unknown, seen()))
}

fn hidden_states(subject: &Subject<'_>) -> Finding {
    let id = "numbers-in-callback";
    if let Some(lacks) = lacks(subject, id, capabilities::HIDDEN_STATES) {
        return lacks;
    }
    fresh(subject);
    let (status, events) = run(
        subject,
        Input::Tokens(INPUT.into()),
        Mode::HiddenStates,
        None,
    );
    let mut seen = format!("it returned {status}");
    let mut rows = None;
    for event in &events {
        match event {
            RunEvent::Hidden { states, .. } => {
                seen += &format!(", {} states of {} numbers", states.tokens, states.width);
                let sane = states.values.iter().all(|value| value.is_finite());
                rows = Some(rows.unwrap_or(0) + if sane { states.tokens } else { 0 });
            }
            RunEvent::Error { message } => {
                seen += &format!(", an error ({})", message.as_deref().unwrap_or("no reason"));
            }
            _ => {}
        }
    }
    match rows {
        // Not every model gives them.
        None => Finding::new(id, Verdict::Unknown, seen),
        Some(rows) => Finding::new(id, holds(rows == INPUT.len()), seen),
    }
}

/// Whether the first logits are those of the whole prompt.
fn rows(subject: &Subject<'_>) -> Finding {
    let id = "numbers-of-each-token";
    if let Some(lacks) = lacks(subject, id, capabilities::LOGITS) {
        return lacks;
    }
    fresh(subject);
    let (status, events) = run(subject, Input::Tokens(INPUT.into()), Mode::Logits, None);
    let first = events.iter().find_map(|event| match event {
        RunEvent::Logits { logits, .. } => Some(logits.tokens),
        _ => None,
    });
    let Some(first) = first else {
        let seen = format!("no logits came, and it returned {status}");
        return Finding::new(id, Verdict::Unknown, seen);
    };
    let seen = format!(
        "the first logits of {} tokens had {first} rows",
        INPUT.len()
    );
    Finding::new(id, holds(first == INPUT.len()), seen)
}

/// Whether a run that is ended early leaves its prompt cache.
pub(super) fn cut_short(subject: &Subject<'_>) -> Finding {
    let id = "cache-after-abort";
    if let Some(lacks) = lacks(subject, id, capabilities::PROMPT_CACHE) {
        return lacks;
    }
    let path = std::env::temp_dir().join(format!("rkchat-board-{}.cache", std::process::id()));
    fresh(subject);
    let question = question_input(subject, "Tell me a long story about a lighthouse.");
    let observed = observe::cut_short(subject, question, path.clone());
    let written = std::fs::metadata(&path).map_or(0, |file| file.len());
    // It may not be there.
    let _ = std::fs::remove_file(&path);
    let seen = format!(
        "a run that was ended after {} tokens returned {} and wrote {written} bytes",
        observed.tokens.len(),
        observed.status
    );
    match observed.abort {
        None => Finding::new(
            id,
            Verdict::Unknown,
            "the answer ended before it could be aborted",
        ),
        Some(_) => Finding::new(id, holds(written > 0), seen),
    }
}

/// Whether logits go on coming when each is answered with 2.
fn release(subject: &Subject<'_>) -> Finding {
    let id = "release-buffer";
    if let Some(lacks) = lacks(subject, id, capabilities::RELEASE_OUTPUT) {
        return lacks;
    }
    fresh(subject);
    let input = question_input(subject, "Name three colours.");
    let (status, events) = run(subject, input, Mode::Logits, None);
    let count = events
        .iter()
        .filter(|event| matches!(event, RunEvent::Logits { .. }))
        .count();
    let seen = format!("logits came {count} times, and it returned {status}");
    match count {
        0 => Finding::new(id, Verdict::Unknown, seen),
        _ => Finding::new(id, holds(count > 1 && status == 0), seen),
    }
}

fn resume(subject: &Subject<'_>) -> Finding {
    let id = "resume-input";
    if let Some(lacks) = lacks(subject, id, capabilities::PAUSE) {
        return lacks;
    }
    let question = || question_input(subject, "Tell me a long story about a lighthouse.");
    fresh(subject);
    let whole = observe::run(subject, question(), SOME).ids();
    fresh(subject);
    let (status, events) = run(subject, question(), Mode::Generate, Some(3));
    let mut ids: Vec<u32> = events.iter().filter_map(token).collect();
    let paused = ids.len();
    let Some(last) = ids.last().and_then(|last| i32::try_from(*last).ok()) else {
        let seen = format!("no token came; it returned {status}");
        return Finding::new(id, Verdict::Unknown, seen);
    };
    if paused == 3 {
        ids.extend(observe::run(subject, Input::Tokens(vec![last]), SOME).ids());
    }
    // Whatever became of the pause, it is over.
    fresh(subject);
    let same = whole.iter().zip(&ids).take_while(|(a, b)| a == b).count();
    let seen = format!(
        "a run that was to pause after 3 tokens made {paused}; with what followed, {same} of {} tokens are those \
         without a pause",
        ids.len().min(whole.len())
    );
    let goes_on = paused == 3 && ids.len() > 3 && same == ids.len().min(whole.len());
    Finding::new(id, holds(goes_on), seen)
}

fn token(event: &RunEvent) -> Option<u32> {
    match event {
        RunEvent::Token(token) => token.id,
        _ => None,
    }
}

/// A run and all that it reports; asks to pause after so many tokens.
fn run(
    subject: &Subject<'_>,
    input: Input,
    mode: Mode,
    pause_after: Option<usize>,
) -> (i32, Vec<RunEvent>) {
    let request = RunRequest {
        inputs: vec![input],
        max_new_tokens: SOME,
        mode,
        ..RunRequest::default()
    };
    let mut events = Vec::new();
    let mut tokens = 0;
    let status = subject.session.run(&request, &mut |event| {
        tokens += usize::from(token(&event).is_some());
        events.push(event);
        match pause_after == Some(tokens) {
            true => Flow::Pause,
            false => Flow::Go,
        }
    });
    (status, events)
}

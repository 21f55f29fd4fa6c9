//! The checks themselves, one for each assumption.

use super::observe::{self, Observed};
use super::{Finding, Subject, Verdict};
use crate::surface::RenderOptions;
use crate::vendor::capabilities;
use crate::vendor::recognise::evidence::Defaults;
use crate::vendor::recognise::facts::Facts;
use crate::vendor::{InitFailure, Input, Library, log};

/// Tokens that are asked for where an answer is looked at.
pub(super) const SOME: u32 = 16;

/// Token ids that every vocabulary has, with nothing special among them.
const PLAIN: std::ops::Range<i32> = 300..311;

/// Asks in a child process also where the library was recognised without.
pub(super) fn default_param(library: &Library) -> Finding {
    let id = "default-param";
    let path = &library.info().path;
    let defaults = match Facts::of(path) {
        Ok(facts) => facts.evidence(path, None, true).defaults,
        Err(unfit) => Defaults::Unknown(unfit.to_string()),
    };
    let group = &*library.info().abi_group;
    match defaults {
        Defaults::Fit(groups) if groups.contains(&group) => {
            let seen = format!("it fills its result as group {} does", groups.join(" or "));
            Finding::new(id, Verdict::Holds, seen)
        }
        Defaults::Fit(groups) => {
            let seen = format!("it fills its result as {groups:?} do, and not as group {group}");
            Finding::new(id, Verdict::Broken, seen)
        }
        Defaults::Unknown(why) => Finding::new(id, Verdict::Unknown, why),
        Defaults::NotAsked => Finding::new(id, Verdict::Unknown, "it was not called"),
    }
}

pub(super) fn max_new_tokens_window(failure: Option<&InitFailure>) -> Finding {
    let id = "max-new-tokens-window";
    match failure {
        None => {
            Finding::new(id, Verdict::Holds, "rkllm_init took it").measures("token_limit", "window")
        }
        Some(failure) => {
            let said: Vec<_> = log::errors(&failure.log).collect();
            let seen = format!(
                "rkllm_init returned {}: {}",
                failure.status,
                said.join("; ")
            );
            Finding::new(id, Verdict::Broken, seen).measures("token_limit", "none")
        }
    }
}

pub(super) fn one_model(library: &Library, first: bool, second: bool) -> Finding {
    let id = "one-model-before-1.2.2";
    let late = library.capabilities().has(capabilities::SEVERAL_MODELS);
    match (first, second) {
        (false, _) => Finding::new(id, Verdict::Unknown, "not even one model was opened"),
        (true, true) if late => Finding::new(
            id,
            Verdict::Holds,
            "two were opened, as this release is said to allow",
        ),
        (true, true) => {
            Finding::new(id, Verdict::Broken, "two were opened").measures("instances", "many")
        }
        (true, false) => Finding::new(id, Verdict::Holds, "the second one was refused"),
    }
}

/// All checks that need an open model. The order matters: aborts come last, they may spoil it.
pub(super) fn all(subject: &Subject<'_>) -> Vec<Finding> {
    let mut findings = token_input(subject);
    findings.push(special_tokens(subject));
    findings.push(ids_and_text(subject));
    findings.push(end_is_shown(subject));
    findings.push(prefix_reuse(subject));
    findings.extend(super::features::all(subject));
    findings.extend(aborts(subject));
    findings.push(super::features::cut_short(subject));
    findings
}

/// Tokens of the prompt that a run computed, where the runtime tells.
fn prompt_length(subject: &Subject<'_>, observed: &Observed) -> Option<u32> {
    let counted = subject.session.counts().map(|counts| counts.prompt_tokens);
    let measured = observed.perf.map(|perf| perf.prefill_tokens);
    counted
        .or(measured.filter(|tokens| *tokens > 0))
        .or_else(|| {
            let cached = subject.session.cache_size()?;
            let produced = u32::try_from(observed.tokens.len()).ok()?;
            // The last token of an answer need not be in the cache.
            cached.checked_sub(produced.saturating_sub(1))
        })
}

pub(super) fn fresh(subject: &Subject<'_>) {
    // Where it cannot be emptied it is not reused either.
    let _ = subject.session.clear_cache(false, &[]);
}

fn token_input(subject: &Subject<'_>) -> Vec<Finding> {
    let (bos, template) = ("token-input-bos", "token-input-template");
    if !subject.capabilities.has(capabilities::TOKEN_INPUT) {
        let both = [bos, template];
        return both
            .map(|id| Finding::new(id, Verdict::Unknown, "this release takes no tokens"))
            .into();
    }
    fresh(subject);
    let observed = observe::run(subject, Input::Tokens(PLAIN.collect()), 1);
    let given = PLAIN.len() as u32;
    let Some(length) = prompt_length(subject, &observed) else {
        let seen = format!(
            "this release does not tell how long a prompt was (status {})",
            observed.status
        );
        return vec![
            Finding::new(bos, Verdict::Unknown, &seen),
            Finding::new(template, Verdict::Unknown, seen),
        ];
    };
    let seen = format!("{given} tokens went in, the runtime counts {length}");
    match length.checked_sub(given) {
        Some(0) => vec![
            Finding::new(bos, Verdict::Holds, &seen).measures("bos", "keep"),
            Finding::new(template, Verdict::Holds, seen).measures("input", "tokens"),
        ],
        Some(1) => vec![
            Finding::new(bos, Verdict::Broken, &seen).measures("bos", "strip"),
            Finding::new(template, Verdict::Holds, seen).measures("input", "tokens"),
        ],
        _ => vec![
            Finding::new(bos, Verdict::Unknown, &seen),
            Finding::new(template, Verdict::Broken, seen).measures("input", "text"),
        ],
    }
}

/// Two texts that differ in one marker: read as a token it makes the prompt one token longer.
fn special_tokens(subject: &Subject<'_>) -> Finding {
    let id = "text-special-tokens";
    let template = subject
        .files
        .template
        .as_ref()
        .map(|(template, _)| template);
    let Some(marker) = template.and_then(|template| template.token("eos_token")) else {
        return Finding::new(
            id,
            Verdict::Unknown,
            "no special token of this model is known",
        );
    };
    let mut lengths = Vec::new();
    for text in ["one two".to_owned(), format!("one{marker} two")] {
        fresh(subject);
        let observed = observe::run(subject, Input::Text(text), 1);
        lengths.extend(prompt_length(subject, &observed));
    }
    match lengths[..] {
        [plain, marked] => {
            let seen = format!("{marker} made a prompt of {plain} tokens one of {marked}");
            let verdict = match marked.checked_sub(plain) {
                Some(1) => Verdict::Holds,
                _ => Verdict::Broken,
            };
            Finding::new(id, verdict, seen)
        }
        _ => Finding::new(
            id,
            Verdict::Unknown,
            "this release does not tell how long a prompt was",
        ),
    }
}

/// An answer with characters of several tokens, if the model is willing.
fn ids_and_text(subject: &Subject<'_>) -> Finding {
    let id = "token-id-per-callback";
    if !subject.capabilities.has(capabilities::TOKEN_IDS) {
        return Finding::new(id, Verdict::Unknown, "this release tells no token ids");
    }
    fresh(subject);
    let question =
        "Repeat these characters and nothing else: \u{1f389}\u{9f8d}\u{1f9d1}\u{200d}\u{1f680}";
    let observed = observe::run(subject, question_input(subject, question), 2 * SOME);
    let waiting: Vec<_> = observed.tokens.iter().filter(|seen| seen.waiting).collect();
    let without = observed
        .tokens
        .iter()
        .filter(|seen| seen.id.is_none())
        .count();
    let seen = format!(
        "{} callbacks with tokens, {without} without an id; {} waited for the rest of a character, {} of them \
         with an id, {} with text",
        observed.tokens.len(),
        waiting.len(),
        waiting.iter().filter(|seen| seen.id.is_some()).count(),
        waiting.iter().filter(|seen| !seen.text.is_empty()).count(),
    );
    if observed.tokens.is_empty() {
        return Finding::new(id, Verdict::Unknown, seen);
    }
    match without {
        0 if waiting.is_empty() => Finding::new(id, Verdict::Unknown, seen),
        0 => Finding::new(id, Verdict::Holds, seen).measures("text_source", "auto"),
        _ => Finding::new(id, Verdict::Broken, seen).measures("text_source", "runtime"),
    }
}

/// A short answer, whose end has an id that is known to be special.
fn end_is_shown(subject: &Subject<'_>) -> Finding {
    let id = "special-tokens-shown";
    fresh(subject);
    let question = "Answer with one word: is water wet?";
    let observed = observe::run(subject, question_input(subject, question), 2 * SOME);
    let is_end = |id: Option<u32>| id.is_some_and(|id| subject.files.stop_ids.contains(&id));
    match observed.tokens.iter().find(|seen| is_end(seen.id)) {
        None => Finding::new(
            id,
            Verdict::Unknown,
            "no callback brought a token that is known to end an answer",
        ),
        Some(end) => {
            let text = String::from_utf8_lossy(&end.text);
            let seen = format!("the token that ended the answer came with the text {text:?}");
            Finding::new(id, holds(!end.text.is_empty()), seen)
        }
    }
}

fn prefix_reuse(subject: &Subject<'_>) -> Finding {
    let id = "prefix-reuse";
    if !subject.capabilities.has(capabilities::PREFIX_REUSE) {
        return Finding::new(id, Verdict::Unknown, "this release reuses nothing");
    }
    let ask = |question: &str| observe::run(subject, question_input(subject, question), SOME);
    let (first, other) = ("Name three colours.", "Name three animals.");
    fresh(subject);
    let alone = ask(first).ids();
    fresh(subject);
    ask(other);
    let after = ask(first).ids();
    let shown = |ids: &[u32]| {
        ids.iter()
            .take(8)
            .map(u32::to_string)
            .collect::<Vec<_>>()
            .join(" ")
    };
    let seen = format!(
        "the answer begins {} on an empty cache and {} after another question",
        shown(&alone),
        shown(&after)
    );
    match alone == after {
        true => Finding::new(id, Verdict::Holds, seen).measures("prefix_reuse", "on"),
        false => Finding::new(id, Verdict::Broken, seen).measures("prefix_reuse", "off"),
    }
}

fn aborts(subject: &Subject<'_>) -> Vec<Finding> {
    let question = || question_input(subject, "Tell me a long story about a lighthouse.");
    let short = || observe::run(subject, question(), SOME);
    fresh(subject);
    let before = short();
    let threads: std::collections::HashSet<_> =
        before.tokens.iter().map(|seen| seen.thread).collect();
    let order = format!(
        "{} callbacks came on {} thread(s)",
        before.tokens.len(),
        threads.len()
    );
    let order = match threads.len() {
        0 => Finding::new("callback-order", Verdict::Unknown, order),
        1 => Finding::new("callback-order", Verdict::Holds, order),
        _ => Finding::new("callback-order", Verdict::Broken, order),
    };
    if !subject.capabilities.has(capabilities::ABORT) {
        let ids = [
            "abort-other-thread",
            "abort-when-idle",
            "run-after-abort",
            "blocking-run",
        ];
        let unknown =
            ids.map(|id| Finding::new(id, Verdict::Unknown, "this release cannot end a run early"));
        return unknown.into_iter().chain([order]).collect();
    }
    fresh(subject);
    let idle_status = subject.session.abort();
    let idle = short();
    fresh(subject);
    let aborted = observe::watch(subject, question(), 3, 2);
    fresh(subject);
    let after = short();
    vec![
        order,
        abort_other_thread(&aborted),
        Finding::new(
            "abort-when-idle",
            holds(idle.ids() == before.ids() && idle.status == before.status),
            format!(
                "rkllm_abort returned {idle_status} with nothing running; the next run returned {} after {} tokens \
                 ({} without it)",
                idle.status,
                idle.tokens.len(),
                before.tokens.len()
            ),
        ),
        Finding::new(
            "run-after-abort",
            holds(after.status == before.status && !after.failed && !after.tokens.is_empty()),
            format!(
                "it returned {} with {} tokens",
                after.status,
                after.tokens.len()
            ),
        ),
        blocking_run(&[&before, &idle, &aborted, &after]),
    ]
}

fn abort_other_thread(aborted: &Observed) -> Finding {
    let id = "abort-other-thread";
    let Some(abort) = &aborted.abort else {
        let seen = "the answer ended before it could be aborted";
        return Finding::new(id, Verdict::Unknown, seen);
    };
    let seen = format!(
        "after 3 tokens rkllm_abort returned {:?}; rkllm_run returned {} after {} ms and {} tokens",
        abort.statuses,
        aborted.status,
        abort.took.as_millis(),
        aborted.tokens.len()
    );
    // A model that goes on to the end of the window has not listened.
    Finding::new(
        id,
        holds(aborted.tokens.len() < super::WINDOW as usize / 2),
        seen,
    )
}

fn blocking_run(runs: &[&Observed]) -> Finding {
    let late: usize = runs.iter().map(|run| run.late).sum();
    let ends: Vec<_> = runs.iter().map(|run| run.ends).collect();
    let seen = format!(
        "{late} callbacks came after the return of rkllm_run; FINISH or ERROR came {ends:?} times"
    );
    Finding::new("blocking-run", holds(late == 0), seen)
}

pub(super) fn holds(seen: bool) -> Verdict {
    match seen {
        true => Verdict::Holds,
        false => Verdict::Broken,
    }
}

/// A question as the model is fed it: templated tokens where they can be made and taken.
pub(super) fn question_input(subject: &Subject<'_>, question: &str) -> Input {
    let options = RenderOptions {
        add_generation_prompt: true,
        ..RenderOptions::default()
    };
    let messages = serde_json::json!([{"role": "user", "content": question}]);
    let template = subject
        .files
        .template
        .as_ref()
        .map(|(template, _)| template);
    let prompt = template.and_then(|template| template.render(&messages, &options).ok());
    let prompt = prompt.unwrap_or_else(|| question.to_owned());
    if !subject.capabilities.has(capabilities::TOKEN_INPUT) {
        return Input::Text(prompt);
    }
    let ids = match (&subject.files.tokenizer, subject.session.vocabulary()) {
        (Some((tokenizer, _)), _) => tokenizer.encode(&prompt, false).ok(),
        (None, Some(vocabulary)) => vocabulary.tokenize(&prompt, false, true).ok(),
        (None, None) => None,
    };
    match ids {
        Some(ids) => Input::Tokens(ids.into_iter().map(|id| id as i32).collect()),
        // The runtime's own template is put around it, where there is one.
        None => Input::Text(question.to_owned()),
    }
}

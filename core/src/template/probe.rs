//! What a template writes itself, found by rendering conversations of known words.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Template, context};
use crate::surface::{Json, RenderOptions};

const QUESTION: &str = "rkchatProbeQuestion";
const ANSWER: &str = "rkchatProbeAnswer";
const AGAIN: &str = "rkchatProbeAgain";

/// A template that takes this long for conversations of a few words is not worth waiting for.
const LONG: Duration = Duration::from_millis(500);

/// What a template writes around turns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Turns {
    /// Right after an assistant message: up to the end, or up to the next question where nothing is
    /// written before one follows.
    pub after_assistant: String,
    /// Texts whose last special token opens a turn: what stands before an answer, and before a
    /// question where the template writes nothing after an answer that is the last message.
    pub openings: Vec<String>,
    /// The words that open the assistant's turn.
    pub generation_prompt: String,
}

/// Tries plain text content, then content in parts, as multimodal templates want it.
pub(super) fn turns(template: &Template) -> Option<Turns> {
    let text = |text: &str| json!(text);
    let parts = |text: &str| json!([{"type": "text", "text": text}]);
    probe(template, text).or_else(|| probe(template, parts))
}

/// What the template writes itself in conversations of all roles: it may put a token together out of
/// several literals, as Phi 3's does of `<|`, the role and `|>`.
pub(super) fn written(template: &Template) -> BTreeSet<String> {
    let begun = Instant::now();
    let mut written = BTreeSet::new();
    for role in context::ROLES {
        let message = |role: &str, content: Json| json!({"role": role, "content": content});
        for parts in [false, true] {
            let content = |text: &str| match parts {
                true => json!([{"type": "text", "text": text}]),
                false => json!(text),
            };
            let question = || message("user", content(QUESTION));
            let answer = || message("assistant", content(ANSWER));
            let conversations = match role {
                "user" => vec![vec![question()]],
                "assistant" => vec![vec![question(), answer(), question()]],
                role => vec![
                    vec![message(role, content(AGAIN)), question()],
                    vec![question(), answer(), message(role, content(AGAIN))],
                ],
            };
            for conversation in conversations {
                if begun.elapsed() > LONG {
                    return written;
                }
                let options = RenderOptions {
                    add_generation_prompt: true,
                    ..RenderOptions::default()
                };
                let prompt = template.render_marked(&Json::from(conversation), &options);
                if let Ok(prompt) = prompt {
                    written.extend(prompt.trusted().map(str::to_owned));
                }
            }
        }
    }
    written
}

fn probe(template: &Template, content: impl Fn(&str) -> Json) -> Option<Turns> {
    let message = |role: &str, text: &str| json!({"role": role, "content": content(text)});
    let render = |messages: &[Json], add_generation_prompt| {
        let options = RenderOptions {
            add_generation_prompt,
            ..RenderOptions::default()
        };
        template.render(&Json::from(messages), &options).ok()
    };
    let messages = [
        message("user", QUESTION),
        message("assistant", ANSWER),
        message("user", AGAIN),
    ];
    let answered = render(&messages[..2], false)?;
    let (before, at_end) = answered.rsplit_once(ANSWER)?;
    let (_, before_answer) = before.rsplit_once(QUESTION)?;
    let asked = render(&messages, false)?;
    let (_, after) = asked.rsplit_once(ANSWER)?;
    let (between, tail) = after.split_once(AGAIN)?;
    let opened = render(&messages, true)?;
    let (_, tail_opened) = opened.rsplit_once(AGAIN)?;
    let generation_prompt = tail_opened.strip_prefix(tail).unwrap_or(tail_opened);

    let mut openings = vec![before_answer.to_owned()];
    let mut after_assistant = at_end;
    if at_end.trim().is_empty() {
        openings.push(between.to_owned());
        after_assistant = between;
    }
    Some(Turns {
        after_assistant: after_assistant.to_owned(),
        openings,
        generation_prompt: generation_prompt.to_owned(),
    })
}

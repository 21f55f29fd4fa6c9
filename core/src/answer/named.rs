//! Calls written as a name and then a JSON object.

use super::calls::{Calls, Fault, Next, Step};
use super::gap::{Found, Gap};
use super::json::Span;

/// A name, and the id that the model gave.
type Head<'h> = (&'h str, Option<&'h str>);

/// What is between names and arguments.
#[derive(Debug)]
pub(super) struct Shape {
    /// Name and id from what stands before the arguments; `None` where it holds no name.
    pub head: fn(&str) -> Option<Head<'_>>,
    /// Delimiters in the head, which a tokenizer may have as special tokens.
    pub inside: &'static [&'static str],
    /// Begin a further call.
    pub next: &'static [&'static str],
    /// Stand behind the arguments.
    pub tail: &'static [&'static str],
    /// End the section.
    pub close: &'static [&'static str],
}

/// The longest text that is taken for a name with its delimiters.
const MAX_HEAD: usize = 512;

#[derive(Debug)]
pub(super) enum Named {
    Head(String),
    Arguments(Span),
    Tail(Gap),
}

impl Default for Named {
    fn default() -> Self {
        Self::Head(String::new())
    }
}

impl Named {
    pub fn step(&mut self, c: char, shape: &Shape, calls: &mut Calls) -> Step {
        match self {
            Self::Head(head) if c == '{' => {
                let (name, id) = (shape.head)(head)
                    .ok_or_else(|| Fault::broken("there is no name before the arguments"))?;
                calls.begin(name, id)?;
                calls.argue("{");
                let mut span = Span::default();
                span.ends_with(c);
                *self = Self::Arguments(span);
            }
            Self::Head(head) => {
                head.push(c);
                if calls.soft && !may_be_name(head, calls) {
                    return Err(Fault::NotACall);
                }
                let closed = shape.close.iter().any(|close| head.ends_with(close));
                if closed || head.len() > MAX_HEAD {
                    return Err(Fault::broken("no arguments follow the name"));
                }
            }
            Self::Arguments(span) => {
                calls.argue(c.encode_utf8(&mut [0; 4]));
                if span.ends_with(c) {
                    calls.end()?;
                    *self = Self::Tail(Gap::default());
                }
            }
            Self::Tail(gap) => {
                let marks: Vec<&str> = [shape.next, shape.tail, shape.close].concat();
                match gap.step(c, &marks) {
                    Found::Nothing => {}
                    Found::Mark(mark) if shape.next.contains(&mark) => *self = Self::default(),
                    Found::Mark(mark) if shape.close.contains(&mark) => {
                        return Ok(Next::Done(String::new()));
                    }
                    Found::Mark(_) => {}
                    Found::Other(rest) => return Ok(Next::Done(rest)),
                }
            }
        }
        Ok(Next::More)
    }

    /// The answer is over.
    pub fn finish(&self) -> Result<(), Fault> {
        match self {
            Self::Tail(_) => Ok(()),
            Self::Head(_) | Self::Arguments(_) => {
                Err(Fault::broken("the answer ends inside the call"))
            }
        }
    }
}

/// Whether this is the beginning of a tool's name on a line of its own.
fn may_be_name(head: &str, calls: &Calls) -> bool {
    match head.split_once('\n') {
        Some((name, rest)) => calls.tools.knows(name.trim()) && rest.trim().is_empty(),
        None => calls.tools.may_begin(head.trim()),
    }
}

/// `NAME`, `NAME[ARGS]` or `NAME[CALL_ID]ID[ARGS]`.
pub(super) fn mistral(head: &str) -> Option<Head<'_>> {
    let head = head.trim();
    let head = head.strip_suffix("[ARGS]").unwrap_or(head);
    let (name, id) = match head.split_once("[CALL_ID]") {
        Some((name, id)) => (name, Some(id.trim())),
        None => (head, None),
    };
    found(name, id)
}

/// `TYPE<｜tool▁sep｜>NAME` and a fence, or `NAME<｜tool▁sep｜>`, each with or without its opening mark.
pub(super) fn deepseek(head: &str) -> Option<Head<'_>> {
    let head = head.trim();
    let head = head.strip_prefix("<｜tool▁call▁begin｜>").unwrap_or(head);
    let (before, after) = head.split_once("<｜tool▁sep｜>")?;
    let after = after
        .trim()
        .trim_end_matches("```json")
        .trim_end_matches("```");
    let name = if after.is_empty() { before } else { after };
    found(name, None)
}

/// `functions.NAME:NUMBER<|tool_call_argument_begin|>`, the whole of which is the id.
pub(super) fn kimi(head: &str) -> Option<Head<'_>> {
    let head = head.trim();
    let head = head.strip_prefix("<|tool_call_begin|>").unwrap_or(head);
    let id = head.strip_suffix("<|tool_call_argument_begin|>")?.trim();
    let name = id.strip_prefix("functions.").unwrap_or(id);
    let name = name.rsplit_once(':').map_or(name, |(name, _)| name);
    found(name, Some(id))
}

/// `NAME>`.
pub(super) fn tag(head: &str) -> Option<Head<'_>> {
    found(head.trim().strip_suffix('>')?, None)
}

/// `NAME` on a line of its own.
pub(super) fn line(head: &str) -> Option<Head<'_>> {
    found(head, None)
}

/// `NAME <|constrain|>json<|message|>` or `NAME<|channel|>commentary json<|message|>`.
pub(super) fn harmony(head: &str) -> Option<Head<'_>> {
    let head = head.trim().strip_suffix("<|message|>")?;
    let name = head.split(['<', ' ']).next()?;
    found(name, None)
}

fn found<'h>(name: &'h str, id: Option<&'h str>) -> Option<Head<'h>> {
    let name = name.trim();
    (!name.is_empty()).then_some((name, id))
}

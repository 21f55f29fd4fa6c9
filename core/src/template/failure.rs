//! The engine's errors as ours.

use std::error::Error as _;

use minijinja::ErrorKind as Kind;

use super::environment::Raised;
use crate::surface::{Error, ErrorKind};

/// Says what the template did and in which line; `details.template_message` has what it raised.
pub(super) fn of(error: minijinja::Error) -> Error {
    let place = match error.line() {
        Some(line) => format!(" (line {line} of the chat template)"),
        None => String::new(),
    };
    let mut failure = if let Some(raised) = raised(&error) {
        let message = format!("the chat template refused the messages: {raised}{place}");
        Error::new(ErrorKind::Template, message).with("template_message", raised)
    } else {
        let (kind, text) = innermost(&error);
        let message = match kind {
            Kind::SyntaxError | Kind::BadEscape => {
                format!("the chat template is not valid Jinja: {text}{place}")
            }
            Kind::OutOfFuel => format!(
                "the chat template was stopped: it does more work or writes more text than any \
                 template needs for these messages{place}"
            ),
            _ => format!("the chat template failed on these messages: {text}{place}"),
        };
        Error::new(ErrorKind::Template, message)
    };
    if let Some(line) = error.line() {
        failure = failure.with("line", line);
    }
    failure
}

fn raised(error: &minijinja::Error) -> Option<&str> {
    let mut source = error.source();
    while let Some(error) = source {
        if let Some(Raised(message)) = error.downcast_ref() {
            return Some(message);
        }
        source = error.source();
    }
    None
}

/// Errors in macros and blocks come wrapped; the cause is what helps.
fn innermost(error: &minijinja::Error) -> (Kind, String) {
    let mut cause = error;
    while let Some(inner) = cause.source().and_then(|source| source.downcast_ref()) {
        cause = inner;
    }
    let text = match cause.detail() {
        Some(detail) => format!("{}: {detail}", cause.kind()),
        None => cause.kind().to_string(),
    };
    (cause.kind(), text)
}

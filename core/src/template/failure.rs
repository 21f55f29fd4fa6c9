//! The engine's faults as errors.

use super::jinja::{Fault, Kind};
use crate::surface::{Error, ErrorKind};

/// Says what the template did and in which line; `details.template_message` has what it raised.
pub(super) fn of(fault: &Fault) -> Error {
    let place = match fault.line {
        0 => String::new(),
        line => format!(" (line {line} of the chat template)"),
    };
    let text = &fault.message;
    let message = match fault.kind {
        Kind::Syntax => format!("the chat template is not valid Jinja: {text}{place}"),
        Kind::Raised => format!("the chat template refused the messages: {text}{place}"),
        Kind::Limit => format!("the chat template was stopped: {text}{place}"),
        Kind::Runtime => format!("the chat template failed on these messages: {text}{place}"),
    };
    let mut failure = Error::new(ErrorKind::Template, message);
    if fault.kind == Kind::Raised {
        failure = failure.with("template_message", text.as_str());
    }
    if fault.line > 0 {
        failure = failure.with("line", fault.line);
    }
    failure
}

//! `continue_final_message`: the prompt ends inside the last message. As in transformers, a tag is put
//! after its text, and the prompt is cut where the tag appears.

use super::jinja::is_space;
use super::rendered::Rendered;
use crate::surface::{Error, ErrorKind, Json, RenderOptions, Result};

/// The space tells whether the template strips its messages.
const TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The last message with the tag in it.
pub(super) struct Continued {
    message: Json,
    /// The text that is continued.
    text: String,
}

/// Puts the tag into the last message, if the options ask for it.
pub(super) fn begin(
    messages: &[Json],
    options: &RenderOptions,
    source: &str,
) -> Result<Option<Continued>> {
    if !options.continue_final_message {
        return Ok(None);
    }
    if options.add_generation_prompt {
        return Err(invalid(
            "continue_final_message goes on with the last message and add_generation_prompt opens a new one: set one of them",
        ));
    }
    let mut message = messages.last().cloned().unwrap_or_default();
    let place = format!("messages[{}]", messages.len().saturating_sub(1));
    let content = match message.get_mut("content") {
        None | Some(Json::Null) => {
            return Err(invalid(format!("{place} has no content that could be continued")));
        }
        Some(content) => content,
    };
    if !source.contains("content") {
        return Err(invalid("continue_final_message: the chat template does not use the content of messages"));
    }
    let part = match content {
        Json::Array(parts) => parts.iter_mut().rev().find_map(|part| part.get_mut("text")),
        other => Some(other),
    };
    let Some(Json::String(text)) = part else {
        return Err(invalid(format!("{place} has no text that could be continued")));
    };
    let original = text.clone();
    text.push_str(TAG);
    Ok(Some(Continued {
        text: original,
        message,
    }))
}

impl Continued {
    /// The last message, with the tag.
    pub fn message(&self) -> &Json {
        &self.message
    }

    /// Cuts the prompt at the tag.
    pub fn cut(&self, mut rendered: Rendered) -> Result<Rendered> {
        let text = &rendered.text;
        let tag = TAG.trim_end();
        let at = text.rfind(tag).filter(|_| text.contains(self.text.trim_matches(is_space)));
        let Some(at) = at else {
            return Err(Error::new(
                ErrorKind::Template,
                "continue_final_message: the last message is not in the prompt as it was given; the chat template leaves parts of it out or changes them",
            ));
        };
        let keeps_space = text[at..].starts_with(TAG);
        let end = match keeps_space {
            true => at,
            false => text[..at].trim_end_matches(is_space).len(),
        };
        rendered.truncate(end);
        Ok(rendered.within_text())
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidArgument, message)
}

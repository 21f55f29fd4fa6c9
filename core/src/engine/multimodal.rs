//! Prompts with images and videos: text, whatever the model's other prompts are.
//!
//! Runtimes with a template of their own put it around such text, and that cannot be switched off without
//! losing what is in the cache, so they get the bare question. The others get the messages through the
//! model's chat template. Nothing is templated twice.

use super::media::Media;
use super::prompt::{Fed, Prompt, Ready, only_question, text_input};
use super::reading::Reading;
use super::tokens::Tokens;
use crate::surface::*;
use crate::template::{Rendered, Templates};
use crate::vendor::{Input, Session};

impl Tokens {
    /// A prompt with images or videos.
    pub(super) fn input_with(
        &self,
        media: Media,
        prompt: &Prompt<'_>,
        options: &GenerateOptions,
        session: &dyn Session,
    ) -> Result<Fed> {
        let content = options
            .untrusted_content
            .unwrap_or(UntrustedContent::Literal);
        let (mut rendered, reading, warnings) = match (prompt, self.media.templated) {
            (Prompt::Messages(messages), templated) => {
                let marked = media.mark(messages, options)?;
                match templated {
                    true => {
                        let question = only_question(&marked, options, NO_HISTORY)?;
                        let template = self.template.as_ref().and_then(Templates::default);
                        let reading = Reading {
                            format: template.map(|template| template.answers().clone()),
                            ..Reading::default()
                        };
                        (Rendered::from_outside(&question), reading, Vec::new())
                    }
                    false => {
                        let Ready {
                            prompt,
                            reading,
                            warnings,
                            ..
                        } = self.ready(&marked, options)?;
                        (prompt, reading, warnings)
                    }
                }
            }
            (Prompt::Text(text), false) => {
                let rendered = Rendered {
                    text: (*text).to_owned(),
                    ..Rendered::default()
                };
                (rendered, Reading::default(), Vec::new())
            }
            (Prompt::Text(_), true) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "this runtime puts its own chat template around a text with images or videos, so it cannot be continued \
                     as it is; use generate, with parts of the type image in a message",
                ));
            }
            (Prompt::Ids(_) | Prompt::Embeddings(_), _) => {
                return Err(Error::invalid_argument(
                    "images and videos go with messages or a text, not with token ids or embeddings",
                ));
            }
        };
        let literal = content == UntrustedContent::Literal;
        self.media.settle(&mut rendered, &media, literal)?;
        if matches!(prompt, Prompt::Messages(_)) {
            self.check_text(&rendered, content, session)?;
        }
        text_input(&rendered.text)?;
        let text = rendered.text;
        Ok(Fed {
            input: Input::Multimodal(Box::new(media.into_input(text))),
            reading,
            warnings,
        })
    }
}

const NO_HISTORY: &str = "this runtime puts its own chat template around a prompt with images or videos, and that takes a single user \
     message with text, images and videos, and nothing else";

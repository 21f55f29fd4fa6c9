//! From what the caller asks to what the runtime is fed.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::arguments;
use super::media;
use super::reading::Reading;
use super::repair;
use super::spelled;
use super::tokens::{Source, Tokens, vocabulary};
use super::tool_choice::ToolChoice;
use crate::surface::*;
use crate::template::{Rendered, Templates, context};
use crate::vendor::{Input, Session};

/// What a request continues.
pub(crate) enum Prompt<'a> {
    Messages(&'a Json),
    Text(&'a str),
    Ids(&'a [u32]),
    Embeddings(&'a Tensor),
}

/// What the runtime is fed for a request.
pub(super) struct Prepared {
    pub input: Input,
    /// How many tokens that is; 0 where only the runtime can count them.
    pub tokens: u32,
    pub reading: Reading,
    /// The runtime's own template lets the model think.
    pub thinking: bool,
    pub warnings: Vec<Warning>,
}

impl Prepared {
    /// The ids that the runtime is fed, where it is fed ids.
    pub fn ids(&self) -> Option<Vec<u32>> {
        match &self.input {
            Input::Tokens(ids) => ids.iter().map(|id| u32::try_from(*id).ok()).collect(),
            _ => None,
        }
    }
}

/// A prompt as it is fed, and how the answer to it is read.
pub(super) struct Fed {
    pub input: Input,
    pub reading: Reading,
    pub warnings: Vec<Warning>,
}

/// Messages as the model's template has them.
pub(super) struct Ready<'a> {
    pub prompt: Rendered,
    /// What the template writes itself.
    literals: &'a [String],
    pub reading: Reading,
    pub warnings: Vec<Warning>,
}

impl Tokens {
    /// Refuses ids that the model does not have, where that can be known: what a runtime does with them
    /// is not documented.
    fn check_ids(&self, ids: &[u32], session: &dyn Session) -> Result<()> {
        match session.vocabulary() {
            Some(vocabulary) => match vocabulary.detokenize(ids, false) {
                Ok(_) => Ok(()),
                Err(message) => Err(Error::new(ErrorKind::InvalidArgument, message)),
            },
            None => {
                let Source::Tokenizer(tokenizer) = &self.source else {
                    return Ok(());
                };
                match ids.iter().find(|id| !tokenizer.has_id(**id)) {
                    None => Ok(()),
                    Some(id) => Err(Error::new(
                        ErrorKind::InvalidArgument,
                        format!("{id} is not a token id of this model's tokenizer"),
                    )),
                }
            }
        }
    }

    /// What the runtime is fed.
    pub fn prepare(
        &self,
        prompt: &Prompt<'_>,
        options: &GenerateOptions,
        session: &dyn Session,
    ) -> Result<Prepared> {
        let Fed {
            mut input,
            mut reading,
            warnings,
        } = self.input_of(prompt, options, session)?;
        if let Some(format) = &reading.format {
            let markers: Vec<String> = format.markers().map(str::to_owned).collect();
            reading.markers = self.control_ids(&markers, session);
        }
        let count = match &input {
            Input::Tokens(ids) => ids.len(),
            Input::Text(text) if self.input == InputKind::Text => {
                self.encode(text, false, session).map_or(0, |ids| ids.len())
            }
            Input::Embeddings { tokens, .. } => *tokens,
            Input::Multimodal(parts) if !self.media.templated => {
                let text = self.encode(&parts.prompt, false, session);
                text.map_or(0, |ids| ids.len() + parts.tokens())
            }
            Input::Text(_) | Input::Multimodal(_) => 0,
        };
        if self.assume.strip_bos() {
            self.strip_bos(&mut input, session);
        }
        Ok(Prepared {
            input,
            tokens: u32::try_from(count).unwrap_or(u32::MAX),
            reading,
            thinking: self.is_templated(options) && options.enable_thinking == Some(true),
            warnings,
        })
    }

    /// Takes the BOS away that the runtime is said to add. It counts all the same.
    fn strip_bos(&self, input: &mut Input, session: &dyn Session) {
        match input {
            Input::Tokens(ids) if ids.len() > 1 => {
                let around = self.encode("", true, session).unwrap_or_default();
                let bos = around.first().and_then(|bos| i32::try_from(*bos).ok());
                if bos.is_some() && ids.first().copied() == bos {
                    ids.remove(0);
                }
            }
            Input::Text(text) => self.strip_bos_text(text),
            Input::Multimodal(parts) => self.strip_bos_text(&mut parts.prompt),
            Input::Tokens(_) | Input::Embeddings { .. } => {}
        }
    }

    fn strip_bos_text(&self, text: &mut String) {
        let template = self.template.as_ref();
        let bos = template.and_then(|template| template.token("bos_token"));
        let rest = bos.and_then(|bos| text.strip_prefix(bos));
        if let Some(rest) = rest.map(str::to_owned) {
            *text = rest;
        }
    }

    fn input_of(
        &self,
        prompt: &Prompt<'_>,
        options: &GenerateOptions,
        session: &dyn Session,
    ) -> Result<Fed> {
        let for_messages = message_option(options);
        let for_messages = for_messages.filter(|_| !matches!(prompt, Prompt::Messages(_)));
        if let Some(name) = for_messages {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "{name} is for messages, and complete takes none; leave it out, or use generate"
                ),
            ));
        }
        match self.media.media(options)? {
            Some(media) => return self.input_with(media, prompt, options, session),
            None => media::refuse_parts(prompt)?,
        }
        let input = match (prompt, self.input) {
            (Prompt::Messages(messages), _) => {
                return self.input_of_messages(messages, options, session);
            }
            (Prompt::Ids(ids), _) => {
                self.check_ids(ids, session)?;
                ids_input(ids)?
            }
            (Prompt::Embeddings(embeddings), _) => Input::Embeddings {
                tokens: self.media.check_embeddings(embeddings)?,
                values: embeddings.data().to_vec(),
            },
            (Prompt::Text(text), InputKind::Tokens) => {
                ids_input(&self.encode(text, true, session)?)?
            }
            (Prompt::Text(text), InputKind::Text) => text_input(text)?,
            (Prompt::Text(_), InputKind::RuntimeTemplate) => {
                return Err(Error::new(
                    ErrorKind::Unsupported,
                    "this runtime puts its own chat template around every text, so a text cannot be continued as it is; put the \
                     model's tokenizer.json into its folder (and leave input=text out of assume), or give token ids",
                ));
            }
        };
        Ok(Fed {
            input,
            reading: Reading::default(),
            warnings: Vec::new(),
        })
    }

    fn input_of_messages(
        &self,
        messages: &Json,
        options: &GenerateOptions,
        session: &dyn Session,
    ) -> Result<Fed> {
        let content = options
            .untrusted_content
            .unwrap_or(UntrustedContent::Literal);
        if self.input == InputKind::RuntimeTemplate {
            let question = only_question(messages, options, NO_TOKENIZER)?;
            let prompt = Rendered::from_outside(&question);
            let template = self.template.as_ref().and_then(Templates::default);
            return Ok(Fed {
                input: self.text_of(&prompt, content, session)?,
                reading: Reading {
                    format: template.map(|template| template.answers().clone()),
                    ..Reading::default()
                },
                warnings: Vec::new(),
            });
        }
        let Ready {
            prompt,
            literals,
            reading,
            warnings,
        } = self.ready(messages, options)?;
        let input = match (self.input, content, &self.source) {
            (InputKind::Tokens, _, Source::Tokenizer(tokenizer)) => {
                ids_input(&tokenizer.encode_prompt(&prompt, literals, content)?)?
            }
            (InputKind::Tokens, UntrustedContent::Literal, _) => {
                let ids = self.spelled.encode(&prompt, literals, vocabulary(session)?);
                ids_input(&ids.map_err(|message| Error::new(ErrorKind::Tokenizer, message))?)?
            }
            (InputKind::Tokens, UntrustedContent::Transformers, _) => {
                ids_input(&self.encode(&prompt.text, false, session)?)?
            }
            (InputKind::Text | InputKind::RuntimeTemplate, _, _) => {
                self.text_of(&prompt, content, session)?
            }
        };
        Ok(Fed {
            input,
            reading,
            warnings,
        })
    }

    /// Renders messages for the model.
    pub(super) fn ready(&self, messages: &Json, options: &GenerateOptions) -> Result<Ready<'_>> {
        let template = self.template()?;
        let choice = ToolChoice::of(options)?;
        let render_options = RenderOptions {
            tools: choice.tools(options),
            ..render_options(options)
        };
        let repair = options.template_repair.unwrap_or(TemplateRepair::Auto);
        let render = |messages: &Json| {
            let takes_parts = || template.takes_parts(&render_options).unwrap_or(true);
            repair::render(messages, repair, takes_parts, |messages| {
                template.render_marked(messages, &render_options)
            })
        };
        let rendered = match arguments::read(messages) {
            // Some templates put the arguments' text in as it is, and refuse an object.
            Some(read) => render(&read).or_else(|_| render(messages)),
            None => render(messages),
        };
        let ((mut prompt, literals), warnings) = rendered?;
        let mut format = template.answers(&render_options)?.clone();
        if let Some(name) = &options.tool_format {
            format = format.with_tools(name)?;
        }
        let open = format.opened_by(&prompt.text);
        let forced = choice.forced(&format, open)?;
        prompt.text.push_str(&forced);
        Ok(Ready {
            prompt,
            literals,
            reading: Reading {
                format: Some(format),
                open,
                tools: render_options.tools,
                forced,
                markers: BTreeSet::new(),
            },
            warnings,
        })
    }

    /// A prompt as text, where nobody outside may write a control token.
    fn text_of(
        &self,
        prompt: &Rendered,
        content: UntrustedContent,
        session: &dyn Session,
    ) -> Result<Input> {
        self.check_text(prompt, content, session)?;
        text_input(&prompt.text)
    }

    /// Refuses text in which somebody outside wrote a control token.
    pub(super) fn check_text(
        &self,
        prompt: &Rendered,
        content: UntrustedContent,
        session: &dyn Session,
    ) -> Result<()> {
        match (content, &self.source) {
            (UntrustedContent::Transformers, _) => {}
            (UntrustedContent::Literal, Source::Tokenizer(tokenizer)) => {
                if let Some(token) = tokenizer.forged(prompt, self.written())? {
                    return Err(spelled::refusal(&token));
                }
            }
            (UntrustedContent::Literal, source) => {
                self.spelled.refuse(prompt, self.written())?;
                if matches!(source, Source::Runtime) {
                    self.spelled.refuse_unlisted(prompt, vocabulary(session)?)?;
                }
            }
        }
        Ok(())
    }
}

fn render_options(options: &GenerateOptions) -> RenderOptions {
    RenderOptions {
        add_generation_prompt: !options.continue_final_message,
        continue_final_message: options.continue_final_message,
        documents: options.documents.clone(),
        now: options.now.clone(),
        variables: options.variables.clone(),
        template_name: options.template_name.clone(),
        enable_thinking: options.enable_thinking,
        ..RenderOptions::default()
    }
}

/// The first option that is set and only means something to a template.
fn template_option(options: &GenerateOptions) -> Option<&'static str> {
    let set = [
        ("tools", options.tools.is_some()),
        ("documents", options.documents.is_some()),
        ("now", options.now.is_some()),
        ("variables", options.variables.is_some()),
        ("template_name", options.template_name.is_some()),
        ("enable_thinking", options.enable_thinking.is_some()),
        ("continue_final_message", options.continue_final_message),
        ("tool_choice", options.tool_choice.is_some()),
        ("tool_format", options.tool_format.is_some()),
    ];
    set.into_iter().find(|(_, set)| *set).map(|(name, _)| name)
}

/// The first option that is set and only means something for messages.
fn message_option(options: &GenerateOptions) -> Option<&'static str> {
    let set = [
        ("untrusted_content", options.untrusted_content.is_some()),
        ("template_repair", options.template_repair.is_some()),
    ];
    let further = || set.into_iter().find(|(_, set)| *set).map(|(name, _)| name);
    template_option(options).or_else(further)
}

fn ids_input(ids: &[u32]) -> Result<Input> {
    if ids.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the prompt has no tokens",
        ));
    }
    let ids = ids.iter().map(|id| {
        i32::try_from(*id).map_err(|_| {
            let message = format!("{id} is not a token id: the largest is {}", i32::MAX);
            Error::new(ErrorKind::InvalidArgument, message)
        })
    });
    Ok(Input::Tokens(ids.collect::<Result<_>>()?))
}

pub(super) fn text_input(text: &str) -> Result<Input> {
    if text.is_empty() {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            "the prompt is empty",
        ));
    }
    if let Some(place) = text.find('\0') {
        return Err(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "the prompt has a NUL character at byte {place}, which cannot be handed over as text; a tokenizer.json \
                 in the model's folder lets it go as tokens"
            ),
        ));
    }
    Ok(Input::Text(text.to_owned()))
}

/// The one user message that a runtime with its own template can be asked.
pub(super) fn only_question<'a>(
    messages: &'a Json,
    options: &GenerateOptions,
    refusal: &str,
) -> Result<Cow<'a, str>> {
    context::messages(messages)?;
    let single = match messages.as_array().map(Vec::as_slice) {
        Some([message]) if message["role"] == "user" => text_of_content(&message["content"]),
        _ => None,
    };
    let other = template_option(options).filter(|name| *name != "enable_thinking");
    single
        .filter(|_| other.is_none())
        .ok_or_else(|| Error::new(ErrorKind::Unsupported, refusal))
}

const NO_TOKENIZER: &str = "no tokenizer is known for this model (or assume says input=text), so the runtime's own template is used, \
     and that takes a single user message with text and nothing else; put the model's tokenizer.json and \
     tokenizer_config.json into its folder";

/// A content that is text, or a list of nothing but text parts.
fn text_of_content(content: &Json) -> Option<Cow<'_, str>> {
    let text = |part: &Json| match part["type"] == "text" {
        true => part["text"].as_str().map(str::to_owned),
        false => None,
    };
    match content {
        Json::String(text) => Some(text.into()),
        Json::Array(parts) if !parts.is_empty() => parts
            .iter()
            .map(text)
            .collect::<Option<String>>()
            .map(Cow::from),
        _ => None,
    }
}

/// The token ids that a run is fed, where it is fed ids.
pub(super) fn ids_of(inputs: &[Input]) -> Option<&[i32]> {
    match inputs {
        [Input::Tokens(ids)] => Some(ids),
        _ => None,
    }
}

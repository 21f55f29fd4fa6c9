//! The way between text and tokens for one model.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};

use super::compare::Comparison;
use super::media::MediaWay;
use super::spelled::Spelled;
use super::text::{Decoder, Joiner, RuntimeText};
use crate::model::Control;
use crate::surface::*;
use crate::template::Templates;
use crate::tokenizer::{StreamDecoder, Tokenizer};
use crate::vendor::assume::Assume;
use crate::vendor::capabilities::{self, Capabilities};
use crate::vendor::{Session, Vocabulary};

/// Who turns text into tokens and back.
pub(super) enum Source {
    Tokenizer(Arc<Tokenizer>),
    /// The runtime's own, through its extension.
    Runtime,
    None,
}

/// The way between text and tokens for one model.
pub(super) struct Tokens {
    pub(super) source: Source,
    pub(super) template: Option<Templates>,
    /// Control tokens, where the tokenizer is not ours.
    pub(super) spelled: Spelled,
    /// What the templates write, for prompts that go as text.
    written: OnceLock<Vec<String>>,
    pub(super) media: MediaWay,
    stop_ids: BTreeSet<u32>,
    stop_texts: Vec<String>,
    without_template: String,
    pub(super) input: InputKind,
    /// The runtime tells the ids of what it produces.
    ids: bool,
    pub(super) assume: Assume,
}

/// What the way depends on.
pub(super) struct Way {
    pub tokenizer: Option<Arc<Tokenizer>>,
    pub template: Option<Templates>,
    pub control: Control,
    pub stop_ids: BTreeSet<u32>,
    pub stop_texts: Vec<String>,
    /// What to say where there is no template.
    pub without_template: String,
    pub capabilities: Capabilities,
    pub assume: Assume,
    pub media: MediaWay,
}

impl Tokens {
    /// Chooses the way: tokens where they can be made and taken, else the runtime's template or ours,
    /// never both.
    pub fn new(way: Way, session: &dyn Session) -> Self {
        let Way {
            tokenizer,
            template,
            mut control,
            stop_ids,
            stop_texts,
            without_template,
            capabilities,
            assume,
            media,
        } = way;
        let source = match tokenizer {
            Some(tokenizer) => Source::Tokenizer(tokenizer),
            None if session.vocabulary().is_some() => Source::Runtime,
            None => Source::None,
        };
        let takes_tokens = capabilities.has(capabilities::TOKEN_INPUT) && !assume.text_input();
        let input = match source {
            Source::Tokenizer(_) | Source::Runtime if takes_tokens => InputKind::Tokens,
            _ if capabilities.has(capabilities::CHAT_TEMPLATE) => InputKind::RuntimeTemplate,
            _ => InputKind::Text,
        };
        let ours = input == InputKind::Tokens && matches!(source, Source::Tokenizer(_));
        let written = match &template {
            Some(template) if !ours => template.written(),
            _ => Vec::new(),
        };
        let asked = match source {
            Source::Runtime => session.vocabulary(),
            _ => None,
        };
        if let Some(vocabulary) = asked {
            let texts = stop_ids.iter().filter_map(|id| {
                let bytes = vocabulary.detokenize(&[*id], false).ok()?;
                String::from_utf8(bytes).ok()
            });
            control.doubtful.extend(texts);
        }
        Self {
            spelled: Spelled::new(control, &written, asked),
            // Where prompts are tokens it is only asked for with images.
            written: if ours {
                OnceLock::new()
            } else {
                written.into()
            },
            media,
            source,
            template,
            stop_ids,
            stop_texts,
            without_template,
            input,
            ids: capabilities.has(capabilities::TOKEN_IDS),
            assume,
        }
    }

    /// What the templates write.
    pub(super) fn written(&self) -> &[String] {
        let templates = self.template.as_ref();
        self.written
            .get_or_init(|| templates.map_or_else(Vec::new, Templates::written))
    }

    /// Whether the runtime puts its own template around a request.
    pub(super) fn is_templated(&self, options: &GenerateOptions) -> bool {
        let media = options.images.is_some() || options.videos.is_some();
        self.input == InputKind::RuntimeTemplate || media && self.media.templated
    }

    pub fn stop_ids(&self) -> &BTreeSet<u32> {
        &self.stop_ids
    }

    pub fn stop_texts(&self) -> &[String] {
        &self.stop_texts
    }

    /// The ids of those texts that are control tokens, which an answer's text does not have.
    pub fn control_ids(&self, texts: &[String], session: &dyn Session) -> BTreeSet<u32> {
        let id = |text: &String| match (&self.source, session.vocabulary()) {
            (Source::Tokenizer(tokenizer), _) => {
                let mut special = tokenizer.special_tokens().iter();
                special.find(|(token, _)| token == text).map(|(_, id)| *id)
            }
            (Source::Runtime, Some(vocabulary)) => {
                let ids = vocabulary.tokenize(text, false, true).ok()?;
                let shown = vocabulary.detokenize(&ids, true).ok()?;
                ids.first()
                    .copied()
                    .filter(|_| ids.len() == 1 && shown.is_empty())
            }
            _ => None,
        };
        texts.iter().filter_map(id).collect()
    }

    pub fn is_runtimes(&self) -> bool {
        matches!(self.source, Source::Runtime)
    }

    /// Decodes one answer.
    pub fn decoder<'a>(&self, session: &'a dyn Session, markers: &'a BTreeSet<u32>) -> Decoder<'a> {
        if !self.ids || self.assume.runtime_text() {
            return Decoder::RuntimeText(RuntimeText::default());
        }
        match (&self.source, session.vocabulary()) {
            (Source::Tokenizer(tokenizer), _) => Decoder::Tokenizer {
                decoder: Box::new(StreamDecoder::new(tokenizer.clone(), markers.clone())),
                comparison: (!self.assume.tokens_only())
                    .then(|| Box::new(Comparison::new(tokenizer.clone()))),
            },
            (Source::Runtime, Some(vocabulary)) => Decoder::Vocabulary {
                vocabulary,
                markers,
                joiner: Joiner::default(),
            },
            _ => Decoder::RuntimeText(RuntimeText::default()),
        }
    }

    pub fn encode(&self, text: &str, add_special: bool, session: &dyn Session) -> Result<Vec<u32>> {
        match &self.source {
            Source::Tokenizer(tokenizer) => tokenizer.encode(text, add_special),
            Source::Runtime => vocabulary(session)?
                .tokenize(text, add_special, true)
                .map_err(|message| Error::new(ErrorKind::Tokenizer, message)),
            Source::None => Err(no_tokenizer()),
        }
    }

    pub fn decode(&self, ids: &[u32], skip_special: bool, session: &dyn Session) -> Result<String> {
        match &self.source {
            Source::Tokenizer(tokenizer) => tokenizer.decode(ids, skip_special),
            Source::Runtime => vocabulary(session)?
                .detokenize(ids, skip_special)
                .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
                .map_err(|message| Error::new(ErrorKind::Tokenizer, message)),
            Source::None => Err(no_tokenizer()),
        }
    }

    pub fn template(&self) -> Result<&Templates> {
        let lacking = || Error::new(ErrorKind::Template, &self.without_template);
        self.template.as_ref().ok_or_else(lacking)
    }

    pub fn render(&self, messages: &Json, options: &RenderOptions) -> Result<String> {
        self.template()?.render(messages, options)
    }

    /// Whether the cache is emptied before every run.
    pub fn fresh_runs(&self) -> bool {
        self.assume.fresh_runs()
    }
}

pub(super) fn vocabulary(session: &dyn Session) -> Result<&dyn Vocabulary> {
    session.vocabulary().ok_or_else(no_tokenizer)
}

fn no_tokenizer() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "no tokenizer is known for this model; put its tokenizer.json into its folder, or name it with the option \
         tokenizer",
    )
}

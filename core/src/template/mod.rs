//! Chat templates: Jinja, as transformers runs jinja2 for `apply_chat_template`.

pub(crate) mod context;
mod continuation;
mod failure;
mod jinja;
mod named;
mod open;
mod probe;
mod rendered;
mod special;

use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::OnceLock;

use crate::answer::Format;
use crate::surface::{Json, RenderOptions, Result, TemplateOptions};
use jinja::{Meter, Program, Vm};

pub(crate) use named::Templates;
pub(crate) use open::{in_folder, in_gguf, open, special_in_folder};
pub(crate) use probe::Turns;
pub use rendered::Rendered;
pub(crate) use special::{SpecialTokens, token_text};

/// A compiled chat template with the special tokens of its model.
#[derive(Debug)]
pub struct Template {
    program: Program,
    source: String,
    special: SpecialTokens,
    answers: OnceLock<Format>,
    takes_parts: OnceLock<bool>,
}

impl Template {
    /// Takes the source itself, with what the caller says about the model.
    pub fn from_options(source: &str, options: &TemplateOptions) -> Result<Self> {
        Self::from_source(source, SpecialTokens::from_options(options)?)
    }

    /// Compiles `source`. A syntax error names its line.
    pub fn from_source(source: &str, special: SpecialTokens) -> Result<Self> {
        Ok(Self {
            program: Program::compile(source).map_err(|fault| failure::of(&fault))?,
            source: source.to_owned(),
            special,
            answers: OnceLock::new(),
            takes_parts: OnceLock::new(),
        })
    }

    /// How the model of this template writes its answers.
    pub(crate) fn answers(&self) -> &Format {
        self.answers
            .get_or_init(|| Format::of_template(&self.source))
    }

    /// Whether a content may be a list of parts. Templates made for texts put the list itself into the
    /// prompt, as Python writes it, or fail.
    pub(crate) fn takes_parts(&self) -> bool {
        *self.takes_parts.get_or_init(|| {
            let said = "Who asks?";
            let render = |content: Json| {
                let messages = serde_json::json!([{"role": "user", "content": content}]);
                self.render(&messages, &RenderOptions::default()).ok()
            };
            let parts = render(serde_json::json!([{"type": "text", "text": said}]));
            let keys = |prompt: &str| {
                prompt.matches("'text'").count() + prompt.matches("\"text\"").count()
            };
            match (parts, render(said.into())) {
                (Some(parts), Some(text)) => parts.contains(said) && keys(&parts) <= keys(&text),
                (parts, _) => parts.is_some_and(|parts| parts.contains(said) && keys(&parts) == 0),
            }
        })
    }

    /// The text of a special token, such as `bos_token`, where it is known.
    pub fn token(&self, name: &str) -> Option<&str> {
        self.special.get(name)
    }

    /// Renders messages, a JSON array of objects with a `role`.
    pub fn render(&self, messages: &Json, options: &RenderOptions) -> Result<String> {
        self.render_marked(messages, options)
            .map(|rendered| rendered.text)
    }

    /// Renders messages and tells which parts of the prompt came from outside.
    pub fn render_marked(&self, messages: &Json, options: &RenderOptions) -> Result<Rendered> {
        let messages = context::messages(messages)?;
        let continued = continuation::begin(messages, options, &self.source)?;
        let now = context::now(options)?;
        let size = context::size(messages, options);
        let meter = Rc::new(Meter::for_input(size));
        let last = continued.as_ref().map(continuation::Continued::message);
        let variables = context::build(messages, last, options, &self.special, &meter)?;
        let output = Vm::run(&self.program, &variables, now, meter, size)
            .map_err(|fault| failure::of(&fault))?;
        let rendered = Rendered {
            text: output.text,
            untrusted: output.untrusted,
            generation: output.generation,
        };
        match continued {
            Some(continued) => continued.cut(rendered),
            None => Ok(rendered.within_text()),
        }
    }

    /// What the template itself writes, control tokens among it: every string literal and piece of
    /// raw text of its source.
    pub fn literals(&self) -> &[String] {
        self.program.literals()
    }

    /// The source as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the template writes itself: its literals, and what it puts together of them.
    pub(crate) fn written(&self) -> BTreeSet<String> {
        let mut written = probe::written(self);
        written.extend(self.literals().iter().cloned());
        written
    }

    /// What the template writes around turns; `None` where it refuses the probe.
    pub(crate) fn turns(&self) -> Option<Turns> {
        probe::turns(self)
    }
}

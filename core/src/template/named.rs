//! A model's chat templates by name: most have one, some have others for tools or documents.

use std::collections::BTreeSet;

use super::{Rendered, SpecialTokens, Template, Turns};
use crate::answer::Format;
use crate::surface::{
    Error, ErrorKind, Json, RenderOptions, Result, TemplateInfo, TemplateOptions, UntrustedContent,
};
use crate::tokenizer::Tokenizer;

pub(super) const DEFAULT: &str = "default";
/// What transformers takes where tools are given.
const TOOLS: &str = "tool_use";

/// The variable behind `RenderOptions.enable_thinking`.
const THINKING: &str = "enable_thinking";

/// Templates of a model at the most; those that have several have three.
pub(super) const MAX_TEMPLATES: usize = 64;

/// Bytes of their sources, together; most have some 10 KB. A compiled template takes many times its source.
const MAX_SOURCES: usize = 1 << 20;

/// Named templates, in the order in which they were found.
#[derive(Debug)]
pub struct Templates(Vec<(String, Result<Template>)>);

impl From<Template> for Templates {
    fn from(template: Template) -> Self {
        Self(vec![(DEFAULT.to_owned(), Ok(template))])
    }
}

impl Templates {
    /// Takes the source of the only one, with what the caller says about the model.
    pub fn from_options(source: &str, options: &TemplateOptions) -> Result<Self> {
        Template::from_options(source, options).map(Self::from)
    }

    /// Compiles sources by name. The default must compile; another that does not is an error where it
    /// is used.
    pub(super) fn compile(sources: Vec<(String, String)>, special: &SpecialTokens) -> Result<Self> {
        let size: usize = sources.iter().map(|(_, source)| source.len()).sum();
        let count = sources.len();
        if count > MAX_TEMPLATES || size > MAX_SOURCES {
            return Err(Error::new(
                ErrorKind::Template,
                format!(
                    "there are {count} chat templates of {size} bytes; at most {MAX_TEMPLATES} of {MAX_SOURCES} \
                     bytes together are read"
                ),
            ));
        }
        let only = count == 1;
        let mut templates: Vec<(String, Result<Template>)> = Vec::new();
        for (name, source) in sources {
            let template = match Template::from_source(&source, special.clone()) {
                Err(error) if only || name == DEFAULT => return Err(error),
                template => template,
            };
            // As in a Python dict, the last of a name counts.
            match templates.iter_mut().find(|(known, _)| *known == name) {
                Some(entry) => entry.1 = template,
                None => templates.push((name, template)),
            }
        }
        Ok(Self(templates))
    }

    fn find(&self, name: &str) -> Option<&Result<Template>> {
        let found = self.0.iter().find(|(known, _)| known == name);
        found.map(|(_, template)| template)
    }

    fn names(&self) -> Vec<String> {
        self.0.iter().map(|(name, _)| name.clone()).collect()
    }

    pub fn info(&self) -> TemplateInfo {
        TemplateInfo {
            names: self.names(),
        }
    }

    /// The template of that name. Unset: as transformers chooses.
    fn choose(&self, name: Option<&str>, tools: bool) -> Result<&Template> {
        let found = match (name, self.0.as_slice()) {
            (Some(name), _) => self.find(name),
            (None, [(_, only)]) => Some(only),
            (None, _) => tools
                .then(|| self.find(TOOLS))
                .flatten()
                .or_else(|| self.find(DEFAULT)),
        };
        let missing = || {
            let (kind, wanted) = match name {
                Some(name) => (ErrorKind::InvalidArgument, name),
                None => (ErrorKind::Template, DEFAULT),
            };
            Error::new(
                kind,
                format!(
                    "there is no chat template named {wanted}, only {}; choose one with template_name",
                    self.names().join(", ")
                ),
            )
        };
        found.ok_or_else(missing)?.as_ref().map_err(Error::clone)
    }

    /// The one that plain conversations are rendered with.
    pub(crate) fn default(&self) -> Option<&Template> {
        self.choose(None, false).ok()
    }

    /// What the default template writes around turns.
    pub(crate) fn turns(&self) -> Option<Turns> {
        self.default()?.turns()
    }

    /// What the templates write themselves.
    pub(crate) fn written(&self) -> Vec<String> {
        let templates = self
            .0
            .iter()
            .filter_map(|(_, template)| template.as_ref().ok());
        let written: BTreeSet<String> = templates.flat_map(Template::written).collect();
        written.into_iter().collect()
    }

    /// The text of a special token, such as `bos_token`, where it is known.
    pub(crate) fn token(&self, name: &str) -> Option<&str> {
        let template = self
            .0
            .iter()
            .find_map(|(_, template)| template.as_ref().ok());
        template?.token(name)
    }

    pub fn source(&self, name: Option<&str>) -> Result<String> {
        Ok(self.choose(name, false)?.source().to_owned())
    }

    pub fn render(&self, messages: &Json, options: &RenderOptions) -> Result<String> {
        let thinking = with_thinking(options)?;
        self.chosen(options)?
            .render(messages, thinking.as_ref().unwrap_or(options))
    }

    /// As `render`, with the places of what came from outside; and the template's literals.
    pub(crate) fn render_marked(
        &self,
        messages: &Json,
        options: &RenderOptions,
    ) -> Result<(Rendered, &[String])> {
        let template = self.chosen(options)?;
        let thinking = with_thinking(options)?;
        let prompt = template.render_marked(messages, thinking.as_ref().unwrap_or(options))?;
        Ok((prompt, template.literals()))
    }

    /// How the model writes its answers to what these options render.
    pub(crate) fn answers(&self, options: &RenderOptions) -> Result<&Format> {
        Ok(self.chosen(options)?.answers())
    }

    /// Whether the template that these options choose takes contents that are lists of parts.
    pub(crate) fn takes_parts(&self, options: &RenderOptions) -> Result<bool> {
        Ok(self.chosen(options)?.takes_parts())
    }

    fn chosen(&self, options: &RenderOptions) -> Result<&Template> {
        let tools = options.tools.as_ref().is_some_and(|tools| !tools.is_null());
        self.choose(options.template_name.as_deref(), tools)
    }

    pub fn encode(
        &self,
        messages: &Json,
        tokenizer: &Tokenizer,
        options: &RenderOptions,
    ) -> Result<Vec<u32>> {
        let (prompt, literals) = self.render_marked(messages, options)?;
        tokenizer.encode_prompt(&prompt, literals, content(options))
    }

    pub fn assistant_mask(
        &self,
        messages: &Json,
        tokenizer: &Tokenizer,
        options: &RenderOptions,
    ) -> Result<Vec<u32>> {
        let (prompt, literals) = self.render_marked(messages, options)?;
        tokenizer.assistant_mask(&prompt, literals, content(options))
    }
}

/// Whoever asks for ids gets those of transformers.
fn content(options: &RenderOptions) -> UntrustedContent {
    options
        .untrusted_content
        .unwrap_or(UntrustedContent::Transformers)
}

/// The options with `enable_thinking` among the variables, where it is set.
fn with_thinking(options: &RenderOptions) -> Result<Option<RenderOptions>> {
    let Some(thinking) = options.enable_thinking else {
        return Ok(None);
    };
    let mut options = options.clone();
    let variables = options
        .variables
        .get_or_insert_with(|| Json::Object(serde_json::Map::new()));
    // What is no object is refused with the other variables.
    if let Some(variables) = variables.as_object_mut() {
        if variables
            .insert(THINKING.to_owned(), thinking.into())
            .is_some()
        {
            return Err(Error::new(
                ErrorKind::InvalidArgument,
                "enable_thinking is set both as an option and among the variables; leave one out",
            ));
        }
    }
    Ok(Some(options))
}

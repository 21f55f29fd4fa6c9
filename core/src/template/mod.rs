//! Chat templates: Jinja, set up as transformers sets up jinja2 for `apply_chat_template`.

mod clock;
pub(crate) mod context;
mod environment;
mod failure;
mod filters;
mod marking;
mod methods;
mod named;
mod open;
mod probe;
mod python;
mod rendered;
mod source;
mod special;
mod tojson;

use minijinja::Environment;

use crate::surface::{Json, RenderOptions, Result, TemplateOptions};

pub(crate) use named::Templates;
pub(crate) use open::{in_folder, in_gguf, open, special_in_folder};
pub(crate) use probe::Turns;
pub(crate) use rendered::Rendered;
pub(crate) use special::{SpecialTokens, token_text};

/// The name of the only template of an environment; errors show it with the line.
const NAME: &str = "chat_template";

/// A compiled chat template with the special tokens of its model.
#[derive(Debug)]
pub struct Template {
    environment: Environment<'static>,
    source: String,
    special: SpecialTokens,
}

impl Template {
    /// Takes the source itself, with what the caller says about the model.
    pub fn from_options(source: &str, options: &TemplateOptions) -> Result<Self> {
        Self::from_source(source, SpecialTokens::from_options(options)?)
    }

    /// Compiles `source`. A syntax error names its line.
    pub fn from_source(source: &str, special: SpecialTokens) -> Result<Self> {
        let environment =
            environment::with_template(source::prepare(source)).map_err(failure::of)?;
        Ok(Self {
            environment,
            source: source.to_owned(),
            special,
        })
    }

    /// The text of a special token, such as `bos_token`, where it is known.
    pub fn token(&self, name: &str) -> Option<&str> {
        self.special.get(name)
    }

    /// Renders messages, a JSON array of objects with a `role`.
    pub fn render(&self, messages: &Json, options: &RenderOptions) -> Result<String> {
        let context = context::build(messages, options, &self.special)?;
        let mut environment;
        let environment = match environment::fuel_for(messages, options) {
            environment::BASE_FUEL => &self.environment,
            fuel => {
                environment = self.environment.clone();
                environment.set_fuel(Some(fuel));
                &environment
            }
        };
        let template = environment.get_template(NAME).map_err(failure::of)?;
        template.render(context).map_err(failure::of)
    }

    /// The source as it was given.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// What the template writes around turns; `None` where it refuses the probe.
    pub(crate) fn turns(&self) -> Option<Turns> {
        probe::turns(self)
    }
}

//! From a run's input to what the model gets.

use crate::engine::{Engine, Images, Input, Message, Part};
use crate::tools::Tools;

/// What `rkllm_set_chat_template` sets.
#[derive(Clone, Debug)]
pub struct SetTemplate {
    /// Goes first, in the first turn.
    pub system: String,
    /// Goes before the input.
    pub prefix: String,
    /// Goes after the input.
    pub postfix: String,
}

/// How text becomes a prompt.
pub enum Template {
    /// The caller wrote the whole prompt.
    None,
    /// The model's own.
    BuiltIn,
    /// Set by the caller.
    Set(SetTemplate),
}

/// What is put around text.
pub struct Style {
    /// The template.
    pub template: Template,
    /// The functions that the model may call.
    pub tools: Option<Tools>,
    /// Whether the model's own template knows `enable_thinking`.
    pub thinks: bool,
}

/// Where a prompt goes in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// At the beginning.
    First,
    /// A further turn.
    Later,
    /// Into a turn that was paused: nothing is put around it.
    Inside,
}

/// A prompt as the groups read it.
pub struct Turn {
    /// The input.
    pub input: Input,
    /// Who speaks; `None` is NULL. Groups without roles say `user`.
    pub role: Option<String>,
    /// Thinking mode; groups without the switch say `true`.
    pub enable_thinking: bool,
}

/// Where an image goes.
const IMAGE: &str = "<image>";

/// An answer that begins with this has no thoughts: how templates that know `enable_thinking` say
/// it is off.
const NO_THOUGHTS: &str = "<think>\n\n</think>\n\n";

/// The prompt's text (for text and images) and parts.
pub fn prompt<E: Engine>(
    engine: &E,
    style: &Style,
    turn: &Turn,
    place: Place,
) -> Result<(Option<String>, Vec<Part>), String> {
    let first = place == Place::First;
    match &turn.input {
        Input::Tokens(ids) => Ok((None, vec![Part::Tokens(ids.clone())])),
        Input::Embeddings { values, .. } => Ok((None, vec![Part::Embeddings(values.clone())])),
        Input::Text(text) => {
            let text = style.dress(engine, turn, text, place)?;
            let tokens = tokenize(engine, &text, first)?;
            Ok((Some(text), vec![Part::Tokens(tokens)]))
        }
        Input::Images(images) => {
            let text = style.dress(engine, turn, &images.prompt, place)?;
            let parts = place_images(engine, images, &text, first)?;
            Ok((Some(text), parts))
        }
    }
}

impl Style {
    /// The text with what goes around it.
    fn dress<E: Engine>(
        &self,
        engine: &E,
        turn: &Turn,
        text: &str,
        place: Place,
    ) -> Result<String, String> {
        if place == Place::Inside {
            return Ok(text.to_owned());
        }
        let first = place == Place::First;
        let mut role = turn.role.as_deref().unwrap_or("user");
        let mut text = text.to_owned();
        let tools = match &self.template {
            Template::None => None,
            _ => self.tools.as_ref(),
        };
        if let Some(tools) = tools.filter(|_| role == "tool") {
            text = tools.responses(&text)?;
            // In this style results are something that the user says.
            role = "user";
        }
        let system = tools.filter(|_| first).map(Tools::system);
        match &self.template {
            Template::None => Ok(text),
            Template::BuiltIn => {
                let system = system.map(|text| Message {
                    role: "system",
                    text,
                });
                let turn_message = Message { role, text: &text };
                let messages: Vec<_> = system.into_iter().chain([turn_message]).collect();
                let mut prompt = engine.chat_template(&messages, true)?;
                if self.thinks && !turn.enable_thinking {
                    prompt.push_str(NO_THOUGHTS);
                }
                Ok(prompt)
            }
            Template::Set(set) => {
                let system = match first {
                    true => system.unwrap_or(&set.system),
                    false => "",
                };
                Ok([system, &set.prefix, &text, &set.postfix].concat())
            }
        }
    }
}

/// The tokens of the system prompt alone, as a prompt begins with them.
pub fn system_tokens<E: Engine>(engine: &E, style: &Style) -> Result<Vec<i32>, String> {
    let tools = style.tools.as_ref().map(Tools::system);
    let text = match &style.template {
        Template::None => return Ok(Vec::new()),
        Template::Set(set) => tools.unwrap_or(&set.system).to_owned(),
        Template::BuiltIn => match tools {
            None => return Ok(Vec::new()),
            Some(text) => {
                let system = Message {
                    role: "system",
                    text,
                };
                engine.chat_template(&[system], false)?
            }
        },
    };
    tokenize(engine, &text, true)
}

/// Puts the images' embeddings where the text says so.
fn place_images<E: Engine>(
    engine: &E,
    images: &Images,
    text: &str,
    first: bool,
) -> Result<Vec<Part>, String> {
    if images.n_image == 0 && images.videos.is_some() {
        // Only imitations take videos, and they compute nothing.
        return Ok(vec![text_part(engine, text, first)?]);
    }
    let pieces: Vec<&str> = text.split(IMAGE).collect();
    let marks = pieces.len() - 1;
    // One mark may stand for several pictures in a row: the frames of a scene.
    let each = match marks {
        1 => images.n_image,
        n if n == images.n_image => 1,
        n => {
            return Err(format!(
                "the prompt has {n} {IMAGE} marks, but n_image is {}",
                images.n_image
            ));
        }
    };
    let size = images.values.len() / images.n_image.max(1);
    if size == 0 {
        return Err("multimodal input without an image: n_image or n_image_tokens is 0".into());
    }
    let mut rest = images.values.chunks_exact(size);
    let mut parts = Vec::new();
    let mut before = String::new();
    for (i, piece) in pieces.into_iter().enumerate() {
        before.push_str(piece);
        if i == marks {
            break;
        }
        for image in rest.by_ref().take(each) {
            before.push_str(&images.start);
            parts.push(text_part(engine, &before, first && parts.is_empty())?);
            parts.push(Part::Embeddings(image.into()));
            before.clear();
            before.push_str(&images.end);
        }
    }
    parts.push(text_part(engine, &before, false)?);
    Ok(parts)
}

fn text_part<E: Engine>(engine: &E, text: &str, first: bool) -> Result<Part, String> {
    tokenize(engine, text, first).map(Part::Tokens)
}

/// Tokens of a prompt's text, with markers read as tokens. The vocabulary's first token is added
/// where a prompt begins, unless the text brings it itself.
fn tokenize<E: Engine>(engine: &E, text: &str, first: bool) -> Result<Vec<i32>, String> {
    let tokens = engine.tokenize(text, false, true)?;
    if !first || engine.bos().is_some_and(|bos| tokens.first() == Some(&bos)) {
        return Ok(tokens);
    }
    engine.tokenize(text, true, true)
}

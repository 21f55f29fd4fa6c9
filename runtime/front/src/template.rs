//! From a run's input to the prompt's tokens.

use crate::engine::{Cache, Engine, Input};

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

/// The prompt's text (for text input) and tokens.
pub fn prompt<E: Engine>(
    engine: &E,
    template: &Template,
    input: &Input,
    role: Option<&str>,
    cache: Cache,
) -> Result<(Option<String>, Vec<i32>), String> {
    let text = match input {
        Input::Tokens(ids) => return Ok((None, ids.clone())),
        Input::Text(text) => text,
    };
    let first = cache != Cache::Append || engine.cached() == 0;
    let text = match template {
        Template::None => text.clone(),
        Template::BuiltIn => engine.chat_template(role.unwrap_or("user"), text)?,
        Template::Set(set) => {
            let system = if first { set.system.as_str() } else { "" };
            [system, &set.prefix, text, &set.postfix].concat()
        }
    };
    let tokens = tokenize(engine, &text, first)?;
    Ok((Some(text), tokens))
}

/// Tokens of a prompt's text, with markers read as tokens. The vocabulary's first token is added
/// where a prompt begins, unless the text brings it itself.
pub fn tokenize<E: Engine>(engine: &E, text: &str, first: bool) -> Result<Vec<i32>, String> {
    let tokens = engine.tokenize(text, false, true)?;
    if !first || engine.bos().is_some_and(|bos| tokens.first() == Some(&bos)) {
        return Ok(tokens);
    }
    engine.tokenize(text, true, true)
}

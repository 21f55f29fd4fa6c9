//! What the example programs share: their command line, and how they show timings.

use std::path::PathBuf;

use rkchat::{Completion, GenerateOptions, Json, ModelOptions};
use serde_json::json;

/// With the system message that is in SmolLM2's own template, its greedy answers are often in the wrong
/// language.
pub const SYSTEM: &str = "You are a helpful assistant.";

/// A conversation of one question.
pub fn question(text: &str) -> Json {
    json!([{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}])
}

/// What every example takes: `MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N]
/// [--max-context-len N]`.
#[derive(Debug)]
pub struct Arguments {
    /// The model file or folder.
    pub model: PathBuf,
    /// The question.
    pub prompt: String,
    /// How the model is opened.
    pub open: ModelOptions,
    /// How it answers.
    pub generate: GenerateOptions,
}

impl Arguments {
    /// Reads the command line; ends the process with a message and status 2 where it is wrong.
    pub fn from_env() -> Self {
        Self::parse(lexopt::Parser::from_env()).unwrap_or_else(|error| {
            eprintln!("{error}");
            eprintln!(
                "usage: MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N] [--max-context-len N]"
            );
            std::process::exit(2)
        })
    }

    fn parse(mut parser: lexopt::Parser) -> Result<Self, lexopt::Error> {
        use lexopt::prelude::*;

        let mut model = None;
        let mut prompt = None;
        let mut open = ModelOptions::default();
        let mut generate = GenerateOptions::default();
        while let Some(argument) = parser.next()? {
            match argument {
                Long("runtime") => open.runtime = Some(parser.value()?.into()),
                // Set when the model is opened, where runtimes of every version take it.
                Long("greedy") => {
                    open.top_k = Some(1);
                    open.repeat_penalty = Some(1.0);
                }
                Long("max-new-tokens") => generate.max_new_tokens = Some(parser.value()?.parse()?),
                Long("max-context-len") => open.max_context_len = Some(parser.value()?.parse()?),
                Value(value) if model.is_none() => model = Some(value.into()),
                Value(value) if prompt.is_none() => prompt = Some(value.string()?),
                other => return Err(other.unexpected()),
            }
        }
        Ok(Self {
            model: model.ok_or("the model is missing")?,
            prompt: prompt.unwrap_or_else(|| "What is the capital of France?".to_owned()),
            open,
            generate,
        })
    }
}

/// One line with what an answer took.
pub fn timings(answer: &Completion) -> String {
    let speed = |tokens_per_second: Option<f64>| match tokens_per_second {
        Some(speed) => format!("{speed:.1} tokens/s"),
        None => "too short to tell".to_owned(),
    };
    let (usage, time) = (&answer.usage, &answer.timings);
    let mut line = format!("{} prompt tokens", usage.prompt_tokens);
    if let Some(reused) = usage.reused_tokens.filter(|reused| *reused > 0) {
        line += &format!(" ({reused} of them still in the cache)");
    }
    line += &format!(", prefill {}", speed(time.prefill_speed));
    if let Some(first) = time.time_to_first_token {
        line += &format!(", first token after {first:.2} s");
    }
    line + &format!(
        "; {} new tokens, decode {}",
        usage.new_tokens,
        speed(time.decode_speed)
    )
}

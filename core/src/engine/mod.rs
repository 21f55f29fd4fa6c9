//! One owner thread per model, a queue before it, and a stream for each answer.

mod adapters;
mod arguments;
mod chat;
mod compare;
mod control;
mod desk;
mod exit;
mod fork;
mod loaded;
mod marks;
mod messages;
mod model;
mod numbers;
mod opening;
mod owner;
mod prompt;
mod prompt_cache;
mod prompt_file;
mod reading;
mod repair;
mod run;
mod runtime;
mod sampling;
mod spelled;
mod stop_text;
mod stream;
mod text;
mod timing;
mod tokens;
mod tool_choice;

pub(crate) use chat::Chat;
pub(crate) use messages::messages;
pub(crate) use model::Model;
pub(crate) use prompt::Prompt;
pub(crate) use stream::Stream;

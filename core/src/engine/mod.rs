//! One owner thread per model, a queue before it, and a stream for each answer.

mod arguments;
mod chat;
mod compare;
mod control;
mod exit;
mod fork;
mod marks;
mod model;
mod opening;
mod owner;
mod prompt;
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
mod tool_choice;

pub(crate) use chat::Chat;
pub(crate) use model::Model;
pub(crate) use prompt::Prompt;
pub(crate) use stream::Stream;

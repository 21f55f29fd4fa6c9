//! One owner thread per model, a queue before it, and a stream for each answer.

mod compare;
mod control;
mod exit;
mod fork;
mod marks;
mod model;
mod opening;
mod owner;
mod prompt;
mod repair;
mod run;
mod runtime;
mod spelled;
mod stop_text;
mod stream;
mod text;
mod timing;

pub(crate) use model::Model;
pub(crate) use prompt::Prompt;
pub(crate) use stream::Stream;

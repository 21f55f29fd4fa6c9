//! A stand-in runtime that plays a script of tokens, delays and faults.
//!
//! The "model file" given to `rkllm_init` is a JSON [`Script`]. The stand-in stands for a vendor
//! library: it has no tokenizer and does not export `rkchat_rt_extension`. Text input counts as one
//! token per word; token input is taken as it is. Adapters and prompt caches are files of any
//! content and JSON lists of tokens; hidden states and logits are numbers that a test can foresee.

mod batch;
mod engine;
mod numbers;
mod open;
mod piece;
mod play;
mod record;
mod script;
mod stop;

pub use engine::Scripted;
pub use piece::Piece;
pub use script::{Init, Limit, LogTo, Run, Script, Second, Template};

//! Inputs. Each struct is all defaults where nothing is set; a field that is `Option` is unset by
//! default, and its doc says what that means.
//!
//! In all that is generated they come in the order of the `mod` lines below. Blank lines keep rustfmt from
//! sorting these.

mod runtime;

mod model;

mod request;

mod chat;

mod template;

mod tokenizer;

mod adapter;

mod numbers;

mod prompt_cache;

mod message;

pub use adapter::*;
pub use chat::*;
pub use message::*;
pub use model::*;
pub use numbers::*;
pub use prompt_cache::*;
pub use request::*;
pub use runtime::*;
pub use template::*;
pub use tokenizer::*;

//! The handles. Each method hands on to the room that does the work.
//!
//! All handles may be shared between threads and dropped from any thread, in any order.
//!
//! In all that is generated they come in the order of the `mod` lines below. Blank lines keep rustfmt from
//! sorting these.

mod runtime;

mod folder;

mod model;

mod opening;

mod chat;

mod generation;

mod template;

mod tokenizer;

pub use chat::*;
pub use folder::*;
pub use generation::*;
pub use model::*;
pub use opening::*;
pub use runtime::*;
pub use template::*;
pub use tokenizer::*;

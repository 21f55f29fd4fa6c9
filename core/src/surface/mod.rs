//! The public API, written once. The C, C++, Python and Node bindings are generated from the files of
//! this folder by `make surface`; they see nothing else of the crate. Options and handles are folders, whose
//! `mod.rs` gives the order; the other kinds are a file each.
//!
//! Doc markers carry what types do not, each on a line of its own at the end of a doc comment:
//! `@default V`, `@range A..=B`, `@unit U`, `@since V`, `@blocking` (may take longer than a
//! millisecond: Node answers with a promise, Python lets go of the GIL), `@constant` (answers the same
//! for the handle's life), `@property` (Python has a property, Node a getter), `@alias a, b` (what other
//! libraries call an option), `@python CLASS` (the built-in an error also is), `@handwritten REASON`
//! (each binding has its own idiom for it), `@c_only REASON` (Python and Node have none).

mod enums;
mod errors;
mod handles;
mod options;
mod records;
mod tensor;

pub use enums::*;
pub use errors::*;
pub use handles::*;
pub use options::*;
pub use records::*;
pub use tensor::*;

/// JSON data. Objects keep the order of their keys, integers stay integers.
pub use serde_json::Value as Json;

/// Changes whenever a file of this folder does. Generated code asserts it, so bindings that were not
/// regenerated do not compile.
#[doc(hidden)]
pub const SURFACE_HASH: &str = env!("RKCHAT_SURFACE_HASH");

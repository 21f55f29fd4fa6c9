//! Which `librkllmrt.so` is this? Told from the file alone, and where that is not enough from one call
//! in a child process; never by trying it out in this one.

pub mod blob;
pub(super) mod call;
pub mod defaults;
// Fields of its structs are wider on 64-bit machines.
#[allow(clippy::useless_conversion)]
pub mod elf;
pub mod known;
pub mod probe;
pub mod symbols;
pub mod unfit;
pub mod version_text;

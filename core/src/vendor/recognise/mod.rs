//! Which `librkllmrt.so` is this? Told from the file alone, and where that is not enough from one call
//! in a child process; never by trying it out in this one.

pub mod blob;
pub mod elf;
pub mod known;
pub mod symbols;
pub mod unfit;
pub mod version_text;

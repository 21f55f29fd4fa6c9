//! Which `librkllmrt.so` is this? Told from the file alone, and where that is not enough from one call
//! in a child process; never by trying it out in this one: 1.3.0 driven with the layout of 1.2.1 opens a
//! model and crashes in the run.

pub mod blob;
pub(super) mod call;
pub mod defaults;
// Fields of its structs are wider on 64-bit machines.
#[allow(clippy::useless_conversion)]
pub mod elf;
pub mod evidence;
pub mod facts;
pub mod probe;
pub mod settle;
pub mod symbols;
pub mod unfit;
pub mod version_text;
pub mod word;

use std::path::Path;

use crate::surface::Result;
use facts::Facts;
use settle::Verdict;
pub use word::Word;

/// Which library the file at `path` is, by what was read from it. `own` is the group that rkchat's own
/// runtime says it is of, for files with [`Facts::own`]; `word` is what the user says.
pub(super) fn settle(
    path: &Path,
    facts: &Facts,
    own: Option<&str>,
    word: Option<&Word>,
) -> Result<Verdict> {
    let trusted = word.is_some_and(|word| word.unchecked);
    let probe = !trusted && !facts.own && facts.official.is_none();
    let evidence = facts.evidence(path, own, probe);
    settle::settle(&path.display().to_string(), &evidence, word)
}

/// Which library the file at `path` is. `own` is as for a file of rkchat's.
pub fn recognise(path: &Path, own: Option<&str>, word: Option<&Word>) -> Result<Verdict> {
    let facts = Facts::of(path).map_err(|unfit| unfit.at(path))?;
    settle(path, &facts, own, word)
}

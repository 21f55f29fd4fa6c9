//! The functions of group 1.3.0 over scripts: what the front promises, and what a script can break.

mod features;
mod harness;
mod refusals;
mod runs;
#[path = "../support/mod.rs"]
mod support;
mod threads;

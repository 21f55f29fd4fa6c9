//! The functions of group 1.3.0 over scripts: what the front promises, and what a script can break.

mod features;
#[path = "../groups/mod.rs"]
mod groups;
mod harness;
mod refusals;
mod runs;
#[path = "../support/mod.rs"]
mod support;

groups::group_tests!(crate::harness::library::FUNCTIONS);

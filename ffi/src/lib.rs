//! The C ABI of rkchat: thin, guarded shims over the crate `rkchat`. `include/rkchat.h` is made from these
//! files, and the rules at its top are what the `SAFETY` comments here rely on.

// C's names; the rules of safety are in the header, once.
#![allow(non_camel_case_types, clippy::missing_safety_doc)]

mod arena;
mod error;
mod generated;
mod generation;
mod guard;
mod input;
mod options;
mod output;
mod owned;
mod status;
mod version;

//! The exported functions of each RKLLM ABI group, over one engine trait.
//!
//! A runtime library is a cdylib that names its engine once:
//!
//! ```text
//! rkchat_runtime_front::export_v1_3_0!(MyEngine);
//! ```
//!
//! This crate checks parameters, keeps handles and runs, applies chat templates, joins partial
//! UTF-8 characters and makes the callbacks; an [`Engine`] sees plain data only. Log lines in the
//! vendor's form go to standard error.

// Shared by path: a runtime must not depend on the client library that `core` is.
#[path = "../../../core/src/vendor/abi/mod.rs"]
pub mod abi;
mod activity;
pub mod calls;
pub mod cpu;
pub mod engine;
mod export;
pub mod extension;
mod groups;
pub mod guard;
mod joiner;
pub mod log;
mod memory;
pub mod registry;
mod run;
pub mod session;
mod template;
mod tools;

pub use engine::Engine;
pub use groups::{Group, Structured};
pub use registry::Registry;

//! The native half of the Node module. Its classes take any JavaScript value, check it, and answer
//! with plain values; the TypeScript half (`ts/`) gives them types, documentation and the idioms of
//! the language. Nothing here is meant to be called by anything else.

// The public API is documented in TypeScript; the items here follow it one by one.
#![allow(missing_docs)]

mod background;
mod convert;
mod error;
mod generated;
mod generation;
mod json;
mod options;
mod task;

use std::path::PathBuf;

use napi::Env;
use napi_derive::napi;

use error::{MakeError, PathOfUrl};

/// Told once by each JavaScript thread that loads the module, before anything else. `runtime_folder` is
/// where this package keeps its runtimes.
#[napi]
pub fn init(
    env: &Env,
    make_error: MakeError,
    path_of_url: PathOfUrl,
    runtime_folder: String,
) -> napi::Result<()> {
    rkchat::add_runtime_folder(PathBuf::from(runtime_folder));
    error::install(env, make_error, path_of_url)
}

/// The version of rkchat.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}

/// What the TypeScript half was generated from must be what this one was.
#[napi]
pub fn surface_hash() -> &'static str {
    rkchat::SURFACE_HASH
}

//! The private library that holds llama.cpp for the CPU runtime.
//!
//! It exports one symbol, the table that `rkchat_runtime_front::cpu` declares; the libraries of the
//! ABI groups are its only users.

mod cell;
mod context;
mod generate;
mod hash;
mod lane;
mod llama;
mod logprobs;
mod logs;
mod lora;
mod prompt_cache;
mod sampler;
mod state;
mod threads;

use rkchat_runtime_front::cpu::{serve, table::Table};

static TABLE: Table = serve::table::<llama::Llama>();

/// The engine's functions.
#[unsafe(no_mangle)]
pub extern "C" fn rkchat_runtime_engine() -> *const Table {
    &TABLE
}

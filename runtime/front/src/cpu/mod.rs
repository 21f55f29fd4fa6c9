//! The CPU engine of the runtime, which lives in a library of its own.
//!
//! The libraries of the ABI groups are thin; llama.cpp is in `librkchat_runtime_engine.so` beside
//! their folders. Between the two is a private table of functions, the [`Engine`](crate::Engine)
//! trait in C: [`table`] declares it, [`serve`] makes one of an engine, [`client`] is an engine
//! over one.

pub mod client;
mod file;
mod locate;
pub mod serve;
mod serve_run;
pub mod table;

pub use client::Cpu;

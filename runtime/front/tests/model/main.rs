//! The built CPU runtime with a real model, through the ABI of the groups.

mod batch;
mod cache;
#[path = "../client/mod.rs"]
mod client;
mod gguf;
mod groups;
mod limits;
mod lora;
mod misuse;
mod numbers;
mod output;
mod pause;
mod support;
mod symbols;
mod variant;

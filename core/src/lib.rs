//! Chat models on Rockchip NPUs, and on any CPU, behind one API.
//!
//! rkchat drives Rockchip's closed `librkllmrt.so` (the RKLLM runtime) with the memory layout that the
//! file at hand has, and feeds it exactly the prompt that the model was trained on. Its own runtime
//! speaks the same ABI on llama.cpp, so the same program runs GGUF models on a CPU.
//!
//! ```no_run
//! use rkchat::{GenerateOptions, Model, ModelOptions};
//!
//! let model = Model::open("SmolLM2.gguf".as_ref(), &ModelOptions::default())?;
//! let messages = serde_json::json!([{"role": "user", "content": "Who are you?"}]);
//! for chunk in model.generate(&messages, &GenerateOptions::default())? {
//!     print!("{}", chunk?.text);
//! }
//! # Ok::<(), rkchat::Error>(())
//! ```

mod answer;
mod engine;
mod model;
#[doc(hidden)]
pub mod option_names;
mod ranges;
mod surface;
mod template;
mod tokenizer;
#[doc(hidden)]
pub mod vendor;

pub use surface::*;

#[doc(hidden)]
pub use model::untrusted;

/// Adds a folder with rkchat's own runtimes, for bindings that bring them along.
#[doc(hidden)]
pub use vendor::search::add_folder as add_runtime_folder;

/// The template engine itself, for its own tests and benchmarks.
#[doc(hidden)]
pub use template::{Rendered, Template};

//! The readers of what comes from strangers, as functions of bytes. For fuzzing: no input makes them panic,
//! hang, or take more memory than the limits of `files` and `gguf_reader` come to.

use std::path::Path;

use super::{card, defaults, files, front_matter, gguf, health, name, stops};
use crate::surface::ErrorKind;

/// A model card.
pub fn card(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    card::read(&text);
    front_matter::read(&text);
}

/// The name of a file, folder or repository.
pub fn name(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    name::read(&text);
    super::families::by_name(&text);
}

/// `generation_config.json` and `config.json`.
pub fn config(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(json) = files::parse_json(&text, Path::new("memory"), ErrorKind::InvalidModel) {
        defaults::read(&json);
        stops::declared(&json);
    }
}

/// The first bytes of a model file.
pub fn head(bytes: &[u8]) {
    health::stand_in(bytes);
}

/// A GGUF file; whether it is one.
pub fn gguf(bytes: &[u8]) -> bool {
    gguf::read_bytes(bytes).is_ok()
}

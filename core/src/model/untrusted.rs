//! The readers of what comes from strangers, as functions of bytes. For fuzzing: no input makes them panic,
//! hang, or take much more memory than it has itself.

use super::{card, defaults, front_matter, gguf, health, name, stops};

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
    if let Ok(json) = serde_json::from_slice(bytes) {
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

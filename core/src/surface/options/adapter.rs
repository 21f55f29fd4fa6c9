//! LoRA adapters.

/// How an adapter is loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterOptions {
    /// The name by which requests pick it. Unset: that of the file, without its ending.
    pub name: Option<String>,
    /// How strong it is.
    /// @default 1.0
    /// @range -100..=100
    pub scale: f32,
}

impl Default for AdapterOptions {
    fn default() -> Self {
        Self {
            name: None,
            scale: 1.0,
        }
    }
}

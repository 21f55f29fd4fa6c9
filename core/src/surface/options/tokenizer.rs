//! Text to token ids and back.

/// How text becomes token ids.
#[derive(Debug, Clone, PartialEq)]
pub struct EncodeOptions {
    /// Put the special tokens around the text that the tokenizer puts there, such as `<bos>`.
    /// @default true
    pub add_special_tokens: bool,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        Self {
            add_special_tokens: true,
        }
    }
}

/// How token ids become text.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DecodeOptions {
    /// Leave special tokens such as `<bos>` out.
    /// @default false
    pub skip_special_tokens: bool,
}

//! What chat templates are given.

use crate::surface::{Json, UntrustedContent};

/// What is rendered besides the messages.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RenderOptions {
    /// End with the words that open the assistant's turn.
    /// @default false
    pub add_generation_prompt: bool,
    /// End inside the last message, so that the model goes on with it. Excludes
    /// `add_generation_prompt`.
    /// @default false
    pub continue_final_message: bool,
    /// Function tools, a JSON array in the OpenAI shape. Unset: none.
    pub tools: Option<Json>,
    /// Documents for retrieval templates, a JSON array. Unset: none.
    pub documents: Option<Json>,
    /// The time that the template's clock shows, ISO 8601 without a zone, such as
    /// `2026-03-07T08:05:09.012345`. Unset: now, local time.
    pub now: Option<String>,
    /// Further variables for the template, a JSON object. Unset: none.
    pub variables: Option<Json>,
    /// Which of a model's templates is used, by its name, such as `rag`. Unset: `tool_use` where it is
    /// there and tools are given, else `default`.
    pub template_name: Option<String>,
    /// The template's variable of that name: whether the model thinks before it answers. Unset: as the
    /// template has it.
    pub enable_thinking: Option<bool>,
    /// For `ChatTemplate.encode` and `assistant_mask`: what becomes of control tokens that the messages,
    /// tools, documents or variables spell. `generate` has an option of its own. Unset: `Transformers`.
    pub untrusted_content: Option<UntrustedContent>,
}

/// What a template given as source is told about its model.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TemplateOptions {
    /// Text of the token that begins a prompt, such as `<bos>`. Unset: undefined in the template.
    pub bos_token: Option<String>,
    /// Text of the token that ends an answer, such as `<eos>`. Unset: undefined in the template.
    pub eos_token: Option<String>,
    /// Further special tokens by name, a JSON object of strings. Unset: none.
    pub special_tokens: Option<Json>,
}

/// Which template's source is meant.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SourceOptions {
    /// Its name. Unset: `default`, or the only one.
    pub template_name: Option<String>,
}

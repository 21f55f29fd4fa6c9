//! Chat templates by themselves.

use std::path::Path;
use std::sync::Arc;

use crate::surface::{
    Json, Message, RenderOptions, Result, SourceOptions, TemplateInfo, TemplateOptions, Tokenizer,
};
use crate::{engine, template};

/// A chat template: messages in, exactly the prompt that the model was trained on out. Needs no
/// runtime.
#[derive(Debug, Clone)]
pub struct ChatTemplate {
    inner: Arc<template::Templates>,
}

impl ChatTemplate {
    /// Takes the templates from a model folder (`chat_template.jinja`, `additional_chat_templates`,
    /// `tokenizer_config.json`, `chat_template.json`), from one of those files, from a GGUF file, or from
    /// a repository in the Hugging Face cache, by its id (`org/name`).
    /// @blocking
    pub fn open(path: &Path) -> Result<Self> {
        let inner = Arc::new(template::open(path)?);
        Ok(Self { inner })
    }

    /// Takes the Jinja source itself.
    pub fn from_source(source: &str, options: &TemplateOptions) -> Result<Self> {
        let inner = Arc::new(template::Templates::from_options(source, options)?);
        Ok(Self { inner })
    }

    /// Renders a JSON array of messages, as transformers' `apply_chat_template` does. A template
    /// that refuses them is a `Template` error with the template's own words.
    pub fn render(&self, messages: &Json, options: &RenderOptions) -> Result<String> {
        self.inner.render(messages, options)
    }

    /// Renders, then encodes without adding special tokens, for those are in the template: what
    /// transformers' `apply_chat_template` gives with `tokenize=True`.
    pub fn encode(
        &self,
        messages: &Json,
        tokenizer: &Tokenizer,
        options: &RenderOptions,
    ) -> Result<Vec<u32>> {
        self.inner.encode(messages, &tokenizer.inner, options)
    }

    /// As `render`, with the messages in structs.
    /// @c_only there messages are objects of the language
    pub fn render_messages(&self, messages: &[Message], options: &RenderOptions) -> Result<String> {
        self.render(&engine::messages(messages)?, options)
    }

    /// For each id that `encode` gives, 1 where it is what the assistant says, by the template's
    /// `{% generation %}` blocks, else 0: what transformers gives with
    /// `return_assistant_tokens_mask=True`.
    pub fn assistant_mask(
        &self,
        messages: &Json,
        tokenizer: &Tokenizer,
        options: &RenderOptions,
    ) -> Result<Vec<u32>> {
        self.inner
            .assistant_mask(messages, &tokenizer.inner, options)
    }

    /// Which templates these are.
    /// @constant
    pub fn info(&self) -> TemplateInfo {
        self.inner.info()
    }

    /// The Jinja source of a template.
    pub fn source(&self, options: &SourceOptions) -> Result<String> {
        self.inner.source(options.template_name.as_deref())
    }
}

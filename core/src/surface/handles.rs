//! The handles. Each method hands on to the room that does the work.
//!
//! All handles may be shared between threads and dropped from any thread, in any order.

use std::future::poll_fn;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::engine::{self, Prompt};
use crate::{model, template, tokenizer, vendor};

/// A loaded `librkllmrt.so`, to look at; `ModelOptions.runtime` takes its path. It stays loaded until the
/// process ends.
#[derive(Debug, Clone)]
pub struct Runtime {
    inner: Arc<vendor::Library>,
}

impl Runtime {
    /// Loads the library at `path` and tells which ABI group it belongs to. No model is opened.
    /// @blocking
    pub fn open(path: &Path, options: &RuntimeOptions) -> Result<Self> {
        let word = vendor::Word::of(options.abi.as_deref(), options.abi_unchecked)?;
        let inner = vendor::Library::open(path, word)?;
        Ok(Self { inner })
    }

    /// Finds the library that fits a model best: the one that `RKCHAT_RUNTIME` names, else among those
    /// that `get` fetched and those in the system's folders. `info` tells why it was chosen. Where none
    /// is there, or none that fits, the error says which to get.
    /// @blocking
    pub fn find(options: &FindOptions) -> Result<Self> {
        let inner = vendor::find(options, vendor::Word::of(None, false)?)?;
        Ok(Self { inner })
    }

    /// Fetches Rockchip's library in one of its releases, checks that it is the official file, stores it
    /// in the user's data folder (`rkchat/runtimes/<release>`), where `find` looks, and gives its path.
    /// One that is there already is not fetched again. Nothing is loaded.
    /// @blocking
    pub fn get(options: &GetOptions) -> Result<PathBuf> {
        vendor::get(options)
    }

    /// What was loaded and how it was recognised.
    /// @constant
    pub fn info(&self) -> RuntimeInfo {
        self.inner.info().clone()
    }
}

/// A model as it lies on disk, to look at. No runtime is needed.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    inner: Arc<FolderInfo>,
}

impl ModelFolder {
    /// Reads what is known of the model that `Model.open` would open.
    /// @blocking
    pub fn open(path: &Path, options: &ModelOptions) -> Result<Self> {
        let inner = Arc::new(model::inspect(path, options)?);
        Ok(Self { inner })
    }

    /// What is known of it.
    /// @constant
    pub fn info(&self) -> FolderInfo {
        (*self.inner).clone()
    }
}

/// An opened model. One request runs at a time; others wait in a queue, in the order they came.
///
/// When the last handle of a model is gone, answers that are still held go on and free the model at
/// their end; `close` ends them. Without any, letting go of the handle waits until the model is freed.
#[derive(Debug, Clone)]
pub struct Model {
    inner: Arc<engine::Model>,
}

impl Model {
    /// Opens a model: a `.rkllm` or `.gguf` file, a folder with one and the files that came with it
    /// (`tokenizer.json`, `tokenizer_config.json`, `generation_config.json`, `README.md`), or the id of a
    /// repository (`org/name`) that is in the Hugging Face cache.
    /// To see how far that has come, or to give it up, use `Opening`.
    /// @blocking
    pub fn open(path: &Path, options: &ModelOptions) -> Result<Self> {
        let inner = engine::Opening::start(path, options)?.model()?;
        Ok(Self { inner })
    }

    /// What was opened: file, runtime, template, tokenizer, context window.
    /// @constant
    pub fn info(&self) -> ModelInfo {
        self.inner.info().clone()
    }

    /// Answers a conversation: a JSON array of messages, each an object with `role` and `content`.
    /// The prompt is rendered and checked before this returns; the answer streams from what it
    /// returns. A prompt that does not fit the window is `ContextOverflow`, a full queue `Busy`. Takes
    /// time in proportion to the text, as `complete`, `render`, `encode` and `decode` do.
    pub fn generate(&self, messages: &Json, options: &GenerateOptions) -> Result<Generation> {
        let inner = self.inner.generate(Prompt::Messages(messages), options)?;
        Ok(Generation { inner })
    }

    /// As `generate`, with the messages in structs.
    /// @c_only there messages are objects of the language
    pub fn generate_messages(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<Generation> {
        self.generate(&engine::messages(messages)?, options)
    }

    /// Continues a text. It gets the special tokens that the tokenizer puts around a text, and no
    /// template.
    pub fn complete(&self, text: &str, options: &GenerateOptions) -> Result<Generation> {
        let inner = self.inner.generate(Prompt::Text(text), options)?;
        Ok(Generation { inner })
    }

    /// Continues token ids, exactly as they are.
    pub fn complete_ids(&self, ids: &[u32], options: &GenerateOptions) -> Result<Generation> {
        let inner = self.inner.generate(Prompt::Ids(ids), options)?;
        Ok(Generation { inner })
    }

    /// Continues embeddings in place of tokens, in the shape [tokens, numbers of each]. No template is put
    /// around them. Where nobody knows how many numbers the model's embeddings have, nobody checks: the
    /// runtime then reads as many as it needs, so they have to be right.
    pub fn complete_embeddings(
        &self,
        embeddings: &Tensor,
        options: &GenerateOptions,
    ) -> Result<Generation> {
        let inner = self
            .inner
            .generate(Prompt::Embeddings(embeddings), options)?;
        Ok(Generation { inner })
    }

    /// Answers several prompts, `ModelOptions.n_batch` of them at once: a JSON array of arrays of messages,
    /// or of texts to complete. Options count for each; `timeout` is for all. The answers come in the order of
    /// the prompts. Works with every runtime, one after the other where `n_batch` is 1.
    /// @blocking
    pub fn generate_batch(
        &self,
        prompts: &Json,
        options: &GenerateOptions,
    ) -> Result<Vec<Completion>> {
        self.inner.generate_batch(prompts, options)
    }

    /// Sets what the decoder attends to, for a model opened with `ModelOptions.use_cross_attn`: an encoder's
    /// keys in the shape [layers, tokens, heads, numbers of a head], its values in the shape [layers, heads,
    /// numbers of a head, tokens], and of each token its mask and its position. They stay until others are set. That
    /// their sizes are the model's, nobody checks.
    /// @blocking
    pub fn set_cross_attention(
        &self,
        keys: &Tensor,
        values: &Tensor,
        mask: &Tensor,
        positions: &[u32],
    ) -> Result<()> {
        self.inner
            .set_cross_attention(keys, values, mask, positions)
    }

    /// Renders messages with the model's template. With `add_generation_prompt` it is the prompt that
    /// `generate` sends.
    pub fn render(&self, messages: &Json, options: &RenderOptions) -> Result<String> {
        self.inner.render(messages, options)
    }

    /// As `render`, with the messages in structs.
    /// @c_only there messages are objects of the language
    pub fn render_messages(&self, messages: &[Message], options: &RenderOptions) -> Result<String> {
        self.render(&engine::messages(messages)?, options)
    }

    /// Text to token ids, with the model's tokenizer.
    pub fn encode(&self, text: &str, options: &EncodeOptions) -> Result<Vec<u32>> {
        self.inner.encode(text, options)
    }

    /// Token ids to text, with the model's tokenizer.
    pub fn decode(&self, ids: &[u32], options: &DecodeOptions) -> Result<String> {
        self.inner.decode(ids, options)
    }

    /// Embeds texts: a row for each, made from the hidden states of the last layer. As with every method
    /// that waits for the model, other requests come first where they came before.
    /// @blocking
    pub fn embed(&self, texts: &[String], options: &EmbedOptions) -> Result<Tensor> {
        self.inner.embed(texts, options)
    }

    /// What the model expects after a text, or after some of its tokens: a row of logits for each, with a
    /// number for each token of the vocabulary. The text is encoded as `complete` does.
    /// @blocking
    pub fn logits(&self, text: &str, options: &LogitsOptions) -> Result<Tensor> {
        self.inner.logits(Prompt::Text(text), options)
    }

    /// The same for token ids, exactly as they are.
    /// @blocking
    pub fn logits_ids(&self, ids: &[u32], options: &LogitsOptions) -> Result<Tensor> {
        self.inner.logits(Prompt::Ids(ids), options)
    }

    /// How likely a text is: for each of its tokens after the first, the natural logarithm of the
    /// probability that the model gives it after those before. Their sum is that of the text. It is
    /// encoded as `complete` does.
    /// @blocking
    pub fn score(&self, text: &str, options: &ScoreOptions) -> Result<Tensor> {
        self.inner.score(Prompt::Text(text), options)
    }

    /// The same for token ids, exactly as they are.
    /// @blocking
    pub fn score_ids(&self, ids: &[u32], options: &ScoreOptions) -> Result<Tensor> {
        self.inner.score(Prompt::Ids(ids), options)
    }

    /// Loads a LoRA adapter, which requests then pick by its name: a `.rkllm` file, or a GGUF file on the
    /// CPU runtime. It stays until the model is closed.
    /// @blocking
    pub fn load_adapter(&self, path: &Path, options: &AdapterOptions) -> Result<()> {
        self.inner.load_adapter(path, options)
    }

    /// The adapters that are loaded.
    pub fn adapters(&self) -> Vec<AdapterInfo> {
        self.inner.adapters()
    }

    /// Computes a prompt and keeps its cache in a file, so that later requests that begin like it begin
    /// sooner, also after the program was started anew. The prompt is an array of messages, a text, or an
    /// array of token ids. Gives the name to load it by.
    /// @blocking
    pub fn save_prompt_cache(&self, prompt: &Json, options: &PromptCacheOptions) -> Result<String> {
        self.inner.save_prompt_cache(prompt, options)
    }

    /// Loads what `save_prompt_cache` saved, in place of what was loaded before. What is of another model,
    /// runtime or prompt is `CacheMismatch`.
    /// @blocking
    pub fn load_prompt_cache(&self, name: &str, options: &LoadPromptCacheOptions) -> Result<()> {
        self.inner.load_prompt_cache(name, options)
    }

    /// Lets go of the prompt cache that is loaded; its file stays. Harmless where none is.
    /// @blocking
    pub fn release_prompt_cache(&self) -> Result<()> {
        self.inner.release_prompt_cache()
    }

    /// The prompt caches in the model's folder of them, by name.
    /// @blocking
    pub fn prompt_caches(&self, options: &ListPromptCachesOptions) -> Result<Vec<PromptCacheInfo>> {
        self.inner.prompt_caches(options)
    }

    /// Lets the runtime free the model, when it is its turn after the requests that came before. All else
    /// stays: the next request loads the model again, with the same options, adapters and prompt cache. A
    /// conversation that only the runtime keeps (see `Chat`) ends. Harmless where nothing is loaded.
    /// @blocking
    pub fn unload(&self) -> Result<()> {
        self.inner.unload()
    }

    /// What the model does at the moment. Never waits for what runs.
    pub fn status(&self) -> Result<ModelStatus> {
        self.inner.status()
    }

    /// The processes of rkchat that have a model on the NPU, this one among them, as far as this user may
    /// see. They note themselves in the folder that `RKCHAT_LOCK_DIR` names, else in `rkchat` in
    /// `XDG_RUNTIME_DIR`, else in `/tmp/rkchat-` and the user's number. The CPU runtime is not counted.
    pub fn npu_holders(&self) -> Vec<NpuHolder> {
        engine::npu_holders()
    }

    /// Ends what runs and waits as cancelled, and frees the model. Afterwards only `info` and `status`
    /// answer; everything else is `Closed`. Closing twice is fine. Waits until the runtime lets go.
    /// @blocking
    pub fn close(&self) -> Result<()> {
        self.inner.close()
    }
}

/// A model that is being opened, in the background. Dropping it gives it up, unless the model was taken.
#[derive(Debug)]
pub struct Opening {
    inner: engine::Opening,
}

impl Opening {
    /// Begins to open a model, as `Model.open` does, and returns at once.
    pub fn start(path: &Path, options: &ModelOptions) -> Result<Self> {
        let inner = engine::Opening::start(path, options)?;
        Ok(Self { inner })
    }

    /// How far it has come.
    pub fn progress(&self) -> Result<OpeningProgress> {
        self.inner.progress()
    }

    /// Waits until the model is open, or cannot be opened, at the most for `timeout`; false where it is
    /// still on its way.
    /// @blocking
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.inner.wait(timeout)
    }

    /// Waits until it is open and gives the model; why it could not be opened is reported here. Asked
    /// again, it gives the same model.
    /// @blocking
    pub fn model(&self) -> Result<Model> {
        let inner = self.inner.model()?;
        Ok(Model { inner })
    }

    /// Gives it up: `model` is `Closed` then. What a runtime has begun to load it loads to its end, in the
    /// background, and is freed; `wait` tells when. Changes nothing for a model that was taken.
    pub fn cancel(&self) {
        self.inner.cancel();
    }
}

/// A conversation: it keeps the messages, adds the answers, and sends as much of it as fits the
/// context window.
///
/// An answer becomes a message of the chat when its generation ends. One that was cancelled stays as far
/// as it came; where it had not said anything yet, or failed, the messages that it was to answer are taken
/// back, so that they can be sent again. Until then the chat is `Busy`. Handles of one chat share the
/// conversation. A chat keeps its model open, and answers go on when the chat is dropped.
///
/// Where prompts go through the runtime's own template (`InputKind.RuntimeTemplate`), the runtime keeps
/// the conversation: only users' texts can be sent, and any other use of the model in between ends it.
#[derive(Debug, Clone)]
pub struct Chat {
    inner: Arc<engine::Chat>,
}

impl Chat {
    /// Begins a conversation with a model.
    pub fn open(model: &Model, options: &ChatOptions) -> Result<Self> {
        let inner = engine::Chat::open(model.inner.clone(), options)?;
        Ok(Self { inner })
    }

    /// Takes up a conversation that `to_json` gave.
    pub fn from_json(model: &Model, state: &Json, options: &ChatOptions) -> Result<Self> {
        let inner = engine::Chat::from_json(model.inner.clone(), state, options)?;
        Ok(Self { inner })
    }

    /// Says something as the user. The answer streams from what it returns. Options count for this
    /// request.
    pub fn send(&self, text: &str, options: &GenerateOptions) -> Result<Generation> {
        let message = serde_json::json!({"role": "user", "content": text});
        let inner = self.inner.send(&message, options)?;
        Ok(Generation { inner })
    }

    /// Sends a message of any role, or a JSON array of them, such as the results of tools.
    pub fn send_message(&self, message: &Json, options: &GenerateOptions) -> Result<Generation> {
        let inner = self.inner.send(message, options)?;
        Ok(Generation { inner })
    }

    /// As `send_message`, with the messages in structs.
    /// @c_only there messages are objects of the language
    pub fn send_messages(
        &self,
        messages: &[Message],
        options: &GenerateOptions,
    ) -> Result<Generation> {
        self.send_message(&engine::messages(messages)?, options)
    }

    /// Answers the last message of the user again: what came after it is dropped, and comes back if
    /// this answer fails.
    pub fn regenerate(&self, options: &GenerateOptions) -> Result<Generation> {
        let inner = self.inner.regenerate(options)?;
        Ok(Generation { inner })
    }

    /// All messages, a JSON array that begins with the system prompt. Those that were left out of a
    /// prompt are still here.
    pub fn messages(&self) -> Result<Json> {
        self.inner.messages()
    }

    /// Puts a message in the place of another, counted from 0 in `messages`, and drops those after it.
    /// `regenerate` then answers.
    pub fn edit(&self, index: u32, message: &Json) -> Result<()> {
        self.inner.edit(index, message)
    }

    /// A chat of its own that goes on from here.
    pub fn branch(&self) -> Result<Chat> {
        let inner = self.inner.branch()?;
        Ok(Self { inner })
    }

    /// The conversation and its tools as JSON, for `from_json`.
    pub fn to_json(&self) -> Result<Json> {
        self.inner.to_json()
    }

    /// Drops all messages but the system prompt.
    pub fn reset(&self) -> Result<()> {
        self.inner.reset()
    }

    /// How many tokens a prompt with all messages has; 0 where there is none, or nobody can count.
    pub fn token_count(&self) -> Result<u32> {
        self.inner.token_count()
    }
}

/// One answer on its way. Dropping it cancels it.
#[derive(Debug)]
pub struct Generation {
    inner: Arc<engine::Stream>,
}

impl Generation {
    /// The next piece of the answer, or none at its end. Waits for `timeout`, or without end where it
    /// is unset; when the time has passed that is a `Timeout`, and the answer goes on. A failure of
    /// the runtime is reported here, after what it had produced.
    /// @blocking
    /// @handwritten an iterator, and in C a function that fills a chunk
    pub fn next(&self, timeout: Option<Duration>) -> Result<Option<Chunk>> {
        self.inner.next(timeout)
    }

    /// As `next`, without waiting: none yet is `Poll::Pending`, and `wake` is then called once, from
    /// any thread, as soon as there is more. A later call replaces `wake`.
    /// @handwritten it stands behind `for await` in Node and `async for` in Python, which have no such method
    pub fn poll(
        &self,
        wake: impl FnOnce() + Send + 'static,
    ) -> std::task::Poll<Result<Option<Chunk>>> {
        self.inner.poll(Box::new(wake))
    }

    /// Ends the answer now; pieces that were not read are dropped from the stream, not from
    /// `completion`. Harmless at any time and from any thread, also while another waits in `next`.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// Why it ended; unset while it goes on.
    pub fn finish_reason(&self) -> Option<FinishReason> {
        self.inner.finish_reason()
    }

    /// Waits for the end without reading, at the most for `timeout`; false where it goes on.
    /// @blocking
    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.inner.wait(timeout)
    }

    /// Waits for the end and gives the text of the answer, whether or not pieces of it were read; a
    /// failure of the runtime is reported here too. Awaiting a generation gives the same.
    /// @blocking
    /// @property
    pub fn text(&self) -> Result<String> {
        self.inner.text()
    }

    /// Waits for the end and gives the whole answer, whether or not pieces of it were read. A failure
    /// of the runtime is reported here too.
    /// @blocking
    pub fn completion(&self) -> Result<Completion> {
        self.inner.completion()
    }
}

/// Its pieces, waiting for each without a timeout.
impl Iterator for Generation {
    type Item = Result<Chunk>;

    fn next(&mut self) -> Option<Self::Item> {
        self.inner.next(None).transpose()
    }
}

/// Awaiting it gives its text.
impl IntoFuture for &Generation {
    type Output = Result<String>;
    type IntoFuture = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        let inner = Arc::clone(&self.inner);
        Box::pin(poll_fn(move |context| inner.poll_text(context.waker())))
    }
}

impl Drop for Generation {
    fn drop(&mut self) {
        self.inner.cancel();
    }
}

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

/// A tokenizer. Needs no runtime.
#[derive(Debug, Clone)]
pub struct Tokenizer {
    inner: Arc<tokenizer::Tokenizer>,
}

impl Tokenizer {
    /// Reads a `tokenizer.json`, that of a model folder, or that of a repository in the Hugging Face
    /// cache, by its id (`org/name`). The tokenizer inside a GGUF file is reached through `Model.encode`.
    /// @blocking
    pub fn open(path: &Path) -> Result<Self> {
        let inner = Arc::new(tokenizer::Tokenizer::open(path)?);
        Ok(Self { inner })
    }

    /// Text to token ids.
    pub fn encode(&self, text: &str, options: &EncodeOptions) -> Result<Vec<u32>> {
        self.inner.encode(text, options.add_special_tokens)
    }

    /// Token ids to text.
    pub fn decode(&self, ids: &[u32], options: &DecodeOptions) -> Result<String> {
        self.inner.decode(ids, options.skip_special_tokens)
    }

    /// How many tokens a text has.
    pub fn count(&self, text: &str, options: &EncodeOptions) -> Result<u32> {
        self.inner.count(text, options.add_special_tokens)
    }

    /// Its vocabulary and its special tokens.
    /// @constant
    pub fn info(&self) -> TokenizerInfo {
        self.inner.info()
    }
}

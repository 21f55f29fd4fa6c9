//! A model that is open.

use std::path::Path;
use std::sync::Arc;

use crate::engine::{self, Prompt};
use crate::surface::*;

/// An opened model. One request runs at a time; others wait in a queue, in the order they came.
///
/// When the last handle of a model is gone, answers that are still held go on and free the model at
/// their end; `close` ends them. Without any, letting go of the handle waits until the model is freed.
#[derive(Debug, Clone)]
pub struct Model {
    pub(super) inner: Arc<engine::Model>,
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
    /// see. They note themselves in the folder that `RKCHAT_LOCK_DIR` names, else in `/tmp/rkchat-`
    /// and the user's number. The CPU runtime is not counted.
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

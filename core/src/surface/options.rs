//! Inputs. Each struct is all defaults where nothing is set; a field that is `Option` is unset by
//! default, and its doc says what that means.

use std::path::PathBuf;
use std::time::Duration;

use super::{
    FixedSampling, Json, MemoryCheck, Overflow, Pooling, TemplateRepair, Tensor, UntrustedContent,
};

/// How a `librkllmrt.so` is taken.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RuntimeOptions {
    /// The version of the library, such as `1.1.2` or `1.3.0`, where it cannot be told from the file.
    /// It is checked against what is found in the file. Unset: told from the file, or the environment
    /// variable `RKCHAT_ABI`.
    pub abi: Option<String>,
    /// Take `abi` as it is, whatever is found in the file. A wrong one crashes the process. The same as
    /// `!` at the end of `RKCHAT_ABI`.
    /// @default false
    pub abi_unchecked: bool,
}

/// Which `librkllmrt.so` is looked for, among those on this machine.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FindOptions {
    /// The version of the toolkit that the model was converted with, such as `1.1.2`: a runtime that
    /// fits it is chosen. Unset: the newest runtime.
    pub model_version: Option<String>,
    /// A folder that may hold a `librkllmrt.so` besides a model. It counts only if it is one of
    /// Rockchip's official files. Unset: none.
    pub model_folder: Option<PathBuf>,
    /// Take a runtime also where this pair of versions is known to fail.
    /// @default false
    pub any_version: bool,
}

/// Which `librkllmrt.so` is fetched, and from where. One of `release` and `model_version` is set.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GetOptions {
    /// The release, such as `1.1.4`. Unset: the one that fits `model_version`.
    pub release: Option<String>,
    /// The version of the toolkit that a model was converted with. Unset: `release` says which.
    pub model_version: Option<String>,
    /// Where it is taken from: a URL, a file, or a folder. Unset: the vendor's public repository.
    pub source: Option<String>,
    /// What it is for: `Linux/aarch64`, `Linux/armhf`, or one of Android's. Unset: this machine, or
    /// `Linux/aarch64` where this is no Arm machine.
    pub platform: Option<String>,
}

/// How a model is opened.
///
/// The sampling fields are the model's defaults. Where one is unset, what `generation_config.json` beside
/// the model recommends counts before the runtime's default; `do_sample: false` there is greedy. Runtimes
/// before 1.3.0 fix them when the model is opened, so there they cannot be changed per request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelOptions {
    /// Which of the models in a folder, by its name inside it. Unset: the only one.
    pub file: Option<PathBuf>,
    /// The `librkllmrt.so` to use. Unset: the environment variable `RKCHAT_RUNTIME`, then the CPU
    /// runtime that belongs to rkchat for a `.gguf` model, then for a `.rkllm` model what `Runtime.find`
    /// finds.
    pub runtime: Option<PathBuf>,
    /// As `RuntimeOptions.abi`.
    pub abi: Option<String>,
    /// As `RuntimeOptions.abi_unchecked`.
    /// @default false
    pub abi_unchecked: bool,
    /// As `FindOptions.model_version`; also for a runtime that is named. Unset: what the names of file,
    /// folder and repository and the model card say.
    pub model_version: Option<String>,
    /// As `FindOptions.any_version`.
    /// @default false
    pub any_version: bool,
    /// What to take for granted about a runtime where no public document says it, a JSON object: `bos`
    /// (`keep`, `strip`), `input` (`tokens`, `text`), `text_source` (`auto`, `tokens`, `runtime`),
    /// `prefix_reuse` (`on`, `off`), `token_limit` (`window`, `none`), `instances` (`auto`, `many`). Unset
    /// ones: what was measured on this board, else the first of each. `ModelInfo.assumed` tells.
    pub assume: Option<Json>,
    /// Size of the context window, prompt and answer together; `InvalidArgument` where it is more than
    /// the model allows. Unset: what the model's names (`ctx8192`) and card say, else 4096, or less where the
    /// model allows less and the runtime says so.
    /// @unit tokens
    /// @range 1..=1048576
    /// @alias n_ctx, num_ctx, ctx_size, context_length, max_context_length, max_model_len, max_seq_len
    pub max_context_len: Option<u32>,
    /// A Jinja chat template to use instead of the model's own.
    pub chat_template: Option<String>,
    /// A `tokenizer.json`, a folder with one, or a Hub id, to use instead of the model's own.
    pub tokenizer: Option<PathBuf>,
    /// Requests that may wait while another runs; one more answers with `Busy`. Unset: 16.
    /// @default 16
    /// @range 0..=65535
    pub max_queue: Option<u32>,
    /// Sample from the k likeliest tokens; 1 is greedy. Unset: 40.
    /// @default 40
    /// @range 1..=1000000
    pub top_k: Option<i32>,
    /// Sample from the likeliest tokens that together have this probability. Unset: 0.9.
    /// @default 0.9
    /// @range 0..=1
    pub top_p: Option<f32>,
    /// Sampling temperature; 0 is greedy. Unset: 0.8.
    /// @default 0.8
    /// @range 0..=100
    /// @alias temp
    pub temperature: Option<f32>,
    /// Penalty on tokens that were used already; 1 is none. Unset: 1.1.
    /// @default 1.1
    /// @range 0..=100
    /// @alias repetition_penalty
    pub repeat_penalty: Option<f32>,
    /// Penalty that grows with how often a token was used. Unset: 0.
    /// @default 0
    /// @range -2..=2
    pub frequency_penalty: Option<f32>,
    /// Penalty on every token that was used. Unset: 0.
    /// @default 0
    /// @range -2..=2
    pub presence_penalty: Option<f32>,
    /// Mirostat sampling in its version 1 or 2; 0 is without. Unset: 0.
    /// @default 0
    /// @range 0..=2
    pub mirostat: Option<i32>,
    /// The surprise that Mirostat aims at. Unset: 5.
    /// @default 5
    /// @range 0..=100
    /// @alias mirostat_ent
    pub mirostat_tau: Option<f32>,
    /// How quickly Mirostat learns. Unset: 0.1.
    /// @default 0.1
    /// @range 0..=1
    /// @alias mirostat_lr
    pub mirostat_eta: Option<f32>,
    /// What is done where a request asks for other sampling settings and the runtime cannot change
    /// them. Unset: `Warn`.
    pub fixed_sampling: Option<FixedSampling>,
    /// The runtime goes on after the end-of-sequence token, so that requests can set `ignore_eos`;
    /// the others end there as ever. `Unsupported` on runtimes before 1.3.0.
    /// @default false
    pub ignore_eos: bool,
    /// While the model is opened, read what the runtime prints (descriptors 1 and 2 of the whole
    /// process, given back afterwards and passed on) so that errors can quote it. Only one model of
    /// the process is opened at a time meanwhile. Never needed for the CPU runtime.
    /// @default false
    pub capture_logs: bool,
    /// Produce a token once the model is open, and throw it away, so that what a runtime does at its first
    /// run is done before the first request.
    /// @default false
    pub warmup: bool,
    /// Whether there is memory enough for the model is checked before it is loaded: what its file has,
    /// the cache of the whole window where `config.json` or a GGUF file tells its shape, and what computing
    /// takes, against the memory that the system says is available. Unset: `Warn`.
    pub memory_check: Option<MemoryCheck>,
    /// Without a request for so long, the model is unloaded, as by `Model.unload`; the next request loads
    /// it again. Unset: it stays until it is closed.
    pub keep_alive: Option<Duration>,

    /// Tokens at the start of the window that the runtime keeps where it shifts it, -1 as the vendor's
    /// demos have it. rkchat ends an answer before the window is full, so it matters only where the runtime
    /// keeps the conversation. `Unsupported` on runtimes before 1.2.0. Unset: as the runtime has it.
    /// @range -1..=1048576
    pub n_keep: Option<i32>,
    /// Leave the word embeddings in storage and read them as they are needed, which saves memory, or
    /// hold them in memory. `Unsupported` on runtimes before 1.2.0. Unset: in storage, as the vendor's
    /// demos do.
    pub embed_flash: Option<bool>,
    /// How many CPUs inference uses: up to 8 on RK3588 and RK3576, up to 4 on RK3562, by the vendor's
    /// manual. `Unsupported` on runtimes before 1.2.0. Unset: as the runtime has it.
    /// @range 1..=8
    pub enabled_cpus_num: Option<u32>,
    /// Which CPUs inference uses, one bit for each, the lowest for CPU 0: the vendor's demos take 240 (CPUs
    /// 4 to 7) on RK3588 and RK3576, and 15 (CPUs 0 to 3) elsewhere. `Unsupported` on runtimes before
    /// 1.2.0. Unset: as the runtime has it.
    /// @range 1..=4294967295
    pub enabled_cpus_mask: Option<u32>,
    /// The NPU memory domain to start in. 1 leaves domain 0 to a vision model, as the vendor's multimodal
    /// demos do on RK3588 and RK3576. `Unsupported` on runtimes before 1.1.0. Unset: 0.
    /// @default 0
    /// @range 0..=255
    pub base_domain_id: Option<i32>,
    /// Prompts that the model runs at once, for `Model.generate_batch`, and for nothing else where it is
    /// more than 1. The vendor advises 8 at the most. More than 1 is `Unsupported` on runtimes before
    /// 1.2.1. Unset: 1.
    /// @default 1
    /// @range 1..=100
    pub n_batch: Option<u32>,
    /// The model is a decoder that attends to what `Model.set_cross_attention` sets. `Unsupported` on
    /// runtimes before 1.2.1, and on rkchat's own.
    /// @default false
    pub use_cross_attn: bool,
    /// NPU cores to use: 1 to 2 on RK3576, 1 to 3 on RK3588, by the vendor's manual. Only runtimes before
    /// 1.1.0 take it; later a model has it from its conversion. `Unsupported` there. Unset: as the runtime has it.
    /// @range 1..=3
    pub num_npu_core: Option<i32>,
    /// Use the GPU too. Only the runtimes 1.0.1 and 1.0.2 have it; `Unsupported` on others.
    /// @default false
    pub use_gpu: bool,
    /// What the model was trained to see before an image, such as `<|vision_start|>`. This and the
    /// markers that follow are given to the runtime, which puts them in. Unset: nothing.
    pub image_start: Option<String>,
    /// What the model was trained to see after an image, such as `<|vision_end|>`. Unset: nothing.
    pub image_end: Option<String>,
    /// The token that stands for a part of an image, such as `<|image_pad|>`. Unset: nothing.
    pub image_content: Option<String>,
    /// As `image_start`, for a video. Unset: nothing.
    pub video_start: Option<String>,
    /// As `image_end`, for a video. Unset: nothing.
    pub video_end: Option<String>,
    /// As `image_content`, for a video. Unset: nothing.
    pub video_content: Option<String>,
    /// Where the runtime needs tokens of a text, rkchat's tokenizer makes them: for models that were
    /// converted without theirs (`export_tokenizer=False`). It adds no special tokens, for those are
    /// in the template. Needs a `tokenizer.json`. `Unsupported` on runtimes before 1.3.0, and on rkchat's
    /// own.
    /// @default false
    pub host_tokenizer: bool,
    /// The word embeddings, a row for each token of the vocabulary, for models that were converted without
    /// theirs (`export_embedding=False`). `Unsupported` on runtimes before 1.3.0, and on rkchat's own.
    /// Unset: the model has them.
    pub embedding_table: Option<Tensor>,
}

/// What one request asks for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct GenerateOptions {
    /// Tokens to produce at the most. Unset: until the model stops or the context window is full.
    /// @unit tokens
    /// @range 1..=1048576
    /// @alias max_tokens, max_completion_tokens, max_output_tokens, max_length, num_predict, n_predict
    pub max_new_tokens: Option<u32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range 1..=1000000
    pub top_k: Option<i32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range 0..=1
    pub top_p: Option<f32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range 0..=100
    /// @alias temp
    pub temperature: Option<f32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range 0..=100
    /// @alias repetition_penalty
    pub repeat_penalty: Option<f32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range -2..=2
    pub frequency_penalty: Option<f32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range -2..=2
    pub presence_penalty: Option<f32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range 0..=2
    pub mirostat: Option<i32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range 0..=100
    /// @alias mirostat_ent
    pub mirostat_tau: Option<f32>,
    /// As in `ModelOptions`, for this request; `ModelOptions.fixed_sampling` says what happens on
    /// runtimes before 1.3.0. Unset: as the model was opened.
    /// @range 0..=1
    /// @alias mirostat_lr
    pub mirostat_eta: Option<f32>,
    /// Leave tokens out that are less likely than the likeliest times this. No runtime has it yet: a
    /// warning tells.
    /// @range 0..=1
    pub min_p: Option<f32>,
    /// Seed for sampling, for answers that can be repeated. No runtime has one yet: a warning tells.
    /// @range 0..=9007199254740991
    pub seed: Option<u64>,
    /// Texts that end the answer, which ends before them. Unset: none.
    /// @alias stop, stop_sequences
    pub stop_strings: Option<Vec<String>>,
    /// Go on where the model would stop, until something else ends the answer. Needs
    /// `ModelOptions.ignore_eos`.
    /// @default false
    pub ignore_eos: bool,
    /// How long the request may take from now until its end; then it ends with `Timeout`. Unset: as long
    /// as it takes.
    /// @alias max_time
    pub timeout: Option<Duration>,
    /// How long the request may wait in the queue before it ends with `Timeout`. Unset: as long as it
    /// takes.
    pub queue_timeout: Option<Duration>,
    /// As in `RenderOptions`; only for messages. Calls of them come out of the answer as such.
    pub tools: Option<Json>,
    /// Whether tools are called, in the OpenAI shape: `"auto"`, `"none"`, `"required"`, or
    /// `{"type": "function", "function": {"name": ...}}` for one of them. The last two begin the answer
    /// with a call, and are `Unsupported` for models whose calls have no beginning of their own. Unset:
    /// `"auto"`.
    pub tool_choice: Option<Json>,
    /// How the model writes its calls: `hermes`, `qwen3_coder`, `llama3_json`, `mistral`, `deepseek_v3`,
    /// `deepseek_v31`, `functiongemma`, `phi4`, `json` or `none`. Unset: told from the chat template.
    pub tool_format: Option<String>,
    /// As in `RenderOptions`; only for messages.
    pub documents: Option<Json>,
    /// As in `RenderOptions`; only for messages.
    pub now: Option<String>,
    /// As in `RenderOptions`; only for messages.
    /// @alias chat_template_kwargs
    pub variables: Option<Json>,
    /// As in `RenderOptions`; only for messages.
    pub template_name: Option<String>,
    /// As in `RenderOptions`; only for messages. Where the runtime's own template is used,
    /// its switch, which is off where this is unset.
    /// @alias think, thinking
    pub enable_thinking: Option<bool>,
    /// As in `RenderOptions`; only for messages. The answer is what comes after the last message.
    /// @default false
    pub continue_final_message: bool,
    /// What becomes of control tokens that the messages, tools, documents or variables spell. Unset:
    /// `Literal`.
    /// Where the runtime is fed text, such messages are `InvalidArgument` unless this is `Transformers`.
    pub untrusted_content: Option<UntrustedContent>,
    /// What is done where the template refuses the messages. Unset: `Auto`.
    pub template_repair: Option<TemplateRepair>,
    /// The adapter to answer with, by the name it was loaded under. Unset: none.
    /// @alias lora, lora_adapter
    pub adapter: Option<String>,

    /// Embeddings of images, made by the vision part of the model, in the shape [images, tokens of each,
    /// numbers of each token]; the numbers are as many as the model's own embeddings have. Parts of messages of the
    /// type `image` or `image_url`, whose URL is not read, are their places, in this order; of a text to
    /// complete, `<image>`. Each has to have one. Such prompts go as text. Runtimes since 1.2.0 put their own chat
    /// template around it, so there it is a single user message, and no text to complete; earlier ones get the
    /// messages through the model's chat template. `Unsupported` on runtimes before 1.1.0, and more than
    /// one image before 1.2.1b1. A `Chat` takes those of all its messages each time, and then leaves none
    /// of them out. Unset: none.
    pub images: Option<Tensor>,
    /// Width of each image as the vision part of the model saw it, which some models count positions by.
    /// Unset: not told.
    /// @unit pixels
    /// @range 1..=65536
    pub image_width: Option<u32>,
    /// Height of each image. Unset: not told.
    /// @unit pixels
    /// @range 1..=65536
    pub image_height: Option<u32>,
    /// Embeddings of videos as `images`, in the shape [videos, frames, tokens of each, numbers of each token].
    /// Their places are parts of the type `video` or `video_url`. `Unsupported` on runtimes before
    /// 1.3.0, and on rkchat's own. Unset: none.
    pub videos: Option<Tensor>,
    /// Width of the frames. Unset: not told.
    /// @unit pixels
    /// @range 1..=65536
    pub video_width: Option<u32>,
    /// Height of the frames. Unset: not told.
    /// @unit pixels
    /// @range 1..=65536
    pub video_height: Option<u32>,
}

/// How a chat is held.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ChatOptions {
    /// The system prompt, which is the first of its messages. Unset: none, or that of the state that
    /// the chat is made from.
    pub system: Option<String>,
    /// The tools of every request that names none itself; as `GenerateOptions.tools`. Unset: none, or
    /// those of the state that the chat is made from.
    pub tools: Option<Json>,
    /// What is done where the messages do not fit the context window. Unset: `DropOldest`.
    pub overflow: Option<Overflow>,
    /// How much of the window is left for an answer whose `max_new_tokens` is unset, or larger than the
    /// window. Unset: a quarter of the window, and 512 at the most.
    /// @unit tokens
    /// @range 1..=1048576
    pub reserve: Option<u32>,
    /// Keep the tokens of system prompt and tools in a file, so that they are computed once and not for
    /// every request. For runtimes that compute every prompt from its first token (those before 1.2.0);
    /// of no effect on others, and `Unsupported` on 1.0. The files are those of
    /// `Model.save_prompt_cache`, with names that begin with `chat-`. Beginnings below 32
    /// tokens and requests with an adapter go without, and so does everything while a cache is loaded by
    /// hand.
    /// @default false
    pub prompt_cache: bool,
    /// As `PromptCacheOptions.folder`, for those files.
    pub prompt_cache_folder: Option<PathBuf>,
    /// Room for those files of one model: the oldest go first. One that is larger by itself is not kept.
    /// 500 tokens of Gemma 2 9B take 172 MB. Unset: 512 MiB.
    /// @unit bytes
    /// @range 1..=9007199254740991
    pub prompt_cache_limit: Option<u64>,
}

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

/// How texts become embeddings.
#[derive(Debug, Clone, PartialEq)]
pub struct EmbedOptions {
    /// How the hidden states of a text's tokens become its embedding. Unset: `Last`.
    pub pooling: Option<Pooling>,
    /// Make the length of each row 1.
    /// @default true
    pub normalize: bool,
    /// As in `GenerateOptions`.
    pub adapter: Option<String>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

impl Default for EmbedOptions {
    fn default() -> Self {
        Self {
            pooling: None,
            normalize: true,
            adapter: None,
            timeout: None,
            queue_timeout: None,
        }
    }
}

/// Which logits are wanted.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LogitsOptions {
    /// The tokens after which, counted from 0, in the order of the rows that come. Unset: the last.
    pub positions: Option<Vec<u32>>,
    /// As in `GenerateOptions`.
    pub adapter: Option<String>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

/// How a text is scored.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ScoreOptions {
    /// As in `GenerateOptions`.
    pub adapter: Option<String>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

/// How the cache of a prompt is saved.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PromptCacheOptions {
    /// The name to load it by: letters, digits, `-`, `_` and `.`. One of the same name is replaced. Unset:
    /// made from the prompt.
    pub name: Option<String>,
    /// The folder for the files. Unset: one for the model in `rkchat/prompts` in the user's cache folder
    /// (`XDG_CACHE_HOME`, or `~/.cache`).
    pub folder: Option<PathBuf>,
    /// As in `GenerateOptions`. The cache serves requests with the same adapter.
    pub adapter: Option<String>,
    /// As in `RenderOptions`; only for messages.
    pub tools: Option<Json>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

/// How a prompt cache is loaded.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LoadPromptCacheOptions {
    /// As in `PromptCacheOptions`.
    pub folder: Option<PathBuf>,
    /// The prompt that it should be of, as it was saved; another is refused. Unset: any.
    pub prompt: Option<Json>,
    /// As in `RenderOptions`; only for a prompt of messages.
    pub tools: Option<Json>,
    /// As in `GenerateOptions`.
    pub timeout: Option<Duration>,
    /// As in `GenerateOptions`.
    pub queue_timeout: Option<Duration>,
}

/// Which prompt caches are listed.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListPromptCachesOptions {
    /// As in `PromptCacheOptions`.
    pub folder: Option<PathBuf>,
}

/// One message of a conversation. What is unset is left out.
/// @c_only there messages are objects of the language
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Who says it: `system`, `user`, `assistant`, `tool`, or what else the template knows. Required.
    pub role: Option<String>,
    /// What is said. Unset: nothing, as in a message that only calls tools.
    pub content: Option<String>,
    /// What is said, in parts: a JSON array in the OpenAI shape. Excludes `content`.
    pub content_parts: Option<Json>,
    /// The name of who says it; of the function in a tool's message.
    pub name: Option<String>,
    /// The id of the call whose result it is, in a tool's message.
    pub tool_call_id: Option<String>,
    /// The tools that the assistant calls, a JSON array in the OpenAI shape.
    pub tool_calls: Option<Json>,
    /// What the assistant thought before.
    pub reasoning_content: Option<String>,
}

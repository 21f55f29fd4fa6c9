//! How a model is opened.

use std::path::PathBuf;
use std::time::Duration;

use crate::surface::{FixedSampling, Json, MemoryCheck, Tensor};

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

//! What a model is opened with and what a run is given: owned, plain data, for every ABI group.
//!
//! What a group has no place for is left out silently: whoever asks looks at the runtime's
//! [`Capabilities`](super::Capabilities) before.

use std::path::PathBuf;
use std::sync::Arc;

use super::{HostEmbedding, HostTokenizer};

/// What a model is opened with. What is not set stays as the runtime has it, but for what crashes or
/// misleads there.
#[derive(Debug, Clone, Default)]
pub(crate) struct InitParams {
    pub model_path: PathBuf,
    pub max_context_len: u32,
    pub sampling: Sampling,
    /// Say -1 for the token limit, as the vendor's demos do, and not the size of the window.
    pub unlimited: bool,
    /// Read what the runtime prints meanwhile.
    pub capture_logs: bool,
    /// Cache entries at the start that stay when the window is shifted.
    pub n_keep: Option<i32>,
    /// Go on after an end-of-sequence token.
    pub ignore_eos: bool,
    /// Read word embeddings from storage, as the demos do and rkchat where it is not set, or hold them
    /// in memory.
    pub embed_flash: Option<bool>,
    /// How many CPUs inference uses.
    pub enabled_cpus_num: Option<i8>,
    /// Which CPUs, one bit for each.
    pub enabled_cpus_mask: Option<u32>,
    /// NPU memory domain to start in.
    pub base_domain_id: Option<i32>,
    /// Inputs of each run; 1 where it is not set.
    pub n_batch: Option<u8>,
    /// The decoder attends to what `Session::set_cross_attention` sets.
    pub use_cross_attn: bool,
    /// The markers of images, in groups that take them here and not with the image; none where it is not
    /// set.
    pub image_markers: Option<Markers>,
    /// NPU cores to use, where that is not fixed by the model.
    pub num_npu_core: Option<i32>,
    /// Use the GPU, where the group has that.
    pub use_gpu: bool,
    /// Log probabilities of so many of the likeliest tokens with each token.
    pub top_logprobs: Option<i32>,
    /// The tokenizer of a model that was converted without one.
    pub tokenizer: Option<Arc<dyn HostTokenizer>>,
    /// The embedding layer of a model that was converted without one.
    pub embedding: Option<Arc<dyn HostEmbedding>>,
}

impl InitParams {
    /// Inputs of each run.
    pub fn batches(&self) -> usize {
        self.n_batch.unwrap_or(1).into()
    }
}

/// Sampling settings; unset ones stay as the runtime has them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Sampling {
    pub top_k: Option<i32>,
    pub top_p: Option<f32>,
    pub temperature: Option<f32>,
    pub repeat_penalty: Option<f32>,
    pub frequency_penalty: Option<f32>,
    pub presence_penalty: Option<f32>,
    /// 0 off, 1 or 2 its version.
    pub mirostat: Option<i32>,
    pub mirostat_tau: Option<f32>,
    pub mirostat_eta: Option<f32>,
}

/// One run.
#[derive(Debug, Clone, Default)]
pub(crate) struct RunRequest {
    /// As many as the model was opened for, which is one unless `InitParams::n_batch` says more.
    pub inputs: Vec<Input>,
    /// Tokens to produce at the most; only a hint on runtimes that cannot set it per run.
    pub max_new_tokens: u32,
    /// Only for runtimes that can set it per run.
    pub sampling: Sampling,
    pub mode: Mode,
    /// Of the rows that hidden states or logits come in, only the last is copied.
    pub last_row: bool,
    /// Keep the conversation in the cache, and go on with it.
    pub keep_history: bool,
    /// Who speaks, `user` or `tool`; the user where it is not set.
    pub role: Option<String>,
    /// Thinking mode, where the runtime's template has one; off in the vendor's demos.
    pub enable_thinking: bool,
    /// The adapter to use, by the name it was loaded under.
    pub adapter: Option<String>,
    /// The file to which the run writes its prompt cache. Never relative: that would be the working
    /// directory of whoever uses rkchat.
    pub save_cache: Option<PathBuf>,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Text.
    #[default]
    Generate,
    /// The last layer's output for each token of the input.
    HiddenStates,
    /// Logits: first those of each token of the input, then of each token that is produced.
    Logits,
}

/// What a run is fed.
#[derive(Debug, Clone)]
pub(crate) enum Input {
    Tokens(Vec<i32>),
    Text(String),
    /// Embeddings in place of tokens. The runtime reads as many numbers for each token as the model's
    /// embeddings have and does not ask how many there are: whoever makes them has to know.
    Embeddings {
        values: Vec<f32>,
        tokens: usize,
    },
    Multimodal(Box<Multimodal>),
}

impl Input {
    /// Whether embeddings are in it.
    pub fn is_embedded(&self) -> bool {
        matches!(self, Self::Embeddings { .. } | Self::Multimodal(_))
    }
}

/// Text with the embeddings of images and videos, which have the width that [`Input::Embeddings`] has.
#[derive(Debug, Clone, Default)]
pub(crate) struct Multimodal {
    /// `<image>` and `<video>` mark the places.
    pub prompt: String,
    pub images: Option<Images>,
    pub videos: Option<Videos>,
}

impl Multimodal {
    /// How many tokens its images and videos have.
    pub fn tokens(&self) -> usize {
        let images = self.images.as_ref();
        let videos = self.videos.as_ref();
        images.map_or(0, |all| all.count * all.tokens)
            + videos.map_or(0, |all| all.count * all.frames * all.tokens)
    }
}

/// The images of an input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Images {
    /// One image after the other.
    pub values: Vec<f32>,
    /// Tokens of each.
    pub tokens: usize,
    pub count: usize,
    pub width: usize,
    pub height: usize,
    /// In groups that do not take them when the model is opened.
    pub markers: Markers,
}

/// The videos of an input.
#[derive(Debug, Clone, Default)]
pub(crate) struct Videos {
    /// One frame after the other, one video after the other.
    pub values: Vec<f32>,
    /// Tokens of each frame.
    pub tokens: usize,
    /// Frames of each video.
    pub frames: usize,
    pub count: usize,
    pub width: usize,
    pub height: usize,
    pub markers: Markers,
}

/// What stands around an image or a video in the prompt, and for one token of it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Markers {
    pub start: String,
    pub end: String,
    pub content: String,
}

impl Markers {
    /// All of them, the empty ones too.
    pub fn all(&self) -> [&str; 3] {
        [&self.start, &self.end, &self.content]
    }
}

/// An encoder's output, which a decoder with cross attention attends to.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct CrossAttention {
    /// Layers, tokens, heads, numbers of a head.
    pub keys: Vec<f32>,
    /// Layers, heads, numbers of a head, tokens.
    pub values: Vec<f32>,
    /// One number for each token.
    pub mask: Vec<f32>,
    /// One for each token.
    pub positions: Vec<i32>,
}

impl CrossAttention {
    /// Whether the sizes fit each other. Whether they fit the model, the runtime does not ask.
    pub fn fits(&self) -> bool {
        let tokens = self.positions.len();
        tokens > 0
            && i32::try_from(tokens).is_ok()
            && self.mask.len() == tokens
            && !self.keys.is_empty()
            && self.keys.len() == self.values.len()
            && self.keys.len() % tokens == 0
    }
}

//! What a run is given.

use super::Sampling;
use std::sync::Arc;

/// A prompt's input as the caller gave it.
#[derive(Clone, Debug)]
pub enum Input {
    /// Text, before any template.
    Text(String),
    /// Token ids.
    Tokens(Vec<i32>),
    /// Embeddings in place of tokens.
    Embeddings {
        /// [`ModelInfo::n_embd`](super::ModelInfo) numbers for each token.
        values: Arc<[f32]>,
        /// Number of tokens.
        n_tokens: usize,
    },
    /// Text with images.
    Images(Images),
}

/// Text and the images that belong where it says `<image>`.
#[derive(Clone, Debug)]
pub struct Images {
    /// The text, before any template.
    pub prompt: String,
    /// The images' embeddings, one image after the other.
    pub values: Arc<[f32]>,
    /// Number of images.
    pub n_image: usize,
    /// Tokens of each image.
    pub n_image_tokens: usize,
    /// Goes before each image.
    pub start: String,
    /// Goes after each image.
    pub end: String,
    /// Stands for a part of an image.
    pub content: String,
    /// Width and height of each image.
    pub size: [usize; 2],
    /// Videos beside them, which only imitations take.
    pub videos: Option<Box<Videos>>,
}

/// Videos that belong where a text says `<video>`.
#[derive(Clone, Debug)]
pub struct Videos {
    /// The videos' embeddings, frame by frame, one video after the other.
    pub values: Arc<[f32]>,
    /// Number of videos.
    pub n_video: usize,
    /// Frames of each.
    pub n_frame: usize,
    /// Tokens of each frame.
    pub n_frame_tokens: usize,
    /// What goes before and after each, and what stands for a part of one.
    pub markers: [String; 3],
    /// Width and height of the frames.
    pub size: [usize; 2],
}

/// An encoder's output, as far as its size is known: that of keys and values is the model's.
#[derive(Clone, Debug)]
pub struct CrossAttention {
    /// The first of the keys.
    pub first_key: f32,
    /// The first of the values.
    pub first_value: f32,
    /// One number for each token.
    pub mask: Vec<f32>,
    /// One for each token.
    pub positions: Vec<i32>,
}

/// A piece of a prompt, as the model gets it.
#[derive(Clone, Debug)]
pub enum Part {
    /// Token ids.
    Tokens(Vec<i32>),
    /// Embeddings, [`ModelInfo::n_embd`](super::ModelInfo) numbers for each token.
    Embeddings(Arc<[f32]>),
}

/// What a run is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Text.
    #[default]
    Generate,
    /// The last layer's output for the prompt, and nothing else.
    HiddenStates,
    /// Text, and the logits that it was drawn from.
    Logits,
}

/// What a run does with the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cache {
    /// Starts empty.
    Fresh,
    /// Keeps what the prompt has in common with it, from the beginning.
    Prefix,
    /// Stays; the prompt goes on from there, after the last run's last token.
    Append,
    /// Stays; the prompt takes the place of the token that the last run was paused on. An empty
    /// prompt goes on with that token.
    Resume,
}

/// One prompt of a run.
#[derive(Clone, Debug)]
pub struct Prompt {
    /// The input as given.
    pub input: Input,
    /// The text after the template, for text and images.
    pub text: Option<String>,
    /// What the model gets.
    pub parts: Vec<Part>,
    /// Who speaks; `None` is NULL.
    pub role: Option<String>,
    /// Thinking mode, as given.
    pub enable_thinking: bool,
}

/// One run.
#[derive(Clone, Debug)]
pub struct Request {
    /// One prompt for each lane.
    pub prompts: Vec<Prompt>,
    /// What the run is for.
    pub mode: Mode,
    /// Name of the adapter to use.
    pub lora: Option<String>,
    /// Sampling settings of this run.
    pub sampling: Sampling,
    /// Most tokens to generate; 0 or less: until the window is full.
    pub max_new_tokens: i32,
    /// Go on after an end-of-generation token.
    pub ignore_eos_token: bool,
    /// Control tokens have no text.
    pub skip_special_token: bool,
    /// How many of the likeliest tokens come with each token's log probability.
    pub top_logprobs: Option<u32>,
    /// Tokens at the start that stay when a full window is shifted; negative: it is not shifted,
    /// the run ends.
    pub n_keep: i32,
    /// What happens with the cache.
    pub cache: Cache,
}

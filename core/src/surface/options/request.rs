//! What a request may ask for.

use std::time::Duration;

use crate::surface::{Json, TemplateRepair, Tensor, UntrustedContent};

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

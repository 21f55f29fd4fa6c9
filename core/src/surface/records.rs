//! Outputs.

use std::path::PathBuf;

use super::{
    ChunkKind, FinishReason, InputKind, Json, Measure, ModelState, OpeningStage, WarningKind,
};

/// A loaded `librkllmrt.so`.
#[derive(Debug, Clone, PartialEq)]
pub struct RuntimeInfo {
    /// The file that was loaded, as an absolute path.
    pub path: PathBuf,
    /// What it is: `rkllm` for a vendor library, `rkchat-cpu` for rkchat's own.
    pub name: String,
    /// The release, where it is known: of the vendor's library, or of rkchat.
    pub release: Option<String>,
    /// The ABI group, named after its first release: `1.0.0`, `1.0.1` (1.0.1 and 1.0.2), `1.1.0` (1.1.0 to
    /// 1.1.4), `1.2.0`, `1.2.1b1`, `1.2.1` (1.2.1 to 1.2.3) or `1.3.0`.
    pub abi_group: String,
    /// What it was built for, such as `Linux/aarch64`, where the file is one of Rockchip's official ones.
    pub platform: Option<String>,
    /// How the group was told: one sentence for each piece of evidence, and for the choice where there
    /// was one.
    pub evidence: Vec<String>,
    /// What it can: names of the support table.
    pub capabilities: Vec<String>,
    /// What is unusual about it, and about using it for the model.
    pub warnings: Vec<Warning>,
}

/// An opened model: what was chosen for it, and from where.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelInfo {
    /// The model file that was loaded, as an absolute path.
    pub path: PathBuf,
    /// The runtime it is loaded in.
    pub runtime: RuntimeInfo,
    /// Size of the context window, prompt and answer together.
    /// @unit tokens
    pub max_context_len: u32,
    /// How prompts reach the runtime.
    pub input: InputKind,
    /// Where the chat template comes from: a file, `gguf`, `option`, or `rkchat's own for` a family; unset
    /// where there is none.
    pub template_source: Option<String>,
    /// Where the tokenizer comes from: a file, or `runtime`; unset where there is none.
    pub tokenizer_source: Option<String>,
    /// Token ids that end an answer, ascending.
    pub stop_ids: Vec<u32>,
    /// Sampling where a request says nothing else.
    pub sampling: SamplingDefaults,
    /// What is taken for granted about the runtime, and why: `bos=keep (default)`.
    pub assumed: Vec<String>,
    /// What is known of the model, and from where.
    pub facts: Vec<Fact>,
    /// What does not agree, and what may not be what was meant.
    pub warnings: Vec<Warning>,
}

/// How a model samples where a request says nothing else; the fields are those of `ModelOptions`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SamplingDefaults {
    /// How many of the likeliest tokens are sampled from.
    pub top_k: i32,
    /// The probability that the tokens that are sampled from have together.
    pub top_p: f32,
    /// Sampling temperature.
    pub temperature: f32,
    /// Penalty on tokens that were used already.
    pub repeat_penalty: f32,
    /// Penalty that grows with how often a token was used.
    pub frequency_penalty: f32,
    /// Penalty on every token that was used.
    pub presence_penalty: f32,
    /// Version of Mirostat; 0 is without.
    pub mirostat: i32,
    /// The surprise that Mirostat aims at.
    pub mirostat_tau: f32,
    /// How quickly Mirostat learns.
    pub mirostat_eta: f32,
}

/// What is known of a model before a runtime opens it.
#[derive(Debug, Clone, PartialEq)]
pub struct FolderInfo {
    /// The model file, as an absolute path.
    pub path: PathBuf,
    /// What is known of the model, and from where.
    pub facts: Vec<Fact>,
    /// What does not agree, and what may not be what was meant.
    pub warnings: Vec<Warning>,
}

/// One thing that is known of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    /// What it is: `family`, `platform`, `quantisation`, `hybrid_ratio`, `optimisation`, `model_version`,
    /// `runtime_version`, `max_context_len`, `base_model`, `lora`, `repository`, `template`, `tokenizer`,
    /// `stop_ids`, `top_k`, `top_p`, `temperature` or `repeat_penalty`.
    pub name: String,
    /// Its value; several are joined by `, `, and by ` or ` where any one may be meant.
    pub value: String,
    /// What tells it: a file, a name, or an option.
    pub source: String,
}

/// A piece of an answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chunk {
    /// What it is part of.
    pub kind: ChunkKind,
    /// Whole characters. Never empty but where it begins a tool call.
    pub text: String,
    /// The tokens that the text came from.
    pub token_ids: Vec<u32>,
    /// Which tool call it is part of, counted from 0; unset for text and reasoning.
    pub tool_call: Option<u32>,
    /// The call's id, in its first piece.
    pub tool_call_id: Option<String>,
    /// The name of the function that is called, in the call's first piece.
    pub tool_name: Option<String>,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall {
    /// Its id, for the message with its result.
    pub id: String,
    /// The function.
    pub name: String,
    /// Its arguments, a JSON object.
    pub arguments: Json,
}

/// How many tokens a request used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usage {
    /// Tokens of the prompt; 0 where nobody could count them.
    /// @unit tokens
    pub prompt_tokens: u32,
    /// Tokens of the prompt that were still in the cache and not computed again, where the runtime
    /// says so.
    /// @unit tokens
    pub reused_tokens: Option<u32>,
    /// Tokens produced, the one that ended the answer included.
    /// @unit tokens
    pub new_tokens: u32,
    /// Who counted the tokens of the prompt.
    pub counted_by: Measure,
    /// Of a chat's last prompt and its answer: tokens that a runtime which reuses prompts cannot
    /// reuse, because the same text has other tokens now than the model produced. Unset where the
    /// request does not go on from the one before, and where nothing is reused.
    /// @unit tokens
    pub retokenized_tokens: Option<u32>,
    /// The same, because the text is another now: what a chat template changes in earlier turns, such
    /// as reasoning that it drops, and what ended an answer without being part of it.
    /// @unit tokens
    pub rewritten_tokens: Option<u32>,
}

/// How long a request took, and how much memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Timings {
    /// From the request to the start of the run.
    /// @unit seconds
    pub queued: f64,
    /// From the start of the run to the first token; unset where none came.
    /// @unit seconds
    pub time_to_first_token: Option<f64>,
    /// Computing the prompt.
    /// @unit seconds
    pub prefill: f64,
    /// Tokens of the prompt that were computed, by the second; unset where it was too short to tell.
    /// @unit tokens per second
    pub prefill_speed: Option<f64>,
    /// Producing the answer.
    /// @unit seconds
    pub decode: f64,
    /// Tokens of the answer by the second; unset where it was too short to tell.
    /// @unit tokens per second
    pub decode_speed: Option<f64>,
    /// Who measured prefill and decode.
    pub measured_by: Measure,
    /// The most memory that the process has used until now.
    /// @unit bytes
    pub peak_memory: u64,
    /// Who measured the memory.
    pub memory_measured_by: Measure,
}

/// Something that went on but may not be what was meant.
#[derive(Debug, Clone, PartialEq)]
pub struct Warning {
    /// What it is about.
    pub kind: WarningKind,
    /// What was seen, and what to do.
    pub message: String,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The text, all chunks of that kind joined.
    pub text: String,
    /// What it thought before, where it did.
    pub reasoning: Option<String>,
    /// The tools it calls.
    pub tool_calls: Vec<ToolCall>,
    /// All of that as a message in the OpenAI shape, to go on with; but that the `arguments` of its calls
    /// are an object, which chat templates want, and not the text of one.
    pub message: Json,
    /// The tokens, without the one that ended the answer.
    pub token_ids: Vec<u32>,
    /// Why it ended.
    pub finish_reason: FinishReason,
    /// How many tokens it used.
    pub usage: Usage,
    /// How long it took.
    pub timings: Timings,
    /// What went on but may not be what was meant.
    pub warnings: Vec<Warning>,
}

/// The chat templates of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct TemplateInfo {
    /// Their names; most models have only `default`.
    pub names: Vec<String>,
}

/// What is in a tokenizer.
#[derive(Debug, Clone, PartialEq)]
pub struct TokenizerInfo {
    /// How many tokens there are, added ones included.
    pub vocabulary_size: u32,
    /// The special tokens, by id.
    pub special_tokens: Vec<SpecialToken>,
}

/// A special token of a tokenizer.
#[derive(Debug, Clone, PartialEq)]
pub struct SpecialToken {
    /// What the model's files call it, such as `bos_token` and `eos_token`; often nothing.
    pub names: Vec<String>,
    /// How it is written.
    pub text: String,
    /// Its id.
    pub id: u32,
}

/// A LoRA adapter that is loaded.
#[derive(Debug, Clone, PartialEq)]
pub struct AdapterInfo {
    /// The name by which requests pick it.
    pub name: String,
    /// Its file, as an absolute path.
    pub path: PathBuf,
    /// How strong it is.
    pub scale: f32,
}

/// A prompt cache on disk.
#[derive(Debug, Clone, PartialEq)]
pub struct PromptCacheInfo {
    /// The name by which it is loaded.
    pub name: String,
    /// Its file, as an absolute path.
    pub path: PathBuf,
    /// How large that is.
    /// @unit bytes
    pub size: u64,
    /// How many tokens the prompt has; unset where nobody could count them.
    /// @unit tokens
    pub tokens: Option<u32>,
    /// The adapter that it was made with.
    pub adapter: Option<String>,
    /// It is loaded.
    pub loaded: bool,
    /// Why it cannot be loaded into this model; unset where it can.
    pub differs: Option<String>,
}

/// How far the opening of a model has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpeningProgress {
    /// What is being done.
    pub stage: OpeningStage,
    /// How much of the model file the runtime has read or mapped into memory; never less than before and
    /// never more than `bytes_total`. Unset until that begins, and where the runtime reads in a way that the
    /// system does not show.
    /// @unit bytes
    pub bytes_read: Option<u64>,
    /// The size of the model file; unset until it is found.
    /// @unit bytes
    pub bytes_total: Option<u64>,
}

/// What a model does at the moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelStatus {
    /// What it does.
    pub state: ModelState,
    /// Requests that wait for their turn.
    pub waiting: u32,
    /// How long the request that runs has been running; unset where none does.
    /// @unit seconds
    pub running_for: Option<f64>,
    /// How long the model has been loaded; unset where it is not.
    /// @unit seconds
    pub loaded_for: Option<f64>,
    /// How long nothing has run or waited; unset where something does.
    /// @unit seconds
    pub idle_for: Option<f64>,
    /// What the model is reckoned to need, as `ModelOptions.memory_check` reckons.
    /// @unit bytes
    pub model_memory: u64,
    /// What the process has in memory, where the system tells.
    /// @unit bytes
    pub process_memory: Option<u64>,
    /// The memory that is available to programs, where the system tells.
    /// @unit bytes
    pub available_memory: Option<u64>,
}

/// A process of rkchat that has a model on the NPU.
#[derive(Debug, Clone, PartialEq)]
pub struct NpuHolder {
    /// The number of the process.
    pub pid: u32,
    /// Its program.
    pub program: String,
    /// How many models it has there.
    pub models: u32,
}

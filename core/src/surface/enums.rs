//! Enumerations. The numbers are part of the ABI: they are never changed and never used again.

/// Why a generation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum FinishReason {
    /// The model ended its turn: it produced one of the stop ids.
    Stop = 1,
    /// One of the request's `stop_strings` came.
    StopString = 2,
    /// `max_new_tokens` were produced.
    Length = 3,
    /// The context window is full: no room was left for another token.
    ContextFull = 4,
    /// The model ended its turn, and calls tools in it.
    ToolCalls = 5,
    /// The caller cancelled it, dropped it, or closed the model.
    Cancelled = 6,
    /// The runtime failed; the error is what `next` and `completion` report.
    Error = 7,
}

/// How prompts reach the runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum InputKind {
    /// rkchat renders the template and hands over token ids; the runtime's own template is not used.
    Tokens = 1,
    /// rkchat renders the template and hands over text, because no tokenizer is known; the runtime has
    /// no template of its own.
    Text = 2,
    /// No tokenizer is known: a single user message goes to the runtime as text, and the template that was
    /// built into the model file is used.
    RuntimeTemplate = 3,
}

/// Who measured or counted something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Measure {
    /// The runtime reported it at the end of the run.
    Runtime = 1,
    /// rkchat: by its own clock, its tokenizer, or what the system says of the process.
    Rkchat = 2,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum WarningKind {
    /// The text that the runtime gives for its tokens is not what the tokenizer gives: it is probably
    /// another model's tokenizer, and the prompt was wrong as well.
    TokenizerMismatch = 1,
    /// The runtime is not one of Rockchip's official files; how it was recognised is in its evidence.
    UnknownRuntime = 2,
    /// Nobody has reported whether this runtime runs models of this version, or it is known to have
    /// trouble with them.
    VersionPair = 3,
    /// Names, card and files say different things of the model.
    Contradiction = 4,
    /// The model brings no chat template, so rkchat's own for its family is used.
    BuiltInTemplate = 5,
    /// No tokenizer is known, so that the template inside the model file is used, which takes a single
    /// question.
    RuntimeTemplate = 6,
    /// The model was converted for another chip than this board's.
    PlatformMismatch = 7,
    /// The model file is smaller than its name says.
    IncompleteModel = 8,
    /// The chat template refused the messages as they were, and took them changed.
    TemplateRepair = 9,
    /// The request asks for other sampling settings than the model was opened with, and its runtime
    /// cannot change them.
    FixedSampling = 10,
    /// An option has no effect on this runtime.
    IgnoredOption = 11,
    /// What looked like a tool call could not be read, and is left in the text.
    BrokenToolCall = 12,
    /// Messages of a chat were left out, so that the others fit the context window.
    LeftOut = 13,
    /// The prompt cache of a chat's beginning could not be written or read, so that the prompt took
    /// longer.
    PromptCache = 14,
    /// There may not be memory enough for the model.
    Memory = 15,
    /// Another process uses the NPU.
    SharedNpu = 16,
    /// The runtime had refused the request after the one before was cut short, so the model was opened
    /// again for it.
    Reopened = 17,
}

/// What a chat does where its messages do not fit the context window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Overflow {
    /// The oldest turns are not sent, each a user's message and everything up to the next one; a warning
    /// in the completion tells how many messages. System prompt and last turn always stay. Where turns
    /// have to go, an eighth of the window is left free as well, so that the next prompts go on from the
    /// same beginning. Where nobody can count tokens, all are sent.
    DropOldest = 1,
    /// It is `ContextOverflow`.
    Error = 2,
}

/// What a piece of an answer is part of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[repr(i32)]
pub enum ChunkKind {
    /// What the model says.
    #[default]
    Text = 1,
    /// What it thinks before.
    Reasoning = 2,
    /// A call of a tool: `text` is a piece of the JSON of its arguments.
    ToolCall = 3,
}

/// How the hidden states of a text's tokens become its embedding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum Pooling {
    /// Those of the last token.
    Last = 1,
    /// Their mean.
    Mean = 2,
    /// Those of the first token.
    Cls = 3,
    /// They stay as they are, a row for each token.
    None = 4,
}

/// What is done with sampling settings of a request where the runtime fixes them when a model is opened,
/// as those before 1.3.0 do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum FixedSampling {
    /// The settings that the model was opened with are used, and a warning in the completion tells.
    Warn = 1,
    /// It is `Unsupported`.
    Error = 2,
    /// The model is opened again with the settings, which takes as long as opening it.
    Reload = 3,
}

/// What becomes of a control token, such as `<|im_start|>`, that stands in text from outside: messages,
/// tools, documents and variables. The template's own control tokens always count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum UntrustedContent {
    /// It is encoded as any other text, so nobody can forge a turn.
    Literal = 1,
    /// It becomes the control token, as transformers does by default.
    Transformers = 2,
}

/// What is done where a chat template refuses the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum TemplateRepair {
    /// Refused system text goes before the first user message, and neighbours of one role are joined;
    /// a warning in the completion tells. Only where that does not help, it is the template's error.
    Auto = 1,
    /// It is the template's error.
    Strict = 2,
}

/// What is done where a model seems to need more memory than there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum MemoryCheck {
    /// It is opened, and a warning in `ModelInfo` tells.
    Warn = 1,
    /// It is `OutOfMemory`.
    Error = 2,
    /// Nothing is checked.
    Off = 3,
}

/// How far the opening of a model has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum OpeningStage {
    /// The model's files are found and recognised, and the runtime is chosen and loaded.
    Recognising = 1,
    /// The runtime loads the model, while tokenizer and chat template are read.
    Tokenizer = 2,
    /// The runtime loads the model.
    Loading = 3,
    /// The first token is produced, where `ModelOptions.warmup` asks for it.
    WarmUp = 4,
    /// It is open.
    Ready = 5,
    /// It failed, or was given up.
    Failed = 6,
}

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ModelState {
    /// It is loaded again, for the request that comes next.
    Loading = 1,
    /// It is loaded, and nothing runs.
    Ready = 2,
    /// A request runs.
    Running = 3,
    /// It is not loaded; the next request loads it.
    Unloaded = 4,
    /// It was closed, or is lost.
    Closed = 5,
}

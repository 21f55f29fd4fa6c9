//! The error table: one list of kinds for all languages.

use std::fmt;

use super::Json;

/// What went wrong. The number is the C status; Node's `err.code` is the name in capitals
/// (`CONTEXT_OVERFLOW`); Python has one class per kind, which is also the built-in named here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(i32)]
pub enum ErrorKind {
    /// An argument is out of its range, of the wrong shape, or not UTF-8.
    /// @python ValueError
    InvalidArgument = 1,
    /// A file or folder that was named does not exist, or a folder holds no model.
    /// @python FileNotFoundError
    NotFound = 2,
    /// The file is there but is not a model that can be used: truncated, damaged, of another format.
    /// @python ValueError
    InvalidModel = 3,
    /// No `librkllmrt.so` was found.
    /// @python FileNotFoundError
    RuntimeNotFound = 4,
    /// The library that was named is not a usable RKLLM runtime.
    /// @python OSError
    RuntimeInvalid = 5,
    /// It could not be settled which ABI group the library belongs to; the message says how to say it.
    /// @python ValueError
    RuntimeAmbiguous = 6,
    /// Model and runtime do not fit: a `.rkllm` file given to the CPU runtime, a GGUF file to Rockchip's
    /// library, or a pair of versions that is known to fail.
    /// @python ValueError
    RuntimeMismatch = 7,
    /// The runtime reported a failure. `details` has its status as `vendor_status` and, where they were
    /// captured, its last lines as `log`; `cause` is `npu_memory` where the NPU had no memory for a model.
    /// @python RuntimeError
    RuntimeFailed = 8,
    /// The chat template could not be read or compiled, or it refused the messages; `details` has the
    /// template's own words as `template_message` where it raised an exception.
    /// @python ValueError
    Template = 9,
    /// The tokenizer could not be read, or it refused the text.
    /// @python ValueError
    Tokenizer = 10,
    /// The prompt does not fit the context window. `details` has `prompt_tokens` and
    /// `max_context_len`.
    /// @python ValueError
    ContextOverflow = 11,
    /// As many requests as `max_queue` allows are waiting already.
    /// @python RuntimeError
    Busy = 12,
    /// The time allowed for it has passed.
    /// @python TimeoutError
    Timeout = 13,
    /// The model was closed.
    /// @python ValueError
    Closed = 14,
    /// The process forked after the model was opened; its threads are in the parent only.
    /// @python RuntimeError
    Forked = 15,
    /// This runtime, model or build cannot do it; the message names what can. Where it is the runtime,
    /// `details` has `capability`, and `since`, the first release that can.
    /// @python NotImplementedError
    Unsupported = 16,
    /// The operating system reported a failure on a file.
    /// @python OSError
    Io = 17,
    /// A defect in rkchat: please report it.
    /// @python RuntimeError
    Panic = 18,
    /// What names, card and files say of a model contradicts itself where it matters. `details` has the
    /// name of the `option` that decides.
    /// @python ValueError
    ModelAmbiguous = 19,
    /// A prompt cache is of another model, runtime or prompt than it would be loaded for, or is damaged.
    /// `details` has what differs as `differs`.
    /// @python ValueError
    CacheMismatch = 20,
    /// There is not enough memory for the model. `details` has the bytes that it needs as `needed`, and
    /// those that there are as `available`.
    /// @python MemoryError
    OutOfMemory = 21,
}

/// An error: its kind, one message that says what was wrong, where, and what to do, and a JSON object
/// with the facts for programs.
#[derive(Clone, PartialEq)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    details: serde_json::Map<String, Json>,
}

/// What every fallible function of the crate returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            details: serde_json::Map::new(),
        }
    }

    /// Adds a fact to `details`.
    pub(crate) fn with(mut self, key: &str, value: impl Into<Json>) -> Self {
        self.details.insert(key.to_owned(), value.into());
        self
    }

    /// The same error in other words.
    pub(crate) fn reworded(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// A defect that the bindings caught: the text of a panic.
    #[doc(hidden)]
    pub fn panic(payload: &(dyn std::any::Any + Send)) -> Self {
        let text = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("no message");
        Self::new(
            ErrorKind::Panic,
            format!("a defect in rkchat, please report it: {text}"),
        )
    }

    /// A bad argument that a binding found while it converted it.
    #[doc(hidden)]
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::InvalidArgument, message)
    }

    /// The kind, which is what programs branch on.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What was wrong, where, and what to do. May change between versions.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Facts for programs, such as `prompt_tokens`; keys are listed at the kinds that set them.
    pub fn details(&self) -> &serde_json::Map<String, Json> {
        &self.details
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.message)
    }
}

impl std::error::Error for Error {}

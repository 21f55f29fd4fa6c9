//! The private table between a group's library and the engine's library.
//!
//! Both are built together; [`VERSION`] and the release have to be equal, or nothing is called.

use crate::engine::{Counts, LogProb, Matrix, Prepared, Sampling};
use std::ffi::{CStr, c_void};

/// The symbol that the engine's library exports, of type [`TableFn`].
pub const SYMBOL: &CStr = c"rkchat_runtime_engine";

/// Version of this file's declarations.
pub const VERSION: u32 = 2;

/// Release that both libraries belong to.
pub const RELEASE: &str = env!("CARGO_PKG_VERSION");

/// Returns the table, which is static.
pub type TableFn = unsafe extern "C" fn() -> *const Table;

/// A borrowed array; `data` is not read if `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Array<T> {
    /// First element.
    pub data: *const T,
    /// Number of elements.
    pub len: usize,
}

impl<T> Array<T> {
    /// Borrows a slice.
    pub const fn of(slice: &[T]) -> Self {
        Array {
            data: slice.as_ptr(),
            len: slice.len(),
        }
    }

    /// The slice.
    ///
    /// # Safety
    /// The array was made by [`Array::of`] from a slice that outlives `'a`.
    pub unsafe fn get<'a>(self) -> &'a [T] {
        // SAFETY: the caller vouches for it.
        unsafe { std::slice::from_raw_parts(self.data, self.len) }
    }
}

/// Rows of numbers; none if `columns` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Rows {
    /// The numbers, row by row.
    pub values: Array<f32>,
    /// Numbers in a row.
    pub columns: usize,
}

impl Rows {
    /// Borrows a matrix.
    pub fn of(matrix: Option<Matrix<'_>>) -> Self {
        Rows {
            values: Array::of(matrix.map_or(&[], |matrix| matrix.values)),
            columns: matrix.map_or(0, |matrix| matrix.columns),
        }
    }

    /// The matrix.
    ///
    /// # Safety
    /// The rows were made by [`Rows::of`] from a matrix that outlives `'a`.
    pub unsafe fn get<'a>(self) -> Option<Matrix<'a>> {
        (self.columns > 0).then(|| Matrix {
            // SAFETY: passed on from the caller.
            values: unsafe { self.values.get() },
            columns: self.columns,
        })
    }
}

/// Where bytes are returned: `write` may be called any number of times during the call.
#[repr(C)]
pub struct Out {
    /// Given to `write`.
    pub context: *mut c_void,
    /// Appends bytes.
    pub write: unsafe extern "C" fn(*mut c_void, *const u8, usize),
}

/// Facts of a loaded model.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Facts {
    /// Largest window the model was made for.
    pub n_ctx_train: u32,
    /// Numbers in an embedding that is given as input; 0: the model takes none.
    pub n_embd: u32,
    /// Whether the chat template knows `enable_thinking`.
    pub thinks: u8,
}

/// One message of a conversation.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Message {
    pub role: Array<u8>,
    pub text: Array<u8>,
}

/// A piece of a prompt: token ids, or embeddings if there are no ids.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Part {
    pub tokens: Array<i32>,
    pub embeddings: Array<f32>,
}

/// A run's parameters.
#[repr(C)]
pub struct RunParams {
    /// The prompts, each in its parts.
    pub prompts: Array<Array<Part>>,
    /// Name of the adapter; empty: none.
    pub lora: Array<u8>,
    /// Sampling settings.
    pub sampling: Sampling,
    /// Most tokens to generate; 0 or less: until the window is full.
    pub max_new_tokens: i32,
    /// Tokens that stay when the window is shifted; negative: it is not.
    pub n_keep: i32,
    /// How many of the likeliest tokens come with each; negative: no log probabilities.
    pub top_logprobs: i64,
    /// Go on after an end-of-generation token.
    pub ignore_eos_token: u8,
    /// Control tokens have no text.
    pub skip_special_token: u8,
    /// 0 fresh, 1 prefix, 2 append, 3 resume.
    pub cache: u8,
    /// 0 generate, 1 hidden states, 2 logits.
    pub mode: u8,
}

/// What one lane's step brought.
#[repr(C)]
#[derive(Clone, Copy)]
#[allow(missing_docs)]
pub struct Token {
    pub id: i32,
    pub bytes: Array<u8>,
    pub logits: Rows,
    pub logprobs: Array<LogProb>,
}

/// Hears of a run's progress.
#[repr(C)]
pub struct RunSink {
    /// Given to the functions.
    pub context: *mut c_void,
    /// The next token of each lane; non-zero ends the run.
    pub tokens: unsafe extern "C" fn(*mut c_void, Array<Token>) -> u8,
    /// The last layer's output for the prompt; non-zero ends the run.
    pub hidden_states: unsafe extern "C" fn(*mut c_void, Rows) -> u8,
    /// Non-zero: the run shall end.
    pub aborted: unsafe extern "C" fn(*mut c_void) -> u8,
}

/// The functions. `u8` results are 1 for success, 0 for failure with a text in the last parameter.
/// Models are used from any thread; `prepare`, `run` and what changes the cache or the adapters from
/// one at a time.
#[repr(C)]
#[allow(missing_docs)]
pub struct Table {
    pub version: u32,
    pub release: Array<u8>,
    /// `(path, facts, dtype, error)`; NULL on failure.
    pub load: unsafe extern "C" fn(Array<u8>, *mut Facts, *const Out, *const Out) -> *mut c_void,
    pub free: unsafe extern "C" fn(*mut c_void),
    /// `(model, n_ctx, lanes, prepared, error)`.
    pub prepare: unsafe extern "C" fn(*mut c_void, u32, u32, *mut Prepared, *const Out) -> u8,
    /// `(model, text, add_special, parse_special, ids, error)`; ids as native bytes.
    pub tokenize:
        unsafe extern "C" fn(*mut c_void, Array<u8>, u8, u8, *const Out, *const Out) -> u8,
    /// `(model, ids, skip_special, bytes, error)`.
    pub detokenize: unsafe extern "C" fn(*mut c_void, Array<i32>, u8, *const Out, *const Out) -> u8,
    /// `(model, id, answer, error)`.
    pub is_stop: unsafe extern "C" fn(*mut c_void, i32, *mut u8, *const Out) -> u8,
    /// `(model, id, answer, error)`.
    pub is_special: unsafe extern "C" fn(*mut c_void, i32, *mut u8, *const Out) -> u8,
    /// Negative: the vocabulary adds none.
    pub bos: unsafe extern "C" fn(*mut c_void) -> i32,
    /// `(model, messages, answer, prompt, error)`; `answer` is whether the answer is to follow.
    pub chat_template:
        unsafe extern "C" fn(*mut c_void, Array<Message>, u8, *const Out, *const Out) -> u8,
    /// `(model, lane)`.
    pub cached: unsafe extern "C" fn(*mut c_void, usize) -> usize,
    /// `(model, keep, error)`.
    pub truncate_cache: unsafe extern "C" fn(*mut c_void, usize, *const Out) -> u8,
    /// `(model, lane, start, end, error)`.
    pub cut_cache: unsafe extern "C" fn(*mut c_void, usize, usize, usize, *const Out) -> u8,
    /// `(model, name, path, scale, error)`.
    pub load_lora: unsafe extern "C" fn(*mut c_void, Array<u8>, Array<u8>, f32, *const Out) -> u8,
    /// `(model, path, error)`.
    pub save_prompt_cache: unsafe extern "C" fn(*mut c_void, Array<u8>, *const Out) -> u8,
    /// `(model, path, error)`.
    pub load_prompt_cache: unsafe extern "C" fn(*mut c_void, Array<u8>, *const Out) -> u8,
    /// `(model, error)`.
    pub release_prompt_cache: unsafe extern "C" fn(*mut c_void, *const Out) -> u8,
    /// `(model, params, sink, counts, error)`.
    pub run: unsafe extern "C" fn(
        *mut c_void,
        *const RunParams,
        *const RunSink,
        *mut Counts,
        *const Out,
    ) -> u8,
}

// SAFETY: the only pointer is to a static string.
unsafe impl Sync for Table {}

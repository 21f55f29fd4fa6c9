//! What rkchat's own runtime offers beyond the vendor's functions: one symbol, one table.
//!
//! The table serves features (tokenizer, measurements); the vendor ABI is never spoken through it.
//! A library that has the symbol is rkchat's runtime; the vendor's libraries do not have it.

use core::ffi::{CStr, c_char, c_void};

/// The exported symbol, of type [`ExtensionFn`].
pub const SYMBOL: &CStr = c"rkchat_rt_extension";

/// Version of the table that this file declares. Fields are only ever appended; a reader accepts
/// a table whose `version` is at least 1 and whose `struct_size` covers the fields it uses.
pub const VERSION: u32 = 1;

/// Returns the table. It is static: never NULL, never freed, the same on every call.
pub type ExtensionFn = unsafe extern "C" fn() -> *const Extension;

/// The table. Every function may be called from any thread, while a run is in progress, and from
/// inside a run's callback. `handle` is an `LLMHandle` of the same library; one that is not open
/// is an error, not undefined behaviour.
#[repr(C)]
pub struct Extension {
    /// Size of this struct in bytes.
    pub struct_size: u32,
    /// At least 1.
    pub version: u32,
    /// Who implements the runtime: `rkchat-cpu`. NUL-terminated UTF-8, static.
    pub name: *const c_char,
    /// Release of that implementation. NUL-terminated UTF-8, static.
    pub release: *const c_char,
    /// ABI group that the library's `rkllm_*` functions belong to. NUL-terminated UTF-8, static.
    pub group: *const c_char,
    /// Token ids of `len` bytes of UTF-8 at `text`: `(handle, text, len, add_special,
    /// parse_special, ids, capacity)`. `add_special` adds the tokens that the vocabulary puts
    /// around a text, `parse_special` reads markers such as `<|im_end|>` as single tokens; zero is
    /// false. Returns how many ids there are and writes the first `capacity` of them; negative on
    /// failure. `ids` may be NULL when `capacity` is 0.
    pub tokenize:
        unsafe extern "C" fn(*mut c_void, *const u8, usize, u8, u8, *mut i32, usize) -> i64,
    /// Bytes of `n` tokens: `(handle, ids, n, skip_special, text, capacity)`. The pieces are joined
    /// without any clean-up and may end inside a UTF-8 character; there is no NUL at the end.
    /// Returns how many bytes there are and writes the first `capacity`; negative on failure.
    pub detokenize: unsafe extern "C" fn(*mut c_void, *const i32, usize, u8, *mut u8, usize) -> i64,
    /// `(handle, id)`: 1 if the vocabulary marks the token as an end of generation, 0 if not,
    /// negative on failure.
    pub is_stop: unsafe extern "C" fn(*mut c_void, i32) -> i32,
    /// `(handle, id)`: 1 for a control token (one that `skip_special` leaves out), 0 for a token of
    /// text, negative on failure.
    pub is_special: unsafe extern "C" fn(*mut c_void, i32) -> i32,
    /// `(handle, out)`: measurements of the last run that ended; 0 on success. The caller sets
    /// `out.struct_size`; no more than that is written.
    pub counts: unsafe extern "C" fn(*mut c_void, *mut Counts) -> i32,
    /// `(text, capacity)`: the last error line that a call on this thread logged, without its
    /// `E rkllm: ` prefix, no NUL. Returns its length in bytes (0: none) and writes the first
    /// `capacity` of them. Calls that succeed leave it as it is.
    pub last_error: unsafe extern "C" fn(*mut u8, usize) -> i64,
}

// SAFETY: the pointers are to static, immutable strings and functions.
unsafe impl Sync for Extension {}

/// Measurements of the last run that ended, and facts of the model.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Size of this struct in bytes, set by the caller.
    pub struct_size: u32,
    /// Zero.
    pub reserved: u32,
    /// Tokens of the run's prompt, reused ones included.
    pub prompt_tokens: u64,
    /// Tokens of the prompt that were still in the cache.
    pub reused_tokens: u64,
    /// Tokens that were generated.
    pub new_tokens: u64,
    /// Time the prompt took, in microseconds.
    pub prefill_us: u64,
    /// Time the generated tokens took, in microseconds.
    pub decode_us: u64,
    /// Context window in tokens.
    pub n_ctx: u32,
    /// Context window the model was trained for.
    pub n_ctx_train: u32,
    /// Threads that compute.
    pub n_threads: u32,
    /// Most prompt tokens that are processed at once.
    pub n_batch: u32,
}

const _: () = assert!(size_of::<Counts>() == 64);

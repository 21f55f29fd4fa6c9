//! The private table between a group's library and the engine's library.
//!
//! Both are built together; [`VERSION`] and the release have to be equal, or nothing is called.

use crate::engine::{Counts, Prepared, Sampling};
use std::ffi::{CStr, c_void};

/// The symbol that the engine's library exports, of type [`TableFn`].
pub const SYMBOL: &CStr = c"rkchat_runtime_engine";

/// Version of this file's declarations.
pub const VERSION: u32 = 1;

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
}

/// A run's parameters.
#[repr(C)]
pub struct RunParams {
    /// The prompt.
    pub tokens: Array<i32>,
    /// Sampling settings.
    pub sampling: Sampling,
    /// Most tokens to generate; 0 or less: until the window is full.
    pub max_new_tokens: i32,
    /// Go on after an end-of-generation token.
    pub ignore_eos_token: u8,
    /// Control tokens have no text.
    pub skip_special_token: u8,
    /// 0 fresh, 1 prefix, 2 append.
    pub cache: u8,
}

/// Hears of a run's progress.
#[repr(C)]
pub struct RunSink {
    /// Given to the functions.
    pub context: *mut c_void,
    /// A token and its bytes; non-zero ends the run.
    pub token: unsafe extern "C" fn(*mut c_void, i32, Array<u8>) -> u8,
    /// Non-zero: the run shall end.
    pub aborted: unsafe extern "C" fn(*mut c_void) -> u8,
}

/// The functions. `u8` results are 1 for success, 0 for failure with a text in the last parameter.
/// Models are used from any thread, `run`, `prepare` and `truncate_cache` from one at a time.
#[repr(C)]
#[allow(missing_docs)]
pub struct Table {
    pub version: u32,
    pub release: Array<u8>,
    /// `(path, facts, dtype, error)`; NULL on failure.
    pub load: unsafe extern "C" fn(Array<u8>, *mut Facts, *const Out, *const Out) -> *mut c_void,
    pub free: unsafe extern "C" fn(*mut c_void),
    /// `(model, n_ctx, prepared, error)`.
    pub prepare: unsafe extern "C" fn(*mut c_void, u32, *mut Prepared, *const Out) -> u8,
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
    /// `(model, role, text, prompt, error)`.
    pub chat_template:
        unsafe extern "C" fn(*mut c_void, Array<u8>, Array<u8>, *const Out, *const Out) -> u8,
    pub cached: unsafe extern "C" fn(*mut c_void) -> usize,
    /// `(model, keep, error)`.
    pub truncate_cache: unsafe extern "C" fn(*mut c_void, usize, *const Out) -> u8,
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

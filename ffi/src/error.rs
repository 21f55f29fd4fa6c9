//! Errors as C sees them.

use std::ffi::c_char;

use crate::arena::Text;
use crate::generated::constants::{RKCHAT_ERR_INVALID_ARGUMENT, status};
use crate::guard::guard_free;
use crate::output;
use crate::status::rkchat_status;

/// An error: what it is, a message for people, facts for programs.
pub struct rkchat_error {
    kind: rkchat_status,
    message: Text,
    details: Text,
}

impl rkchat_error {
    pub(crate) fn new(error: &rkchat::Error) -> Self {
        let details = serde_json::Value::Object(error.details().clone());
        Self {
            kind: status(error.kind()),
            message: Text::new(error.message().as_bytes()),
            details: Text::new(details.to_string().as_bytes()),
        }
    }

    pub(crate) fn kind(&self) -> rkchat_status {
        self.kind
    }
}

/// One of `RKCHAT_ERR_*`; for NULL `RKCHAT_ERR_INVALID_ARGUMENT`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_error_kind(error: *const rkchat_error) -> rkchat_status {
    // SAFETY: NULL, or an error of this library that was not freed.
    unsafe { error.as_ref() }.map_or(RKCHAT_ERR_INVALID_ARGUMENT, |error| error.kind)
}

/// What was wrong, where, and what to do; it stays until the error is freed. `len` may be NULL. For a
/// NULL error it is an empty text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_error_message(
    error: *const rkchat_error,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: both are NULL or valid.
    unsafe { output::view(error.as_ref().map(|error| &error.message), len) }
}

/// A JSON object with facts, such as `{"prompt_tokens":812,"max_context_len":512}`; `{}` where there are
/// none. It stays until the error is freed. `len` may be NULL. For a NULL error it is an empty text.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_error_details(
    error: *const rkchat_error,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: both are NULL or valid.
    unsafe { output::view(error.as_ref().map(|error| &error.details), len) }
}

/// Frees an error. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_error_free(error: *mut rkchat_error) {
    // SAFETY: NULL, or an error of this library that is freed once.
    unsafe { guard_free(error) }
}

//! What stands between Rust and its C callers.

use crate::log;
use std::any::Any;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs the body of an exported function: an error is logged and becomes -1, a panic too.
pub fn status(body: impl FnOnce() -> Result<c_int, String>) -> c_int {
    value(-1, body)
}

/// As [`status`], for functions that return something else.
pub fn value<T>(failure: T, body: impl FnOnce() -> Result<T, String>) -> T {
    match catch(body) {
        Ok(value) => value,
        Err(message) => {
            log::error(&message);
            failure
        }
    }
}

/// Turns a panic into an error text.
pub fn catch<T>(body: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|panic| {
        let message = panic_text(panic.as_ref());
        Err(format!(
            "internal error, please report it to the rkchat project: {message}"
        ))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("unknown panic")
}

/// Locks a mutex, whatever a panicking thread did with it: the data is only ever replaced whole.
pub fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Copies a caller's C string; `None` for NULL.
///
/// # Safety
/// `text` is NULL or points to a NUL-terminated string.
pub unsafe fn text(name: &str, text: *const c_char) -> Result<Option<String>, String> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: not NULL, and the caller says it is NUL-terminated.
    let text = unsafe { CStr::from_ptr(text) };
    match text.to_str() {
        Ok(text) => Ok(Some(text.to_owned())),
        Err(error) => Err(format!(
            "{name} is not valid UTF-8 (at byte {})",
            error.valid_up_to()
        )),
    }
}

/// Copies what a caller's pointer points to; `Err` for NULL.
///
/// # Safety
/// `pointer` is NULL or points to a readable `T`, aligned or not.
pub unsafe fn read<T: Copy>(name: &str, pointer: *const T) -> Result<T, String> {
    if pointer.is_null() {
        return Err(format!("{name} is NULL"));
    }
    // SAFETY: not NULL, and the caller says it is readable.
    Ok(unsafe { pointer.read_unaligned() })
}

/// Sets the caller's handle to NULL before anything can fail.
///
/// # Safety
/// `handle` is NULL or points to a writable pointer.
pub unsafe fn clear_handle(handle: *mut *mut c_void) -> Result<(), String> {
    if handle.is_null() {
        return Err("the pointer for the handle is NULL".into());
    }
    // SAFETY: not NULL, and the caller says it is writable.
    unsafe { handle.write_unaligned(std::ptr::null_mut()) };
    Ok(())
}

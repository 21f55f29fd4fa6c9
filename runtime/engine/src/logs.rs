//! llama.cpp's log: shown at log level 2, and its last error kept for messages.

use rkchat_runtime_front::log;
use std::cell::RefCell;
use std::ffi::{CStr, c_char, c_void};

thread_local! {
    /// The line that llama.cpp has not finished yet.
    static LINE: RefCell<String> = const { RefCell::new(String::new()) };
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Takes llama.cpp's log over, for the whole process.
pub fn take_over() {
    // SAFETY: the function matches the type and is never unloaded.
    unsafe { llama_cpp_sys_2::llama_log_set(Some(on_log), std::ptr::null_mut()) };
}

/// Forgets errors of earlier calls on this thread.
pub fn clear() {
    LAST_ERROR.take();
}

/// The first error that llama.cpp logged on this thread since [`clear`]; it says the cause, later
/// ones only that the caller gave up.
pub fn reason() -> String {
    let reason = LAST_ERROR.take();
    if reason.is_empty() {
        "llama.cpp gave no reason".into()
    } else {
        reason
    }
}

unsafe extern "C" fn on_log(
    level: llama_cpp_sys_2::ggml_log_level,
    text: *const c_char,
    _: *mut c_void,
) {
    // SAFETY: llama.cpp passes a NUL-terminated text.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    if level == llama_cpp_sys_2::GGML_LOG_LEVEL_ERROR {
        LAST_ERROR.with_borrow_mut(|last| {
            if last.is_empty() {
                last.push_str(text.trim());
            }
        });
    }
    if log::level() < 2 {
        return;
    }
    LINE.with_borrow_mut(|line| {
        line.push_str(&text);
        // Lines come in parts; progress dots come without any end of line.
        if line.ends_with('\n') {
            log::info(&format!("llama.cpp: {}", line.trim_end()));
            line.clear();
        }
    });
}

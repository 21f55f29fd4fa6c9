//! Log lines in the vendor's form, on standard error unless an imitation wants them elsewhere.

use std::cell::RefCell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

static PREFIX: AtomicBool = AtomicBool::new(true);
static TO_STDOUT: AtomicBool = AtomicBool::new(false);
static LEVEL: AtomicU8 = AtomicU8::new(0);

thread_local! {
    static LAST_ERROR: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Reads `RKLLM_LOG_LEVEL`: 1 adds measurements after each run, 2 parameters, prompts and what
/// the engine logs. Anything else is 0.
pub fn read_level() {
    let level = std::env::var("RKLLM_LOG_LEVEL")
        .ok()
        .and_then(|text| text.trim().parse().ok());
    LEVEL.store(level.unwrap_or(0), Ordering::Relaxed);
}

/// The level that was read last.
pub fn level() -> u8 {
    LEVEL.load(Ordering::Relaxed)
}

/// Says whether [`info`] writes `I rkllm:`.
pub fn set_prefix(on: bool) {
    PREFIX.store(on, Ordering::Relaxed);
}

/// Says whether lines go to standard output: for imitations.
pub fn set_stdout(on: bool) {
    TO_STDOUT.store(on, Ordering::Relaxed);
}

/// Logs `I rkllm: ...`.
pub fn info(text: &str) {
    if PREFIX.load(Ordering::Relaxed) {
        write("I rkllm: ", text);
    } else {
        write("", text);
    }
}

/// Logs `W rkllm: ...`.
pub fn warning(text: &str) {
    write("W rkllm: ", text);
}

/// Logs `E rkllm: ...` and keeps the text for [`last_error`].
pub fn error(text: &str) {
    write("E rkllm: ", text);
    LAST_ERROR.with_borrow_mut(|last| {
        last.clear();
        last.push_str(text);
    });
}

/// Hands the last error text of this thread to `read`; empty if there was none.
pub fn last_error<T>(read: impl FnOnce(&str) -> T) -> T {
    LAST_ERROR.with_borrow(|last| read(last))
}

fn write(prefix: &str, text: &str) {
    // One call per line, so that lines of several threads do not mix. A closed stream is no reason
    // to fail.
    let line = format!("{prefix}{text}\n");
    let _ = match TO_STDOUT.load(Ordering::Relaxed) {
        false => std::io::stderr().write_all(line.as_bytes()),
        true => std::io::stdout().write_all(line.as_bytes()),
    };
}

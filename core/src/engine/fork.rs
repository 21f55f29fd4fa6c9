//! A child of `fork` has the parent's memory but not its threads: locks may be held for ever and no one
//! runs the model. Everything that was made before the fork says so instead of waiting.

use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::surface::{Error, ErrorKind, Result};

/// How many forks lie between this process and the one that started.
static FORKS: AtomicU32 = AtomicU32::new(0);

/// The process that something belongs to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Home(u32);

impl Home {
    /// This process.
    pub fn here() -> Self {
        static WATCH: Once = Once::new();
        WATCH.call_once(|| {
            extern "C" fn forked() {
                FORKS.fetch_add(1, Ordering::Relaxed);
            }
            // SAFETY: the handler only touches an atomic, which is allowed in a forked child.
            unsafe { libc::pthread_atfork(None, None, Some(forked)) };
        });
        Self(FORKS.load(Ordering::Relaxed))
    }

    /// Whether this is still that process.
    pub fn is_here(self) -> bool {
        self.0 == FORKS.load(Ordering::Relaxed)
    }

    /// The error for what was left behind.
    pub fn check(self) -> Result<()> {
        if self.is_here() {
            return Ok(());
        }
        Err(Error::new(
            ErrorKind::Forked,
            "the process forked after the model was opened, and its threads are in the parent only; open the \
             model in the child, or start the child by exec",
        ))
    }
}

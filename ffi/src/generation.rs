//! `next` and `poll` of a generation: by hand, because C waits and is woken in its own way.

use std::ffi::c_void;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Poll;
use std::time::Duration;

use rkchat::{Chunk, ErrorKind, Result};

use crate::arena::{Held, Kept};
use crate::error::rkchat_error;
use crate::generated::handles::rkchat_generation;
use crate::generated::records::rkchat_chunk;
use crate::guard::guard;
use crate::input;
use crate::output::Structure;
use crate::status::{RKCHAT_END, RKCHAT_OK, RKCHAT_PENDING, RKCHAT_TIMEOUT, rkchat_status};

/// What a generation holds besides its records.
#[derive(Default)]
pub struct State {
    chunk: Kept<rkchat_chunk>,
    bell: Arc<Bell>,
}

/// Whom to wake. Never called under the lock: `wake` may take locks of its own.
struct Bell {
    order: Mutex<Order>,
    silent: Condvar,
    /// In a forked child the lock may be held by nobody.
    process: u32,
}

impl Default for Bell {
    fn default() -> Self {
        Self {
            order: Mutex::default(),
            silent: Condvar::new(),
            process: std::process::id(),
        }
    }
}

/// The last call of `poll`, and what it asked for. An earlier call's bell, late, finds another number.
#[derive(Default)]
struct Order {
    number: u64,
    wake: Option<Wake>,
    /// Calls of `wake` that have not returned.
    ringing: u32,
}

struct Wake {
    userdata: *mut c_void,
    wake: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: the caller of `poll` was told that `wake` may run in any thread.
unsafe impl Send for Wake {}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, Order> {
        self.order.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, wake: Option<Wake>) -> u64 {
        let mut order = self.lock();
        order.number += 1;
        order.wake = wake;
        order.number
    }

    fn ring(&self, number: u64) {
        let mut order = self.lock();
        if order.number != number {
            return;
        }
        let Some(Wake { userdata, wake }) = order.wake.take() else {
            return;
        };
        order.ringing += 1;
        drop(order);
        // SAFETY: the caller of `poll` gave both for this one call; freeing the generation waits for it.
        unsafe { wake(userdata) };
        self.lock().ringing -= 1;
        self.silent.notify_all();
    }

    /// Nobody is woken any more when this returns.
    fn silence(&self) {
        if self.process != std::process::id() {
            return;
        }
        self.set(None);
        let mut order = self.lock();
        while order.ringing > 0 {
            order = self
                .silent
                .wait(order)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Drop for State {
    fn drop(&mut self) {
        self.bell.silence();
    }
}

/// Puts the chunk, or says that the answer is at its end.
fn give(
    generation: &rkchat_generation,
    out: Structure<rkchat_chunk>,
    chunk: Result<Option<Chunk>>,
) -> Result<rkchat_status> {
    let Some(chunk) = chunk? else {
        return Ok(RKCHAT_END);
    };
    let held = Held::new(&chunk);
    out.put(&generation.by_hand.chunk.lock().insert(held).value);
    Ok(RKCHAT_OK)
}

/// Waits for the next piece of the answer: at most `timeout_ms` milliseconds, or without end where that is
/// -1. `RKCHAT_END` is the end of the answer; `RKCHAT_TIMEOUT` means that the time has passed and the answer
/// goes on. A failure of the runtime is reported here, after what it had produced.
///
/// `*out` is filled; what it points to belongs to `generation` and stays until that is freed or this function
/// or `rkchat_generation_poll` is called again on it.
///
/// Blocking.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_generation_next(
    generation: *mut rkchat_generation,
    timeout_ms: i64,
    out: *mut rkchat_chunk,
    error: *mut *mut rkchat_error,
) -> rkchat_status {
    // SAFETY: every pointer is NULL or what the rules at the top of rkchat.h ask of the caller.
    unsafe {
        guard(error, || {
            let out = Structure::at(out)?;
            let generation = input::handle("generation", generation)?;
            let timeout = input::timeout("timeout_ms", timeout_ms)?;
            let mut chunk = generation.inner.next(timeout);
            if matches!(&chunk, Err(failure) if failure.kind() == ErrorKind::Timeout) {
                if generation.inner.finish_reason().is_none() {
                    return Ok(RKCHAT_TIMEOUT);
                }
                // It has ended, meanwhile or because it waited too long in the queue: now that is told.
                chunk = generation.inner.next(Some(Duration::ZERO));
            }
            give(generation, out, chunk)
        })
    }
}

/// As `rkchat_generation_next`, without waiting. `RKCHAT_PENDING` means that nothing is there yet, and that
/// `wake(userdata)` will be called once, from any thread, as soon as there is more, unless the generation is
/// freed before. `wake` may be NULL. It should only notify: it must not call functions of this library, and must
/// return. A later call replaces what an earlier one asked for. `rkchat_generation_free` waits for a `wake` that
/// is being called, so it must not be called with a lock held that `wake` takes; afterwards `wake` is not
/// called any more.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_generation_poll(
    generation: *mut rkchat_generation,
    userdata: *mut c_void,
    wake: Option<unsafe extern "C" fn(userdata: *mut c_void)>,
    out: *mut rkchat_chunk,
    error: *mut *mut rkchat_error,
) -> rkchat_status {
    // SAFETY: every pointer is NULL or what the rules at the top of rkchat.h ask of the caller.
    unsafe {
        guard(error, || {
            let out = Structure::at(out)?;
            let generation = input::handle("generation", generation)?;
            let bell = Arc::clone(&generation.by_hand.bell);
            let number = bell.set(wake.map(|wake| Wake { userdata, wake }));
            match generation.inner.poll(move || bell.ring(number)) {
                Poll::Pending => Ok(RKCHAT_PENDING),
                Poll::Ready(chunk) => {
                    generation.by_hand.bell.set(None);
                    give(generation, out, chunk)
                }
            }
        })
    }
}

//! From the runtime's result callback to the sink of the run it belongs to.
//!
//! The `userdata` that the runtime carries is a number, not a pointer: a callback that comes late,
//! after its run or its model is gone, finds nothing under the number and is ignored.

use std::collections::HashMap;
use std::ffi::{CStr, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use super::{EventSink, Flow, Mode, RunEvent};

/// What has to be known of a run to read its callbacks.
#[derive(Debug, Clone, Copy)]
pub(super) struct About {
    /// Results of each callback.
    pub batches: usize,
    pub mode: Mode,
    /// Only the last row of numbers is wanted.
    pub last_row: bool,
    /// Whether the runtime has pausing for it.
    pub may_pause: bool,
    /// Rows of numbers that there can be at the most.
    pub window: usize,
    /// Log probabilities of each token that there can be at the most.
    pub logprobs: usize,
}

/// Where the events of one run go; empty once the run is over.
type Slot = Arc<Mutex<Option<Sink>>>;

struct Sink {
    call: *mut (dyn FnMut(RunEvent) -> Flow + Send),
    about: About,
}

// SAFETY: the closure behind the pointer is `Send`, and it is only called under the slot's lock.
unsafe impl Send for Sink {}

static SLOTS: LazyLock<Mutex<HashMap<usize, Slot>>> = LazyLock::new(Mutex::default);
/// Callbacks that came when their run was over.
static LATE: AtomicUsize = AtomicUsize::new(0);
static NEXT: AtomicUsize = AtomicUsize::new(1);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `call` with the `userdata` under which callbacks reach `sink`. When it returns, no callback
/// is inside `sink` and none will be.
pub(super) fn with_sink<R>(
    sink: EventSink<'_>,
    about: About,
    call: impl FnOnce(*mut c_void) -> R,
) -> R {
    /// Takes the sink away again, also when `call` unwinds.
    struct Registered(usize, Slot);
    impl Drop for Registered {
        fn drop(&mut self) {
            lock(&SLOTS).remove(&self.0);
            lock(&self.1).take();
        }
    }

    type Call<'a> = *mut (dyn FnMut(RunEvent) -> Flow + Send + 'a);
    let sink: Call<'_> = sink;
    // SAFETY: only the lifetime is changed; `Registered` empties the slot before it ends.
    let call_sink: Call<'static> = unsafe { std::mem::transmute(sink) };
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let slot: Slot = Arc::new(Mutex::new(Some(Sink {
        call: call_sink,
        about,
    })));
    lock(&SLOTS).insert(number, slot.clone());
    let registered = Registered(number, slot);
    call(std::ptr::without_provenance_mut(registered.0))
}

/// Hands what `read` finds in a callback to the run that `userdata` numbers, and gives what the run wants.
/// Nothing is read where there is no such run. Never unwinds: the caller is foreign code.
pub(super) fn deliver(
    userdata: *mut c_void,
    read: impl FnOnce(&About, &mut dyn FnMut(RunEvent)),
) -> Flow {
    let slot = lock(&SLOTS).get(&userdata.addr()).cloned();
    let Some(slot) = slot else {
        LATE.fetch_add(1, Ordering::Relaxed);
        return Flow::Go;
    };
    let guard = lock(&slot);
    let Some(sink) = &*guard else {
        return Flow::Go;
    };
    let mut pause = false;
    let mut tell = |event| {
        // SAFETY: the slot still holds the pointer, so `with_sink` has not returned and the closure
        // lives; the lock makes this the only call of it.
        pause |= unsafe { (*sink.call)(event) } == Flow::Pause;
    };
    let call = AssertUnwindSafe(|| read(&sink.about, &mut tell));
    // The sink reports its own failures; there is no one here to tell.
    let _ = catch_unwind(call);
    match pause && sink.about.may_pause {
        true => Flow::Pause,
        false => Flow::Go,
    }
}

/// How many callbacks of this process have come when their run was over.
pub(super) fn late() -> usize {
    LATE.load(Ordering::Relaxed)
}

/// The bytes of a text that the runtime hands over; NULL is none.
///
/// # Safety
/// `text` is NULL or a NUL-terminated string that lives during the call.
pub(super) unsafe fn bytes(text: *const c_char) -> Vec<u8> {
    if text.is_null() {
        return Vec::new();
    }
    // SAFETY: not NULL, so by contract a NUL-terminated string.
    unsafe { CStr::from_ptr(text) }.to_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ABOUT: About = About {
        batches: 1,
        mode: Mode::Generate,
        last_row: false,
        may_pause: true,
        window: 0,
        logprobs: 0,
    };

    fn fail(userdata: *mut c_void) -> Flow {
        deliver(userdata, |_, tell| tell(RunEvent::Error { message: None }))
    }

    #[test]
    fn late_and_unknown_callbacks_are_ignored() {
        let mut seen = 0;
        let mut sink = |_| {
            seen += 1;
            Flow::Go
        };
        let late = with_sink(&mut sink, ABOUT, |userdata| {
            fail(userdata);
            userdata
        });
        fail(late);
        fail(std::ptr::null_mut());
        assert_eq!(seen, 1);
    }

    #[test]
    fn a_panicking_sink_does_not_unwind_into_the_runtime() {
        let mut sink = |_| panic!("in the sink");
        let flow = with_sink(&mut sink, ABOUT, fail);
        assert_eq!(flow, Flow::Go);
    }

    #[test]
    fn a_run_pauses_where_its_sink_says_so_and_the_runtime_can() {
        let mut sink = |_| Flow::Pause;
        assert_eq!(with_sink(&mut sink, ABOUT, fail), Flow::Pause);
        let never = About {
            may_pause: false,
            ..ABOUT
        };
        assert_eq!(with_sink(&mut sink, never, fail), Flow::Go);
    }
}

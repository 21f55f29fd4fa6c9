//! At the end of the process, runs in progress are stopped first: the runtime's exit handlers would pull
//! its memory away from under them.

use std::sync::{Mutex, Once, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::control::Control;
use super::fork::Home;

/// How long the end of the process waits for a runtime that does not let go.
const PATIENCE: Duration = Duration::from_secs(5);

static OPEN: Mutex<Vec<Weak<Control>>> = Mutex::new(Vec::new());

/// Remembers a model that was opened. The first call registers the exit handler; it comes after the
/// runtime was loaded, so the handler runs before the runtime's own.
pub(super) fn watch(control: &std::sync::Arc<Control>) {
    static REGISTER: Once = Once::new();
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|known| known.strong_count() > 0);
    open.push(std::sync::Arc::downgrade(control));
    drop(open);
    REGISTER.call_once(|| {
        let home = Home::here();
        *HOME.lock().unwrap_or_else(PoisonError::into_inner) = Some(home);
        // SAFETY: the handler is a plain function that does not unwind.
        unsafe { libc::atexit(at_exit) };
    });
}

static HOME: Mutex<Option<Home>> = Mutex::new(None);

extern "C" fn at_exit() {
    // In a forked child the owners do not exist, and the locks may be held by nobody.
    let home = HOME.try_lock().ok().and_then(|home| *home);
    if !home.is_some_and(Home::is_here) {
        return;
    }
    let Ok(open) = OPEN.try_lock() else { return };
    let controls: Vec<_> = open.iter().filter_map(Weak::upgrade).collect();
    drop(open);
    for control in &controls {
        control.close();
    }
    let deadline = Instant::now() + PATIENCE;
    for control in &controls {
        control.wait_freed(deadline);
    }
}

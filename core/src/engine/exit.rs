//! At the end of the process, runs in progress are stopped first: the runtime's exit handlers would pull
//! its memory away from under them.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::control::Control;
use super::fork::Home;

/// How long the end of the process waits for a runtime that does not let go.
const PATIENCE: Duration = Duration::from_secs(5);

/// The models of this process and, in a forked child, those of its parent.
static OPEN: Mutex<Vec<(Home, Weak<Control>)>> = Mutex::new(Vec::new());

/// The libraries after whose loading the handler was registered.
static LOADED: LazyLock<Mutex<HashSet<PathBuf>>> = LazyLock::new(Mutex::default);

/// Remembers a model from before it is opened.
pub(super) fn watch(control: &Arc<Control>, home: Home) {
    let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
    open.retain(|(_, known)| known.strong_count() > 0);
    open.push((home, Arc::downgrade(control)));
    drop(open);
    after_loading(Path::new(""));
}

/// Registers the handler again after a library was loaded with all that it loads in turn: the last
/// handler registered is the first to run, and ours must run before the library's own.
pub(super) fn after_loading(library: &Path) {
    let mut loaded = LOADED.lock().unwrap_or_else(PoisonError::into_inner);
    if loaded.insert(library.to_owned()) {
        // SAFETY: the handler is a plain function that does not unwind.
        unsafe { libc::atexit(at_exit) };
    }
}

extern "C" fn at_exit() {
    // Held by nobody in a forked child, perhaps for ever.
    let Ok(open) = OPEN.try_lock() else { return };
    let here = open.iter().filter(|(home, _)| home.is_here());
    let controls: Vec<_> = here.filter_map(|(_, control)| control.upgrade()).collect();
    drop(open);
    for control in &controls {
        control.silence();
        control.close();
    }
    let deadline = Instant::now() + PATIENCE;
    for control in &controls {
        control.wait_freed(deadline);
    }
}

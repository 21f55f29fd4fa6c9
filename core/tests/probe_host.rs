//! What probing leaves behind in the host. Alone in its program, for it changes what the process does
//! with its children.

mod mocks;

use std::fs;
use std::path::Path;
use std::time::Duration;

use mocks::{Folder, Style, facts, functions, source, worker};
use rkchat::vendor::recognise::probe::{Probe, probe_with};

/// How many descriptors and children (also those nobody waited for) this process has.
fn left() -> (usize, usize) {
    let children = fs::read_dir("/proc/self/task").unwrap().map(|task| {
        let list = fs::read_to_string(task.unwrap().path().join("children")).unwrap();
        list.split_whitespace().count()
    });
    (
        fs::read_dir("/proc/self/fd").unwrap().count(),
        children.sum(),
    )
}

#[test]
fn nothing_is_left_whatever_the_host_does_with_its_children() {
    let Some(folder) = Folder::new() else { return };
    let Some(facts) = facts("1.3.0") else { return };
    let good = folder.library("good", &source(&facts, Style::Fields, "NULL"), &[]);
    let ends = |name: &str, how: &str| {
        let function = format!("void rkllm_createDefaultParam(void) {{ {how} }}");
        folder.library(name, &(functions(&facts) + &function), &[])
    };
    let crashes = ends("crashes", "__builtin_trap();");
    let hangs = ends("hangs", "for (;;);");
    let ask = |library: &Path, patience| probe_with(&worker(), library, patience);
    let patient = Duration::from_secs(60);
    let short = Duration::from_millis(200);
    let before = left();
    for ignored in [false, true] {
        if ignored {
            // SAFETY: sets a disposition; no handler runs.
            unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        }
        assert!(matches!(ask(&good, patient), Probe::Measured(_)));
        assert!(matches!(ask(&crashes, patient), Probe::Crashed(_)));
        assert!(matches!(ask(&hangs, short), Probe::TimedOut(_)));
        assert!(matches!(
            ask(Path::new("/nowhere.so"), patient),
            Probe::NotLoadable(_)
        ));
        let nobody = probe_with(Path::new("/nowhere"), &good, patient);
        assert!(matches!(nobody, Probe::NoWorker(_)));
        assert_eq!(left(), before, "SIGCHLD ignored: {ignored}");
    }
}

//! Probing libraries in a child process: which group's layout their defaults have, and what a library
//! may do there without harm.

mod mocks;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use mocks::{Folder, Style, facts, functions, source, worker};
use rkchat::vendor::abi::GROUPS;
use rkchat::vendor::recognise::elf::Elf;
use rkchat::vendor::recognise::probe::{Probe, probe, probe_with};
use rkchat::vendor::recognise::symbols;

/// Long enough for any machine: only libraries that hang take as long.
const PATIENT: Duration = Duration::from_secs(60);

fn ask(library: &Path) -> Probe {
    probe_with(&worker(), library, PATIENT)
}

/// Hands the place of the result on as a parameter: on AArch64 it comes in a register that C does not show.
const ENTRY: &str = r#"
#ifdef __aarch64__
__asm__(".globl rkllm_createDefaultParam\n.type rkllm_createDefaultParam, %function\n"
        "rkllm_createDefaultParam: mov x0, x8\n b filled\n");
#else
void *rkllm_createDefaultParam(void *p) { return filled(p); }
#endif
"#;

/// A library of group 1.3.0 with its own `rkllm_createDefaultParam`.
fn own(folder: &Folder, name: &str, function: &str) -> Option<std::path::PathBuf> {
    let head = "#include <stdio.h>\n#include <stdlib.h>\n#include <unistd.h>\n";
    let filled = "__attribute__((visibility(\"hidden\"))) void *filled(void *p)";
    let function = format!("{head}{filled} {{ {function} }}\n{ENTRY}");
    let source = functions(&facts("1.3.0")?) + &function;
    Some(folder.library(name, &source, &[]))
}

#[test]
fn symbols_and_defaults_together_leave_the_right_group() {
    let Some(folder) = Folder::new() else { return };
    for group in GROUPS {
        let Some(facts) = facts(group.name) else {
            return;
        };
        for style in [Style::Fields, Style::Zeroed, Style::Copy] {
            for img in ["NULL", "\"\""] {
                for level in ["-O0", "-O2"] {
                    let what = format!("{} {style:?} {img} {level}", group.name);
                    let source = source(&facts, style, img);
                    let library = folder.library("library", &source, &[level]);
                    let data = std::fs::read(&library).unwrap();
                    let exports = Elf::read(&data, symbols::matters).unwrap().exports;
                    let allowed = symbols::groups(|name| exports.contains(name)).ok().unwrap();
                    let Probe::Measured(filled) = ask(&library) else {
                        panic!("{what}: {:?}", ask(&library));
                    };
                    assert!(filled.fits(group), "{what}");
                    let fits = allowed.iter().filter(|group| filled.fits(group));
                    let left: Vec<_> = fits.map(|group| group.name).collect();
                    let expected: &[&str] = match group.name {
                        "1.2.0" | "1.2.1b1" => &["1.2.0", "1.2.1b1"],
                        name => &[name],
                    };
                    assert_eq!(left, expected, "{what}");
                }
            }
        }
    }
}

#[test]
fn what_a_library_prints_is_not_taken_for_the_report() {
    let Some(folder) = Folder::new() else { return };
    let Some(library) = own(
        &folder,
        "prints",
        r#"puts("rkchat-worker 9\nend"); fflush(stdout); fprintf(stderr, "hello\n"); write(1, "\nend\n", 5);
           ((char *)p)[7] = 7; return p;"#,
    ) else {
        return;
    };
    let Probe::Measured(filled) = ask(&library) else {
        panic!("{:?}", ask(&library));
    };
    for (buffer, poison) in filled.0.iter().zip([0xa5, 0x5a]) {
        assert_eq!(
            buffer[..9],
            [
                poison, poison, poison, poison, poison, poison, poison, 7, poison
            ]
        );
        assert!(buffer[9..].iter().all(|byte| *byte == poison));
    }
}

#[test]
fn a_library_that_ends_the_process_is_named() {
    let Some(folder) = Folder::new() else { return };
    let cases = [
        ("crashes", "*(volatile int *)16 = 1; return p;", "signal 11"),
        ("aborts", "abort();", "signal 6"),
        ("exits", "exit(0);", "exit code 0"),
        ("exits-badly", "exit(9);", "exit code 9"),
        // A process that goes on holds the pipe open.
        (
            "forks",
            "if (fork() == 0) { sleep(90); _exit(0); } abort();",
            "signal 6",
        ),
    ];
    for (name, function, expected) in cases {
        let Some(library) = own(&folder, name, function) else {
            return;
        };
        match ask(&library) {
            Probe::Crashed(how) => assert!(how.contains(expected), "{name}: {how}"),
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn a_library_that_hangs_is_stopped() {
    let Some(folder) = Folder::new() else { return };
    let hang = "for (;;) sleep(100);";
    let Some(library) = own(&folder, "hangs", hang) else {
        return;
    };
    let patience = Duration::from_millis(300);
    let outcome = probe_with(&worker(), &library, patience);
    assert_eq!(outcome, Probe::TimedOut(patience));
}

#[test]
fn a_library_that_writes_nothing_fits_no_group() {
    let Some(folder) = Folder::new() else { return };
    let Some(library) = own(&folder, "nothing", "return p;") else {
        return;
    };
    let Probe::Measured(filled) = ask(&library) else {
        panic!("{:?}", ask(&library));
    };
    assert!(GROUPS.iter().all(|group| !filled.fits(group)));
}

#[test]
fn a_library_that_cannot_be_loaded_says_why() {
    let Some(folder) = Folder::new() else { return };
    let needs =
        "int rkchat_missing_function(void);\nint f(void) { return rkchat_missing_function(); }";
    let library = folder.library("needs", needs, &[]);
    match ask(&library) {
        Probe::NotLoadable(why) => assert!(why.contains("rkchat_missing_function"), "{why}"),
        other => panic!("{other:?}"),
    }
    let library = folder.library("other", "int f(void) { return 1; }", &[]);
    match ask(&library) {
        Probe::NotLoadable(why) => assert!(why.contains("rkllm_createDefaultParam"), "{why}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn only_the_worker_of_this_release_is_believed() {
    let Some(folder) = Folder::new() else { return };
    let foreign = folder.path().join("foreign");
    let script = "#!/bin/sh\necho rkchat-worker 0.0.0\necho failed it is old\necho end\n";
    std::fs::write(&foreign, script).unwrap();
    std::fs::set_permissions(&foreign, std::fs::Permissions::from_mode(0o755)).unwrap();
    let library = Path::new("/nowhere.so");
    let missing = folder.path().join("missing");
    let cases = [
        (foreign.as_path(), "rkchat-worker 0.0.0"),
        (Path::new("/bin/true"), "it says \"\""),
        (missing.as_path(), "cannot be started"),
        (folder.path(), "cannot be started"),
    ];
    for (worker, expected) in cases {
        match probe_with(worker, library, PATIENT) {
            Probe::NoWorker(why) => assert!(why.contains(expected), "{why}"),
            other => panic!("{}: {other:?}", worker.display()),
        }
    }
}

#[test]
fn the_worker_beside_the_program_is_found() {
    let outcome = probe(Path::new("/nowhere.so"));
    assert!(
        matches!(&outcome, Probe::NotLoadable(why) if why.contains("/nowhere.so")),
        "{outcome:?}"
    );
}

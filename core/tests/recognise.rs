//! Recognising whole files: evidence, verdict, and what is remembered of a file.

mod mocks;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mocks::{Folder, Style, facts, functions, source};
use rkchat::ErrorKind;
use rkchat::vendor::abi::GROUPS;
use rkchat::vendor::recognise::elf::Elf;
use rkchat::vendor::recognise::facts::Facts;
use rkchat::vendor::recognise::recognise;
use rkchat::vendor::recognise::settle::Verdict;
use rkchat::vendor::recognise::symbols::matters;
use rkchat::vendor::recognise::word::Word;

fn told(library: &Path, word: &str) -> rkchat::Result<Verdict> {
    recognise(library, None, Some(&Word::parse(word)?))
}

/// A library of a group that has a version as a text, and another text that is none of RKLLM's.
fn library(folder: &Folder, group: &str, text: &str) -> Option<PathBuf> {
    let texts = format!("const char *rkllm_texts[] = {{ \"{text}\", \"0.9.7\" }};\n");
    let source = source(&facts(group)?, Style::Zeroed, "NULL") + &texts;
    Some(folder.library(group, &source, &[]))
}

#[test]
fn each_group_is_recognised_and_its_release_is_what_the_file_says() {
    let Some(folder) = Folder::new() else { return };
    for group in GROUPS {
        let Some(library) = library(&folder, group.name, group.name) else {
            return;
        };
        let found = recognise(&library, None, None).unwrap();
        assert_eq!(found.group, group.name);
        assert_eq!(found.release.as_deref(), Some(group.name));
        assert_eq!(found.warnings.len(), 1, "it is not official");
        let evidence = found.evidence.join("\n");
        for part in [
            "exported functions",
            "fills its result as group",
            "the text",
        ] {
            assert!(evidence.contains(part), "{evidence}");
        }
        assert!(told(&library, group.name).unwrap().warnings.is_empty());
        let other = if group.name == "1.3.0" {
            "1.2.1"
        } else {
            "1.3.0"
        };
        let error = told(&library, other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous, "{error}");
        let unchecked = told(&library, &format!("{other}!")).unwrap();
        assert_eq!(unchecked.group, other);
    }
}

#[test]
fn a_library_that_cannot_be_probed_is_driven_only_if_the_rest_is_enough() {
    let Some(folder) = Folder::new() else { return };
    let crash = "void rkllm_createDefaultParam(void) { __builtin_trap(); }\n";
    let mock = |group: &str| {
        let source = functions(&facts(group)?) + crash;
        Some(folder.library(group, &source, &[]))
    };
    let (Some(older), Some(newest)) = (mock("1.1.0"), mock("1.3.0")) else {
        return;
    };
    let found = recognise(&older, None, None).unwrap();
    assert_eq!((found.group, found.release), ("1.1.0", None));
    assert!(
        found.warnings[0].contains("was ended by signal"),
        "{:?}",
        found.warnings
    );
    let error = recognise(&newest, None, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
    assert!(error.message().contains("was ended by signal"), "{error}");
    assert_eq!(told(&newest, "1.2.3").unwrap().group, "1.2.1");
}

#[test]
fn a_layout_that_no_group_has_is_refused() {
    let Some(folder) = Folder::new() else { return };
    let Some(facts) = facts("1.3.0") else { return };
    let source = source(&facts, Style::Fields, "NULL").replace("p.top_k = 40;", "p.top_k = 41;");
    let library = folder.library("newer", &source, &[]);
    let error = recognise(&library, None, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
    assert!(
        error.message().contains("A newer rkchat may know it"),
        "{error}"
    );
    assert_eq!(told(&library, "1.3.0!").unwrap().group, "1.3.0");
}

#[test]
fn a_file_is_read_again_only_if_it_changed() {
    let Some(folder) = Folder::new() else { return };
    let Some(file) = library(&folder, "1.1.0", "1.1.2") else {
        return;
    };
    let of = |file: &Path| Facts::of(file).ok().unwrap();
    let first = of(&file);
    assert!(Arc::ptr_eq(&first, &of(&file)));
    let link = folder.path().join("librkllmrt.so");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(
        Arc::ptr_eq(&first, &of(&link)),
        "another name for the same file"
    );

    let other = library(&folder, "1.3.0", "1.3.0").unwrap();
    assert!(!Arc::ptr_eq(&first, &of(&other)));
    fs::rename(&other, &file).unwrap();
    assert_eq!(recognise(&file, None, None).unwrap().group, "1.3.0");

    // One letter of a text, with the size and the old time.
    let second = of(&file);
    let time = fs::metadata(&file).unwrap().modified().unwrap();
    let mut data = fs::read(&file).unwrap();
    let at = data
        .windows(6)
        .position(|bytes| bytes == b"1.3.0\0")
        .unwrap();
    data[at] = b'9';
    fs::write(&file, data).unwrap();
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(time)
        .unwrap();
    let third = of(&file);
    assert_ne!(second.blob, third.blob);
    assert_eq!((second.texts.len(), third.texts.len()), (1, 0));
}

#[test]
fn a_file_that_is_no_runtime_says_so() {
    let Some(folder) = Folder::new() else { return };
    let error = |file: &Path| recognise(file, None, None).unwrap_err();
    let library = folder.library("other", "int rkllm_init(void) { return 0; }", &[]);
    let found = error(&library);
    assert_eq!(found.kind(), ErrorKind::RuntimeInvalid);
    let missing = "it does not export rkllm_createDefaultParam, rkllm_run, rkllm_destroy";
    assert!(found.message().contains(missing), "{found}");
    let page = folder.path().join("librkllmrt.so");
    fs::write(&page, "\n<!DOCTYPE html><html>").unwrap();
    assert!(
        error(&page).message().contains("web page"),
        "{}",
        error(&page)
    );
    assert!(error(&page).message().contains(page.to_str().unwrap()));
    let none = folder.path().join("none.so");
    assert_eq!(error(&none).kind(), ErrorKind::RuntimeNotFound);
}

#[test]
fn exports_are_read_from_either_kind_of_table() {
    let Some(folder) = Folder::new() else { return };
    let source = "extern int rkllm_imported(void); static int rkllm_own(void) { return 1; }\n\
                  __attribute__((visibility(\"hidden\"))) int rkllm_hidden(void) { return rkllm_own(); }\n\
                  __attribute__((weak)) int rkllm_weak(void) { return rkllm_hidden(); }\n\
                  int rkllm_init(void) { return rkllm_imported(); } int rkllm_texts = 1;\n";
    for style in ["sysv", "gnu", "both"] {
        let library = folder.library(style, source, &[&format!("-Wl,--hash-style={style}")]);
        let elf = Elf::read(&fs::read(library).unwrap(), matters).unwrap();
        let names: Vec<_> = elf.exports.iter().map(String::as_str).collect();
        assert_eq!(
            names,
            ["rkllm_init", "rkllm_texts", "rkllm_weak"],
            "{style}"
        );
    }
    let nothing = folder.library(
        "nothing",
        "static int f(void) { return 1; }",
        &["-nostdlib"],
    );
    assert!(
        Elf::read(&fs::read(nothing).unwrap(), |_| true)
            .unwrap()
            .exports
            .is_empty()
    );
}

/// The same sources built for the board, where its compiler is here.
#[test]
fn a_library_for_32_bit_arm_says_what_to_do_on_this_machine() {
    let Some(folder) = Folder::new() else { return };
    let c = folder.path().join("arm.c");
    let library = folder.path().join("arm.so");
    fs::write(&c, "int rkllm_init(void) { return 0; }").unwrap();
    let mut cc = std::process::Command::new("arm-linux-gnueabihf-gcc");
    cc.args(["-shared", "-fPIC", "-nostdlib", "-o"])
        .arg(&library)
        .arg(&c);
    if !cc.status().is_ok_and(|status| status.success()) {
        eprintln!("SKIPPED: there is no compiler for armhf");
        return;
    }
    let expected = match std::env::consts::ARCH {
        "x86_64" => "built for 32-bit Arm, and this program runs on x86-64",
        "aarch64" => "is a 32-bit library and this is a 64-bit program",
        _ => "does not export rkllm_createDefaultParam",
    };
    let error = recognise(&library, None, None).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeInvalid);
    assert!(error.message().contains(expected), "{error}");
}

//! Which runtime is found. Alone in its program, for it sets the environment.

mod common;

use std::fs;
use std::path::{Path, PathBuf};

use common::{Folder, SHORT, cpu_runtime, scripted_runtime};
use rkchat::{ErrorKind, FindOptions, GetOptions, Model, ModelOptions, Runtime, WarningKind};

/// A copy of a group's scripted runtime that names a release as a text.
fn library(at: &Path, group: &str, release: &str) -> PathBuf {
    let mut bytes = fs::read(scripted_runtime(group)).unwrap();
    bytes.extend(format!("\0{release}\0").bytes());
    fs::create_dir_all(at).unwrap();
    let path = at.join("librkllmrt.so");
    // Written anew: a process that has the old file loaded would see it change.
    let _ = fs::remove_file(&path);
    fs::write(&path, bytes).unwrap();
    path
}

fn for_model(version: &str) -> FindOptions {
    FindOptions {
        model_version: Some(version.to_owned()),
        ..FindOptions::default()
    }
}

#[test]
fn the_best_of_what_is_there_is_taken_and_explained() {
    let data = Folder::new();
    let system = Folder::new();
    // SAFETY: no other test of this program runs.
    unsafe {
        std::env::set_var("XDG_DATA_HOME", data.path());
        std::env::set_var("LD_LIBRARY_PATH", system.path());
        std::env::remove_var("RKCHAT_RUNTIME");
        std::env::remove_var("RKCHAT_ABI");
    }
    let error = Runtime::find(&for_model("1.1.2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeNotFound);
    assert!(
        error.message().contains("rkchat runtime get 1.1.2"),
        "{error}"
    );

    let store = data.path().join("rkchat/runtimes");
    let fetched = library(&store.join("1.1.4"), "1.1.0", "1.1.4");
    library(&store.join("1.2.0"), "1.2.0", "1.2.0");
    let installed = library(system.path(), "1.2.1", "1.2.3");

    // The same minor version before a newer one.
    let info = Runtime::find(&for_model("1.1.2")).unwrap().info();
    assert_eq!(info.path, fetched.canonicalize().unwrap());
    assert_eq!(
        (info.release.as_deref(), &*info.abi_group),
        (Some("1.1.4"), "1.1.0")
    );
    let reason = "runtime 1.1.4 was taken for a model of version 1.1.2: the same minor version";
    assert!(
        info.evidence.iter().any(|line| line.contains(reason)),
        "{:?}",
        info.evidence
    );
    let info = Runtime::find(&for_model("1.2.2")).unwrap().info();
    assert_eq!(info.path, installed.canonicalize().unwrap());
    // Without a version the newest.
    let info = Runtime::find(&FindOptions::default()).unwrap().info();
    assert_eq!(info.release.as_deref(), Some("1.2.3"));

    // What is only not known to work is tried, with a warning.
    let info = Runtime::find(&for_model("1.3.0")).unwrap().info();
    assert!(
        info.warnings
            .iter()
            .any(|one| one.kind == WarningKind::VersionPair),
        "{info:?}"
    );

    // What is known to fail is not, unless it is wanted.
    let error = Runtime::find(&for_model("1.0.1")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeMismatch);
    assert!(error.message().contains("refuse models of 1.0"), "{error}");
    let any = FindOptions {
        any_version: true,
        ..for_model("1.0.1")
    };
    let info = Runtime::find(&any).unwrap().info();
    assert!(
        info.evidence.iter().any(|line| line.contains("was forced")),
        "{info:?}"
    );

    a_model_gets_what_fits_it(&fetched);
    what_lies_beside_a_model_is_not_trusted();
    what_cannot_be_loaded_is_passed_over(&store, system.path());
    named_files_are_checked_too(&installed);
    getting_says_what_is_wrong();
}

fn a_model_gets_what_fits_it(fetched: &Path) {
    let folder = Folder::new();
    let options = ModelOptions {
        model_version: Some("1.1.1".to_owned()),
        ..ModelOptions::default()
    };
    let model = Model::open(&folder.file("m.rkllm", SHORT), &options).unwrap();
    assert_eq!(model.info().runtime.path, fetched.canonicalize().unwrap());
    model.close().unwrap();

    // A name or a card says it as well.
    let named = folder.file("m-rk3588-1.1.1.rkllm", SHORT);
    let told = folder.file("README.md", "Compatible with RKLLM version: 1.1.1\n");
    for path in [named, folder.file("n.rkllm", SHORT)] {
        let model = Model::open(&path, &ModelOptions::default()).unwrap();
        assert_eq!(model.info().runtime.path, fetched.canonicalize().unwrap());
    }
    fs::write(told, "RKLLM 1.0.1").unwrap();
    let error = Model::open(&folder.path().join("n.rkllm"), &ModelOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeMismatch);
    assert!(
        error.message().contains("README.md says") && error.message().contains("model_version"),
        "{error}"
    );
}

fn what_lies_beside_a_model_is_not_trusted() {
    let folder = Folder::new();
    library(folder.path(), "1.1.0", "1.1.1");
    let options = FindOptions {
        model_folder: Some(folder.path().to_owned()),
        ..for_model("1.1.1")
    };
    // 1.1.1 itself would be the best.
    let info = Runtime::find(&options).unwrap().info();
    assert_eq!(info.release.as_deref(), Some("1.1.4"));
}

fn what_cannot_be_loaded_is_passed_over(store: &Path, system: &Path) {
    let path = library(&store.join("1.1.2"), "1.1.0", "1.1.2");
    let mut foreign = fs::read(&path).unwrap();
    // The machine in the ELF header: 64-bit Arm on x86-64, x86-64 elsewhere.
    foreign[18] = if cfg!(target_arch = "x86_64") {
        183
    } else {
        62
    };
    fs::write(&path, foreign).unwrap();
    let info = Runtime::find(&for_model("1.1.2")).unwrap().info();
    assert_eq!(info.release.as_deref(), Some("1.1.4"));

    // Where nothing is left, it is said why.
    for release in ["1.1.4", "1.2.0"] {
        fs::remove_dir_all(store.join(release)).unwrap();
    }
    let own = cpu_runtime("1.3.0");
    fs::remove_file(system.join("librkllmrt.so")).unwrap();
    fs::copy(own, system.join("librkllmrt.so")).unwrap();
    let error = Runtime::find(&for_model("1.1.2")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeNotFound);
    assert!(error.message().contains("is built for"), "{error}");
    assert!(error.message().contains("CPU runtime"), "{error}");
}

fn named_files_are_checked_too(installed: &Path) {
    library(installed.parent().unwrap(), "1.2.1", "1.2.3");
    let folder = Folder::new();
    let path = folder.file("m.rkllm", SHORT);
    let old = ModelOptions {
        runtime: Some(installed.to_owned()),
        model_version: Some("1.0.1".to_owned()),
        ..ModelOptions::default()
    };
    let error = Model::open(&path, &old).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeMismatch);
    assert!(error.message().contains("any_version"), "{error}");
    let any = ModelOptions {
        any_version: true,
        ..old
    };
    let warnings = Model::open(&path, &any).unwrap().info().runtime.warnings;
    assert!(
        warnings
            .iter()
            .any(|one| one.kind == WarningKind::VersionPair)
    );
    let odd = ModelOptions {
        model_version: Some("latest".to_owned()),
        ..any
    };
    let error = Model::open(&path, &odd).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("model_version"), "{error}");
    let missing = Path::new("/nowhere/librkllmrt.so");
    let error = Runtime::open(missing, &rkchat::RuntimeOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeNotFound);
    assert!(error.message().contains("rkchat runtime get"), "{error}");
}

fn getting_says_what_is_wrong() {
    let folder = Folder::new();
    let wrong = folder.file("librkllmrt.so", "not what was published");
    let get = |release: Option<&str>, model_version: Option<&str>| {
        Runtime::get(&GetOptions {
            release: release.map(str::to_owned),
            model_version: model_version.map(str::to_owned),
            source: Some(wrong.display().to_string()),
            platform: None,
        })
        .unwrap_err()
    };
    let error = get(Some("1.1.4"), None);
    assert_eq!(error.kind(), ErrorKind::RuntimeInvalid, "{error}");
    assert!(error.message().contains("SHA-1"), "{error}");
    assert_eq!(get(None, Some("1.1.2")).kind(), ErrorKind::RuntimeInvalid);
    for (release, model) in [
        (None, None),
        (Some("1.1.4"), Some("1.1.4")),
        (Some("9.9.9"), None),
    ] {
        assert_eq!(get(release, model).kind(), ErrorKind::InvalidArgument);
    }
}

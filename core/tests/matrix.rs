//! Every library, told or not told what it is: "library of group X, told it is group Y", over the CPU
//! runtimes, which say what they are, and over the scripted ones, which do not.

mod common;

use std::path::PathBuf;

use common::{ALL_GROUPS, Folder, SHORT, at_most, cpu_runtime, read, scripted_runtime};
use rkchat::{ErrorKind, Model, ModelOptions, Runtime, RuntimeOptions, WarningKind};
use serde_json::json;

/// These are driven alike, and only a version text tells them apart.
fn alike(one: &str, other: &str) -> bool {
    let pair = ["1.2.0", "1.2.1b1"];
    one == other || (pair.contains(&one) && pair.contains(&other))
}

#[test]
fn not_told_every_cpu_runtime_says_what_it_is() {
    for group in ALL_GROUPS {
        let own = Runtime::open(&cpu_runtime(group), &RuntimeOptions::default()).unwrap();
        assert_eq!(
            (&*own.info().name, &*own.info().abi_group),
            ("rkchat-cpu", group)
        );
        assert!(own.info().warnings.is_empty());
    }
}

#[test]
fn not_told_every_other_library_is_recognised() {
    for group in ALL_GROUPS {
        let other = Runtime::open(&scripted_runtime(group), &RuntimeOptions::default()).unwrap();
        let info = other.info();
        assert_eq!(info.name, "rkllm");
        assert!(alike(&info.abi_group, group), "{group}: {info:?}");
        // A file that nobody has published.
        assert_eq!(info.warnings.len(), 1, "{info:?}");
        assert_eq!(info.warnings[0].kind, WarningKind::UnknownRuntime);
        assert!(info.warnings[0].message.contains("RKCHAT_ABI"));
        assert!(
            info.evidence
                .iter()
                .any(|line| line.contains("exported functions"))
        );
        assert!(
            info.evidence
                .iter()
                .any(|line| line.contains("rkllm_createDefaultParam"))
        );
        assert_eq!(info.platform, None);
    }
}

/// Tells each group's library that it is of each group in turn; `fits` says which words are right.
fn told(library: impl Fn(&str) -> PathBuf, fits: impl Fn(&str, &str) -> bool) {
    for group in ALL_GROUPS {
        for said in ALL_GROUPS {
            let options = RuntimeOptions {
                abi: Some(said.to_owned()),
                ..RuntimeOptions::default()
            };
            let opened = Runtime::open(&library(group), &options);
            assert_eq!(opened.is_ok(), fits(said, group), "{group} as {said}");
            if let Err(error) = opened {
                assert_eq!(error.kind(), ErrorKind::RuntimeAmbiguous);
                assert!(
                    error.message().contains(&format!("abi says {said}")),
                    "{error}"
                );
            }
        }
    }
}

#[test]
fn a_cpu_runtime_told_wrongly_is_an_error_and_told_rightly_is_taken() {
    told(cpu_runtime, |said, group| said == group);
}

#[test]
fn another_library_told_wrongly_is_an_error_and_told_rightly_is_taken() {
    told(scripted_runtime, alike);
}

#[test]
fn a_runtime_that_is_recognised_answers() {
    for group in ALL_GROUPS {
        let folder = Folder::new();
        let script = folder.file("s.rkllm", SHORT);
        let options = ModelOptions {
            runtime: Some(scripted_runtime(group)),
            chat_template: Some("{{ messages[0].content }}".to_owned()),
            assume: Some(json!({"instances": "many"})),
            ..ModelOptions::default()
        };
        let model = Model::open(&script, &options).unwrap();
        let question = json!([{"role": "user", "content": "hi"}]);
        let generation = model.generate(&question, &at_most(8)).unwrap();
        assert_eq!(read(&generation).concat(), "one two three", "{group}");
    }
}

#[test]
fn unchecked_is_taken_as_it_is() {
    // 1.2.1b1's layout serves 1.2.0 and the other way round, so this one cannot crash.
    let options = RuntimeOptions {
        abi: Some("1.2.0".to_owned()),
        abi_unchecked: true,
    };
    let runtime = Runtime::open(&scripted_runtime("1.2.1b1"), &options).unwrap();
    assert_eq!(runtime.info().abi_group, "1.2.0");
    // Against the evidence it is taken with a warning; no model is opened with it here.
    let options = RuntimeOptions {
        abi: Some("1.1.0!".to_owned()),
        abi_unchecked: false,
    };
    let info = Runtime::open(&scripted_runtime("1.3.0"), &options)
        .unwrap()
        .info();
    assert_eq!(info.abi_group, "1.1.0");
    assert!(info.warnings[0].message.contains("abi says so"), "{info:?}");
    let lonely = RuntimeOptions {
        abi: None,
        abi_unchecked: true,
    };
    let error = Runtime::open(&scripted_runtime("1.3.0"), &lonely).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

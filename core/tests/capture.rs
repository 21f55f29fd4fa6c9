//! Reading the runtime's log. Alone in its program, for it reads what the whole process prints.

mod common;

use std::process::Command;
use std::time::{Duration, Instant};

use common::{GROUPS, open_with, options};
use rkchat::{ErrorKind, ModelOptions};

#[test]
fn the_log_explains_where_it_is_read() {
    let captured = |group| ModelOptions {
        capture_logs: true,
        ..options(group)
    };
    for group in GROUPS {
        let error = open_with(
            r#"{"init": "fail", "init_error": "no such luck"}"#,
            &captured(group),
        )
        .unwrap_err();
        assert!(error.message().contains("no such luck"), "{error}");
        assert!(!error.details()["log"].as_array().unwrap().is_empty());

        let small = r#"{"pieces": ["a"], "max_context_limit": 1024}"#;
        let model = open_with(small, &captured(group)).unwrap();
        assert_eq!(model.info().max_context_len, 1024);
        let asked = ModelOptions {
            max_context_len: Some(2048),
            ..captured(group)
        };
        let error = open_with(small, &asked).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains("1024"), "{error}");
    }
}

/// 1.1.x returns 0 and a handle after a load that failed.
#[test]
fn success_after_an_error_line_is_not_believed() {
    for (group, log_to) in [
        ("1.1.0", "stderr"),
        ("1.1.0", "stdout"),
        ("1.3.0", "stdout"),
    ] {
        let script = format!(r#"{{"init": "lie", "log_to": "{log_to}"}}"#);
        let captured = ModelOptions {
            capture_logs: true,
            ..options(group)
        };
        let error = open_with(&script, &captured).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
        assert!(
            error.message().contains("invalid rknn llm model magic"),
            "{error}"
        );
    }
}

#[test]
fn a_failure_for_want_of_npu_memory_names_its_causes_in_order() {
    let script = r#"{"init": "fail", "init_error": "failed to malloc npu memory, size: 50593792, flags: 0x2"}"#;
    let captured = ModelOptions {
        capture_logs: true,
        ..options("1.2.1")
    };
    let error = open_with(script, &captured).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
    assert_eq!(error.details()["cause"], "npu_memory");
    let parts = [
        "malloc",
        "NPU driver",
        "free memory",
        "other users",
        "domain 1",
    ];
    let places: Vec<_> = parts
        .iter()
        .map(|part| error.message().find(part))
        .collect();
    assert!(places.iter().all(Option::is_some), "{error}");
    assert!(places.is_sorted(), "{error}");
}

#[test]
fn a_window_that_was_clamped_is_noticed() {
    let script = r#"{"pieces": ["a"], "max_context_limit": 512, "context_limit": "clamp"}"#;
    let captured = ModelOptions {
        capture_logs: true,
        max_context_len: Some(1024),
        ..options("1.1.0")
    };
    let model = open_with(script, &captured).unwrap();
    assert_eq!(model.info().max_context_len, 512);
}

#[test]
fn a_process_that_was_started_meanwhile_does_not_hold_the_model_up() {
    let spawner = std::thread::spawn(|| {
        std::thread::sleep(Duration::from_millis(150));
        Command::new("sleep").arg("30").spawn().unwrap()
    });
    let options = ModelOptions {
        capture_logs: true,
        ..options("1.3.0")
    };
    let started = Instant::now();
    open_with(r#"{"init_ms": 500}"#, &options).unwrap();
    assert!(started.elapsed() < Duration::from_secs(15));
    let mut child = spawner.join().unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
}

//! The board report, over runtimes that do and do not do as rkchat assumes, and what comes of saving it.

mod common;

use common::{Folder, cpu_runtime, scripted_runtime};
use rkchat::vendor::board::{self, Report, Verdict};
use rkchat::vendor::{assumptions::ASSUMPTIONS, measured};
use rkchat::{Model, ModelOptions};

fn verdict(report: &Report, id: &str) -> Verdict {
    let finding = report.findings.iter().find(|finding| finding.id == id);
    finding.unwrap_or_else(|| panic!("{id} is missing")).verdict
}

fn check(runtime: &std::path::Path, script: &str) -> Report {
    let folder = Folder::new();
    board::check(runtime, None, &folder.file("model.rkllm", script)).unwrap()
}

const STORY: &str = r#"{"pieces": ["a ", "b ", "c ", {"hex": "f09f", "id": 7}, {"hex": "8e89", "id": 8}],
                        "repeat": 400, "delay_ms": 1}"#;

#[test]
fn what_holds_and_what_does_not() {
    let report = check(&scripted_runtime("1.3.0"), STORY);
    for one in ASSUMPTIONS {
        // Whether there may be two models is only tried in a process that may be lost, and a script begins
        // again where a model goes on.
        if !["one-model-before-1.2.2", "resume-input"].contains(&one.id) {
            let found = verdict(&report, one.id);
            assert_ne!(found, Verdict::Broken, "{report}");
        }
    }
    for id in [
        "default-param",
        "token-input-bos",
        "token-id-per-callback",
        "abort-other-thread",
    ] {
        assert_eq!(verdict(&report, id), Verdict::Holds, "{id}: {report}");
    }
    let text = report.to_string();
    assert!(
        text.contains(&report.sha1) && text.contains("holds"),
        "{text}"
    );

    // It does not listen, so the second question of an abort is never answered.
    let deaf = STORY.replacen('{', r#"{"deaf": true, "unlimited": true, "#, 1);
    let report = check(&scripted_runtime("1.2.1"), &deaf);
    assert_eq!(
        verdict(&report, "abort-other-thread"),
        Verdict::Broken,
        "{report}"
    );
    assert!(
        report
            .to_string()
            .contains("so:      an answer that was cut short")
    );
}

#[test]
fn a_saved_report_is_what_open_goes_by() {
    let model = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../.cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"
    );
    if !std::path::Path::new(model).is_file() {
        eprintln!("SKIPPED: {model} is missing; make test fetches it");
        return;
    }
    let data = Folder::new();
    // SAFETY: no other test of this program looks at the environment while it runs.
    unsafe { std::env::set_var("XDG_DATA_HOME", data.path()) };
    let runtime = cpu_runtime("1.2.1");
    let mut report = board::check(&runtime, None, model.as_ref()).unwrap();
    assert!(
        report
            .findings
            .iter()
            .all(|one| one.verdict != Verdict::Broken),
        "{report}"
    );
    assert_eq!(report.assume()["bos"], "keep");
    let bos = report
        .findings
        .iter_mut()
        .find(|one| one.id == "token-input-bos");
    // As on a board whose runtime adds one.
    bos.unwrap().measured = Some(("bos", "strip"));
    let file = measured::save(&report).unwrap();
    assert!(file.starts_with(data.path()), "{}", file.display());

    let options = ModelOptions {
        runtime: Some(runtime),
        ..ModelOptions::default()
    };
    let assumed = Model::open(model.as_ref(), &options)
        .unwrap()
        .info()
        .assumed;
    assert!(
        assumed.contains(&"bos=strip (measured on this board)".to_owned()),
        "{assumed:?}"
    );
}

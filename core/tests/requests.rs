//! What a request may ask for, over the scripted runtime: sampling where the runtime fixes it, its own
//! ends, its time. Most of it is in tests/vectors/requests.jsonl, which all languages run.

mod common;

use std::time::{Duration, Instant};

use common::{
    ALL_GROUPS, ENDLESS, Folder, GROUPS, LONG, SHORT, SOON, ask, ask_with, begun, byte_tokenizer,
    open, open_with, options, recording,
};
use rkchat::{
    Completion, ErrorKind, FinishReason, FixedSampling, GenerateOptions, Json, Measure, Model,
    ModelOptions, WarningKind,
};
use serde_json::json;

const RECORDED: &str = r#"{"pieces": ["x"], "record": "record.jsonl"}"#;

/// Those that fix sampling when a model is opened.
const FIXED: [&str; 4] = ["1.1.0", "1.2.0", "1.2.1b1", "1.2.1"];

fn kinds(completion: &Completion) -> Vec<WarningKind> {
    completion.warnings.iter().map(|one| one.kind).collect()
}

fn cool() -> GenerateOptions {
    GenerateOptions {
        temperature: Some(0.25),
        top_k: Some(40),
        ..GenerateOptions::default()
    }
}

fn settings(call: &Json) -> [f64; 5] {
    [
        "top_k",
        "top_p",
        "temperature",
        "repeat_penalty",
        "mirostat_tau",
    ]
    .map(|name| {
        let value = call["sampling"][name].as_f64().unwrap();
        (value * 1000.0).round() / 1000.0
    })
}

#[test]
fn every_runtime_is_opened_with_the_same_defaults() {
    for group in ALL_GROUPS {
        let (folder, model) = recording(group, RECORDED, ModelOptions::default());
        assert_eq!(
            settings(&folder.record("init")[0]),
            [40.0, 0.9, 0.8, 1.1, 5.0],
            "{group}"
        );
        let told = model.info().sampling;
        assert_eq!((told.top_k, told.top_p), (40, 0.9));
        assert_eq!((told.temperature, told.repeat_penalty), (0.8, 1.1));
        let (folder, model) = recording(
            group,
            RECORDED,
            ModelOptions {
                temperature: Some(0.5),
                mirostat_tau: Some(3.0),
                ..ModelOptions::default()
            },
        );
        assert_eq!(
            settings(&folder.record("init")[0]),
            [40.0, 0.9, 0.5, 1.1, 3.0]
        );
        assert_eq!(model.info().sampling.temperature, 0.5);
    }
}

#[test]
fn what_the_authors_recommend_counts_before_the_defaults() {
    let folder = Folder::new();
    let script = folder.file("s.rkllm", RECORDED);
    folder.file(
        "generation_config.json",
        r#"{"do_sample": false, "repetition_penalty": 1.3}"#,
    );
    let model = Model::open(&script, &options("1.3.0")).unwrap();
    assert_eq!(model.info().sampling.top_k, 1);
    // Who asks for a temperature does not want what is greedy by recommendation only.
    for (options, top_k) in [
        (GenerateOptions::default(), 1.0),
        (cool(), 40.0),
        (
            GenerateOptions {
                top_p: Some(0.5),
                ..GenerateOptions::default()
            },
            40.0,
        ),
    ] {
        ask_with(&model, &options).completion().unwrap();
        let last = folder.record("run").pop().unwrap();
        assert_eq!(settings(&last)[0], top_k);
    }
}

#[test]
fn fixed_sampling_warns_with_what_was_asked_and_what_was_used() {
    for group in FIXED {
        let model = open(group, SHORT);
        let completion = ask_with(&model, &cool()).completion().unwrap();
        assert_eq!(kinds(&completion), [WarningKind::FixedSampling]);
        let message = &completion.warnings[0].message;
        assert!(
            message.contains("`temperature` is 0.8 and not 0.25"),
            "{message}"
        );
        assert!(!message.contains("top_k"), "{message}");
        assert_eq!(completion.text, "one two three");
        assert_eq!(kinds(&ask(&model).completion().unwrap()), []);
    }
    let completion = ask_with(&open("1.3.0", SHORT), &cool())
        .completion()
        .unwrap();
    assert_eq!(kinds(&completion), []);
}

#[test]
fn fixed_sampling_can_be_an_error() {
    for group in FIXED {
        let options = ModelOptions {
            fixed_sampling: Some(FixedSampling::Error),
            ..options(group)
        };
        let model = open_with(SHORT, &options).unwrap();
        let error = model.complete_ids(&[1], &cool()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.details()["since"], "1.3.0");
        assert!(error.message().contains("temperature"), "{error}");
        let same = GenerateOptions {
            temperature: Some(0.8),
            ..GenerateOptions::default()
        };
        assert_eq!(
            ask_with(&model, &same).completion().unwrap().text,
            "one two three"
        );
    }
}

#[test]
fn fixed_sampling_can_open_the_model_again() {
    for group in FIXED {
        let (folder, model) = recording(
            group,
            RECORDED,
            ModelOptions {
                fixed_sampling: Some(FixedSampling::Reload),
                ..ModelOptions::default()
            },
        );
        for options in [
            GenerateOptions::default(),
            cool(),
            cool(),
            GenerateOptions::default(),
        ] {
            let completion = ask_with(&model, &options).completion().unwrap();
            assert_eq!(
                (completion.text.as_str(), kinds(&completion)),
                ("x", vec![])
            );
        }
        let opened = folder.record("init");
        let temperatures: Vec<f64> = opened.iter().map(|init| settings(init)[2]).collect();
        assert_eq!(temperatures, [0.8, 0.25, 0.8], "{group}");
        assert_eq!(folder.record("destroy").len(), 2);
    }
}

#[test]
fn what_no_runtime_has_is_told() {
    let options = GenerateOptions {
        seed: Some(7),
        min_p: Some(0.05),
        ..GenerateOptions::default()
    };
    for group in GROUPS {
        let completion = ask_with(&open(group, SHORT), &options)
            .completion()
            .unwrap();
        assert_eq!(kinds(&completion), [WarningKind::IgnoredOption; 2]);
        let all = format!("{:?}", completion.warnings);
        assert!(all.contains("`seed`") && all.contains("`min_p`"), "{all}");
    }
}

#[test]
fn a_stop_string_aborts_the_run_at_once() {
    for group in GROUPS {
        let model = open(group, ENDLESS);
        let options = GenerateOptions {
            stop_strings: Some(vec!["c ".into()]),
            ..GenerateOptions::default()
        };
        let start = Instant::now();
        let completion = ask_with(&model, &options).completion().unwrap();
        assert_eq!(completion.text, "a b ");
        assert!(start.elapsed() < LONG);
        assert_eq!(
            ask_with(&model, &options).completion().unwrap().text,
            "a b "
        );
    }
}

#[test]
fn a_request_has_no_more_time_than_it_was_given() {
    let options = |timeout| GenerateOptions {
        timeout: Some(timeout),
        ..GenerateOptions::default()
    };
    for group in GROUPS {
        let model = open(group, ENDLESS);
        let generation = ask_with(&model, &options(Duration::from_millis(150)));
        begun(&generation);
        let error = generation.completion().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(generation.finish_reason(), Some(FinishReason::Error));
        // What follows is not the late one's.
        let next = ask_with(&model, &common::at_most(2)).completion().unwrap();
        assert_eq!(next.text, "a b ");
        // It counts in the queue, too.
        let first = ask(&model);
        begun(&first);
        let second = ask_with(&model, &options(Duration::from_millis(50)));
        let error = second.completion().unwrap_err();
        assert!(error.message().contains("timeout"), "{error}");
        assert!(first.next(Some(SOON)).is_ok());
    }
}

#[test]
fn the_end_of_sequence_can_be_ignored_where_the_runtime_can() {
    let folder = Folder::new();
    folder.file("tokenizer.json", &byte_tokenizer());
    folder.file("generation_config.json", r#"{"eos_token_id": 256}"#);
    let script = folder.file(
        "s.rkllm",
        r#"{"pieces": [["a", 97], ["", 256], ["b", 98]], "record": "record.jsonl"}"#,
    );
    let on = GenerateOptions {
        ignore_eos: true,
        ..GenerateOptions::default()
    };
    let model = Model::open(&script, &options("1.3.0")).unwrap();
    let error = model.complete_ids(&[1], &on).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(
        error.message().contains("Open the model with ignore_eos"),
        "{error}"
    );
    assert_eq!(ask(&model).completion().unwrap().text, "a");
    let opened_so = |group| ModelOptions {
        ignore_eos: true,
        ..options(group)
    };
    let model = Model::open(&script, &opened_so("1.3.0")).unwrap();
    assert_eq!(
        folder.record("init").pop().unwrap()["ignore_eos_token"],
        true
    );
    assert_eq!(ask_with(&model, &on).completion().unwrap().text, "ab");
    assert_eq!(ask(&model).completion().unwrap().text, "a");
    for group in FIXED {
        let error = Model::open(&script, &opened_so(group)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.message().contains("1.3.0"), "{error}");
    }
}

#[test]
fn every_number_says_who_measured_it() {
    for group in GROUPS {
        let model = open(group, SHORT);
        let completion = ask(&model).completion().unwrap();
        assert_eq!(completion.usage.counted_by, Measure::Rkchat);
        let timings = completion.timings;
        assert!(timings.peak_memory > 1 << 20, "{timings:?}");
        if group < "1.2.1" {
            assert_eq!(timings.memory_measured_by, Measure::Rkchat);
            assert_eq!(timings.measured_by, Measure::Rkchat);
        }
    }
}

#[test]
fn a_text_is_the_whole_answer() {
    let model = open("1.3.0", SHORT);
    assert_eq!(ask(&model).text().unwrap(), "one two three");
    let failing = open("1.3.0", r#"{"run": "fail"}"#);
    assert_eq!(
        ask(&failing).text().unwrap_err().kind(),
        ErrorKind::RuntimeFailed
    );
    let completion = ask(&model).completion().unwrap();
    assert_eq!(
        completion.message,
        json!({"role": "assistant", "content": "one two three"})
    );
}

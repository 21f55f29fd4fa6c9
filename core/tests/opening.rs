//! Opening in the background, unloading, status, warm-up and the memory check, over the scripted runtime.

mod common;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::{
    ENDLESS, Folder, GROUPS, LONG, SOON, ask, ask_with, at_most, begun, byte_tokenizer, open,
    options,
};
use rkchat::{
    AdapterOptions, Chat, ChatOptions, ErrorKind, FixedSampling, GenerateOptions, MemoryCheck,
    Model, ModelOptions, ModelState, Opening, OpeningStage, WarningKind,
};

const SLOW: &str = r#"{"pieces": [["a ", 1]], "init_ms": 600, "record": "record.jsonl"}"#;
const RECORDED: &str = r#"{"pieces": [["a ", 97]], "record": "record.jsonl"}"#;

/// A script in a folder of its own.
fn script(text: &str) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let path = folder.file("s.rkllm", text);
    (folder, path)
}

/// Waits until something is so.
fn until(what: impl Fn() -> bool) {
    let asked = Instant::now();
    while !what() {
        assert!(asked.elapsed() < LONG, "it never is");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn state(model: &Model) -> ModelState {
    model.status().unwrap().state
}

#[test]
fn an_opening_is_watched_and_waited_for() {
    let (_folder, path) = script(SLOW);
    let opening = Opening::start(&path, &options("1.2.1")).unwrap();
    assert!(!opening.wait(Some(Duration::from_millis(50))).unwrap());
    until(|| opening.progress().unwrap().stage == OpeningStage::Loading);
    let progress = opening.progress().unwrap();
    assert_eq!(progress.bytes_total, Some(SLOW.len() as u64));
    assert!(
        progress
            .bytes_read
            .is_none_or(|read| read <= SLOW.len() as u64)
    );
    assert!(opening.wait(None).unwrap());
    assert_eq!(opening.progress().unwrap().stage, OpeningStage::Ready);
    let models = [opening.model().unwrap(), opening.model().unwrap()];
    drop(opening);
    for model in &models {
        assert_eq!(ask(model).completion().unwrap().text, "a ");
    }
    // Both are handles of one model.
    models[0].close().unwrap();
    assert_eq!(state(&models[1]), ModelState::Closed);
}

#[test]
fn what_fails_is_told_where_the_model_is_asked_for() {
    let (_folder, path) = script(r#"{"init": "fail"}"#);
    let opening = Opening::start(&path, &options("1.3.0")).unwrap();
    assert!(opening.wait(None).unwrap());
    assert_eq!(opening.progress().unwrap().stage, OpeningStage::Failed);
    for _ in 0..2 {
        let error = opening.model().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
    }
    let nothing = Opening::start(Path::new("/nothing/here"), &ModelOptions::default()).unwrap();
    assert_eq!(nothing.model().unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(nothing.progress().unwrap().bytes_total, None);
    // What is wrong with the options is told at once.
    let wrong = ModelOptions {
        top_p: Some(2.0),
        ..options("1.3.0")
    };
    let error = Opening::start(&path, &wrong).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
}

#[test]
fn an_opening_that_is_given_up_frees_its_model() {
    for group in GROUPS {
        let (folder, path) = script(SLOW);
        let opening = Opening::start(&path, &options(group)).unwrap();
        until(|| folder.record("init").len() == 1);
        let asked = Instant::now();
        drop(opening);
        assert!(asked.elapsed() < SOON, "dropping does not wait");
        until(|| folder.record("destroy").len() == 1);
    }
    let (folder, path) = script(SLOW);
    let opening = Opening::start(&path, &options("1.1.0")).unwrap();
    until(|| folder.record("init").len() == 1);
    opening.cancel();
    assert!(opening.wait(None).unwrap());
    assert_eq!(folder.record("destroy").len(), 1);
    assert_eq!(opening.model().unwrap_err().kind(), ErrorKind::Closed);
    assert_eq!(opening.progress().unwrap().stage, OpeningStage::Failed);
    // One that nobody took.
    let (folder, path) = script(RECORDED);
    let opening = Opening::start(&path, &options("1.1.0")).unwrap();
    assert!(opening.wait(None).unwrap());
    drop(opening);
    assert_eq!(folder.record("destroy").len(), 1);
}

#[test]
fn status_tells_what_a_model_does_and_waits_for_nothing() {
    let model = open("1.3.0", ENDLESS);
    let status = model.status().unwrap();
    assert_eq!((status.state, status.waiting), (ModelState::Ready, 0));
    assert!(status.idle_for.is_some() && status.loaded_for.is_some());
    assert!(status.running_for.is_none() && status.model_memory > 0);
    assert!(status.process_memory > Some(0) && status.available_memory > Some(0));
    let running = ask(&model);
    begun(&running);
    let waiting = ask(&model);
    let asked = Instant::now();
    let status = model.status().unwrap();
    assert!(asked.elapsed() < SOON);
    assert_eq!((status.state, status.waiting), (ModelState::Running, 1));
    assert!(status.running_for.is_some() && status.idle_for.is_none());
    waiting.cancel();
    running.cancel();
    until(|| state(&model) == ModelState::Ready);
    model.unload().unwrap();
    let status = model.status().unwrap();
    assert_eq!(
        (status.state, status.loaded_for),
        (ModelState::Unloaded, None)
    );
    model.close().unwrap();
    let status = model.status().unwrap();
    assert_eq!((status.state, status.idle_for), (ModelState::Closed, None));
}

#[test]
fn what_is_unloaded_is_loaded_again_as_it_was() {
    for group in GROUPS {
        let (folder, path) = script(RECORDED);
        folder.file("tokenizer.json", &byte_tokenizer());
        let adapter = folder.file("x.lora", "");
        let reload = ModelOptions {
            fixed_sampling: Some(FixedSampling::Reload),
            chat_template: Some("{% for m in messages %}{{ m.content }};{% endfor %}".to_owned()),
            ..options(group)
        };
        let model = Model::open(&path, &reload).unwrap();
        model
            .load_adapter(&adapter, &AdapterOptions::default())
            .unwrap();
        let cold = GenerateOptions {
            temperature: Some(0.25),
            adapter: Some("x".to_owned()),
            ..at_most(1)
        };
        let chat = Chat::open(&model, &ChatOptions::default()).unwrap();
        chat.send("one", &cold).unwrap().completion().unwrap();
        let before = folder.record("init").len();
        for _ in 0..2 {
            model.unload().unwrap();
            assert_eq!(state(&model), ModelState::Unloaded);
            assert_eq!(folder.record("destroy").len(), before, "{group}");
        }
        // Text and tokens need no model.
        assert_eq!(
            model.encode("ab", &Default::default()).unwrap(),
            [97, 98],
            "{group}"
        );
        assert_eq!(folder.record("init").len(), before);
        chat.send("two", &cold).unwrap().completion().unwrap();
        let inits = folder.record("init");
        assert_eq!(inits.len(), before + 1, "{group}");
        assert_eq!(inits[before], inits[before - 1], "{group}");
        let loads = folder.record("load_lora").len();
        assert_eq!(loads, inits.len(), "{group}");
        let runs = folder.record("run");
        let fed = runs.last().unwrap()["input"].as_array().unwrap().len();
        assert_eq!(fed, "one;a ;two;".len() - 1, "{group}: {runs:?}");
        assert_eq!(state(&model), ModelState::Ready);
    }
}

#[test]
fn what_cannot_be_loaded_again_is_tried_again() {
    let (folder, path) = script(RECORDED);
    let model = Model::open(&path, &options("1.2.0")).unwrap();
    model.unload().unwrap();
    folder.file("s.rkllm", r#"{"init": "fail"}"#);
    for _ in 0..2 {
        let error = ask(&model).completion().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
        assert_eq!(state(&model), ModelState::Unloaded);
    }
    folder.file("s.rkllm", RECORDED);
    assert_eq!(ask(&model).completion().unwrap().text, "a ");
}

#[test]
fn a_request_whose_sampling_needs_a_load_that_fails_takes_no_other_with_it() {
    let (folder, path) = script(RECORDED);
    let reload = ModelOptions {
        fixed_sampling: Some(FixedSampling::Reload),
        ..options("1.2.0")
    };
    let model = Model::open(&path, &reload).unwrap();
    folder.file("s.rkllm", r#"{"init": "fail"}"#);
    let cold = GenerateOptions {
        temperature: Some(0.25),
        ..at_most(1)
    };
    let error = ask_with(&model, &cold).completion().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
    assert_eq!(state(&model), ModelState::Unloaded);
    folder.file("s.rkllm", RECORDED);
    assert_eq!(ask(&model).completion().unwrap().text, "a ");
    let inits = folder.record("init");
    assert_eq!(
        inits.last().unwrap()["sampling"]["temperature"],
        inits[0]["sampling"]["temperature"]
    );
}

#[test]
fn a_model_without_requests_is_unloaded_after_a_while() {
    let (folder, path) = script(RECORDED);
    let brief = ModelOptions {
        keep_alive: Some(Duration::from_millis(100)),
        ..options("1.2.1")
    };
    let model = Model::open(&path, &brief).unwrap();
    for loads in 1..3 {
        assert_eq!(ask(&model).completion().unwrap().text, "a ");
        until(|| state(&model) == ModelState::Unloaded);
        assert_eq!(folder.record("init").len(), loads);
        assert_eq!(folder.record("destroy").len(), loads);
    }
    // At once, also where no request ever comes.
    let never = ModelOptions {
        keep_alive: Some(Duration::ZERO),
        warmup: true,
        ..options("1.3.0")
    };
    let model = Model::open(&path, &never).unwrap();
    until(|| state(&model) == ModelState::Unloaded);
    assert_eq!(ask(&model).completion().unwrap().text, "a ");
    until(|| state(&model) == ModelState::Unloaded);
    // Neither a request in progress nor closing is affected by it.
    let slow = r#"{"pieces": ["a"], "repeat": 6, "delay_ms": 60}"#;
    let (_folder, path) = script(slow);
    let model = Model::open(&path, &brief).unwrap();
    assert_eq!(ask(&model).completion().unwrap().text, "aaaaaa");
    let long = ModelOptions {
        keep_alive: Some(Duration::from_secs(3600)),
        ..options("1.2.1")
    };
    let model = Model::open(&path, &long).unwrap();
    let asked = Instant::now();
    model.close().unwrap();
    assert!(asked.elapsed() < SOON);
}

#[test]
fn a_model_that_is_unloaded_can_be_closed_and_dropped() {
    let (folder, path) = script(RECORDED);
    let model = Model::open(&path, &options("1.1.0")).unwrap();
    model.unload().unwrap();
    model.close().unwrap();
    assert_eq!(model.unload().unwrap_err().kind(), ErrorKind::Closed);
    let error = model.complete_ids(&[1], &GenerateOptions::default());
    assert_eq!(error.unwrap_err().kind(), ErrorKind::Closed);
    let model = Model::open(&path, &options("1.1.0")).unwrap();
    model.unload().unwrap();
    drop(model);
    assert_eq!(folder.record("destroy").len(), 2);
}

#[test]
fn memory_is_checked_before_anything_is_loaded() {
    let (folder, path) = script(RECORDED);
    // A cache larger than any board's memory.
    let config = r#"{"num_hidden_layers": 100000, "num_attention_heads": 64, "head_dim": 4096}"#;
    folder.file("config.json", config);
    let checked = |memory_check| ModelOptions {
        memory_check,
        ..options("1.2.1")
    };
    let error = Model::open(&path, &checked(Some(MemoryCheck::Error))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::OutOfMemory);
    let number = |name: &str| error.details()[name].as_u64().unwrap();
    assert!(number("needed") > number("available"));
    assert!(error.message().contains("4096 tokens"), "{error}");
    assert!(folder.record("init").is_empty());
    for (check, warned) in [(None, true), (Some(MemoryCheck::Off), false)] {
        let model = Model::open(&path, &checked(check)).unwrap();
        let warnings = model.info().warnings;
        let memory = warnings
            .iter()
            .any(|warning| warning.kind == WarningKind::Memory);
        assert_eq!(memory, warned, "{warnings:?}");
        assert_eq!(model.status().unwrap().model_memory, number("needed"));
    }
}

#[test]
fn the_first_token_may_be_produced_while_opening() {
    for group in GROUPS {
        let script_text = r#"{"pieces": [["a ", 97]], "repeat": 3, "record": "record.jsonl"}"#;
        let (folder, path) = script(script_text);
        folder.file("tokenizer.json", &byte_tokenizer());
        let warm = ModelOptions {
            warmup: true,
            ..options(group)
        };
        let model = Model::open(&path, &warm).unwrap();
        assert_eq!(folder.record("run").len(), 1, "{group}");
        assert_eq!(
            folder.record("clear_cache").len(),
            usize::from(group != "1.1.0"),
            "{group}"
        );
        assert_eq!(
            ask(&model).completion().unwrap().usage.new_tokens,
            3,
            "{group}"
        );
    }
    let several = ModelOptions {
        warmup: true,
        n_batch: Some(2),
        ..options("1.3.0")
    };
    let (folder, path) = script(RECORDED);
    Model::open(&path, &several).unwrap();
    assert_eq!(folder.record("run").len(), 1);
    let (_folder, path) = script(r#"{"run": "fail"}"#);
    let warm = ModelOptions {
        warmup: true,
        ..options("1.3.0")
    };
    let error = Model::open(&path, &warm).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
}

#[test]
fn a_run_that_fails_after_an_abort_is_tried_once_more() {
    let breaks = r#"{"pieces": [["a ", 1]], "repeat": 0, "delay_ms": 5, "abort_breaks": true}"#;
    for group in GROUPS {
        let (folder, path) = script(breaks);
        let model = Model::open(&path, &options(group)).unwrap();
        let cut = || {
            let first = ask(&model);
            begun(&first);
            first.cancel();
        };
        cut();
        let completion = ask_with(&model, &at_most(2)).completion().unwrap();
        assert_eq!(completion.text, "a a ", "{group}");
        let kinds: Vec<_> = completion.warnings.iter().map(|told| told.kind).collect();
        assert_eq!(kinds, [WarningKind::Reopened], "{group}");
        cut();
        folder.file("s.rkllm", r#"{"run": "fail"}"#);
        let error = ask_with(&model, &at_most(2)).completion().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeFailed, "{group}");
        assert!(error.message().contains("during the run"), "{error}");
    }
}

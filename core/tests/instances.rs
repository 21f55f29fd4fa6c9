//! Several models in one process. Alone in its program, for what is open counts for the whole process.

mod common;

use common::{Folder, cpu_runtime, open_with, scripted_runtime};
use rkchat::{ErrorKind, Model, ModelOptions, Result};
use serde_json::json;

fn open(group: &str) -> Result<Model> {
    let options = ModelOptions {
        runtime: Some(scripted_runtime(group)),
        ..ModelOptions::default()
    };
    open_with(r#"{"pieces": ["a"], "second": "block"}"#, &options)
}

#[test]
fn a_second_model_is_refused_before_1_2_2() {
    let first = open("1.1.0").unwrap();
    // A runtime that lets others in does not help the one that does not.
    for group in ["1.1.0", "1.3.0"] {
        let error = open(group).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{group}");
        assert!(error.message().contains("1.2.2"), "{error}");
        assert_eq!(error.details()["capability"], "several_models");
    }
    let folder = Folder::new();
    // rkchat's own runtime holds as many as there is memory for.
    let own = ModelOptions {
        runtime: Some(cpu_runtime("1.1.0")),
        ..ModelOptions::default()
    };
    let error = Model::open(&folder.file("x.gguf", "GGUF"), &own).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidModel);
    first.close().unwrap();
    drop(open("1.0.1").unwrap());
    what_fails_while_the_runtime_loads_holds_no_place();

    // A model that was not opened holds no place.
    let options = ModelOptions {
        runtime: Some(scripted_runtime("1.2.0")),
        ..ModelOptions::default()
    };
    open_with(r#"{"init": "fail"}"#, &options).unwrap_err();
    let last = open("1.2.0").unwrap();

    // Whoever knows better says so.
    let many = ModelOptions {
        assume: Some(json!({"instances": "many"})),
        ..options
    };
    open_with(r#"{"pieces": ["a"]}"#, &many).unwrap();
    drop(last);
    let _both = (
        open("1.2.1").unwrap(),
        open_with(r#"{"pieces": ["a"]}"#, &many).unwrap(),
    );
}

fn what_fails_while_the_runtime_loads_holds_no_place() {
    let folder = Folder::new();
    folder.file("tokenizer.json", "{}");
    let path = folder.file(
        "x.rkllm",
        r#"{"pieces": ["a"], "second": "block", "init_ms": 300}"#,
    );
    let options = ModelOptions {
        runtime: Some(scripted_runtime("1.1.0")),
        ..ModelOptions::default()
    };
    for _ in 0..2 {
        let error = Model::open(&path, &options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tokenizer, "{error}");
    }
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    drop(Model::open(&path, &options).unwrap());
}

//! Opening and unloading a real model, SmolLM2, in the CPU runtime.

mod common;

use std::time::Duration;

use common::{LONG, at_most, greedy, smollm, turn};
use rkchat::{
    EncodeOptions, GenerateOptions, Json, MemoryCheck, Model, ModelOptions, ModelState, Opening,
    OpeningStage,
};
use serde_json::json;

fn options() -> ModelOptions {
    greedy("1.3.0", 512)
}

fn answer(model: &Model) -> rkchat::Completion {
    let messages: Json = json!([
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ]);
    let generation = model.generate(&messages, &at_most(32)).unwrap();
    generation.completion().unwrap()
}

#[test]
fn what_is_read_of_the_file_grows_to_its_size_at_the_most() {
    let Some(path) = smollm() else { return };
    let _turn = turn();
    let size = std::fs::metadata(&path).unwrap().len();
    let opening = Opening::start(&path, &options()).unwrap();
    let (mut stages, mut read) = (vec![OpeningStage::Recognising], None);
    while !opening.wait(Some(Duration::from_millis(1))).unwrap() {
        let progress = opening.progress().unwrap();
        stages.push(progress.stage);
        assert!(progress.bytes_read >= read && progress.bytes_read <= Some(size));
        read = progress.bytes_read;
    }
    let progress = opening.progress().unwrap();
    assert_eq!(
        (progress.stage, progress.bytes_total),
        (OpeningStage::Ready, Some(size))
    );
    // llama.cpp maps the file, and all of it is in memory at the end.
    assert!(progress.bytes_read > Some(size / 2), "{progress:?}");
    let numbers: Vec<i32> = stages.iter().map(|stage| *stage as i32).collect();
    assert!(numbers.is_sorted(), "{numbers:?}");
    assert_eq!(
        answer(&opening.model().unwrap()).text,
        "The capital of France is Paris."
    );
}

#[test]
fn unloading_gives_the_memory_back_and_the_answers_stay_the_same() {
    let Some(path) = smollm() else { return };
    let _turn = turn();
    let lively = ModelOptions {
        keep_alive: Some(Duration::from_millis(50)),
        warmup: true,
        memory_check: Some(MemoryCheck::Error),
        ..options()
    };
    let model = Model::open(&path, &lively).unwrap();
    // What warming up left in the cache is gone.
    assert_eq!(answer(&model).usage.reused_tokens, Some(0));
    let size = std::fs::metadata(&path).unwrap().len();
    assert!(model.status().unwrap().model_memory > size);
    let ids = model.encode("Paris", &Default::default()).unwrap();
    for _ in 0..2 {
        let asked = std::time::Instant::now();
        while model.status().unwrap().state != ModelState::Unloaded {
            assert!(asked.elapsed() < LONG);
            std::thread::sleep(Duration::from_millis(5));
        }
        // The tokenizer is the runtime's, so this loads the model.
        assert_eq!(model.encode("Paris", &Default::default()).unwrap(), ids);
        assert_eq!(answer(&model).text, "The capital of France is Paris.");
    }
    let generation = model.complete("One, two,", &GenerateOptions::default());
    drop(generation.unwrap());
    model.unload().unwrap();
    model.close().unwrap();
}

/// The tokenizer is the runtime's own here, and a request asks for it several times before it runs.
#[test]
fn a_model_that_is_not_kept_at_all_is_loaded_for_each_request() {
    let Some(path) = smollm() else { return };
    let _turn = turn();
    let fleeting = ModelOptions {
        keep_alive: Some(Duration::ZERO),
        ..options()
    };
    let model = Model::open(&path, &fleeting).unwrap();
    for _ in 0..2 {
        assert_eq!(answer(&model).text, "The capital of France is Paris.");
        assert!(
            !model
                .encode("Paris", &EncodeOptions::default())
                .unwrap()
                .is_empty()
        );
    }
}

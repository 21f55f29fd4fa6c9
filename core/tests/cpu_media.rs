//! What goes into a real model besides text, in the CPU runtimes.

mod common;

use std::path::Path;

use common::{at_most, cpu_runtime, smollm};
use rkchat::{EncodeOptions, ErrorKind, GenerateOptions, Model, ModelOptions, Tensor};
use serde_json::json;

/// The reader of embeddings that the CPU runtime's own tests use.
#[allow(dead_code, reason = "its own tests use more of it")]
#[path = "../../runtime/front/tests/model/gguf.rs"]
mod gguf;

fn open(group: &str, path: &Path, n_batch: Option<u32>) -> Model {
    let options = ModelOptions {
        runtime: Some(cpu_runtime(group)),
        top_k: Some(1),
        repeat_penalty: Some(1.0),
        max_context_len: Some(256),
        n_batch,
        ..ModelOptions::default()
    };
    Model::open(path, &options).unwrap()
}

fn embeddings(model: &Model, path: &Path, text: &str) -> (Vec<f32>, u64) {
    let plain = EncodeOptions {
        add_special_tokens: false,
    };
    let ids = model.encode(text, &plain).unwrap();
    let ids: Vec<i32> = ids.iter().map(|id| i32::try_from(*id).unwrap()).collect();
    (gguf::embeddings(path, &ids), ids.len() as u64)
}

#[test]
fn embeddings_and_images_say_what_their_tokens_say() {
    let Some(path) = smollm() else { return };
    let question = "What is the capital of France?";
    for group in ["1.1.0", "1.3.0"] {
        let model = open(group, &path, None);
        let text = |messages| model.generate(&messages, &at_most(8)).unwrap().text();
        let by_text = text(json!([{"role": "user", "content": question}])).unwrap();

        let messages = json!([{"role": "user", "content": question}]);
        let render = rkchat::RenderOptions {
            add_generation_prompt: true,
            ..rkchat::RenderOptions::default()
        };
        let prompt = model.render(&messages, &render).unwrap();
        let (values, tokens) = embeddings(&model, &path, &prompt);
        let all = Tensor::new(values, vec![tokens, 576]).unwrap();
        let answer = model.complete_embeddings(&all, &at_most(8)).unwrap();
        assert_eq!(answer.text().unwrap(), by_text, "{group}");

        // What stands for a word is as good as the word.
        let (values, tokens) = embeddings(&model, &path, " France");
        let seen = GenerateOptions {
            images: Some(Tensor::new(values, vec![1, tokens, 576]).unwrap()),
            ..at_most(8)
        };
        let content = json!([
            {"type": "text", "text": "What is the capital of"}, {"type": "image"}, {"type": "text", "text": "?"}
        ]);
        let messages = json!([{"role": "user", "content": content}]);
        let by_image = model.generate(&messages, &seen).unwrap().text().unwrap();
        // Such a prompt is text, for which 1.3.0 has a template of its own.
        let as_text = ModelOptions {
            runtime: Some(cpu_runtime(group)),
            top_k: Some(1),
            repeat_penalty: Some(1.0),
            max_context_len: Some(256),
            assume: Some(json!({"input": "text"})),
            ..ModelOptions::default()
        };
        let model = Model::open(&path, &as_text).unwrap();
        let messages = json!([{"role": "user", "content": question}]);
        let expected = model.generate(&messages, &at_most(8)).unwrap();
        assert_eq!(by_image, expected.text().unwrap(), "{group}");

        let narrow = Tensor::new(vec![0.0; 8], vec![2, 4]).unwrap();
        let error = model.complete_embeddings(&narrow, &at_most(8)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains("576"), "{error}");
    }
}

#[test]
fn two_prompts_at_once_have_the_answers_of_each_alone() {
    let Some(path) = smollm() else { return };
    let prompts = json!([
        [{"role": "user", "content": "What is the capital of France?"}],
        [{"role": "user", "content": "Name three colours."}],
        "The capital of Germany is",
    ]);
    let texts = |n_batch| {
        let model = open("1.3.0", &path, n_batch);
        let completions = model.generate_batch(&prompts, &at_most(8)).unwrap();
        let texts = completions.into_iter().map(|one| one.text);
        texts.collect::<Vec<_>>()
    };
    assert_eq!(texts(Some(2)), texts(None));
}

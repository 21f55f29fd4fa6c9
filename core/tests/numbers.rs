//! Embeddings, logits and scores: over the scripted runtime by the vectors that all languages share, and
//! of a real model.

mod common;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use common::{Folder, LONG, at_most, begun, open_with, options, ran, smollm_in};
use rkchat::{
    EmbedOptions, ErrorKind, GenerateOptions, Json, LogitsOptions, Model, ModelOptions, Pooling,
    Result, ScoreOptions, Tensor,
};

/// What plays the vectors.
const SCRIPT: &str = r#"{"pieces": [["x", 1]]}"#;
/// A word without end.
const ENDLESS: &str = r#"{"pieces": [["the", 3]], "repeat": 0, "delay_ms": 5}"#;

fn root(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path)
}

fn of_words(group: &str) -> ModelOptions {
    ModelOptions {
        tokenizer: Some(root("tests/fixtures/words/tokenizer.json")),
        ..options(group)
    }
}

fn texts(list: &Json) -> Vec<String> {
    serde_json::from_value(list.clone()).unwrap()
}

fn pooling(name: &str) -> Pooling {
    match name {
        "mean" => Pooling::Mean,
        "cls" => Pooling::Cls,
        "none" => Pooling::None,
        other => panic!("{other}"),
    }
}

fn call(model: &Model, case: &Json) -> Result<Tensor> {
    let (input, options) = (&case["input"], &case["options"]);
    let adapter = options["adapter"].as_str().map(str::to_owned);
    let ids = || serde_json::from_value::<Vec<u32>>(input.clone()).unwrap();
    match case["call"].as_str().unwrap() {
        "embed" => {
            let options = EmbedOptions {
                pooling: options["pooling"].as_str().map(pooling),
                normalize: options["normalize"].as_bool().unwrap_or(true),
                ..EmbedOptions::default()
            };
            model.embed(&texts(input), &options)
        }
        "logits" => {
            let positions = serde_json::from_value(options["positions"].clone()).unwrap();
            let options = LogitsOptions {
                positions,
                ..LogitsOptions::default()
            };
            match input.as_str() {
                Some(text) => model.logits(text, &options),
                None => model.logits_ids(&ids(), &options),
            }
        }
        "score" => {
            let options = ScoreOptions {
                adapter,
                ..ScoreOptions::default()
            };
            match input.as_str() {
                Some(text) => model.score(text, &options),
                None => model.score_ids(&ids(), &options),
            }
        }
        other => panic!("{other}"),
    }
}

#[test]
fn the_shared_vectors() {
    let cases = std::fs::read_to_string(root("tests/vectors/numbers.jsonl")).unwrap();
    for group in ["1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"] {
        let model = open_with(SCRIPT, &of_words(group)).unwrap();
        for case in cases.lines() {
            let case: Json = serde_json::from_str(case).unwrap();
            let at = format!("{group} {}", case["id"]);
            let given = call(&model, &case);
            if group == "1.1.0" && case["call"] != "embed" {
                let error = given.expect_err(&at);
                assert_eq!(error.kind(), ErrorKind::Unsupported, "{at}");
                assert_eq!(error.details()["since"], "1.2.0", "{at}");
            } else if let Some(kind) = case["error"].as_str() {
                assert_eq!(format!("{:?}", given.expect_err(&at).kind()), kind, "{at}");
            } else {
                let (data, shape) = given.expect(&at).into_parts();
                assert_eq!(serde_json::to_value(shape).unwrap(), case["shape"], "{at}");
                let expected: Vec<f32> = serde_json::from_value(case["data"].clone()).unwrap();
                assert_eq!(data.len(), expected.len(), "{at}");
                let close = data
                    .iter()
                    .zip(&expected)
                    .all(|(a, b)| (a - b).abs() < 1e-6);
                assert!(close, "{at}: {data:?}, not {expected:?}");
            }
        }
    }
    ran("numbers.jsonl", cases.lines().count());
}

#[test]
fn what_came_before_tokens_has_no_numbers() {
    for group in ["1.0.0", "1.0.1"] {
        let model = open_with(SCRIPT, &of_words(group)).unwrap();
        let error = model
            .embed(&["sea".into()], &EmbedOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert_eq!(error.details()["since"], "1.1.0");
    }
}

#[test]
fn a_runtime_that_goes_on_is_stopped() {
    // Before 1.3.0 a run has no limit of its own.
    for group in ["1.2.0", "1.2.1"] {
        let model = open_with(ENDLESS, &of_words(group)).unwrap();
        for _ in 0..2 {
            let logits = model
                .logits_ids(&[5, 6], &LogitsOptions::default())
                .unwrap();
            assert_eq!(logits.shape(), [1, 8]);
        }
        let answer = model
            .complete_ids(&[5], &at_most(3))
            .unwrap()
            .completion()
            .unwrap();
        assert_eq!(answer.text, "the the the", "{group}");
    }
}

#[test]
fn after_a_run_that_was_cut_short_a_broken_runtime_is_opened_again() {
    let script = r#"{"pieces": ["a "], "repeat": 0, "delay_ms": 5, "abort_breaks": true, "record": "record.jsonl"}"#;
    let folder = Folder::new();
    let model = Model::open(&folder.file("s.rkllm", script), &of_words("1.2.1")).unwrap();
    for _ in 0..3 {
        model
            .logits_ids(&[5, 6], &LogitsOptions::default())
            .unwrap();
    }
    assert_eq!(folder.record("init").len(), 3);
}

#[test]
fn nothing_that_is_in_the_cache_is_taken_for_the_prompt() {
    let folder = Folder::new();
    let script = folder.file("s.rkllm", r#"{"pieces": ["x"], "record": "record.jsonl"}"#);
    let model = Model::open(&script, &of_words("1.2.0")).unwrap();
    model
        .embed(&["sea".into()], &EmbedOptions::default())
        .unwrap();
    let run = &folder.record("run")[0];
    assert_eq!(
        (&run["mode"], &run["input"]),
        (&"hidden_states".into(), &serde_json::json!([0, 4]))
    );
    assert_eq!(folder.record("clear_cache").len(), 1);
}

#[test]
fn it_waits_its_turn_and_keeps_its_time() {
    let model = open_with(ENDLESS, &of_words("1.3.0")).unwrap();
    let running = model
        .complete_ids(&[5], &GenerateOptions::default())
        .unwrap();
    begun(&running);
    let embed = |queue_timeout, timeout| {
        let options = EmbedOptions {
            queue_timeout,
            timeout,
            ..EmbedOptions::default()
        };
        model.embed(&["sea".into()], &options)
    };
    let short = Some(Duration::from_millis(30));
    for (queue, all) in [(short, None), (None, short)] {
        assert_eq!(embed(queue, all).unwrap_err().kind(), ErrorKind::Timeout);
    }
    let waiting = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| embed(None, None));
        running.cancel();
        waiting.join().unwrap()
    });
    assert_eq!(waiting.unwrap().shape(), [1, 4]);
}

#[test]
fn closing_the_model_ends_it() {
    let script = r#"{"pieces": ["a"], "prefill_ms": 20000}"#;
    let model = open_with(script, &of_words("1.3.0")).unwrap();
    let before = Instant::now();
    let error = std::thread::scope(|scope| {
        let embedding = scope.spawn(|| model.embed(&["sea".into()], &EmbedOptions::default()));
        // Whether it has begun or waits: it ends.
        std::thread::sleep(Duration::from_millis(50));
        model.close().unwrap();
        embedding.join().unwrap().unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(before.elapsed() < LONG);
}

fn norm(row: &[f32]) -> f32 {
    row.iter().map(|value| value * value).sum::<f32>().sqrt()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[test]
fn embeddings_of_a_real_model() {
    for group in ["1.1.0", "1.2.0", "1.3.0"] {
        let Some(model) = smollm_in(group) else {
            return;
        };
        let sentences = [
            "The cat sleeps.",
            "A cat is sleeping.",
            "Stocks fell on Monday.",
        ];
        let mean = EmbedOptions {
            pooling: Some(Pooling::Mean),
            ..EmbedOptions::default()
        };
        let rows = model.embed(&sentences.map(str::to_owned), &mean).unwrap();
        assert_eq!(rows.shape(), [3, 576]);
        let rows: Vec<&[f32]> = rows.data().chunks(576).collect();
        assert!(rows.iter().all(|row| (norm(row) - 1.0).abs() < 1e-5));
        assert!(dot(rows[0], rows[1]) > dot(rows[0], rows[2]), "{group}");

        let one = |pooling| {
            let options = EmbedOptions {
                pooling: Some(pooling),
                normalize: false,
                ..EmbedOptions::default()
            };
            model.embed(&[sentences[0].to_owned()], &options).unwrap()
        };
        let all = one(Pooling::None);
        let tokens = model
            .encode(sentences[0], &Default::default())
            .unwrap()
            .len();
        assert_eq!(all.shape(), [tokens as u64, 576]);
        let all: Vec<&[f32]> = all.data().chunks(576).collect();
        let average = (0..576).map(|at| all.iter().map(|row| row[at]).sum::<f32>() / tokens as f32);
        let near = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
        assert!(
            near(one(Pooling::Mean).data(), &average.collect::<Vec<_>>()),
            "{group}"
        );
        assert!(near(one(Pooling::Cls).data(), all[0]));
        assert!(near(one(Pooling::Last).data(), all[tokens - 1]));
    }
}

#[test]
fn logits_and_scores_of_a_real_model() {
    for group in ["1.2.0", "1.3.0"] {
        let Some(model) = smollm_in(group) else {
            return;
        };
        let text = "The capital of France is";
        let ids = model.encode(text, &Default::default()).unwrap();
        let greedy = model
            .complete(text, &at_most(1))
            .unwrap()
            .completion()
            .unwrap();
        let last = model.logits(text, &LogitsOptions::default()).unwrap();
        let likeliest = |row: &[f32]| {
            let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
            best.unwrap().0 as u32
        };
        assert_eq!([likeliest(last.data())], greedy.token_ids[..], "{group}");

        let positions = Some((0..ids.len() as u32).collect());
        let all = LogitsOptions {
            positions,
            ..LogitsOptions::default()
        };
        let all = model.logits_ids(&ids, &all).unwrap();
        let width = last.data().len();
        assert_eq!(all.shape(), [ids.len() as u64, width as u64]);
        let rows: Vec<&[f32]> = all.data().chunks(width).collect();
        let score = model.score(text, &ScoreOptions::default()).unwrap();
        assert_eq!(score.shape(), [ids.len() as u64 - 1]);
        for (index, score) in score.data().iter().enumerate() {
            let total: f64 = rows[index]
                .iter()
                .map(|logit| f64::from(*logit).exp())
                .sum();
            let expected = f64::from(rows[index][ids[index + 1] as usize]) - total.ln();
            assert!(
                (f64::from(*score) - expected).abs() < 1e-4,
                "{group} {index}"
            );
        }
        let nonsense = model.score("The capital France banana is", &ScoreOptions::default());
        let mean = |scores: &Tensor| scores.data().iter().sum::<f32>() / scores.data().len() as f32;
        assert!(mean(&score) > mean(&nonsense.unwrap()));
    }
}

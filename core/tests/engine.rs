//! What the engine makes of a runtime's output and of a request's options, over the scripted runtime, on
//! the ABI groups that take tokens.

mod common;

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;

use common::{
    ENDLESS, Folder, GROUPS, LONG, SHORT, ask, ask_with, at_most, open, open_with, options, read,
};
use rkchat::{ErrorKind, FinishReason, GenerateOptions, InputKind, Measure, Model, ModelOptions};
use serde_json::json;

#[test]
fn an_answer_streams_and_ends_once() {
    for group in GROUPS {
        let model = open(group, SHORT);
        let generation = ask(&model);
        assert_eq!(read(&generation), ["one ", "two ", "three"]);
        assert!(generation.next(Some(LONG)).unwrap().is_none());
        let completion = generation.completion().unwrap();
        assert_eq!(completion.text, "one two three");
        assert_eq!(completion.token_ids, [1, 2, 3]);
        assert_eq!(completion.finish_reason, FinishReason::Stop);
        assert_eq!(
            (completion.usage.prompt_tokens, completion.usage.new_tokens),
            (3, 3)
        );
        assert_eq!(generation.finish_reason(), Some(FinishReason::Stop));
        let capabilities = model.info().runtime.capabilities;
        let measured = match capabilities.iter().any(|one| one == "measurements") {
            true => Measure::Runtime,
            false => Measure::Rkchat,
        };
        let timings = completion.timings;
        assert!(
            timings.measured_by == measured || timings.measured_by == Measure::Rkchat,
            "{timings:?}"
        );
    }
}

/// Wakes the thread that waits.
struct Bell(Thread);

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn wait<F: IntoFuture>(future: F) -> F::Output {
    let mut future = pin!(future.into_future());
    let waker = Waker::from(Arc::new(Bell(std::thread::current())));
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return output;
        }
        std::thread::park();
    }
}

#[test]
fn awaiting_gives_the_text_and_leaves_the_pieces() {
    let model = open("1.3.0", SHORT);
    let generation = ask(&model);
    let first = generation.next(Some(LONG)).unwrap().unwrap();
    // Two wait for one answer.
    std::thread::scope(|scope| {
        let other = scope.spawn(|| wait(&generation).unwrap());
        assert_eq!(wait(&generation).unwrap(), "one two three");
        assert_eq!(other.join().unwrap(), "one two three");
    });
    assert_eq!(
        (&*first.text, generation.text().unwrap()),
        ("one ", "one two three".into())
    );
    assert_eq!(read(&generation), ["two ", "three"]);
    let endless = ask(&open("1.1.0", ENDLESS));
    std::thread::scope(|scope| {
        let text = scope.spawn(|| wait(&endless));
        endless.next(Some(LONG)).unwrap();
        endless.cancel();
        assert!(text.join().unwrap().is_ok());
    });
}

#[test]
fn the_runtime_is_driven_with_the_documented_defaults() {
    for group in GROUPS {
        let folder = Folder::new();
        let script = folder.file("s.rkllm", r#"{"pieces": ["x"], "record": "record.jsonl"}"#);
        let model = Model::open(
            &script,
            &ModelOptions {
                top_k: Some(1),
                ..options(group)
            },
        )
        .unwrap();
        ask(&model).completion().unwrap();
        model.close().unwrap();
        let init = &folder.record("init")[0];
        assert_eq!(init["max_context_len"], 4096, "{init}");
        assert_eq!(init["sampling"]["top_k"], 1);
        assert_eq!(
            init["sampling"]["repeat_penalty"].as_f64().unwrap() as f32,
            1.1
        );
        assert_eq!(
            (&init["skip_special_token"], &init["is_async"]),
            (&json!(false), &json!(false))
        );
        if group != "1.3.0" {
            assert_eq!(init["image_markers"], json!(["", "", ""]));
        }
        if group != "1.1.0" {
            assert_eq!(
                (&init["n_batch"], &init["embed_flash"]),
                (&json!(1), &json!(1))
            );
        }
        let run = &folder.record("run")[0];
        assert_eq!(
            (&run["input_type"], &run["input"]),
            (&json!("tokens"), &json!([5, 6, 7]))
        );
        assert_eq!(folder.record("destroy").len(), 1);
    }
}

#[test]
fn sampling_is_per_request_where_the_runtime_can() {
    let hot = GenerateOptions {
        temperature: Some(0.5),
        top_k: Some(7),
        ..at_most(2)
    };
    let folder = Folder::new();
    let script = folder.file("s.rkllm", r#"{"pieces": ["x"], "record": "record.jsonl"}"#);
    let model = Model::open(&script, &options("1.3.0")).unwrap();
    ask_with(&model, &hot).completion().unwrap();
    let run = &folder.record("run")[0];
    assert_eq!(
        (&run["sampling"]["temperature"], &run["sampling"]["top_k"]),
        (&json!(0.5), &json!(7))
    );
    assert_eq!(run["max_new_tokens"], 2);
}

#[test]
fn options_out_of_range_are_named() {
    let error = open_with(
        SHORT,
        &ModelOptions {
            top_p: Some(1.5),
            ..options("1.3.0")
        },
    )
    .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("top_p"), "{error}");
    let error = open("1.3.0", SHORT)
        .complete_ids(&[1], &at_most(0))
        .unwrap_err();
    assert!(error.message().contains("max_new_tokens"), "{error}");
}

#[test]
fn the_limit_is_ours_whatever_the_runtime_does() {
    for group in GROUPS {
        let deaf =
            r#"{"pieces": ["a"], "repeat": 40, "delay_ms": 5, "unlimited": true, "deaf": true}"#;
        for script in [ENDLESS, deaf] {
            let model = open(group, script);
            let completion = ask_with(&model, &at_most(4)).completion().unwrap();
            assert_eq!(completion.finish_reason, FinishReason::Length);
            assert_eq!(completion.usage.new_tokens, 4);
            assert_eq!(completion.token_ids.len(), 4);
        }
    }
}

#[test]
fn the_window_is_never_filled_to_its_end() {
    for group in GROUPS {
        let script = r#"{"pieces": ["a"], "repeat": 0, "unlimited": true}"#;
        let model = open_with(
            script,
            &ModelOptions {
                max_context_len: Some(32),
                ..options(group)
            },
        )
        .unwrap();
        let completion = model
            .complete_ids(&[1; 20], &at_most(500))
            .unwrap()
            .completion()
            .unwrap();
        assert_eq!(completion.finish_reason, FinishReason::ContextFull);
        assert_eq!(
            completion.usage.prompt_tokens + completion.usage.new_tokens,
            32
        );

        let error = model.complete_ids(&[1; 32], &at_most(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ContextOverflow);
        assert_eq!(error.details()["prompt_tokens"], 32);
        assert_eq!(error.details()["max_context_len"], 32);
    }
}

#[test]
fn characters_come_whole() {
    for group in GROUPS {
        let script = r#"{"pieces": [{"hex": "68c3"}, {"hex": "a9"}, {"hex": "f09f"}, {"hex": "8e89"}, {"hex": "f0", "state": "normal"}]}"#;
        let pieces = read(&ask(&open(group, script)));
        assert_eq!(pieces.concat(), "hé🎉\u{fffd}");
    }
}

#[test]
fn every_way_a_run_can_fail_is_an_error_and_the_next_request_works() {
    let runs = ["fail", "fail_after", "error", "error_after"];
    for group in GROUPS {
        for run in runs {
            let model = open(
                group,
                &format!(r#"{{"pieces": ["a", "b"], "run": "{run}"}}"#),
            );
            for _ in 0..2 {
                let generation = ask(&model);
                let mut text = String::new();
                let error = loop {
                    match generation.next(Some(LONG)) {
                        Ok(Some(chunk)) => text += &chunk.text,
                        Ok(None) => panic!("{run} ended without an error"),
                        Err(error) => break error,
                    }
                };
                assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
                assert_eq!(error.details()["vendor_status"], -1);
                assert_eq!(text, if run.ends_with("after") { "ab" } else { "" });
                assert_eq!(generation.completion().unwrap_err(), error);
                assert_eq!(generation.finish_reason(), Some(FinishReason::Error));
            }
        }
        for run in ["no_finish", "finish_twice", "finish_and_fail"] {
            let model = open(
                group,
                &format!(r#"{{"pieces": ["a", {{"null": true}}, "b"], "run": "{run}"}}"#),
            );
            for _ in 0..2 {
                assert_eq!(ask(&model).completion().unwrap().text, "ab");
            }
        }
    }
}

#[test]
fn callbacks_may_come_on_another_thread() {
    for group in GROUPS {
        let model = open(group, r#"{"pieces": ["a", "b"], "callback_thread": true}"#);
        assert_eq!(ask(&model).completion().unwrap().text, "ab");
    }
}

#[test]
fn a_model_that_does_not_open_says_why() {
    for (init, said) in [("fail", "returned -1"), ("null_handle", "memory")] {
        for group in GROUPS {
            let error =
                open_with(&format!(r#"{{"init": "{init}"}}"#), &options(group)).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
            assert!(error.message().contains(said), "{error}");
        }
    }
    let lie = open("1.1.0", r#"{"init": "lie", "pieces": ["a"]}"#);
    assert_eq!(
        ask(&lie).completion().unwrap_err().kind(),
        ErrorKind::RuntimeFailed
    );
}

#[test]
fn without_a_tokenizer_text_goes_with_one_template_only() {
    let messages = json!([{"role": "user", "content": "hi"}]);
    let template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{% if add_generation_prompt %}<bot>{% endif %}";
    for (group, input, sent) in [
        ("1.1.0", InputKind::Text, "<user>hi<bot>"),
        ("1.3.0", InputKind::RuntimeTemplate, "hi"),
    ] {
        let folder = Folder::new();
        let script = folder.file("s.rkllm", r#"{"pieces": ["x"], "record": "record.jsonl"}"#);
        let options = ModelOptions {
            chat_template: Some(template.into()),
            ..options(group)
        };
        let model = Model::open(&script, &options).unwrap();
        assert_eq!(model.info().input, input);
        model
            .generate(&messages, &GenerateOptions::default())
            .unwrap()
            .completion()
            .unwrap();
        assert_eq!(folder.record("run")[0]["input"], sent);
    }
    let model = open("1.3.0", SHORT);
    for (messages, kind) in [
        (json!([]), ErrorKind::InvalidArgument),
        (json!("hi"), ErrorKind::InvalidArgument),
        (
            json!([{"role": "system", "content": "hi"}]),
            ErrorKind::Unsupported,
        ),
    ] {
        let error = model
            .generate(&messages, &GenerateOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
    let error = model
        .complete("x", &GenerateOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    let error = open("1.1.0", SHORT)
        .generate(&messages, &GenerateOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Template);
}

#[test]
fn the_wrong_runtime_is_refused() {
    let folder = Folder::new();
    let script = folder.file("s.rkllm", SHORT);
    let text = folder.file("text.so", "not a library");
    let cases = [
        (text, None, ErrorKind::RuntimeInvalid),
        (
            folder.path().join("none.so"),
            None,
            ErrorKind::RuntimeNotFound,
        ),
        (
            "/lib/x86_64-linux-gnu/libm.so.6".into(),
            None,
            ErrorKind::RuntimeInvalid,
        ),
        (
            common::scripted_runtime("1.1.0"),
            Some("1.3.0"),
            ErrorKind::RuntimeAmbiguous,
        ),
        (
            common::scripted_runtime("1.3.0"),
            Some("9.9.9"),
            ErrorKind::InvalidArgument,
        ),
    ];
    for (runtime, abi, kind) in cases {
        let options = ModelOptions {
            runtime: Some(runtime),
            abi: abi.map(str::to_owned),
            ..ModelOptions::default()
        };
        let error = Model::open(&script, &options).unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn what_only_a_template_uses_is_refused_without_one() {
    let model = open("1.3.0", SHORT);
    let options = GenerateOptions {
        tools: Some(json!([])),
        ..GenerateOptions::default()
    };
    let error = model.complete_ids(&[1], &options).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    assert!(error.message().contains("tools"), "{error}");
}

//! The engine over the scripted runtime, on both ABI groups.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use common::{Folder, GROUPS, open, open_with, options};
use rkchat::{
    ErrorKind, FinishReason, GenerateOptions, Generation, InputKind, Measure, Model, ModelOptions,
};
use serde_json::json;

/// Words at 20 ms each, without end.
const ENDLESS: &str = r#"{"pieces": ["a ", "b ", "c "], "repeat": 0, "delay_ms": 20}"#;
/// Three words at once.
const SHORT: &str = r#"{"pieces": [["one ", 1], ["two ", 2], ["three", 3]]}"#;

const SOON: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(20);

fn ask(model: &Model) -> Generation {
    ask_with(model, &GenerateOptions::default())
}

fn ask_with(model: &Model, options: &GenerateOptions) -> Generation {
    model
        .complete_ids(&[5, 6, 7], options)
        .expect("the request is taken")
}

fn at_most(max_new_tokens: u32) -> GenerateOptions {
    GenerateOptions {
        max_new_tokens: Some(max_new_tokens),
        ..GenerateOptions::default()
    }
}

/// All pieces of an answer, each read within `LONG`.
fn read(generation: &Generation) -> Vec<String> {
    let mut pieces = Vec::new();
    while let Some(chunk) = generation.next(Some(LONG)).expect("no failure") {
        assert!(!chunk.text.is_empty());
        pieces.push(chunk.text);
    }
    pieces
}

/// Waits until an answer has begun.
fn begun(generation: &Generation) {
    generation
        .next(Some(LONG))
        .expect("no failure")
        .expect("a piece");
}

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
        let measured = if group == "1.3.0" {
            Measure::Runtime
        } else {
            Measure::Clock
        };
        let timings = completion.timings;
        assert!(
            timings.measured_by == measured || timings.measured_by == Measure::Clock,
            "{timings:?}"
        );
    }
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
        match group {
            "1.1.0" => assert_eq!(init["image_markers"], json!(["", "", ""])),
            _ => assert_eq!(
                (&init["n_batch"], &init["embed_flash"]),
                (&json!(1), &json!(1))
            ),
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

    let model = open("1.1.0", SHORT);
    let error = model.complete_ids(&[1], &hot).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.message().contains("1.3.0"), "{error}");
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
        let script = r#"{"pieces": [{"hex": "68c3"}, {"hex": "a9"}, {"hex": "f09f"}, {"hex": "8e89"}, {"hex": "f0", "raw": true}]}"#;
        let pieces = read(&ask(&open(group, script)));
        assert_eq!(pieces.concat(), "hé🎉\u{fffd}");
    }
}

#[test]
fn cancel_ends_the_answer_at_once_and_the_next_one_runs() {
    for group in GROUPS {
        let slow = r#"{"pieces": ["a "], "repeat": 0, "delay_ms": 10, "abort_ms": 600}"#;
        let model = open(group, slow);
        let generation = ask(&model);
        begun(&generation);
        let asked = Instant::now();
        generation.cancel();
        assert!(generation.next(Some(LONG)).unwrap().is_none());
        assert!(
            asked.elapsed() < SOON,
            "the reader does not wait for the runtime"
        );
        let completion = generation.completion().unwrap();
        assert_eq!(completion.finish_reason, FinishReason::Cancelled);
        assert!(!completion.text.is_empty());
        let next = ask_with(&model, &at_most(3)).completion().unwrap();
        assert_eq!(
            (next.usage.new_tokens, next.finish_reason),
            (3, FinishReason::Length)
        );
    }
}

#[test]
fn cancel_before_the_first_token_and_in_the_queue() {
    let model = open(
        "1.3.0",
        r#"{"pieces": ["a"], "repeat": 0, "prefill_ms": 300, "delay_ms": 10}"#,
    );
    let first = ask(&model);
    let second = ask(&model);
    let third = ask_with(&model, &at_most(1));
    second.cancel();
    first.cancel();
    for generation in [&first, &second] {
        let completion = generation.completion().unwrap();
        assert_eq!(
            (completion.finish_reason, completion.text.as_str()),
            (FinishReason::Cancelled, "")
        );
    }
    assert_eq!(
        third.completion().unwrap().finish_reason,
        FinishReason::Length
    );
}

#[test]
fn the_queue_is_first_in_first_out_and_bounded() {
    let model = open_with(
        ENDLESS,
        &ModelOptions {
            max_queue: Some(2),
            ..options("1.3.0")
        },
    )
    .unwrap();
    let running = ask(&model);
    begun(&running);
    let waiting: Vec<_> = (0..2).map(|_| ask_with(&model, &at_most(1))).collect();
    let error = model
        .complete_ids(&[1], &GenerateOptions::default())
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Busy);
    waiting[0].cancel();
    let last = ask_with(&model, &at_most(1));
    running.cancel();
    assert_eq!(
        last.completion().unwrap().finish_reason,
        FinishReason::Length
    );
    // It ran before the last.
    assert_eq!(waiting[1].finish_reason(), Some(FinishReason::Length));
}

#[test]
fn a_request_waits_no_longer_than_it_may() {
    let model = open("1.1.0", ENDLESS);
    let running = ask(&model);
    begun(&running);
    let hurried = GenerateOptions {
        queue_timeout: Some(Duration::from_millis(50)),
        ..GenerateOptions::default()
    };
    let waiting = ask_with(&model, &hurried);
    let error = waiting.next(Some(LONG)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert_eq!(waiting.completion().unwrap_err().kind(), ErrorKind::Timeout);
    assert_eq!(waiting.finish_reason(), Some(FinishReason::Error));
    assert_eq!(running.finish_reason(), None);
}

#[test]
fn next_times_out_and_goes_on() {
    let model = open("1.3.0", r#"{"pieces": ["late"], "prefill_ms": 200}"#);
    let generation = ask(&model);
    let error = generation
        .next(Some(Duration::from_millis(20)))
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout);
    assert!(!generation.wait(Some(Duration::ZERO)).unwrap());
    assert_eq!(read(&generation), ["late"]);
    assert!(generation.wait(Some(Duration::ZERO)).unwrap());
}

#[test]
fn a_reader_that_stops_delays_nobody() {
    let model = open("1.3.0", r#"{"pieces": ["word "], "repeat": 2000}"#);
    let unread = ask(&model);
    let next = ask_with(&model, &at_most(1));
    assert_eq!(
        next.completion().unwrap().finish_reason,
        FinishReason::Length
    );
    assert_eq!(unread.completion().unwrap().text.len(), 5 * 2000);
    assert_eq!(read(&unread).len(), 2000);
}

#[test]
fn poll_wakes_once_for_what_comes() {
    let model = open(
        "1.3.0",
        r#"{"pieces": ["a", "b"], "prefill_ms": 100, "delay_ms": 50}"#,
    );
    let generation = ask(&model);
    let (woken, wakes) = mpsc::channel();
    let mut text = String::new();
    loop {
        let woken = woken.clone();
        match generation.poll(move || woken.send(()).unwrap()) {
            Poll::Pending => wakes.recv_timeout(LONG).expect("a wake-up"),
            Poll::Ready(Ok(Some(chunk))) => text += &chunk.text,
            Poll::Ready(end) => break assert!(end.unwrap().is_none()),
        }
    }
    assert_eq!(text, "ab");
    assert!(
        wakes.try_recv().is_err(),
        "no wake-up without a Pending before"
    );
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
fn close_ends_everything_and_is_final() {
    for group in GROUPS {
        let model = open(group, ENDLESS);
        let running = ask(&model);
        begun(&running);
        let waiting = ask(&model);
        model.close().unwrap();
        model.close().unwrap();
        for generation in [&running, &waiting] {
            assert!(generation.next(Some(LONG)).unwrap().is_none());
            assert_eq!(
                generation.completion().unwrap().finish_reason,
                FinishReason::Cancelled
            );
        }
        let error = model
            .complete_ids(&[1], &GenerateOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Closed);
        assert_eq!(model.info().max_context_len, 4096);
    }
}

#[test]
fn handles_are_dropped_in_any_order() {
    for group in GROUPS {
        let folder = Folder::new();
        let script = folder.file(
            "s.rkllm",
            r#"{"pieces": ["a"], "repeat": 5, "delay_ms": 10, "record": "record.jsonl"}"#,
        );
        let model = Model::open(&script, &options(group)).unwrap();
        let generation = ask(&model);
        drop(model);
        assert_eq!(
            generation.completion().unwrap().text,
            "aaaaa",
            "the answer outlives the handle"
        );
        let freed = Instant::now() + LONG;
        while folder.record("destroy").is_empty() {
            assert!(
                Instant::now() < freed,
                "the model is freed at the end of its last answer"
            );
            thread::sleep(Duration::from_millis(5));
        }

        let model = open(group, ENDLESS);
        let generation = ask(&model);
        begun(&generation);
        drop(generation);
        drop(model);

        let model = open(group, ENDLESS);
        drop(ask(&model));
        thread::spawn(move || drop(model)).join().unwrap();
    }
}

#[test]
fn many_threads_share_a_model() {
    let model = open_with(
        SHORT,
        &ModelOptions {
            max_queue: Some(64),
            ..options("1.3.0")
        },
    )
    .unwrap();
    let answered = Arc::new(AtomicU32::new(0));
    let threads: Vec<_> = (0..16)
        .map(|number| {
            let (model, answered) = (model.clone(), answered.clone());
            thread::spawn(move || {
                let generation = ask(&model);
                if number % 4 == 0 {
                    generation.cancel();
                }
                let completion = generation.completion().unwrap();
                assert!(
                    completion.text.is_empty() || "one two three".starts_with(&completion.text)
                );
                answered.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(answered.load(Ordering::Relaxed), 16);
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
            common::scripted_runtime("1.3.0"),
            None,
            ErrorKind::RuntimeAmbiguous,
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
fn a_forked_child_is_told() {
    let model = open("1.3.0", ENDLESS);
    let generation = ask(&model);
    begun(&generation);
    // SAFETY: the child only calls what must work there, and leaves by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let told = [
            model
                .complete_ids(&[1], &GenerateOptions::default())
                .map(drop),
            generation.next(None).map(drop),
            generation.completion().map(drop),
            model.close(),
        ];
        let right = told.iter().all(|said| {
            said.as_ref()
                .is_err_and(|error| error.kind() == ErrorKind::Forked)
        });
        generation.cancel();
        drop(generation);
        drop(model);
        // SAFETY: ends the child without the parent's exit handlers.
        unsafe { libc::_exit(if right { 0 } else { 1 }) };
    }
    let mut status = -1;
    // SAFETY: waits for our own child.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
    begun(&generation);
}

#[test]
fn a_wake_up_may_close_the_model() {
    // The first wake-up comes from the model's own thread, the second from the one that keeps deadlines.
    let hurried = GenerateOptions {
        queue_timeout: Some(Duration::from_millis(50)),
        ..GenerateOptions::default()
    };
    for waits in [false, true] {
        let model = open(
            "1.3.0",
            r#"{"pieces": ["a"], "repeat": 0, "prefill_ms": 100, "delay_ms": 20}"#,
        );
        let first = ask(&model);
        let generation = if waits {
            ask_with(&model, &hurried)
        } else {
            ask(&model)
        };
        let awaited = if waits { &generation } else { &first };
        let (closed, told) = mpsc::channel();
        let handle = model.clone();
        let polled = awaited.poll(move || closed.send(handle.close()).unwrap());
        assert!(polled.is_pending());
        told.recv_timeout(LONG).expect("close returns").unwrap();
        assert!(first.wait(Some(LONG)).unwrap() && generation.wait(Some(LONG)).unwrap());
    }
}

#[test]
fn a_child_may_free_what_it_inherited_and_use_threads_of_its_own() {
    let model = open("1.1.0", ENDLESS);
    // SAFETY: the child only starts a thread and leaves by _exit.
    let child = unsafe { libc::fork() };
    if child == 0 {
        let (go_on, wait) = mpsc::channel::<()>();
        let thread = thread::spawn(move || wait.recv());
        drop(model);
        drop(go_on);
        let joined = thread.join().is_ok();
        // SAFETY: ends the child without the parent's exit handlers.
        unsafe { libc::_exit(if joined { 0 } else { 1 }) };
    }
    let mut status = -1;
    // SAFETY: waits for our own child.
    assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
    assert_eq!(status, 0);
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

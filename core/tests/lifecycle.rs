//! The queue, cancelling, and the lives of handles, threads and processes, over the scripted runtime.

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, mpsc};
use std::task::Poll;
use std::thread;
use std::time::{Duration, Instant};

use common::{
    ENDLESS, Folder, GROUPS, LONG, SHORT, SOON, ask, ask_with, at_most, begun, open, open_with,
    options, read,
};
use rkchat::{ErrorKind, FinishReason, GenerateOptions, Model, ModelOptions};

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

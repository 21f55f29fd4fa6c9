//! Aborts, destruction during a run, asynchronous runs.

use crate::harness::library::*;
use crate::harness::*;
use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use serde_json::json;
use std::ffi::CString;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

#[test]
fn abort_ends_a_run_that_has_no_end() {
    let model = Model::open(json!({"pieces": ["x"], "repeat": 0, "delay_ms": 1, "abort_ms": 30}));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.run());
        model
            .heard
            .wait_for(|call| matches!(call, Call::Normal(..)));
        // SAFETY: the handle is open.
        unsafe {
            assert_eq!(rkllm_is_running(model.handle), 1);
            assert_eq!(model.run(), -1, "one run at a time");
            let start = Instant::now();
            assert_eq!(rkllm_abort(model.handle), 0);
            assert_eq!(run.join().unwrap(), 0);
            assert!(
                start.elapsed() >= Duration::from_millis(30),
                "the abort was to be slow"
            );
            assert_eq!(rkllm_abort(model.handle), -1, "nothing to abort");
        }
    });
    assert_eq!(model.heard.take().last(), Some(&Call::Finish));
    assert_eq!(
        model.text(
            "again",
            RKLLMInferParam {
                max_new_tokens: 1,
                ..infer()
            }
        ),
        0
    );
    assert_eq!(model.heard.take(), [normal("x", 1000), Call::Finish]);
}

#[test]
fn destroy_ends_a_run_and_waits() {
    let model = Model::open(json!({"pieces": ["x"], "repeat": 0, "delay_ms": 1}));
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.run());
        model
            .heard
            .wait_for(|call| matches!(call, Call::Normal(..)));
        // SAFETY: the handle is open.
        assert_eq!(unsafe { rkllm_destroy(model.handle) }, 0);
        assert_eq!(model.heard.take().last(), Some(&Call::Finish));
        assert_eq!(run.join().unwrap(), 0);
    });
}

#[test]
fn runs_in_the_background() {
    let model = Model::open(json!({"pieces": ["x", "y"], "prefill_ms": 50}));
    for detached in 0..3 {
        let text = CString::new("hello").unwrap();
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = text.as_ptr();
        // SAFETY: the input is copied before the call returns; the userdata outlives the run.
        unsafe {
            assert_eq!(
                rkllm_run_async(model.handle, &mut input, null_mut(), model.userdata()),
                0,
                "round {detached}"
            );
            assert_eq!(rkllm_is_running(model.handle), 1);
        }
        drop(text);
        model.heard.wait_for(|call| *call == Call::Finish);
        assert_eq!(model.heard.text(), "xy");
        model.heard.take();
    }
}

#[test]
fn is_async_makes_run_return_at_once() {
    let script = json!({"pieces": ["x"], "prefill_ms": 100});
    let model = Model::open_with(script, |param| param.is_async = 1).unwrap();
    assert_eq!(model.run(), 0);
    assert_eq!(model.heard.take(), []);
    model.heard.wait_for(|call| *call == Call::Finish);
    // SAFETY: the handle is open.
    assert_eq!(unsafe { rkllm_destroy(model.handle) }, 0);
    assert_eq!(
        model.file.recorded("destroy").len(),
        1,
        "freed when rkllm_destroy returns"
    );
}

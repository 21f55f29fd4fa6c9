//! What a script can break on purpose.

use super::{Model, id};
use crate::support::Call;
use crate::support::client::Client;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub fn opening_fails_in_many_ways<C: Client>(client: &C) {
    let open = |script: Value| Model::open_with(client, script, |settings| settings);
    assert_eq!(open(json!({"init": "fail"})).0, -1);
    assert_eq!(open(json!({"unknown": 1})).0, -1);
    let (status, model) = open(json!({"init": "null_handle"}));
    assert!(status == 0 && model.handle.is_null());
    let (status, model) = open(json!({"init": "lie", "pieces": ["x"]}));
    assert_eq!((status, model.run()), (0, -1));
}

pub fn runs_break_the_rules<C: Client>(client: &C) {
    let finishes = |calls: &[Call]| calls.iter().filter(|call| **call == Call::FINISH).count();
    for (run, status, finished, calls) in [
        ("fail", -1, 0, 0),
        ("fail_after", -1, 0, 1),
        ("error", -1, 0, 1),
        ("error_after", -1, 0, 2),
        ("no_finish", 0, 0, 1),
        ("finish_twice", 0, 2, 3),
        ("finish_and_fail", -1, 1, 2),
    ] {
        let model = Model::open(client, json!({"pieces": ["x"], "run": run}));
        assert_eq!(model.run(), status, "{run}");
        let heard = model.heard.take();
        assert_eq!((heard.len(), finishes(&heard)), (calls, finished), "{run}");
    }
}

pub fn states_and_texts_can_be_anything<C: Client>(client: &C) {
    let pieces = json!([
        {"hex": "f09f", "state": "waiting", "id": -1},
        {"hex": "f09f9880", "state": "normal"},
        {"null": true},
        {"hex": "ff", "state": "normal"},
        {"text": "bye", "state": "finish"},
    ]);
    let script = json!({"pieces": pieces, "run": "no_finish", "callback_thread": true});
    let model = Model::open(client, script);
    assert_eq!(model.run(), 0);
    // Half a character as a lossy string.
    let waiting = match C::IDS {
        true => Call::Waiting(Some("\u{fffd}".into()), -1),
        false => Call::normal("\u{fffd}", -1),
    };
    assert_eq!(
        model.heard.take(),
        [
            waiting,
            Call::normal("\u{1F600}", id::<C>(1001)),
            Call::Normal(None, id::<C>(1002)),
            Call::normal("\u{fffd}", id::<C>(1003)),
            Call::Finish(Some("bye".into())),
        ]
    );
}

pub fn calls_come_late<C: Client>(client: &C) {
    let late = json!(["y", {"null": true, "state": "finish"}]);
    let model = Model::open(
        client,
        json!({"pieces": ["x"], "late": late, "late_ms": 300}),
    );
    assert_eq!(model.run(), 0);
    assert_eq!(
        model.heard.take(),
        [Call::normal("x", id::<C>(1000)), Call::FINISH]
    );
    model.heard.wait_for(|call| *call == Call::FINISH);
    assert_eq!(
        model.heard.take(),
        [Call::normal("y", id::<C>(1000)), Call::FINISH]
    );
}

/// Runs until text has come, then aborts; `false` in groups that cannot.
fn run_and_abort<C: Client>(model: &Model<'_, C>) -> bool {
    if model.client.abort(std::ptr::null_mut()).is_none() {
        return false;
    }
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.run());
        model.heard.wait_for_text();
        assert_eq!(model.client.abort(model.handle), Some(0));
        assert_eq!(run.join().unwrap(), 0);
    });
    model.heard.take();
    true
}

pub fn an_aborted_run_leaves_tokens_behind<C: Client>(client: &C) {
    // The second piece is too far away to be played before the abort.
    let pieces = json!(["a", {"text": "b", "delay_ms": 20_000}, "c"]);
    let model = Model::open(client, json!({"pieces": pieces, "stale": 2}));
    if !run_and_abort(&model) {
        return;
    }
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.run());
        model
            .heard
            .wait_for(|call| *call == Call::normal("a", id::<C>(1000)));
        assert_eq!(client.abort(model.handle), Some(0));
        assert_eq!(run.join().unwrap(), 0);
    });
    assert_eq!(model.heard.text(), "bca");
}

pub fn an_aborted_run_breaks_the_model<C: Client>(client: &C) {
    let script = json!({"pieces": ["x"], "repeat": 0, "delay_ms": 1, "abort_breaks": true});
    let model = Model::open(client, script);
    if !run_and_abort(&model) {
        return;
    }
    assert_eq!((model.run(), model.run()), (-1, -1));
    assert_eq!(model.heard.take(), []);
}

pub fn an_abort_takes_its_time<C: Client>(client: &C) {
    let script = json!({"pieces": ["x"], "repeat": 0, "delay_ms": 1, "abort_call_ms": 50});
    let model = Model::open(client, script);
    let start = Instant::now();
    if run_and_abort(&model) {
        assert!(start.elapsed() >= Duration::from_millis(50));
    }
}

pub fn caches_are_cleared<C: Client>(client: &C) {
    let model = Model::open(client, json!({"pieces": ["x"]}));
    assert_eq!(model.run(), 0);
    let Some(status) = client.clear_cache(model.handle, 0) else {
        assert!(!C::TEMPLATED);
        return;
    };
    assert_eq!(status, 0);
    assert_eq!(
        model.file.recorded("clear_cache"),
        [json!({"call": "clear_cache", "keep": 0})]
    );
}

pub fn a_second_model_is_refused_or_waits<C: Client>(client: &C) {
    let first = Model::open(client, json!({"second": "fail"}));
    let open = |second: &str| {
        let script = json!({"second": second, "pieces": ["x"]});
        Model::open_with(client, script, |settings| settings)
    };
    assert_eq!(open("fail").0, -1);
    assert_eq!(open("ok").0, 0);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let (status, model) = open("block");
            (status, model.run(), model.heard.text())
        });
        std::thread::sleep(Duration::from_millis(50));
        assert!(!waiting.is_finished(), "it was to wait");
        drop(first);
        assert_eq!(waiting.join().unwrap(), (0, 0, "x".into()));
    });
}

//! What runs bring and what they were given.

use super::{Model, id};
use crate::support::Call;
use crate::support::client::{Client, Settings};
use serde_json::json;
use std::ptr::null_mut;
use std::time::{Duration, Instant};

pub fn pieces_are_played_and_text_goes_in_as_it_is<C: Client>(client: &C) {
    let template = json!({"prefix": "<u>", "postfix": "</u>"});
    let model = Model::open(
        client,
        json!({"pieces": ["Hel", ["lo", 6]], "template": template}),
    );
    assert_eq!(model.run(), 0);
    assert_eq!(model.heard.text(), "Hello");
    assert_eq!(
        model.heard.take(),
        [
            Call::normal("Hel", id::<C>(1000)),
            Call::normal("lo", id::<C>(6)),
            Call::FINISH
        ]
    );
    assert_eq!(client.is_running(model.handle), C::IDS.then_some(0));
    let without = client.no_template(model.handle);
    assert_eq!(without, C::TEMPLATED.then_some(0));
    assert_eq!(model.run(), 0);
    let runs = model.file.recorded("run");
    let dressed = match C::TEMPLATED {
        true => "<u>hello there</u>",
        false => "hello there",
    };
    assert_eq!(
        (&runs[0]["prompt"], &runs[1]["prompt"]),
        (&json!(dressed), &json!("hello there"))
    );
}

/// A wrong layout shows here.
pub fn parameters_arrive<C: Client>(client: &C) {
    let (status, model) = Model::open_with(client, json!({"pieces": ["x"]}), |settings| Settings {
        max_context_len: 640,
        max_new_tokens: 5,
        top_p: 0.625,
        ..settings
    });
    assert_eq!((status, model.run()), (0, 0));
    let init = &model.file.recorded("init")[0];
    assert_eq!(
        (
            &init["max_context_len"],
            &init["max_new_tokens"],
            &init["n_batch"]
        ),
        (&json!(640), &json!(5), &json!(1))
    );
    let sampling = &init["sampling"];
    assert_eq!(
        (&sampling["top_k"], &sampling["top_p"]),
        (&json!(1), &json!(0.625))
    );
    assert_eq!(sampling["repeat_penalty"], 1.0);
    // As single precision.
    assert_eq!(sampling["temperature"].as_f64(), Some(f64::from(0.8f32)));
    assert_eq!(
        (&sampling["mirostat"], &sampling["mirostat_tau"]),
        (&json!(0), &json!(5.0))
    );
    let run = &model.file.recorded("run")[0];
    assert_eq!(
        (&run["input"], &run["keep_history"]),
        (&json!("hello there"), &json!(false))
    );
}

pub fn the_first_runs_may_have_pieces_of_their_own<C: Client>(client: &C) {
    let script = json!({"first": [["a"], ["b", "c"]], "pieces": ["d"]});
    let model = Model::open(client, script);
    for text in ["a", "bc", "d", "d"] {
        assert_eq!(model.run(), 0);
        assert_eq!(model.heard.text(), text);
        model.heard.take();
    }
}

pub fn characters_may_come_in_parts<C: Client>(client: &C) {
    let pieces = json!([{"hex": "61f09f"}, {"hex": "9880"}]);
    let model = Model::open(client, json!({"pieces": pieces}));
    assert_eq!(model.run(), 0);
    assert_eq!(model.heard.text(), "a\u{1F600}");
    let calls = model.heard.take();
    // Groups that give no ids have no state for it either: the bytes come as they are.
    match C::IDS {
        true => assert_eq!(
            calls,
            [
                Call::waiting(1000),
                Call::normal("a\u{1F600}", 1001),
                Call::FINISH
            ]
        ),
        false => assert_eq!(calls.len(), 3),
    }
}

pub fn runs_end_when_aborted_or_destroyed<C: Client>(client: &C) {
    let script = json!({"pieces": ["x"], "repeat": 0, "delay_ms": 1, "abort_ms": 30});
    let model = Model::open(client, script);
    let aborts = client.abort(null_mut()).is_some();
    if aborts {
        std::thread::scope(|scope| {
            let run = scope.spawn(|| model.run());
            model.heard.wait_for_text();
            assert_eq!(client.is_running(model.handle).unwrap_or(1), 1);
            assert_eq!(model.run(), -1, "one run at a time");
            let start = Instant::now();
            assert_eq!(client.abort(model.handle), Some(0));
            assert_eq!(run.join().unwrap(), 0);
            assert!(
                start.elapsed() >= Duration::from_millis(30),
                "the abort was to be slow"
            );
            assert_eq!(client.abort(model.handle), Some(-1), "nothing to abort");
        });
        assert_eq!(model.heard.take().last(), Some(&Call::FINISH));
    }
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.run());
        model.heard.wait_for_text();
        assert_eq!(client.destroy(model.handle), 0);
        assert_eq!(model.heard.take().last(), Some(&Call::FINISH));
        assert_eq!(run.join().unwrap(), 0);
    });
    assert_eq!(
        model.file.recorded("destroy").len(),
        1,
        "freed when rkllm_destroy returns"
    );
}

pub fn runs_in_the_background<C: Client>(client: &C) {
    let model = Model::open(client, json!({"pieces": ["x", "y"], "prefill_ms": 50}));
    for _ in 0..2 {
        let prompt = c"hello".to_owned();
        let Some(status) = client.run_async(model.handle, &prompt, &model.heard) else {
            assert!(!C::IDS);
            return;
        };
        drop(prompt);
        assert_eq!((status, client.is_running(model.handle)), (0, Some(1)));
        model.heard.wait_for(|call| *call == Call::FINISH);
        assert_eq!(model.heard.text(), "xy");
        model.heard.take();
    }
}

pub fn limits_are_kept_or_clamped<C: Client>(client: &C) {
    let open = |limit: Option<&str>| {
        let mut script = json!({"max_context_limit": 8, "pieces": ["x"], "repeat": 0});
        if let Some(limit) = limit {
            script["context_limit"] = limit.into();
        }
        Model::open_with(client, script, |settings| Settings {
            max_context_len: 9,
            ..settings
        })
    };
    assert_eq!(open(Some("strict")).0, -1);
    // No limit is documented for the groups without ids.
    assert_eq!(open(None).0, if C::IDS { -1 } else { 0 });
    let (status, model) = open(Some("clamp"));
    assert_eq!(status, 0);
    assert_eq!(client.no_template(model.handle), C::TEMPLATED.then_some(0));
    assert_eq!(model.text(c"1 2 3 4 5"), 0);
    assert_eq!(model.heard.take().len(), 3 + 1);
    assert_eq!(model.text(c"1 2 3 4 5 6 7 8"), -1);
    assert_eq!(model.heard.take(), [Call::Error]);
    assert_eq!(model.text(c""), -1);
}

pub fn an_unlimited_script_ignores_the_window<C: Client>(client: &C) {
    let script = json!({"pieces": ["x", "y"], "repeat": 0, "unlimited": true});
    let (_, model) = Model::open_with(client, script, |settings| Settings {
        max_context_len: 4,
        max_new_tokens: 1,
        ..settings
    });
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.text(c"one two three four five"));
        let second = Call::normal("y", id::<C>(1001));
        model.heard.wait_for(|call| *call == second);
        assert_eq!(client.destroy(model.handle), 0);
        assert_eq!(run.join().unwrap(), 0);
    });
}

pub fn bad_handles_are_refused<C: Client>(client: &C) {
    let model = Model::open(client, json!({"pieces": ["x"]}));
    let destroyed = model.handle;
    let heard = crate::support::Heard::default();
    drop(model);
    for handle in [null_mut(), destroyed, std::ptr::without_provenance_mut(7)] {
        assert_eq!(client.run(handle, c"x", &heard), -1);
        assert_eq!(client.destroy(handle), -1);
        for status in [
            client.run_async(handle, c"x", &heard),
            client.abort(handle),
            client.no_template(handle),
            client.clear_cache(handle, 0),
        ] {
            assert_eq!(status.unwrap_or(-1), -1);
        }
        assert_eq!(client.is_running(handle).unwrap_or(0), 0);
    }
    assert_eq!(heard.take(), []);
}

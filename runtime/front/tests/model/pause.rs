//! Runs that the callback pauses, and what may happen to the cache meanwhile.

use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;

fn paused(at: usize) -> Heard {
    Heard {
        pause_at: Some(at),
        ..Heard::default()
    }
}

#[test]
fn a_paused_run_goes_on_where_it_was() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut ids = model.tokenize(CHAT);
    let mut whole = Heard::default();
    assert_eq!(model.tokens(&mut ids, infer(), &mut whole), 0);
    assert!(whole.ids.len() > 5);

    // An empty input goes on with the token that the callback was told.
    let (mut first, mut rest) = (paused(3), Heard::default());
    assert_eq!(model.tokens(&mut ids, infer(), &mut first), 0);
    assert_eq!((first.ids.len(), first.finished), (3, 0));
    assert_eq!(model.cached() as usize, ids.len() + 2);
    assert_eq!(model.tokens(&mut [], infer(), &mut rest), 0);
    assert_eq!([first.ids, rest.ids].concat(), whole.ids);
    assert_eq!(rest.finished, 1);

    // Another input takes that token's place; here it is the same.
    let (mut first, mut rest) = (paused(3), Heard::default());
    assert_eq!(model.tokens(&mut ids, infer(), &mut first), 0);
    let token = &mut [first.ids[2]];
    assert_eq!(model.tokens(token, infer(), &mut rest), 0);
    assert_eq!([first.ids, rest.ids].concat(), whole.ids);

    // One step at a time, with text that nothing is put around.
    let mut heard = paused(1);
    assert_eq!(model.tokens(&mut ids, infer(), &mut heard), 0);
    for step in 2..=whole.ids.len() {
        let end = whole.ids.len() == step;
        heard.pause_at = (!end).then_some(step);
        assert_eq!(model.tokens(&mut [], infer(), &mut heard), 0);
    }
    assert_eq!((&heard.ids, heard.finished), (&whole.ids, 1));
    // The end of a run is the end: the next one is new.
    assert_eq!(model.tokens(&mut [], infer(), &mut heard), -1);
    assert_eq!(model.tokens(&mut ids, infer(), &mut Heard::default()), 0);
}

#[test]
fn text_goes_into_a_paused_run_as_it_is() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut ids = model.tokenize(CHAT);
    assert_eq!(model.tokens(&mut ids, infer(), &mut paused(1)), 0);
    let cached = model.cached() as u64;
    let mut rest = Heard::default();
    assert_eq!(model.text("Lyon is", at_most(4), &mut rest), 0);
    let new = model.tokenize("Lyon is").len() as u64;
    assert_eq!(model.counts().prompt_tokens, cached + new);
}

#[test]
fn ranges_are_cleared_only_while_paused() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let one = model.tokenize("The sky is blue. ");
    let two = model.tokenize("The grass is green. ");
    let end = model.tokenize("The blood is");
    let without = [&one[..], &end[..]].concat();
    let mut expected = Heard::default();
    assert_eq!(
        model.tokens(&mut without.clone(), at_most(6), &mut expected),
        0
    );
    let error = model.clear(Some((0, 1))).unwrap_err();
    assert!(error.contains("paused"), "{error}");

    // The second sentence is taken out of the middle of the prompt, and the run goes on.
    let mut prompt = [&one[..], &two[..], &end[..]].concat();
    assert_eq!(model.tokens(&mut prompt, at_most(6), &mut paused(1)), 0);
    let (start, stop) = (one.len() as i32, (one.len() + two.len()) as i32);
    for range in [(-1, 2), (3, 2), (0, 1000), (i32::MIN, i32::MAX)] {
        assert!(model.clear(Some(range)).is_err(), "{range:?}");
    }
    model.clear(Some((start, start))).unwrap();
    assert_eq!(model.cached() as usize, prompt.len());
    model.clear(Some((start, stop))).unwrap();
    assert_eq!(model.cached() as usize, without.len());
    assert_eq!(model.tokens(&mut [], at_most(6), &mut Heard::default()), 0);

    // From a position to the end: what was there is asked again, and the answer is the same.
    assert_eq!(model.tokens(&mut prompt, at_most(6), &mut paused(1)), 0);
    model.clear(Some((start, model.cached()))).unwrap();
    let mut heard = Heard::default();
    assert_eq!(model.tokens(&mut end.clone(), at_most(6), &mut heard), 0);
    assert_eq!(model.counts().reused_tokens, one.len() as u64);
    assert_eq!(heard.text, expected.text);

    // Clearing all ends the pause.
    assert_eq!(model.tokens(&mut prompt, at_most(6), &mut paused(1)), 0);
    model.clear(None).unwrap();
    assert!(model.clear(Some((0, 0))).is_err());
    assert_eq!(model.tokens(&mut [], at_most(6), &mut heard), -1);
}

#[test]
fn a_run_with_history_is_not_paused() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let keep = RKLLMInferParam {
        keep_history: 1,
        ..at_most(5)
    };
    let mut heard = paused(2);
    assert_eq!(model.text("Name a colour.", keep, &mut heard), 0);
    assert_eq!(heard.finished, 1);
    assert!(heard.ids.len() > 2);
    assert!(model.clear(Some((0, 1))).is_err());
}

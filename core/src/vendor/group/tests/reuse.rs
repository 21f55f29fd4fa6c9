//! A prompt of which the cache has a part already leads to the same numbers as one that is computed from
//! its beginning.

use super::cpu_runtime::{encode, installed, plain, some};
use super::*;
use crate::vendor::Mode;
use crate::vendor::capabilities::*;

const FIRST: &str =
    "<|im_start|>user\nName three rivers of Europe.<|im_end|>\n<|im_start|>assistant\n";
const SECOND: &str = "<|im_end|>\n<|im_start|>user\nWhich of them is the longest?<|im_end|>\n<|im_start|>assistant\n";

fn tokens_of(ids: &[u32]) -> impl Iterator<Item = i32> {
    ids.iter().map(|id| i32::try_from(*id).unwrap())
}

fn ids_of(events: &[RunEvent]) -> Vec<u32> {
    let ids = events.iter().filter_map(|event| match event {
        RunEvent::Token(token) => token.id,
        _ => None,
    });
    ids.collect()
}

/// The token that follows a prompt, how much of the prompt was reused, and the logits that follow that
/// token.
fn after(session: &dyn Session, prompt: &[i32]) -> (Vec<u32>, u32, Vec<f32>) {
    let next = ids_of(&some(session, &request(Input::Tokens(prompt.to_vec())), 1));
    let reused = session.counts().unwrap().reused_tokens;
    // What goes on in the cache computes nothing again.
    let further = RunRequest {
        mode: Mode::Logits,
        keep_history: true,
        ..request(Input::Tokens(encode(session, " the")))
    };
    let events = some(session, &further, 1);
    let rows = events.into_iter().find_map(|event| match event {
        RunEvent::Logits { logits, .. } => Some(logits),
        _ => None,
    });
    (next, reused, rows.unwrap().values)
}

fn cosine(a: &[f32], b: &[f32]) -> f64 {
    let product = |a: &[f32], b: &[f32]| -> f64 {
        a.iter()
            .zip(b)
            .map(|(a, b)| f64::from(*a) * f64::from(*b))
            .sum()
    };
    product(a, b) / (product(a, a) * product(b, b)).sqrt()
}

#[test]
fn a_reused_prompt_leads_to_the_logits_of_a_fresh_one() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    let groups = groups_with(PREFIX_REUSE).filter(|group| can(*group, LOGITS));
    for group in groups {
        let session = plain(group, &model);
        let mut prompt = encode(&*session, FIRST);
        let answer = ids_of(&some(
            &*session,
            &request(Input::Tokens(prompt.clone())),
            24,
        ));
        prompt.extend(tokens_of(&answer));
        let known = prompt.len();
        prompt.extend(encode(&*session, SECOND));
        let (next, reused, logits) = after(&*session, &prompt);
        assert!(
            reused as usize + 2 >= known,
            "{}: {reused} of {known}",
            group.name()
        );
        drop(session);

        let fresh = plain(group, &model);
        let (next_fresh, reused, logits_fresh) = after(&*fresh, &prompt);
        assert_eq!((reused, next_fresh), (0, next), "{}", group.name());
        assert_eq!(logits.len(), logits_fresh.len());
        let cosine = cosine(&logits, &logits_fresh);
        assert!(cosine > 0.999, "{}: {cosine}", group.name());
    }
}

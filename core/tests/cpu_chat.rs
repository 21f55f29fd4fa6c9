//! A long conversation with a real model in the CPU runtimes: each turn computes what is new, and not
//! what was said before.

mod common;

use common::{at_most, greedy, smollm, turn};
use rkchat::{Chat, ChatOptions, EncodeOptions, LogitsOptions, Model, ModelOptions, RenderOptions};
use serde_json::json;

const TURNS: usize = 20;

/// What a turn may compute besides its own tokens: the last one of a prompt is never reused, and the last
/// one of an answer was never put in.
const MORE: usize = 4;

/// Logits less than this apart are as good as equal: what 4-bit weights leave uncertain.
const NEAR: f32 = 0.5;

fn begin(model: &Model) -> Chat {
    let options = ChatOptions {
        system: Some("You are a helpful assistant. Answer in one sentence.".into()),
        ..ChatOptions::default()
    };
    Chat::open(model, &options).unwrap()
}

fn question(turn: usize) -> String {
    let places = ["France", "Italy", "Norway", "Japan", "Kenya"];
    format!(
        "Number {turn}: what is {} known for? 🎉",
        places[turn % places.len()]
    )
}

/// The tokens of the prompt that the last answer of a chat was for.
fn last_prompt(model: &Model, chat: &Chat) -> Vec<u32> {
    let mut messages = chat.messages().unwrap();
    messages.as_array_mut().unwrap().pop();
    let options = RenderOptions {
        add_generation_prompt: true,
        ..RenderOptions::default()
    };
    let prompt = model.render(&messages, &options).unwrap();
    let plain = EncodeOptions {
        add_special_tokens: false,
    };
    model.encode(&prompt, &plain).unwrap()
}

fn common_beginning(a: &[u32], b: &[u32]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[test]
fn turn_20_costs_what_turn_2_costs() {
    let Some(path) = smollm() else { return };
    let _turn = turn();
    for group in ["1.2.0", "1.2.1b1", "1.2.1", "1.3.0"] {
        let model = Model::open(&path, &greedy(group, 2048)).unwrap();
        let chat = begin(&model);
        let mut before: Vec<u32> = Vec::new();
        for turn in 0..TURNS {
            let generation = chat.send(&question(turn), &at_most(12)).unwrap();
            let completion = generation.completion().unwrap();
            assert!(completion.warnings.is_empty(), "{:?}", completion.warnings);
            let prompt = last_prompt(&model, &chat);
            let usage = completion.usage;
            assert_eq!(
                usage.prompt_tokens as usize,
                prompt.len(),
                "{group}: {turn}"
            );
            let common = common_beginning(&prompt, &before);
            let own = prompt.len() - common;
            let evaluated = prompt.len() - usage.reused_tokens.unwrap() as usize;
            assert!(
                evaluated <= own + MORE,
                "{group}: {turn}: {evaluated} of {own}"
            );
            let lost = usage
                .retokenized_tokens
                .zip(usage.rewritten_tokens)
                .map(|(retokenized, rewritten)| (retokenized + rewritten) as usize);
            assert_eq!(
                lost,
                (turn > 0).then(|| before.len() - common),
                "{group}: {turn}"
            );
            before = prompt;
            before.extend(completion.token_ids);
        }
        let messages = chat.messages().unwrap();
        assert_eq!(messages.as_array().unwrap().len(), 1 + 2 * TURNS);
    }
}

#[test]
fn runtimes_before_1_2_0_reuse_nothing_and_say_so() {
    let Some(path) = smollm() else { return };
    let _turn = turn();
    for group in ["1.0.0", "1.0.1", "1.1.0"] {
        let model = Model::open(&path, &greedy(group, 2048)).unwrap();
        let chat = begin(&model);
        for place in ["France", "Italy"] {
            let question = format!("What is the capital of {place}?");
            // Up to its own end: 1.0.0 cannot be stopped before it, and tells its counts after it.
            let generation = chat.send(&question, &at_most(200)).unwrap();
            let usage = generation.completion().unwrap().usage;
            assert_eq!(usage.reused_tokens, Some(0), "{group}");
            assert!(usage.prompt_tokens > 30);
            assert_eq!(usage.retokenized_tokens, None);
        }
    }
}

#[test]
fn a_full_window_drops_the_oldest_turns_and_goes_on() {
    let Some(path) = smollm() else { return };
    let _turn = turn();
    let model = Model::open(&path, &greedy("1.3.0", 256)).unwrap();
    let chat = begin(&model);
    let mut cheap = 0;
    for turn in 0..12 {
        let generation = chat.send(&question(turn), &at_most(8)).unwrap();
        let completion = generation.completion().unwrap();
        let usage = completion.usage;
        assert!(usage.prompt_tokens + 8 <= 256, "{turn}: {usage:?}");
        let evaluated = usage.prompt_tokens - usage.reused_tokens.unwrap();
        cheap += usize::from(evaluated < 40);
    }
    // Leaving turns out moves all that follows, so it is not done at every turn.
    assert!(cheap >= 8, "{cheap}");
    let messages = chat.messages().unwrap();
    assert_eq!(messages.as_array().unwrap().len(), 25);
}

/// Where a text goes on otherwise over a reused cache, the two tokens were about as likely.
#[test]
fn a_reused_cache_changes_answers_only_at_near_ties() {
    let Some(path) = smollm() else { return };
    let _turn = turn();
    for group in ["1.2.0", "1.3.0"] {
        let model = Model::open(&path, &greedy(group, 2048)).unwrap();
        let chat = begin(&model);
        let anew = ModelOptions {
            assume: Some(json!({"prefix_reuse": "off"})),
            ..greedy(group, 2048)
        };
        let anew = Model::open(&path, &anew).unwrap();
        let (mut tokens, mut ties) = (0, 0);
        for turn in 0..8 {
            let answer = chat.send(&question(turn), &at_most(24)).unwrap();
            let answer = answer.completion().unwrap();
            let prompt = last_prompt(&model, &chat);
            let other = anew.complete_ids(&prompt, &at_most(24)).unwrap();
            let other = other.completion().unwrap();
            assert_eq!(other.usage.reused_tokens, Some(0), "{group}");
            assert!(turn == 0 || answer.usage.reused_tokens > Some(0), "{group}");
            let (ours, theirs) = (&answer.token_ids, &other.token_ids);
            let same = common_beginning(ours, theirs);
            tokens += same;
            if let (Some(one), Some(two)) = (ours.get(same), theirs.get(same)) {
                ties += 1;
                let before = [&*prompt, &ours[..same]].concat();
                let logits = anew.logits_ids(&before, &LogitsOptions::default()).unwrap();
                let likely = |id: u32| logits.data()[id as usize];
                let apart = (likely(*one) - likely(*two)).abs();
                assert!(apart < NEAR, "{group}: turn {turn}: {apart} apart");
            }
        }
        eprintln!("{group}: {tokens} tokens the same, {ties} near ties");
        assert!(tokens > 100, "{group}: {tokens}");
    }
}

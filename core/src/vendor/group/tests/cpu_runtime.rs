//! Over the CPU runtime with a real model: what the numbers, adapters, caches and pauses come to.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::*;
use crate::vendor::capabilities::*;
use crate::vendor::{CrossAttention, Mode, Rows, Sampling};

/// The writer of adapters and reader of embeddings that the CPU runtime's own tests use.
#[allow(dead_code, reason = "its own tests use more of it")]
#[path = "../../../../../runtime/front/tests/model/gguf.rs"]
mod gguf;

const CHAT: &str =
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";

/// The model's numbers for one token: in a state, and in logits.
const WIDTH: usize = 576;
const VOCABULARY: usize = 49152;

static ONE: Mutex<()> = Mutex::new(());

/// The model, and the right to compute: two at once would be far slower than one after the other.
pub(super) fn installed() -> Option<(PathBuf, MutexGuard<'static, ()>)> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../.cache/models");
    let model = Path::new(root).join("SmolLM2-135M-Instruct.Q4_1.gguf");
    if !model.is_file() {
        eprintln!(
            "SKIPPED: {} is missing; make test fetches it",
            model.display()
        );
        return None;
    }
    Some((model, ONE.lock().unwrap_or_else(PoisonError::into_inner)))
}

fn cpu(group: Group, model: &Path, params: InitParams) -> Box<dyn Session> {
    let params = InitParams {
        model_path: model.to_owned(),
        max_context_len: 256,
        sampling: Sampling {
            top_k: Some(1),
            repeat_penalty: Some(1.0),
            ..Sampling::default()
        },
        ..params
    };
    open(group, group.name(), &params)
}

pub(super) fn plain(group: Group, model: &Path) -> Box<dyn Session> {
    cpu(group, model, InitParams::default())
}

pub(super) fn encode(session: &dyn Session, text: &str) -> Vec<i32> {
    let ids = session
        .vocabulary()
        .unwrap()
        .tokenize(text, false, true)
        .unwrap();
    ids.into_iter()
        .map(|id| i32::try_from(id).unwrap())
        .collect()
}

/// Runs until there are so many tokens; groups without a limit of their own are aborted.
pub(super) fn some(session: &dyn Session, request: &RunRequest, enough: usize) -> Vec<RunEvent> {
    let mut events = Vec::new();
    let mut count = 0;
    session.run(request, &mut |event| {
        count += usize::from(matches!(event, RunEvent::Token(_)));
        if count == enough {
            session.abort();
        }
        events.push(event);
        Flow::Go
    });
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, RunEvent::Error { .. })),
        "{:?}",
        session.last_error()
    );
    events
}

fn answer(session: &dyn Session, input: Input) -> Vec<u32> {
    ids(&some(session, &request(input), 5))
}

fn argmax(row: &[f32]) -> u32 {
    let best = row.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1));
    u32::try_from(best.unwrap().0).unwrap()
}

fn last(rows: &Rows) -> &[f32] {
    &rows.values[rows.values.len() - rows.width..]
}

/// The logits after a prompt, and the token drawn from them.
fn logits(session: &dyn Session, ids: &[i32], adapter: Option<&str>) -> (Rows, u32) {
    let asked = RunRequest {
        mode: Mode::Logits,
        adapter: adapter.map(str::to_owned),
        ..request(Input::Tokens(ids.to_vec()))
    };
    let mut events = some(session, &asked, 1).into_iter();
    match (events.next(), events.next()) {
        (Some(RunEvent::Logits { batch: 0, logits }), Some(RunEvent::Token(token))) => {
            (logits, token.id.unwrap())
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn states_and_logits_are_the_models() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    for group in groups_with(HIDDEN_STATES) {
        let session = plain(group, &model);
        let prompt = encode(&*session, CHAT);
        let asked = RunRequest {
            mode: Mode::HiddenStates,
            ..request(Input::Tokens(prompt.clone()))
        };
        let events = run(&*session, &asked);
        let [
            RunEvent::Hidden { batch: 0, states },
            RunEvent::Finish { .. },
        ] = &events[..]
        else {
            panic!("{}: {} events", group.name(), events.len());
        };
        assert_eq!(
            (states.tokens, states.width),
            (prompt.len(), WIDTH),
            "{}",
            group.name()
        );
        assert_eq!(states.values.len(), prompt.len() * WIDTH);
        assert!(states.values.iter().all(|value| value.is_finite()));
        let next = answer(&*session, Input::Tokens(prompt.clone()))[0];
        if can(group, LOGITS) {
            let (rows, token) = logits(&*session, &prompt, None);
            assert_eq!(
                (rows.tokens, rows.width),
                (prompt.len(), VOCABULARY),
                "{}",
                group.name()
            );
            assert_eq!((argmax(last(&rows)), token), (next, next));
            // This model's logits are the products of its last state and its embeddings.
            let embedding = gguf::embeddings(&model, &[i32::try_from(next).unwrap()]);
            let product: f32 = embedding.iter().zip(last(states)).map(|(a, b)| a * b).sum();
            let logit = last(&rows)[next as usize];
            assert!(
                (product - logit).abs() < 0.3,
                "{}: {product} {logit}",
                group.name()
            );
        }
    }
}

#[test]
fn embeddings_stand_for_their_tokens() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    for group in groups_with(EMBEDDING_INPUT) {
        let session = plain(group, &model);
        let prompt = encode(&*session, CHAT);
        let embeddings = Input::Embeddings {
            values: gguf::embeddings(&model, &prompt),
            tokens: prompt.len(),
        };
        let by_tokens = answer(&*session, Input::Tokens(prompt));
        assert_eq!(answer(&*session, embeddings), by_tokens, "{}", group.name());
    }
}

#[test]
fn an_adapter_changes_what_a_run_that_names_it_says() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    let folder = Folder::new();
    let file = folder.path("lora.gguf");
    gguf::Lora::new(1, 0.5).write(&file);
    for group in groups_with(LORA) {
        let session = plain(group, &model);
        let prompt = Input::Tokens(encode(&*session, CHAT));
        let base = answer(&*session, prompt.clone());
        assert_eq!(session.load_adapter("poet", &file, 8.0), 0);
        let with = |name: &str| RunRequest {
            adapter: Some(name.into()),
            ..request(prompt.clone())
        };
        let poetic = ids(&some(&*session, &with("poet"), 5));
        assert_ne!(poetic, base, "{}", group.name());
        assert_eq!(answer(&*session, prompt.clone()), base, "{}", group.name());
        let (status, events) = run_until(&*session, &with("nobody"), None);
        assert!(status != 0 && matches!(events[..], [RunEvent::Error { .. }]));
        assert!(session.last_error().unwrap().contains("nobody"));
        assert_ne!(session.load_adapter("bad", &model, 1.0), 0);
    }
}

#[test]
fn a_saved_prompt_is_not_computed_again() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    let folder = Folder::new();
    for group in groups_with(PROMPT_CACHE) {
        let session = plain(group, &model);
        let system = "A list of capitals: Rome, Paris, Berlin. ".repeat(4);
        let [one, two] = ["Italy:", "The capital of Germany is"]
            .map(|end| encode(&*session, &(system.clone() + end)));
        let common = one.iter().zip(&two).take_while(|(a, b)| a == b).count();
        let expected = answer(&*session, Input::Tokens(two.clone()));
        let file = folder.path(&format!("{}.bin", group.name()));
        let asked = RunRequest {
            save_cache: Some(file.clone()),
            ..request(Input::Tokens(one.clone()))
        };
        some(&*session, &asked, 2);
        drop(session);
        assert!(file.is_file(), "{}", group.name());

        let session = plain(group, &model);
        assert_eq!(
            session.load_prompt_cache(&file),
            0,
            "{:?}",
            session.last_error()
        );
        assert_eq!(
            answer(&*session, Input::Tokens(two.clone())),
            expected,
            "{}",
            group.name()
        );
        let counts = session.counts().unwrap();
        assert_eq!(counts.reused_tokens as usize, common, "{}", group.name());
        assert_eq!(session.release_prompt_cache(), 0);
        session.clear_cache(false, &[]);
        answer(&*session, Input::Tokens(two));
        assert_eq!(
            session.counts().unwrap().reused_tokens,
            0,
            "{}",
            group.name()
        );
    }
}

#[test]
fn a_paused_run_goes_on_as_if_nothing_had_been() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    for group in groups_with(PAUSE) {
        let session = plain(group, &model);
        let prompt = Input::Tokens(encode(&*session, CHAT));
        let whole = ids(&run(&*session, &request(prompt.clone())));
        assert!(whole.len() > 4);
        let (status, events) = run_until(&*session, &request(prompt), Some(3));
        let mut said = ids(&events);
        assert_eq!((status, said.len()), (0, 3), "{}", group.name());
        let token = i32::try_from(said[2]).unwrap();
        let rest = run(&*session, &request(Input::Tokens(vec![token])));
        said.extend(ids(&rest));
        assert_eq!(said, whole, "{}", group.name());
        assert!(matches!(rest.last(), Some(RunEvent::Finish { .. })));
    }
}

#[test]
fn two_inputs_of_a_run_have_their_answers() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    let questions = ["What is the capital of France?", "Name three colours."];
    for group in groups_with(BATCH) {
        let alone = {
            let session = plain(group, &model);
            questions.map(|question| {
                let events = some(&*session, &request(Input::Text(question.into())), 12);
                ids(&events)
            })
        };
        let asked = InitParams {
            n_batch: Some(2),
            ..InitParams::default()
        };
        let session = cpu(group, &model, asked);
        let both = RunRequest {
            inputs: questions
                .map(|question| Input::Text(question.into()))
                .into(),
            ..request(Input::Tokens(Vec::new()))
        };
        let events = some(&*session, &both, 24);
        for (batch, alone) in alone.iter().enumerate() {
            let answer = tokens(&events)
                .into_iter()
                .filter(|token| token.batch == batch);
            let answer: Vec<_> = answer.filter_map(|token| token.id).collect();
            assert!(!answer.is_empty(), "{}: {batch}", group.name());
            let same = answer.len().min(alone.len());
            assert_eq!(answer[..same], alone[..same], "{}: {batch}", group.name());
        }
        assert!(session.cache_size().unwrap() > 8);
        // One input is not enough; two would be read.
        let one = request(Input::Text("hi".into()));
        assert_eq!(run_until(&*session, &one, None).0, -1);
    }
}

#[test]
fn what_it_lacks_is_refused() {
    let Some((model, _alone)) = installed() else {
        return;
    };
    for group in groups_with(CROSS_ATTENTION) {
        let session = plain(group, &model);
        let encoder = CrossAttention {
            keys: vec![0.0; 4],
            values: vec![0.0; 4],
            mask: vec![1.0],
            positions: vec![0],
        };
        assert_ne!(session.set_cross_attention(encoder), 0);
        assert!(session.last_error().unwrap().contains("cross attention"));
    }
}

//! Hidden states, logits and embeddings: numbers in place of text.

use crate::gguf;
use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use rkchat_runtime_front::cpu::Cpu;
use rkchat_runtime_front::engine::{
    Cache, Engine, Event, Flow, Hosts, InitParams, Input, LogProb, Mode, Part, Prompt, Request,
    Sampling, Sink,
};
use std::path::Path;

fn mode(mode: u32) -> RKLLMInferParam {
    RKLLMInferParam { mode, ..at_most(6) }
}

#[test]
fn logits_are_what_tokens_are_drawn_from() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut ids = model.tokenize(&CHAT.repeat(5));
    let mut text = Heard::default();
    assert_eq!(model.tokens(&mut ids, at_most(6), &mut text), 0);
    let mut heard = Heard::default();
    let logits = mode(RKLLM_INFER_GET_LOGITS);
    assert_eq!(model.tokens(&mut ids, logits, &mut heard), 0);
    assert_eq!((&heard.ids, heard.finished), (&text.ids, 1));
    assert_eq!(model.counts().reused_tokens, 0, "each position has its row");
    let rows: Vec<_> = heard.logits.iter().map(Table::rows).collect();
    // More than are computed at once.
    assert!(ids.len() > 64);
    assert_eq!(rows[0], ids.len());
    assert!(rows[1..].iter().all(|rows| *rows == 1), "{rows:?}");
    for (table, id) in heard.logits.iter().zip(&heard.ids) {
        assert_eq!((table.columns, argmax(table.last())), (49152, *id));
        assert!(table.values.iter().all(|value| value.is_finite()));
    }
    // Rows are in the order of the prompt: one that ends earlier ends with an earlier row.
    let n = ids.len() / 2;
    let mut earlier = Heard::default();
    assert_eq!(model.tokens(&mut ids[..n], logits, &mut earlier), 0);
    let row = &heard.logits[0].values[(n - 1) * 49152..n * 49152];
    assert_eq!(argmax(row), earlier.ids[0]);
}

#[test]
fn hidden_states_are_what_logits_are_made_of() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut ids = model.tokenize(&CHAT.repeat(5));
    let mut logits = Heard::default();
    let infer = mode(RKLLM_INFER_GET_LOGITS);
    assert_eq!(model.tokens(&mut ids, infer, &mut logits), 0);
    let mut heard = Heard::default();
    let infer = mode(RKLLM_INFER_GET_LAST_HIDDEN_LAYER);
    assert_eq!(model.tokens(&mut ids, infer, &mut heard), 0);
    assert_eq!((heard.finished, heard.ids.len()), (1, 0));
    let [states] = &heard.hidden_states[..] else {
        panic!("{} calls", heard.hidden_states.len());
    };
    assert_eq!((states.rows(), states.columns), (ids.len(), 576));
    assert!(states.values.iter().all(|value| value.is_finite()));
    // This model's logits are the products of its last hidden state and its embeddings.
    let some = [logits.ids[0], 5, 1000, 40000];
    let embeddings = gguf::embeddings(&path, &some);
    for (id, row) in some.iter().zip(embeddings.chunks(576)) {
        let product: f32 = row.iter().zip(states.last()).map(|(a, b)| a * b).sum();
        let logit = logits.logits[0].last()[*id as usize];
        assert!((product - logit).abs() < 0.3, "{id}: {product}, {logit}");
    }
    // The model is as before.
    let mut text = Heard::default();
    assert_eq!(model.tokens(&mut ids, at_most(6), &mut text), 0);
    assert_eq!(text.ids, logits.ids);
}

#[test]
fn embeddings_stand_for_tokens() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut ids = model.tokenize(CHAT);
    let mut rows = gguf::embeddings(&path, &ids);
    let mut text = Heard::default();
    assert_eq!(model.tokens(&mut ids, infer(), &mut text), 0);
    for reused in [0, ids.len() as u64 - 1] {
        let mut heard = Heard::default();
        let (n, infer) = (ids.len(), infer());
        assert_eq!(model.embeddings(&mut rows, n, infer, &mut heard), 0);
        assert_eq!(heard.text, text.text);
        assert_eq!(model.counts().reused_tokens, reused);
        assert_eq!(model.counts().prompt_tokens, n as u64);
    }
    rows[3] = f32::NAN;
    let mut heard = Heard::default();
    let n = ids.len();
    assert_eq!(model.embeddings(&mut rows, n, infer(), &mut heard), -1);
    assert!(last_error(model.extension).contains("row 0"));
    // Far more than there is: refused before it is read.
    for n in [1024, usize::MAX] {
        assert_eq!(model.embeddings(&mut rows, n, infer(), &mut heard), -1);
        assert!(last_error(model.extension).contains("1024"));
    }
    assert_eq!(model.embeddings(&mut [], 0, infer(), &mut heard), -1);
    let mut again = Heard::default();
    assert_eq!(model.tokens(&mut ids, infer(), &mut again), 0);
    assert_eq!(again.text, text.text);
}

#[test]
fn images_go_where_the_text_says() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    model.set_template([c"", c"", c""]);
    let whole = "The capital of [ France] is the city of";
    let mut text = Heard::default();
    assert_eq!(model.text(whole, at_most(8), &mut text), 0);
    let prompt_tokens = model.counts().prompt_tokens;
    let ids = model.tokenize(" France");
    let rows = gguf::embeddings(&path, &ids);
    let run = |prompt: &std::ffi::CStr, n_image: usize, heard: &mut Heard| {
        let mut values = rows.repeat(n_image);
        let mut input = RKLLMInput::zeroed();
        input.input_type = RKLLM_INPUT_MULTIMODAL;
        let mut images = RKLLMMultiModalInput::zeroed();
        images.prompt = prompt.as_ptr().cast_mut();
        images.image.image_embed = values.as_mut_ptr();
        images.image.n_image = n_image;
        images.image.n_image_tokens = ids.len();
        images.image.image_start = c" [".as_ptr();
        images.image.image_end = c"]".as_ptr();
        input.input.multimodal_input = images;
        model.run(input, at_most(8), heard)
    };
    let mut heard = Heard::default();
    let marked = c"The capital of<image> is the city of";
    assert_eq!(run(marked, 1, &mut heard), 0);
    assert_eq!(model.counts().prompt_tokens, prompt_tokens);
    assert_eq!(heard.text, text.text);
    // One mark for two pictures in a row, and a mark for each.
    for (prompt, whole) in [
        (c"A<image> and so on", "A [ France] [ France] and so on"),
        (
            c"A<image> b<image> and so on",
            "A [ France] b [ France] and so on",
        ),
    ] {
        let (mut heard, mut text) = (Heard::default(), Heard::default());
        assert_eq!(run(prompt, 2, &mut heard), 0);
        assert_eq!(model.text(whole, at_most(8), &mut text), 0);
        assert_eq!(heard.text, text.text, "{prompt:?}");
    }
    for (prompt, n_image) in [(c"none", 1), (c"<image><image>", 1), (c"<image>", 0)] {
        assert_eq!(run(prompt, n_image, &mut heard), -1, "{prompt:?}");
    }
}

/// The log probabilities that an engine tells.
#[derive(Default)]
struct LogProbs(Vec<Vec<LogProb>>);

impl Sink for LogProbs {
    fn event(&mut self, event: Event<'_>) -> Flow {
        if let Event::Tokens([drawn]) = event {
            assert_eq!(drawn.logprobs[0].id, drawn.id);
            self.0.push(drawn.logprobs.to_vec());
        }
        Flow::Continue
    }

    fn aborted(&self) -> bool {
        false
    }
}

/// The engine without a group around it: groups 1.1.0 and 1.3.0 have no log probabilities.
fn engine(path: &Path) -> Cpu {
    let engine = Cpu::load(&InitParams {
        model_path: path.to_owned(),
        max_context_len: 512,
        max_new_tokens: 0,
        n_keep: -1,
        sampling: Sampling::NEUTRAL,
        skip_special_token: false,
        ignore_eos_token: false,
        is_async: false,
        image_markers: [const { None }; 3],
        base_domain_id: 0,
        embed_flash: 0,
        enabled_cpus_num: 0,
        enabled_cpus_mask: 0,
        n_batch: 1,
        use_cross_attn: 0,
        top_logprobs: None,
        hosts: Hosts::default(),
    });
    let mut engine = engine.unwrap().expect("this engine always makes a model");
    engine.prepare(512, 1).unwrap();
    engine
}

#[test]
fn log_probabilities_are_those_of_the_logits() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    // The test program finds the engine's library as a group's library does.
    let own = std::env::current_exe().unwrap();
    let library = own.ancestors().nth(2).unwrap();
    if !library.join("librkchat_runtime_engine.so").exists() {
        eprintln!("SKIPPED: no engine's library in {}", library.display());
        return;
    }
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut ids = model.tokenize(CHAT);
    let mut heard = Heard::default();
    let logits = mode(RKLLM_INFER_GET_LOGITS);
    assert_eq!(model.tokens(&mut ids, logits, &mut heard), 0);
    drop(model);

    let prompt = Prompt {
        input: Input::Tokens(ids.clone()),
        text: None,
        parts: vec![Part::Tokens(ids)],
        role: None,
        enable_thinking: true,
    };
    let request = Request {
        prompts: vec![prompt],
        mode: Mode::Generate,
        lora: None,
        sampling: Sampling {
            top_k: 1,
            ..Sampling::NEUTRAL
        },
        max_new_tokens: 6,
        ignore_eos_token: false,
        skip_special_token: true,
        top_logprobs: Some(3),
        n_keep: -1,
        cache: Cache::Fresh,
    };
    let mut told = LogProbs::default();
    engine(&path).run(&request, &mut told).map(drop).unwrap();
    assert_eq!(told.0.len(), heard.ids.len());
    for (logprobs, table) in told.0.iter().zip(&heard.logits) {
        let [drawn, top @ ..] = &logprobs[..] else {
            panic!("no log probability");
        };
        let logits = table.last();
        let sum: f32 = logits.iter().map(|logit| logit.exp()).sum();
        assert_eq!(
            (top.len(), top[0]),
            (3, *drawn),
            "greedy draws the likeliest"
        );
        for token in top {
            let expected = logits[token.id as usize] - sum.ln();
            assert!(
                (token.logprob - expected).abs() < 1e-2,
                "{token:?} {expected}"
            );
        }
        assert!(top.is_sorted_by(|a, b| a.logprob >= b.logprob));
    }
}

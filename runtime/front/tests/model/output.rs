//! What runs bring: the same text as llama.cpp, whole characters, conversations, sampling.

use crate::groups;
use crate::support::*;
use rkchat_runtime_front::abi::v1_1_0;
use rkchat_runtime_front::abi::v1_3_0::{RKLLMInferParam, RKLLMSamplingParam};
use std::ffi::CString;
use std::path::Path;
use std::process::Command;
use std::ptr::null_mut;

/// Rockets, which the model goes on with; each is several tokens.
const ROCKETS: &str = "\u{1F680} ";

/// What `llama-cpp-2` gives when it is called directly.
fn direct(
    model: &Path,
    n_ctx: u32,
    n_threads: u32,
    n_predict: u32,
    prompt: &str,
) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let program = root.join("target/release/examples/direct");
    if !program.exists() {
        eprintln!(
            "SKIPPED: {} is not built (make test builds it)",
            program.display()
        );
        return None;
    }
    let numbers = [n_ctx, n_threads, n_predict].map(|number| number.to_string());
    let output = Command::new(program)
        .arg(model)
        .args(numbers)
        .arg(prompt)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn greedy_text_is_that_of_llama_cpp() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let story = "<|im_start|>user\nTell me a short story about a fox and a river.<|im_end|>\n\
                 <|im_start|>assistant\n";
    let Some(expected) = direct(&path, 1024, model.counts().n_threads, 80, story) else {
        return;
    };
    let mut ids = model.tokenize(story);
    let mut heard = Heard::default();
    assert_eq!(model.tokens(&mut ids, at_most(80), &mut heard), 0);
    assert_eq!(
        (heard.text.as_str(), heard.finished),
        (expected.as_str(), 1)
    );
    drop(model);

    // Text input of 1.3.0 gets the model's own template, which is the same here.
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut heard = Heard::default();
    let question = "Tell me a short story about a fox and a river.";
    assert_eq!(model.text(question, at_most(80), &mut heard), 0);
    assert_eq!(heard.text, expected);
    drop(model);

    assert_eq!(run_1_1_0(&runtime, &path, story, 80), expected);
}

/// One greedy run through group 1.1.0, where text is taken as it is.
fn run_1_1_0(runtime: &Path, model: &Path, prompt: &str, max_new_tokens: i32) -> String {
    let prompt = CString::new(prompt).unwrap();
    let functions = groups::functions!(runtime, v1_1_0);
    groups::answer(&functions, model, &prompt, max_new_tokens)
}

#[test]
fn counts_and_tokens_add_up() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |param| param.skip_special_token = 0).unwrap();
    let mut ids = model.tokenize(CHAT);
    let mut heard = Heard::default();
    assert_eq!(model.tokens(&mut ids, infer(), &mut heard), 0);
    assert!(
        heard.text.contains("Paris") && heard.text.ends_with("<|im_end|>"),
        "{}",
        heard.text
    );
    let stop = *heard.ids.last().unwrap();
    // SAFETY: the handle is open.
    unsafe {
        assert_eq!((model.extension.is_stop)(model.handle, stop), 1);
        assert_eq!((model.extension.is_stop)(model.handle, heard.ids[0]), 0);
        assert_eq!((model.extension.is_special)(model.handle, stop), 1);
        assert_eq!((model.extension.is_special)(model.handle, -1), -1);
    }
    let counts = model.counts();
    assert_eq!(counts.prompt_tokens, ids.len() as u64);
    assert_eq!(
        (counts.reused_tokens, counts.new_tokens),
        (0, heard.ids.len() as u64)
    );
    assert_eq!(heard.generated as u64, counts.new_tokens);
    assert!(counts.prefill_us > 0 && counts.decode_us > 0);
    assert_eq!((counts.n_ctx, counts.n_ctx_train), (1024, 8192));
    // The stop token itself is not in the cache.
    assert_eq!(
        model.cached() as u64,
        counts.prompt_tokens + counts.new_tokens - 1
    );

    let mut again = Heard::default();
    assert_eq!(model.tokens(&mut ids, infer(), &mut again), 0);
    assert_eq!(model.counts().reused_tokens, ids.len() as u64 - 1);

    let mut bytes = vec![0u8; 1024];
    // SAFETY: valid arrays with their lengths.
    let n = unsafe {
        let (ids, n) = (heard.ids.as_ptr(), heard.ids.len());
        let (text, capacity) = (bytes.as_mut_ptr(), bytes.len());
        (model.extension.detokenize)(model.handle, ids, n, 0, text, capacity)
    };
    assert_eq!(
        std::str::from_utf8(&bytes[..n as usize]).unwrap(),
        heard.text
    );
}

#[test]
fn characters_come_whole() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let mut ids = model.tokenize(ROCKETS.repeat(16).trim_end());
    let mut heard = Heard::default();
    // The callback panics on text that is not UTF-8.
    assert_eq!(model.tokens(&mut ids, at_most(24), &mut heard), 0);
    assert!(
        heard.waiting > 0,
        "no token ended inside a character: {heard:?}"
    );
    assert!(
        heard.text.contains('\u{1F680}') && !heard.text.contains('\u{fffd}'),
        "{heard:?}"
    );
}

#[test]
fn a_conversation_stays_in_the_cache() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let keep = RKLLMInferParam {
        keep_history: 1,
        max_new_tokens: 40,
        ..infer()
    };
    let mut first = Heard::default();
    assert_eq!(
        model.text("My name is Alice. Please remember it.", keep, &mut first),
        0
    );
    let cached = model.cached();
    let mut second = Heard::default();
    assert_eq!(model.text("What is my name?", keep, &mut second), 0);
    let counts = model.counts();
    assert_eq!(counts.reused_tokens, cached as u64);
    let turn = "<|im_start|>user\nWhat is my name?<|im_end|>\n<|im_start|>assistant\n";
    // The first answer's last token was not in the cache yet.
    let new = 1 + model.tokenize(turn).len() as u64;
    assert_eq!(counts.prompt_tokens, cached as u64 + new);
    let mut alone = Heard::default();
    assert_eq!(model.text("What is my name?", at_most(40), &mut alone), 0);
    assert_ne!(alone.text, second.text, "the first turn makes a difference");
    // SAFETY: the handle is open, the strings are NUL-terminated.
    unsafe {
        let functions = &model.functions;
        assert_eq!(
            (functions.rkllm_clear_kv_cache)(model.handle, 0, null_mut(), null_mut()),
            0
        );
        assert_eq!(model.cached(), 0);
        let system = c"<|im_start|>system\nAnswer in one word.<|im_end|>\n";
        let (prefix, postfix) = (
            c"<|im_start|>user\n",
            c"<|im_end|>\n<|im_start|>assistant\n",
        );
        let set = functions.rkllm_set_chat_template;
        assert_eq!(
            set(
                model.handle,
                system.as_ptr(),
                prefix.as_ptr(),
                postfix.as_ptr()
            ),
            0
        );
        let mut third = Heard::default();
        assert_eq!(
            model.text("What is the capital of France?", infer(), &mut third),
            0
        );
        assert!(third.text.contains("Paris"), "{third:?}");
        assert_eq!(
            (functions.rkllm_clear_kv_cache)(model.handle, 1, null_mut(), null_mut()),
            0
        );
        assert_eq!(
            model.cached() as usize,
            model.tokenize(system.to_str().unwrap()).len()
        );
    }
}

#[test]
fn sampling_is_honoured_for_one_run() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let run = |sampling: Option<RKLLMSamplingParam>| {
        let mut sampling = sampling;
        let sampling_params = sampling
            .as_mut()
            .map_or(null_mut(), |sampling| &raw mut *sampling);
        let mut heard = Heard::default();
        let infer = RKLLMInferParam {
            sampling_params,
            ..at_most(24)
        };
        assert_eq!(
            model.text("Invent a name for a dragon.", infer, &mut heard),
            0
        );
        heard.text
    };
    let wild = |mirostat| RKLLMSamplingParam {
        top_k: 0,
        top_p: 1.0,
        temperature: 3.0,
        repeat_penalty: 1.0,
        mirostat,
        mirostat_tau: 8.0,
        mirostat_eta: 0.1,
        ..RKLLMSamplingParam::zeroed()
    };
    let greedy = run(None);
    for mirostat in [0, 1, 2] {
        assert_ne!(run(Some(wild(mirostat))), greedy, "mirostat {mirostat}");
        assert_ne!(
            run(Some(wild(mirostat))),
            run(Some(wild(mirostat))),
            "the seed is random"
        );
    }
    let penalised = run(Some(RKLLMSamplingParam {
        repeat_penalty: 1.8,
        ..RKLLMSamplingParam {
            temperature: 0.0,
            ..wild(0)
        }
    }));
    assert_ne!(penalised, greedy, "penalties count in greedy sampling too");
    let zero = RKLLMSamplingParam {
        temperature: 0.0,
        ..wild(0)
    };
    assert_eq!(run(Some(zero)), run(Some(zero)), "temperature 0 is greedy");
}

#[test]
fn models_do_not_disturb_each_other() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let models: Vec<_> = (0..2)
        .map(|_| Model::open(&runtime, &path, |_| {}).unwrap())
        .collect();
    let question = "What is the capital of France?";
    let texts: Vec<_> = std::thread::scope(|scope| {
        let runs: Vec<_> = models
            .iter()
            .map(|model| {
                scope.spawn(|| {
                    let mut heard = Heard::default();
                    assert_eq!(model.text(question, infer(), &mut heard), 0);
                    heard.text
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(texts[0].contains("Paris"));
    assert_eq!(texts[0], texts[1]);
    assert_eq!(run_1_1_0(&runtime, &path, CHAT, 40), texts[0]);
}

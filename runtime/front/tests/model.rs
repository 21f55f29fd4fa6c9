//! The built CPU runtime with a real model, through the ABI of both groups.

mod support;

use object::{Object, ObjectSymbol};
use rkchat_runtime_front::abi::{extension, v1_1_0, v1_3_0};
use std::ffi::{CStr, CString, c_void};
use std::path::Path;
use std::process::Command;
use std::ptr::null_mut;
use std::time::{Duration, Instant};
use support::*;
use v1_3_0::{RKLLMInferParam, RKLLMParam, RKLLMSamplingParam};

const CHAT: &str =
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
/// Rockets, which the model goes on with; each is several tokens.
const ROCKETS: &str = "\u{1F680} ";

fn infer() -> RKLLMInferParam {
    RKLLMInferParam::zeroed()
}

fn at_most(tokens: i32) -> RKLLMInferParam {
    RKLLMInferParam {
        max_new_tokens: tokens,
        ..infer()
    }
}

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
fn exports_the_group_and_nothing_else() {
    let Some((runtime, _)) = installed() else {
        return;
    };
    for (group, functions) in [
        ("1.1.0", v1_1_0::Functions::TABLE),
        ("1.3.0", v1_3_0::Functions::TABLE),
    ] {
        let mut ours: Vec<_> = functions
            .iter()
            .map(|function| function.name.to_string())
            .collect();
        ours.sort();
        let scripted = exported(&runtime.join("scripted").join(group).join("librkllmrt.so"));
        assert_eq!(scripted, ours);
        ours.insert(0, extension::SYMBOL.to_str().unwrap().into());
        let cpu = exported(&runtime.join(group).join("librkllmrt.so"));
        assert_eq!(cpu, ours);
    }
    assert_eq!(
        exported(&runtime.join("librkchat_runtime_engine.so")),
        ["rkchat_runtime_engine"]
    );
}

fn exported(path: &Path) -> Vec<String> {
    let data = std::fs::read(path).unwrap();
    let file = object::File::parse(&*data).unwrap();
    let symbols = file
        .dynamic_symbols()
        .filter(|symbol| symbol.is_definition());
    let mut names: Vec<_> = symbols
        .map(|symbol| symbol.name().unwrap().to_string())
        .collect();
    names.sort();
    names
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
    use v1_1_0::*;
    unsafe extern "C" fn on_result(result: *mut RKLLMResult, text: *mut c_void, state: u32) {
        if state == RKLLM_RUN_NORMAL {
            // SAFETY: the runtime passes a valid result with text, the run its string.
            unsafe {
                let piece = CStr::from_ptr((*result).text).to_str().unwrap();
                (*text.cast::<String>()).push_str(piece);
            }
        }
    }
    let library = library(&runtime.join("1.1.0/librkllmrt.so"));
    // SAFETY: the library belongs to group 1.1.0 and is never unloaded.
    let functions = unsafe { Functions::load(|symbol| find(library, symbol)) }.unwrap();
    let path = CString::new(model.to_str().unwrap()).unwrap();
    let prompt = CString::new(prompt).unwrap();
    let (mut handle, mut text) = (null_mut(), String::new());
    // SAFETY: valid pointers for the duration of the calls.
    unsafe {
        let mut param = (functions.rkllm_createDefaultParam)();
        param.model_path = path.as_ptr();
        param.max_context_len = 1024;
        param.max_new_tokens = max_new_tokens;
        param.top_k = 1;
        param.repeat_penalty = 1.0;
        param.skip_special_token = 1;
        assert_eq!(
            (functions.rkllm_init)(&mut handle, &mut param, Some(on_result)),
            0
        );
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = prompt.as_ptr();
        let mut infer = RKLLMInferParam::zeroed();
        let userdata = (&raw mut text).cast();
        assert_eq!(
            (functions.rkllm_run)(handle, &mut input, &mut infer, userdata),
            0
        );
        assert_eq!((functions.rkllm_destroy)(handle), 0);
    }
    text
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
fn abort_is_prompt_and_the_next_run_is_clean() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |param| {
        param.ignore_eos_token = 1;
        param.max_context_len = 8192;
    })
    .unwrap();
    let mut heard = Heard {
        on_token: Some(abort_at_5),
        ..Heard::default()
    };
    assert_eq!(model.text("Count to a thousand.", infer(), &mut heard), 0);
    assert_eq!((heard.ids.len(), heard.finished), (5, 1));

    // During the prompt, from another thread.
    let long = "The quick brown fox jumps over the lazy dog. ".repeat(500);
    let mut heard = Heard::default();
    std::thread::scope(|scope| {
        let run = scope.spawn(|| model.text(&long, infer(), &mut heard));
        let wait = || std::thread::sleep(Duration::from_millis(20));
        // SAFETY: the handle is open.
        unsafe {
            while (model.functions.rkllm_is_running)(model.handle) == 0 {
                wait();
            }
            wait();
            let start = Instant::now();
            assert_eq!((model.functions.rkllm_abort)(model.handle), 0);
            assert_eq!(run.join().unwrap(), 0);
            // One piece of this prompt takes far longer on a busy machine.
            assert!(
                start.elapsed() < Duration::from_secs(3),
                "{:?}",
                start.elapsed()
            );
        }
    });
    assert_eq!((heard.ids.len(), heard.finished), (0, 1));

    let mut heard = Heard::default();
    assert_eq!(
        model.text("What is the capital of France?", at_most(8), &mut heard),
        0
    );
    assert!(heard.text.contains("Paris"), "{heard:?}");
}

fn abort_at_5(tokens: usize, handle: v1_3_0::LLMHandle) {
    if tokens == 5 {
        let (runtime, _) = installed().unwrap();
        let functions = functions(library(&runtime.join("1.3.0/librkllmrt.so")));
        // SAFETY: the handle of the run that this is called from.
        unsafe {
            assert_eq!((functions.rkllm_abort)(handle), 0);
            assert_eq!(
                (functions.rkllm_destroy)(handle),
                -1,
                "not from the callback"
            );
        }
    }
}

#[test]
fn context_limits() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let error = Model::open(&runtime, &path, |param| param.max_context_len = 8193)
        .err()
        .unwrap();
    assert_eq!(
        error,
        "max_context[8193] must be less than the model's max_context_limit[8192]"
    );

    let model = Model::open(&runtime, &path, |param| {
        param.max_context_len = 40;
        param.ignore_eos_token = 1;
    })
    .unwrap();
    let mut heard = Heard::default();
    let mut ids = model.tokenize(CHAT);
    assert_eq!(model.tokens(&mut ids, infer(), &mut heard), 0);
    // The last token needs no place: nothing follows it.
    assert_eq!((heard.ids.len() + ids.len(), heard.finished), (41, 1));
    assert_eq!(model.cached(), 40);

    let mut heard = Heard::default();
    let mut ids = model.tokenize(&"word ".repeat(60));
    assert_eq!(model.tokens(&mut ids, infer(), &mut heard), -1);
    assert_eq!((heard.ids.len(), heard.errors, heard.finished), (0, 1, 0));
    let error = last_error(model.extension);
    assert!(
        error.contains(&ids.len().to_string()) && error.contains("40"),
        "{error}"
    );
    let mut heard = Heard::default();
    assert_eq!(model.tokens(&mut [1, 49152], infer(), &mut heard), -1);
    assert!(
        last_error(model.extension).contains("49152"),
        "{}",
        last_error(model.extension)
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
fn bad_files_are_refused_with_a_reason() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, data: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, data).unwrap();
        path
    };
    let whole = std::fs::read(&path).unwrap();
    let cases = [
        (folder.path().join("missing.gguf"), "No such file"),
        (folder.path().into(), "is a folder"),
        (file("empty.gguf", b""), "empty or cut off"),
        (file("model.rkllm", b"RKLLM..."), ".rkllm file"),
        (
            file("foreign.gguf", b"PK\x03\x04 and so on"),
            "is not a GGUF file",
        ),
        (file("header.gguf", &whole[..100]), "cannot load"),
        (file("half.gguf", &whole[..whole.len() / 2]), "cannot load"),
        (file("metadata.gguf", &whole[..100_000]), "cannot load"),
        (
            file("noise.gguf", &[&whole[..8], &[0xFF; 4096]].concat()),
            "cannot load",
        ),
    ];
    for (path, expected) in cases {
        let error = Model::open(&runtime, &path, |_| {}).err().unwrap();
        assert!(error.contains(expected), "{}: {error}", path.display());
        assert!(error.contains(path.to_str().unwrap()), "{error}");
        assert!(!error.contains("gave no reason"), "{error}");
    }
}

#[test]
fn a_forked_child_is_refused() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    // SAFETY: the child only calls the runtime, which refuses, and ends at once.
    unsafe {
        let child = libc::fork();
        if child == 0 {
            let refused = model.text("hi", infer(), &mut Heard::default()) == -1
                && (model.functions.rkllm_destroy)(model.handle) == -1;
            libc::_exit(if refused { 0 } else { 1 });
        }
        let mut status = -1;
        assert_eq!(libc::waitpid(child, &mut status, 0), child);
        assert!(
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 0,
            "status {status}"
        );
    }
    let mut heard = Heard::default();
    assert_eq!(model.text("hi", at_most(4), &mut heard), 0);
    assert_eq!(heard.finished, 1);
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

#[test]
fn defaults_of_1_3_0() {
    let Some((runtime, _)) = installed() else {
        return;
    };
    let functions = functions(library(&runtime.join("1.3.0/librkllmrt.so")));
    // SAFETY: the function takes nothing.
    let param: RKLLMParam = unsafe { (functions.rkllm_createDefaultParam)() };
    assert_eq!(
        (param.top_k, param.top_p, param.temperature),
        (40, 0.9, 0.8)
    );
    assert_eq!((param.repeat_penalty, param.presence_penalty), (1.1, 0.0));
    assert_eq!(
        (
            param.extend_param.n_batch,
            param.extend_param.enabled_cpus_num
        ),
        (1, 4)
    );
}

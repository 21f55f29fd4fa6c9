//! Aborts, full windows, bad files, forks: what ends a run or prevents one.

use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0;
use std::time::{Duration, Instant};

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

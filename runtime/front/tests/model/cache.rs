//! Prompt cache files, and the shifting of a full window.

use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use std::ffi::{CString, c_int};
use std::path::Path;

/// A run that saves its cache.
fn save(model: &Model, ids: &[i32], path: &Path) -> (c_int, Heard) {
    let path = CString::new(path.to_str().unwrap()).unwrap();
    let mut cache = RKLLMPromptCacheParam {
        save_prompt_cache: 1,
        prompt_cache_path: path.as_ptr(),
    };
    let infer = RKLLMInferParam {
        prompt_cache_params: &mut cache,
        ..at_most(8)
    };
    let mut heard = Heard::default();
    let status = model.tokens(&mut ids.to_vec(), infer, &mut heard);
    (status, heard)
}

fn run(model: &Model, ids: &[i32]) -> (String, u64) {
    let mut heard = Heard::default();
    assert_eq!(model.tokens(&mut ids.to_vec(), at_most(8), &mut heard), 0);
    (heard.text, model.counts().reused_tokens)
}

#[test]
fn a_saved_prompt_is_not_computed_again() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prompt cache.bin");
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let long = "A list of capitals: Rome, Paris, Berlin. ".repeat(6);
    let other = model.tokenize("Once upon a time there was a fox");
    let saved = model.tokenize(&(long.clone() + "Italy:"));
    let asked = model.tokenize(&(long + "The capital of Germany is"));
    let common = saved.iter().zip(&asked).take_while(|(a, b)| a == b).count() as u64;
    let (expected, _) = run(&model, &asked);
    let (unrelated, _) = run(&model, &other);
    assert_eq!(save(&model, &saved, &file).0, 0);
    drop(model);

    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    model.load_prompt_cache(&file).unwrap();
    assert!(model.cached() as usize > saved.len());
    assert_eq!(run(&model, &asked), (expected.clone(), common));
    // It stays at hand, whatever was asked meanwhile.
    assert_eq!(run(&model, &other), (unrelated.clone(), 0));
    assert_eq!(run(&model, &asked), (expected.clone(), common));
    assert_eq!(run(&model, &other), (unrelated, 0));
    // SAFETY: the handle is open.
    let released = unsafe { (model.functions.rkllm_release_prompt_cache)(model.handle) };
    assert_eq!(released, 0);
    assert_eq!(run(&model, &asked), (expected, 0));
}

#[test]
fn files_that_do_not_belong_are_refused() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache.bin");
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let ids = model.tokenize(&CHAT.repeat(4));
    let (expected, _) = run(&model, &ids);
    assert_eq!(save(&model, &ids, &file).0, 0);
    let whole = std::fs::read(&file).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0x40;
    for (bad, expected) in [
        (folder.path().join("missing"), "No such file"),
        (folder.path().to_owned(), "is not a file"),
        (write("empty", b""), "is not a prompt cache"),
        (path.clone(), "is not a prompt cache"),
        (write("cut", &whole[..whole.len() - 9]), "damaged"),
        (write("head", &whole[..20]), "damaged"),
        (write("flipped", &flipped), "damaged"),
    ] {
        let error = model.load_prompt_cache(&bad).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert!(error.contains(bad.to_str().unwrap()), "{error}");
    }
    // The run was good, but what the caller wanted of it is not there.
    let (status, heard) = save(&model, &ids, Path::new("/nowhere/cache.bin"));
    assert_eq!((status, heard.errors, heard.finished), (-1, 1, 0));
    assert!(last_error(model.extension).contains("/nowhere/cache.bin"));
    let small = Model::open(&runtime, &path, |param| param.max_context_len = 40).unwrap();
    let error = small.load_prompt_cache(&file).unwrap_err();
    assert!(error.contains("40"), "{error}");
    assert_eq!(run(&model, &ids).0, expected);
}

/// A file that says it has one cell less than its state, and is whole by its hash.
fn forge(path: &Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let number = |bytes: &[u8], at: usize| u64::from_le_bytes(*bytes[at..].first_chunk().unwrap());
    let (cells, head) = (8 + 2 * 8, 8 + 4 * 8);
    let fewer = number(&bytes, cells) - 1;
    bytes[cells..cells + 8].copy_from_slice(&fewer.to_le_bytes());
    bytes.drain(head..head + 8);
    bytes.truncate(bytes.len() - 8);
    // FNV-1a.
    let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    bytes.extend(hash.to_le_bytes());
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_state_of_other_positions_is_refused_and_leaves_nothing_behind() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("cache.bin");
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let ids = model.tokenize("Once upon a time there was a fox");
    let (expected, _) = run(&model, &ids);
    assert_eq!(save(&model, &ids, &file).0, 0);
    forge(&file);
    let error = model.load_prompt_cache(&file).unwrap_err();
    assert!(error.contains("does not fit this context"), "{error}");
    assert_eq!(run(&model, &ids), (expected, 0));
}

#[test]
fn a_full_window_is_shifted_if_n_keep_says_how() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let open = |n_keep: i32| {
        let model = Model::open(&runtime, &path, |param| {
            param.max_context_len = 64;
            param.n_keep = n_keep;
            param.ignore_eos_token = 1;
        });
        model.unwrap()
    };
    let model = open(8);
    let mut heard = Heard::default();
    let mut ids = model.tokenize(CHAT);
    assert_eq!(model.tokens(&mut ids, at_most(150), &mut heard), 0);
    assert_eq!((heard.ids.len(), heard.finished), (150, 1));
    assert!(model.cached() <= 64);
    let keep = RKLLMInferParam {
        keep_history: 1,
        ..at_most(4)
    };
    // Many turns of a conversation fit, one that is too long does not.
    for _ in 0..6 {
        assert_eq!(model.text("And what is next to it?", keep, &mut heard), 0);
        assert!(model.cached() <= 64);
    }
    let mut long = model.tokenize(&"word ".repeat(60));
    assert_eq!(model.tokens(&mut long[..57], keep, &mut heard), -1);
    assert!(last_error(model.extension).contains("64"));

    let model = open(-1);
    let mut heard = Heard::default();
    assert_eq!(model.tokens(&mut ids, at_most(150), &mut heard), 0);
    assert_eq!((heard.ids.len() + ids.len(), heard.finished), (65, 1));
    assert_eq!(model.text("And what is next to it?", keep, &mut heard), -1);
}

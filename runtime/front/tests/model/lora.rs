//! LoRA adapters of a real model.

use crate::gguf::{Lora, NUMBER};
use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use std::ffi::CStr;
use std::path::Path;

/// The tensor type of whole numbers.
const I32: u32 = 26;

/// The logits after a prompt, with an adapter or without.
fn logits(model: &Model, name: Option<&CStr>) -> Result<Vec<f32>, String> {
    let mut lora = RKLLMLoraParam {
        lora_adapter_name: name.map_or(std::ptr::null(), CStr::as_ptr),
    };
    let infer = RKLLMInferParam {
        mode: RKLLM_INFER_GET_LOGITS,
        lora_params: &mut lora,
        ..at_most(1)
    };
    let mut heard = Heard::default();
    let mut ids = model.tokenize(CHAT);
    let status = model.tokens(&mut ids, infer, &mut heard);
    model.done(status).map(|()| heard.logits[0].last().to_vec())
}

/// The largest difference.
fn distance(a: &[f32], b: &[f32]) -> f32 {
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

#[test]
fn a_run_picks_one_adapter_by_its_name() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let file = |n: usize, alpha: f32| {
        let path = folder.path().join(format!("{n}-{alpha}.gguf"));
        Lora::new(n, alpha).write(&path);
        path
    };
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let base = logits(&model, None).unwrap();
    model.load_lora(c"one", &file(1, 0.5), 1.0).unwrap();
    model.load_lora(c"same", &file(1, 1.0), 0.5).unwrap();
    model.load_lora(c"other", &file(2, 0.5), 1.0).unwrap();
    model.load_lora(c"off", &file(2, 0.5), 0.0).unwrap();
    let one = logits(&model, Some(c"one")).unwrap();
    assert!(distance(&one, &base) > 1.0, "{}", distance(&one, &base));
    // Scale and alpha are factors of one product.
    let same = logits(&model, Some(c"same")).unwrap();
    assert!(distance(&one, &same) < 1e-3, "{}", distance(&one, &same));
    let other = logits(&model, Some(c"other")).unwrap();
    assert!(distance(&one, &other) > 1.0);
    assert_eq!(distance(&logits(&model, Some(c"off")).unwrap(), &base), 0.0);
    assert_eq!(distance(&logits(&model, None).unwrap(), &base), 0.0);
    // A name that is there already is replaced.
    model.load_lora(c"one", &file(2, 0.5), 1.0).unwrap();
    assert_eq!(
        distance(&logits(&model, Some(c"one")).unwrap(), &other),
        0.0
    );

    let error = logits(&model, Some(c"nobody")).unwrap_err();
    assert!(
        error.contains("nobody") && error.contains("other"),
        "{error}"
    );
    assert_eq!(distance(&logits(&model, None).unwrap(), &base), 0.0);
}

#[test]
fn what_an_adapter_computed_is_not_reused_without_it() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("lora.gguf");
    Lora::new(1, 0.5).write(&file);
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    model.load_lora(c"one", &file, 1.0).unwrap();
    let run = |lora: bool, keep_history: i32| {
        let mut name = RKLLMLoraParam {
            lora_adapter_name: c"one".as_ptr(),
        };
        let infer = RKLLMInferParam {
            lora_params: if lora {
                &mut name
            } else {
                std::ptr::null_mut()
            },
            keep_history,
            ..at_most(1)
        };
        let mut ids = model.tokenize(CHAT);
        assert_eq!(model.tokens(&mut ids, infer, &mut Heard::default()), 0);
        model.counts().reused_tokens
    };
    let n = model.tokenize(CHAT).len() as u64;
    assert_eq!(run(true, 0), 0);
    assert_eq!(run(true, 0), n - 1);
    assert_eq!(run(false, 0), 0);
    assert_eq!(run(false, 0), n - 1);
    // A conversation may change its adapter, but what comes of it is nobody's.
    assert_eq!(run(true, 1), n);
    assert_eq!(run(true, 0), 0);
}

#[test]
fn what_is_no_adapter_is_refused() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, change: &dyn Fn(&mut Lora)| {
        let path = folder.path().join(name);
        let mut lora = Lora::new(1, 1.0);
        change(&mut lora);
        lora.write(&path);
        path
    };
    let model = Model::open(&runtime, &path, |_| {}).unwrap();
    let whole = std::fs::read(write("whole", &|_| {})).unwrap();
    let cut = folder.path().join("cut");
    std::fs::write(&cut, &whole[..whole.len() - 3000]).unwrap();
    let foreign = folder.path().join("foreign");
    std::fs::write(&foreign, b"PK\x03\x04").unwrap();
    for (file, expected) in [
        (Path::new("/nowhere").to_owned(), "No such file"),
        (foreign, "is not a GGUF file"),
        (path.clone(), "is not a LoRA adapter"),
        (cut, "cut"),
        (write("kind", &|lora| lora.kind = NUMBER), "general.type"),
        (
            write("arch", &|lora| lora.architecture = "gemma2"),
            "arch mismatch",
        ),
        (
            write("tensor", &|lora| lora.tensor = "blk.77.x"),
            "changes none of the model's",
        ),
        (
            write("embeddings", &|lora| lora.tensor = "token_embd.weight"),
            "also computes its output with",
        ),
        (
            write("integers", &|lora| lora.numbers = I32),
            "does not hold weights",
        ),
        (
            write("experts", &|lora| lora.experts = 2),
            "has another shape",
        ),
        (
            write("nothing", &|lora| lora.a.clear()),
            "is not a LoRA adapter",
        ),
        (write("shape", &|lora| lora.a.push(1.0)), "incorrect shape"),
    ] {
        let error = model.load_lora(c"bad", &file, 1.0).unwrap_err();
        assert!(error.contains(expected), "{}: {error}", file.display());
        assert!(error.contains(file.to_str().unwrap()), "{error}");
        assert!(!error.contains("gave no reason"), "{error}");
    }
    let good = write("good", &|_| {});
    for scale in [f32::NAN, f32::INFINITY] {
        assert!(
            model
                .load_lora(c"bad", &good, scale)
                .unwrap_err()
                .contains("scale")
        );
    }
    assert!(
        model
            .load_lora(c"", &good, 1.0)
            .unwrap_err()
            .contains("empty")
    );
    assert!(logits(&model, Some(c"bad")).is_err());
    assert!(logits(&model, None).is_ok());
}

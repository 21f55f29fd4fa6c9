//! What is read here, against what `tokenizers` reads.

use serde_json::json;

use super::file::File;
use super::tests::real_files;
use crate::surface::Json;

fn ours(json: &[u8]) -> tokenizers::Result<tokenizers::Tokenizer> {
    File::parse(json)?.build()
}

/// Compares all but padding and truncation.
fn compare(json: &[u8], name: &str) {
    let ours = ours(json).unwrap_or_else(|error| panic!("{name}: {error}"));
    let theirs = tokenizers::Tokenizer::from_bytes(json).unwrap();
    assert!(ours.get_model() == theirs.get_model(), "{name}");
    assert_eq!(
        ours.get_added_tokens_decoder(),
        theirs.get_added_tokens_decoder(),
        "{name}"
    );
    let steps = |tokenizer: &tokenizers::Tokenizer| {
        json!([
            tokenizer.get_normalizer(),
            tokenizer.get_pre_tokenizer(),
            tokenizer.get_post_processor(),
            tokenizer.get_decoder(),
        ])
    };
    assert_eq!(steps(&ours), steps(&theirs), "{name}");
}

fn with_model(model: Json) -> Json {
    let token = json!({"id": 5, "content": "<s>", "single_word": true, "lstrip": false, "rstrip": true,
                       "normalized": true, "special": false});
    json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0},
        "padding": null,
        "added_tokens": [token],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "WhitespaceSplit"},
        "post_processor": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        "decoder": {"type": "Fuse"},
        "model": model,
    })
}

#[test]
fn every_kind_of_model_is_as_tokenizers_reads_it() {
    let ids = json!({"a": 0, "b": 1, "ab": 2, "##c": 3, "abc": 4});
    let pairs = json!([["ab", "##c"]]);
    for model in [
        json!({"type": "BPE", "vocab": ids, "merges": [["a", "b"]]}),
        json!({"type": "BPE", "dropout": 0.5, "unk_token": "a", "continuing_subword_prefix": "##",
               "end_of_word_suffix": "b", "fuse_unk": true, "byte_fallback": true, "ignore_merges": true,
               "vocab": ids, "merges": pairs}),
        json!({"type": "BPE", "dropout": null, "unk_token": null, "vocab": ids,
               "merges": ["#version: 0.2", "a b"]}),
        // As the first releases wrote it.
        json!({"dropout": null, "vocab": ids, "merges": ["a b"]}),
        json!({"vocab": ids, "merges": [], "type": "BPE"}),
        json!({"type": "WordPiece", "unk_token": "a", "continuing_subword_prefix": "##",
               "max_input_chars_per_word": 9, "vocab": ids}),
        json!({"type": "WordLevel", "vocab": ids, "unk_token": "a"}),
        json!({"vocab": ids, "unk_token": "a"}),
        json!({"type": "Unigram", "unk_id": 0, "byte_fallback": false, "vocab": [["a", -1.25], ["b", -3.0]]}),
    ] {
        let file = with_model(model).to_string();
        compare(file.as_bytes(), &file);
    }
}

#[test]
fn what_tokenizers_refuses_is_refused() {
    let bpe = |merges: Json| {
        with_model(json!({"type": "BPE", "vocab": {"a": 0, "...": 1}, "merges": merges}))
    };
    let mut version = bpe(json!([]));
    version["version"] = json!("2.0");
    let mut token = bpe(json!([]));
    token["added_tokens"] = json!([{"content": "x"}]);
    for file in [
        bpe(json!(["a a"])),
        bpe(json!(["a"])),
        bpe(json!(["a a a"])),
        bpe(json!([["a", "a", "a"]])),
        bpe(json!([["a"]])),
        bpe(json!([3])),
        bpe(json!("a a")),
        with_model(json!({"type": "BPE", "vocab": {"a": 0}})),
        with_model(json!({"type": "BPE", "merges": []})),
        with_model(json!({"type": "BPE", "vocab": {"a": 0}, "merges": [], "dropout": 2.0})),
        with_model(json!({"type": "Other", "vocab": {"a": 0}, "merges": []})),
        with_model(json!({})),
        with_model(json!(null)),
        version,
        token,
        json!({"version": "1.0"}),
    ] {
        let file = file.to_string();
        assert!(tokenizers::Tokenizer::from_bytes(&file).is_err(), "{file}");
        assert!(ours(file.as_bytes()).is_err(), "{file}");
    }
}

#[test]
fn real_files_are_as_tokenizers_reads_them() {
    for path in real_files() {
        compare(&std::fs::read(&path).unwrap(), &path.to_string_lossy());
    }
}

//! Model folders as people download them: what is read from them, what contradicts itself, and what the
//! engine makes of it, over the scripted runtime. The cards are in the manner of the converters', written
//! here.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{Folder, SHORT, byte_tokenizer, options};
use rkchat::{ErrorKind, FolderInfo, Json, Model, ModelFolder, ModelOptions, WarningKind};
use serde_json::json;

const PATTERN: &str = "gemma-2-9b-it-RK3588-1.1.2";
const WEIGHTS: &str = "gemma-2-9b-it-rk3588-w8a8-opt-0-hybrid-ratio-0.0.rkllm";

fn card(version: &str) -> String {
    format!(
        "---\nbase_model: google/gemma-2-9b\nlicense: gemma\ntags:\n- conversational\n---\n\n# {PATTERN}\n\n\
         Made for the NPU of the RK3588, with ['w8a8'] quantization.\n\n\
         Optimized with the following LoRA: \n\nCompatible with RKLLM version: {version}\n\n\
         # Original model card for gemma-2-9b-it\n\nLoRA: some/other\nRKLLM version: 9.9.9\n"
    )
}

/// A `tokenizer.json` with further special tokens.
fn tokenizer(special: &[&str]) -> String {
    let mut json: Json = serde_json::from_str(&byte_tokenizer()).unwrap();
    let added = json["added_tokens"].as_array_mut().unwrap();
    for (text, id) in special.iter().zip(258..) {
        added.push(json!({"id": id, "content": text, "special": true, "single_word": false, "lstrip": false,
                          "rstrip": false, "normalized": false}));
    }
    json.to_string()
}

const GEMMA: [&str; 4] = ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"];
const QWEN: [&str; 3] = ["<|im_start|>", "<|im_end|>", "<|endoftext|>"];

/// The folder that the issue names as the pattern, with a script in place of the weights.
fn pattern(script: &str, version: &str) -> (Folder, PathBuf) {
    let folder = Folder::new();
    let path = folder.path().join(PATTERN);
    fs::create_dir(&path).unwrap();
    for (name, text) in [
        (WEIGHTS, script),
        ("README.md", &card(version)),
        ("tokenizer.json", &tokenizer(&GEMMA)),
        (
            "tokenizer_config.json",
            r#"{"bos_token": "<bos>", "eos_token": "<eos>"}"#,
        ),
        (
            "config.json",
            r#"{"model_type": "gemma2", "eos_token_id": 259}"#,
        ),
        (
            "generation_config.json",
            r#"{"eos_token_id": [259, 261], "do_sample": true, "temperature": 0.5, "top_k": 64, "top_p": 0.75}"#,
        ),
    ] {
        fs::write(path.join(name), text).unwrap();
    }
    (folder, path)
}

fn inspect(path: &Path) -> FolderInfo {
    ModelFolder::open(path, &ModelOptions::default())
        .unwrap()
        .info()
}

/// A fact's value and source.
fn fact<'a>(info: &'a FolderInfo, name: &str) -> (&'a str, &'a str) {
    let fact = info.facts.iter().find(|fact| fact.name == name);
    fact.map_or(("", ""), |fact| (&fact.value, &fact.source))
}

fn kinds(info: &FolderInfo) -> Vec<WarningKind> {
    info.warnings.iter().map(|warning| warning.kind).collect()
}

/// As large as a real one, without the room on disk.
fn grow(path: &Path) {
    fs::File::options()
        .write(true)
        .open(path)
        .unwrap()
        .set_len(10_000_000_000)
        .unwrap();
}

#[test]
fn everything_is_read_from_the_pattern() {
    let (_folder, path) = pattern(SHORT, "1.1.2");
    // A template, as the base model's files have none here.
    grow(&path.join(WEIGHTS));
    let info = inspect(&path);
    assert_eq!(info.path, path.join(WEIGHTS));
    for (name, value, source) in [
        ("family", "Gemma 1 and 2", WEIGHTS),
        ("platform", "RK3588", WEIGHTS),
        ("quantisation", "w8a8", WEIGHTS),
        ("hybrid_ratio", "0", WEIGHTS),
        ("optimisation", "0", WEIGHTS),
        ("model_version", "1.1.2", PATTERN),
        ("base_model", "google/gemma-2-9b", "README.md"),
        ("template", "rkchat's own for Gemma 1 and 2", "rkchat's own"),
        ("tokenizer", "tokenizer.json", "tokenizer.json"),
        ("stop_ids", "259, 261", "configuration files"),
        ("temperature", "0.5", "generation_config.json"),
        ("top_k", "64", "generation_config.json"),
        ("top_p", "0.75", "generation_config.json"),
    ] {
        let found = fact(&info, name);
        assert!(
            found.0.contains(value) && found.1.contains(source),
            "{name}: {found:?}"
        );
    }
    // An empty line about LoRA means none, and what the original card says is not about this model.
    assert_eq!(fact(&info, "lora"), ("", ""));
    // The base model in place of the tuned one is no contradiction.
    assert_eq!(
        kinds(&info),
        [WarningKind::BuiltInTemplate],
        "{:?}",
        info.warnings
    );

    fs::File::options()
        .write(true)
        .open(path.join(WEIGHTS))
        .unwrap()
        .set_len(50_000_000)
        .unwrap();
    let info = inspect(&path);
    assert!(
        kinds(&info).contains(&WarningKind::IncompleteModel),
        "{:?}",
        info.warnings
    );
}

#[test]
fn a_card_alone_tells_as_much_as_names() {
    let folder = Folder::new();
    folder.file("model.rkllm", SHORT);
    let text = "---\nbase_model: [Qwen/Qwen2.5-3B-Instruct]\n---\n# Notes\n| Platform | RK3576 |\n| Quantisation | W4A16_G64 |\n\
                | RKLLM-Toolkit | v1.2.1 |\n| RKLLM runtime | 1.2.3 |\n| Max context length | 8192 |\n| LoRA | x |\nLoRA: a/b\n";
    folder.file("README.md", text);
    let info = inspect(folder.path());
    for (name, value) in [
        ("platform", "RK3576"),
        ("quantisation", "w4a16_g64"),
        ("model_version", "1.2.1"),
        ("runtime_version", "1.2.3"),
        ("max_context_len", "8192"),
        ("base_model", "Qwen/Qwen2.5-3B-Instruct"),
        ("family", "Qwen 2.5"),
        ("lora", "a/b"),
    ] {
        let found = fact(&info, name);
        assert!(
            found.0 == value && found.1.contains("README.md"),
            "{name}: {found:?}"
        );
    }
}

#[test]
fn a_runtime_that_a_card_wants_is_the_models_version_only_where_nothing_says_more() {
    let folder = Folder::new();
    let named = folder.file("m-rk3588-1.1.4.rkllm", SHORT);
    let bare = folder.file("m.rkllm", SHORT);
    folder.file("README.md", "Needs the RKLLM runtime 1.2.3\n");
    for (path, version) in [(named, "1.1.4"), (bare, "1.2.3")] {
        let info = inspect(&path);
        assert_eq!(fact(&info, "model_version").0, version);
        assert_eq!(fact(&info, "runtime_version").0, "1.2.3");
        assert!(info.warnings.is_empty(), "{:?}", info.warnings);
    }
}

#[test]
fn several_values_in_a_card_agree_with_one_in_the_name() {
    let folder = Folder::new();
    let path = folder.file("m_w8a8_g128_rk3588.rkllm", SHORT);
    folder.file(
        "README.md",
        "For RK3588 and RK3576: w8a8, w8a8_g128, w4a16.\nRKLLM 1.1.1\nRKLLM 1.1.4\n",
    );
    let info = inspect(&path);
    assert_eq!(fact(&info, "platform").0, "RK3588");
    assert_eq!(fact(&info, "quantisation").0, "w8a8_g128");
    // Of two versions none is taken.
    assert_eq!(fact(&info, "model_version").0, "");
    assert_eq!(kinds(&info), [WarningKind::Contradiction]);
    assert!(
        info.warnings[0].message.contains("1.1.1 and 1.1.4"),
        "{:?}",
        info.warnings
    );
}

#[test]
fn what_does_not_agree_is_told_and_not_guessed_over() {
    let folder = Folder::new();
    let path = folder.file("gemma-2-9b-it-RK3588-w4a16.rkllm", SHORT);
    folder.file(
        "README.md",
        "# gemma-2-9b-it-RK3576\nMade for RK3576 with w4a16\n",
    );
    folder.file("config.json", r#"{"model_type": "qwen2"}"#);
    let info = inspect(&path);
    let contradictions: Vec<&str> = info
        .warnings
        .iter()
        .filter(|warning| warning.kind == WarningKind::Contradiction)
        .map(|warning| warning.message.as_str())
        .collect();
    assert_eq!(contradictions.len(), 2, "{contradictions:?}");
    assert!(contradictions[0].contains("Gemma 1 and 2") && contradictions[0].contains("qwen2"));
    assert!(
        contradictions[1].contains("says RK3588")
            && contradictions[1].contains("README.md says RK3576")
    );
    assert_eq!(fact(&info, "platform").0, "");
}

#[test]
fn no_runtime_is_chosen_by_one_of_two_versions() {
    let (_folder, path) = pattern(SHORT, "1.2.1");
    let error = Model::open(&path, &ModelOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelAmbiguous);
    for part in ["1.1.2", "1.2.1", "README.md", "option model_version"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    // A runtime that is named needs no choice.
    let model = Model::open(&path, &options("1.1.0")).unwrap();
    let told = model.info().warnings;
    assert!(
        told.iter()
            .any(|one| one.kind == WarningKind::Contradiction),
        "{told:?}"
    );
    // What the option says is not doubted.
    let decided = ModelOptions {
        model_version: Some("1.1.2".to_owned()),
        ..options("1.1.0")
    };
    let info = Model::open(&path, &decided).unwrap().info();
    assert!(
        !info
            .warnings
            .iter()
            .any(|one| one.kind == WarningKind::Contradiction)
    );
    let fact = info
        .facts
        .iter()
        .find(|fact| fact.name == "model_version")
        .unwrap();
    assert_eq!(
        (&*fact.value, &*fact.source),
        ("1.1.2", "the option model_version")
    );
}

#[test]
fn recommended_settings_are_defaults() {
    let init = |folder: &Path, script: &str, options: &ModelOptions| {
        let (_keep, path) = pattern(script, "1.1.2");
        if folder.as_os_str().len() > 1 {
            fs::copy(folder, path.join("generation_config.json")).unwrap();
        }
        Model::open(&path, options).unwrap().close().unwrap();
        let record = fs::read_to_string(path.join("record.jsonl")).unwrap();
        let lines = record
            .lines()
            .map(|line| serde_json::from_str::<Json>(line).unwrap());
        lines.clone().find(|line| line["call"] == "init").unwrap()["sampling"].clone()
    };
    let script = r#"{"pieces": ["x"], "record": "record.jsonl"}"#;
    let sampling = init(Path::new(""), script, &options("1.1.0"));
    assert_eq!(sampling["temperature"], 0.5);
    assert_eq!(
        (&sampling["top_k"], &sampling["top_p"]),
        (&json!(64), &json!(0.75))
    );
    let own = ModelOptions {
        top_k: Some(3),
        ..options("1.3.0")
    };
    let sampling = init(Path::new(""), script, &own);
    assert_eq!(
        (&sampling["top_k"], &sampling["temperature"]),
        (&json!(3), &json!(0.5))
    );

    let folder = Folder::new();
    let greedy = folder.file("greedy.json", r#"{"do_sample": false, "temperature": 0.6}"#);
    let sampling = init(&greedy, script, &options("1.1.0"));
    assert_eq!(sampling["top_k"], 1);
    let hot = ModelOptions {
        temperature: Some(0.75),
        ..options("1.1.0")
    };
    let sampling = init(&greedy, script, &hot);
    assert_eq!(
        (&sampling["top_k"], &sampling["temperature"]),
        (&json!(40), &json!(0.75))
    );
}

#[test]
fn one_of_several_models_is_named_by_file() {
    let folder = Folder::new();
    for name in ["a-rk3588-w8a8.rkllm", "a-rk3576-w4a16.rkllm"] {
        folder.file(name, SHORT);
    }
    let open = |file: &str| {
        let options = ModelOptions {
            file: Some(file.into()),
            ..ModelOptions::default()
        };
        ModelFolder::open(folder.path(), &options)
    };
    let error = ModelFolder::open(folder.path(), &ModelOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidArgument);
    for part in ["option file", "a-rk3588-w8a8.rkllm", "a-rk3576-w4a16.rkllm"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    let info = open("a-rk3576-w4a16.rkllm").unwrap().info();
    assert_eq!(fact(&info, "platform").0, "RK3576");
    let error = open("b.rkllm").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("a-rk3588-w8a8.rkllm"), "{error}");
    for wrong in ["../x.rkllm", "/x.rkllm", ""] {
        assert_eq!(
            open(wrong).unwrap_err().kind(),
            ErrorKind::InvalidArgument,
            "{wrong}"
        );
    }
    let options = ModelOptions {
        file: Some("a".into()),
        ..ModelOptions::default()
    };
    let error =
        ModelFolder::open(&folder.path().join("a-rk3588-w8a8.rkllm"), &options).unwrap_err();
    assert!(error.message().contains("is a file"), "{error}");
}

#[test]
fn what_belongs_to_a_model_is_no_second_one() {
    let folder = Folder::new();
    let path = folder.file("Qwen2.5-3B-rk3588.rkllm", SHORT);
    folder.file("qwen2.5_lora.rkllm", SHORT);
    assert_eq!(inspect(folder.path()).path, path);
    fs::remove_file(path).unwrap();
    assert!(inspect(folder.path()).path.ends_with("qwen2.5_lora.rkllm"));
}

#[test]
fn a_clone_knows_where_it_came_from() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join(".git")).unwrap();
    folder.file("model.rkllm", SHORT);
    let id = "someone/gemma-2-9b-it-RK3588-1.1.2";
    for url in [
        format!("https://huggingface.co/{id}"),
        format!("https://user:secret@huggingface.co/{id}.git"),
        format!("git@hf.co:{id}"),
    ] {
        let text = format!("[core]\n\tbare = false\n[remote \"origin\"]\n\turl = {url}\n");
        folder.file(".git/config", &text);
        let info = inspect(folder.path());
        assert_eq!(fact(&info, "repository").0, id, "{url}");
        assert_eq!(fact(&info, "model_version").0, "1.1.2");
    }
    folder.file(".git/config", "url = https://example.org/a/b\n");
    assert_eq!(fact(&inspect(folder.path()), "repository").0, "");
}

#[test]
fn a_model_in_a_folder_inside_is_found() {
    let folder = Folder::new();
    fs::create_dir(folder.path().join("rk3588")).unwrap();
    folder.file("rk3588/Qwen2.5-3B-w8a8-rk3588.rkllm", SHORT);
    folder.file("generation_config.json", r#"{"top_k": 7}"#);
    let info = inspect(folder.path());
    assert!(info.path.ends_with("rk3588/Qwen2.5-3B-w8a8-rk3588.rkllm"));
    assert_eq!(fact(&info, "top_k").0, "7");
    // Its own files come before those around it.
    folder.file("rk3588/config.json", "{}");
    assert_eq!(fact(&inspect(folder.path()), "top_k").0, "");
    fs::create_dir(folder.path().join("rk3576")).unwrap();
    folder.file("rk3576/m.rkllm", SHORT);
    let error = ModelFolder::open(folder.path(), &ModelOptions::default()).unwrap_err();
    assert!(
        error.message().contains("rk3576/m.rkllm, rk3588/Qwen2.5"),
        "{error}"
    );
    let options = ModelOptions {
        file: Some("rk3576/m.rkllm".into()),
        ..ModelOptions::default()
    };
    assert!(ModelFolder::open(folder.path(), &options).is_ok());
}

#[test]
fn what_is_no_model_is_named_with_what_mends_it() {
    let folder = Folder::new();
    let path = folder.path().join("m.rkllm");
    let open = || ModelFolder::open(&path, &ModelOptions::default()).unwrap_err();
    let pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9612345678\n";
    for (contents, parts) in [
        (pointer, ["Git LFS pointer", "9612 MB", "git lfs pull"]),
        ("", ["is empty", "download it again", "hf download"]),
        (
            "<!DOCTYPE html>\n<html>",
            ["a web page", "download it again", "hf download"],
        ),
        (
            "Entry not found",
            ["Entry not found", "download it again", "--local-dir"],
        ),
    ] {
        fs::write(&path, contents).unwrap();
        let error = open();
        assert_eq!(error.kind(), ErrorKind::InvalidModel);
        for part in parts {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    }
    fs::create_dir(folder.path().join(".git")).unwrap();
    fs::write(&path, pointer).unwrap();
    let pull = format!("git -C {} lfs pull", folder.path().display());
    assert!(open().message().contains(&pull), "{}", open());

    fs::write(&path, SHORT).unwrap();
    assert!(ModelFolder::open(&path, &ModelOptions::default()).is_ok());
    folder.file("m.rkllm.aria2", "");
    assert!(open().message().contains("m.rkllm.aria2"), "{}", open());
    fs::remove_file(folder.path().join("m.rkllm.aria2")).unwrap();

    let file = folder.file("tokenizer.json", pointer);
    let error = open();
    assert_eq!(error.kind(), ErrorKind::Tokenizer);
    assert!(error.message().contains("Git LFS pointer"), "{error}");
    fs::remove_file(file).unwrap();
    folder.file("config.json", "");
    assert!(
        open().message().contains("config.json is empty; download"),
        "{}",
        open()
    );
    // A card that is only a pointer tells nothing, and is no harm.
    folder.file("config.json", "{}");
    folder.file("README.md", pointer);
    assert!(ModelFolder::open(&path, &ModelOptions::default()).is_ok());

    fs::remove_file(&path).unwrap();
    symlink(folder.path().join("blobs/gone"), &path).unwrap();
    assert!(
        open()
            .message()
            .contains("a link to a file that is not there"),
        "{}",
        open()
    );
}

#[test]
fn another_models_tokenizer_is_told_or_refused() {
    let (_folder, path) = pattern(SHORT, "1.1.2");
    fs::write(path.join("tokenizer.json"), tokenizer(&QWEN)).unwrap();
    let error = Model::open(&path, &options("1.1.0")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ModelAmbiguous);
    for part in ["<start_of_turn>", "qwen", "option tokenizer"] {
        assert!(error.message().contains(part), "{part}: {error}");
    }
    // Whoever names it means it.
    let named = ModelOptions {
        tokenizer: Some(path.join("tokenizer.json")),
        ..options("1.1.0")
    };
    let told = Model::open(&path, &named).unwrap().info().warnings;
    assert!(
        told.iter()
            .any(|one| one.message.contains("<start_of_turn>")),
        "{told:?}"
    );
    // A name alone may be wrong: it is told.
    fs::remove_file(path.join("config.json")).unwrap();
    let told = Model::open(&path, &options("1.1.0"))
        .unwrap()
        .info()
        .warnings;
    assert!(
        told.iter()
            .any(|one| one.kind == WarningKind::Contradiction),
        "{told:?}"
    );
}

#[test]
fn what_was_doubtful_is_told_when_the_runtime_refuses() {
    let (_folder, path) = pattern(r#"{"init": "fail"}"#, "1.2.1");
    let error = Model::open(&path, &options("1.1.0")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::RuntimeFailed);
    assert!(error.message().contains("What may be why"), "{error}");
    assert!(error.message().contains("README.md says 1.2.1"), "{error}");
}

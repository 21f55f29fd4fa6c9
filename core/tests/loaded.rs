//! Adapters and prompt caches, over the scripted runtime and of a real model.

mod common;

#[path = "../../runtime/front/tests/model/gguf.rs"]
#[allow(dead_code)]
mod gguf;

use std::path::Path;

use common::{ALL_GROUPS, Folder, GROUPS, at_most, recording, smollm_in};
use rkchat::{
    AdapterOptions, Error, ErrorKind, FixedSampling, GenerateOptions, Json,
    ListPromptCachesOptions, LoadPromptCacheOptions, Model, ModelOptions, PromptCacheOptions,
};
use serde_json::json;

const SCRIPT: &str = r#"{"pieces": ["x"], "record": "record.jsonl"}"#;
/// Before 1.3.0 a run goes on until it is ended.
const ENDLESS: &str = r#"{"pieces": ["x"], "repeat": 0, "delay_ms": 5, "record": "record.jsonl"}"#;

fn named(name: &str, scale: f32) -> AdapterOptions {
    AdapterOptions {
        name: Some(name.to_owned()),
        scale,
    }
}

fn with(adapter: &str) -> GenerateOptions {
    GenerateOptions {
        adapter: Some(adapter.to_owned()),
        ..at_most(4)
    }
}

fn ask(model: &Model, options: &GenerateOptions) {
    model
        .complete_ids(&[5, 6], options)
        .unwrap()
        .completion()
        .unwrap();
}

#[test]
fn requests_pick_adapters_by_name() {
    for group in GROUPS {
        let (folder, model) = recording(group, SCRIPT, ModelOptions::default());
        let file = folder.file("polite.rkllm", "an adapter");
        model
            .load_adapter(&file, &AdapterOptions::default())
            .unwrap();
        model.load_adapter(&file, &named("rude", -0.5)).unwrap();
        let loaded: Vec<_> = model.adapters();
        let told = |at: usize| {
            (
                loaded[at].name.as_str(),
                loaded[at].path.as_path(),
                loaded[at].scale,
            )
        };
        assert_eq!(
            (told(0), told(1)),
            (("polite", &*file, 1.0), ("rude", &*file, -0.5))
        );
        let given = folder.record("load_lora");
        assert_eq!(given[1]["name"], "rude");
        assert_eq!(given[1]["scale"], -0.5);
        assert_eq!(given[1]["path"], json!(file));
        for adapter in ["rude", "polite"] {
            ask(&model, &with(adapter));
        }
        ask(&model, &at_most(4));
        let used: Vec<_> = folder
            .record("run")
            .iter()
            .map(|run| run["lora"].clone())
            .collect();
        assert_eq!(
            used,
            [json!("rude"), json!("polite"), json!(null)],
            "{group}"
        );
        // What one adapter left in the cache is not for another.
        let cleared = folder.record("clear_cache").len();
        assert_eq!(cleared, if group == "1.1.0" { 0 } else { 3 }, "{group}");
    }
}

#[test]
fn what_is_wrong_with_an_adapter_is_said() {
    let (folder, model) = recording("1.3.0", SCRIPT, ModelOptions::default());
    let file = folder.file("polite.rkllm", "an adapter");
    let load = |path: &Path, options: &AdapterOptions| -> Error {
        model.load_adapter(path, options).unwrap_err()
    };
    let unknown = || model.complete_ids(&[5], &with("rude")).unwrap_err();
    assert!(unknown().message().contains("none is loaded"));
    model.load_adapter(&file, &named("one", 1.0)).unwrap();
    model.load_adapter(&file, &named("two", 1.0)).unwrap();
    assert_eq!(unknown().kind(), ErrorKind::InvalidArgument);
    assert!(
        unknown().message().contains("loaded are one, two"),
        "{}",
        unknown()
    );
    assert_eq!(
        load(&file, &named("one", 1.0)).kind(),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        load(&file, &named("", 1.0)).kind(),
        ErrorKind::InvalidArgument
    );
    assert_eq!(
        load(&file, &named("big", 1e6)).kind(),
        ErrorKind::InvalidArgument
    );
    let gguf = folder.file("a.gguf", "GGUF");
    assert_eq!(
        load(&gguf, &AdapterOptions::default()).kind(),
        ErrorKind::RuntimeMismatch
    );
    assert_eq!(
        load(Path::new("/nowhere"), &AdapterOptions::default()).kind(),
        ErrorKind::NotFound
    );
    for group in &ALL_GROUPS[..2] {
        let (_folder, model) = recording(group, SCRIPT, ModelOptions::default());
        let error = model
            .load_adapter(&file, &AdapterOptions::default())
            .unwrap_err();
        assert_eq!(
            (error.kind(), &error.details()["since"]),
            (ErrorKind::Unsupported, &json!("1.1.0"))
        );
    }
}

fn in_folder(folder: &Folder, name: &str) -> PromptCacheOptions {
    PromptCacheOptions {
        name: Some(name.to_owned()),
        folder: Some(folder.path().to_owned()),
        ..PromptCacheOptions::default()
    }
}

fn from(folder: &Folder, prompt: Option<Json>) -> LoadPromptCacheOptions {
    LoadPromptCacheOptions {
        folder: Some(folder.path().to_owned()),
        prompt,
        ..LoadPromptCacheOptions::default()
    }
}

fn list(folder: &Folder) -> ListPromptCachesOptions {
    ListPromptCachesOptions {
        folder: Some(folder.path().to_owned()),
    }
}

fn mismatch(error: Error, differs: &str) {
    assert_eq!(error.kind(), ErrorKind::CacheMismatch, "{error}");
    let found = error.details()["differs"].as_str().unwrap();
    assert!(found.contains(differs), "{found}");
}

#[test]
fn a_prompt_cache_is_saved_listed_loaded_and_released() {
    for (group, script) in GROUPS
        .iter()
        .flat_map(|group| [(group, SCRIPT), (group, ENDLESS)])
    {
        let (made, model) = recording(group, script, ModelOptions::default());
        let folder = Folder::new();
        let prompt = json!([5, 6, 7]);
        let name = model
            .save_prompt_cache(&prompt, &in_folder(&folder, "system"))
            .unwrap();
        assert_eq!(name, "system");
        let saved = made.record("save_prompt_cache");
        assert!(
            saved[0]["path"]
                .as_str()
                .unwrap()
                .starts_with(folder.path().to_str().unwrap())
        );
        let found = &model.prompt_caches(&list(&folder)).unwrap()[0];
        assert_eq!(
            (found.name.as_str(), found.tokens, found.loaded),
            ("system", Some(3), false)
        );
        assert_eq!(found.size, std::fs::metadata(&found.path).unwrap().len());
        assert_eq!(found.differs, None);

        model
            .load_prompt_cache("system", &from(&folder, Some(prompt)))
            .unwrap();
        assert_eq!(
            made.record("load_prompt_cache")[0]["path"],
            json!(found.path)
        );
        assert!(model.prompt_caches(&list(&folder)).unwrap()[0].loaded);
        // Another takes its place, and the one before is let go first.
        let other = PromptCacheOptions {
            name: None,
            ..in_folder(&folder, "")
        };
        let name = model.save_prompt_cache(&json!([5, 6]), &other).unwrap();
        model
            .load_prompt_cache(&name, &from(&folder, None))
            .unwrap();
        assert_eq!(made.record("release_prompt_cache").len(), 1);
        model.release_prompt_cache().unwrap();
        model.release_prompt_cache().unwrap();
        assert_eq!(made.record("release_prompt_cache").len(), 2, "{group}");
        // Two caches with their notes, and nothing else.
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 4);
        assert!(!Path::new("prompt_cache.bin").exists());
    }
}

#[test]
fn what_is_of_something_else_is_refused() {
    let (_made, model) = recording("1.3.0", SCRIPT, ModelOptions::default());
    let folder = Folder::new();
    let load = |model: &Model, name: &str, prompt| {
        model
            .load_prompt_cache(name, &from(&folder, prompt))
            .unwrap_err()
    };
    model
        .save_prompt_cache(&json!([5, 6, 7]), &in_folder(&folder, "a"))
        .unwrap();
    mismatch(load(&model, "a", Some(json!([5, 6]))), "prompt");
    assert_eq!(load(&model, "b", None).kind(), ErrorKind::NotFound);
    for name in ["", "../a", ".a", "a/b", "ä"] {
        assert_eq!(
            load(&model, name, None).kind(),
            ErrorKind::InvalidArgument,
            "{name}"
        );
    }
    let (_other_folder, other) = recording("1.3.0", SCRIPT, ModelOptions::default());
    mismatch(load(&other, "a", None), "the model");
    assert!(
        other.prompt_caches(&list(&folder)).unwrap()[0]
            .differs
            .is_some()
    );
    // Another's cache is not overwritten.
    let error = other
        .save_prompt_cache(&json!([1]), &in_folder(&folder, "a"))
        .unwrap_err();
    mismatch(error, "the model");

    let path = model.prompt_caches(&list(&folder)).unwrap()[0].path.clone();
    std::fs::write(&path, "[5").unwrap();
    mismatch(load(&model, "a", None), "damaged");
    folder.file("a.json", "{}");
    mismatch(load(&model, "a", None), "note");
    assert!(model.prompt_caches(&list(&folder)).unwrap().is_empty());
    for prompt in [json!([5, -1]), json!([5, "x"]), json!(""), json!(3)] {
        let error = model
            .save_prompt_cache(&prompt, &in_folder(&folder, "c"))
            .unwrap_err();
        assert!(error.kind() != ErrorKind::Panic, "{error}");
    }
    for group in &ALL_GROUPS[..2] {
        let (_folder, model) = recording(group, SCRIPT, ModelOptions::default());
        let error = model
            .save_prompt_cache(&json!("x"), &in_folder(&folder, "d"))
            .unwrap_err();
        assert_eq!(
            (error.kind(), &error.details()["since"]),
            (ErrorKind::Unsupported, &json!("1.1.0"))
        );
    }
}

#[test]
fn a_model_that_is_opened_again_has_them_again() {
    let reload = ModelOptions {
        fixed_sampling: Some(FixedSampling::Reload),
        ..ModelOptions::default()
    };
    let (made, model) = recording("1.1.0", SCRIPT, reload);
    let folder = Folder::new();
    let adapter = made.file("polite.rkllm", "an adapter");
    model
        .load_adapter(&adapter, &AdapterOptions::default())
        .unwrap();
    model
        .save_prompt_cache(&json!([5, 6, 7]), &in_folder(&folder, "a"))
        .unwrap();
    model.load_prompt_cache("a", &from(&folder, None)).unwrap();
    let cool = GenerateOptions {
        temperature: Some(0.1),
        ..with("polite")
    };
    ask(&model, &cool);
    assert_eq!(made.record("init").len(), 2);
    assert_eq!(made.record("load_lora").len(), 2);
    assert_eq!(made.record("load_prompt_cache").len(), 2);
    assert_eq!(made.record("run").last().unwrap()["lora"], "polite");
}

fn question() -> Json {
    json!([
        {"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"},
    ])
}

#[test]
fn an_adapter_changes_what_a_real_model_says() {
    for group in ["1.1.0", "1.3.0"] {
        let Some(model) = smollm_in(group) else {
            return;
        };
        let folder = Folder::new();
        let file = folder.path().join("noise.gguf");
        gguf::Lora::new(1, 1.0).write(&file);
        model
            .load_adapter(&file, &AdapterOptions::default())
            .unwrap();
        let say = |options: &GenerateOptions| {
            let generation = model.generate(&question(), options).unwrap();
            generation.completion().unwrap().text
        };
        let plain = say(&at_most(16));
        assert_eq!(plain, "The capital of France is Paris.", "{group}");
        let changed = GenerateOptions {
            max_new_tokens: Some(16),
            ..with("noise")
        };
        assert_ne!(say(&changed), plain, "{group}");
        assert_eq!(say(&at_most(16)), plain);
        let foreign = folder.file("a.rkllm", "not one");
        let error = model
            .load_adapter(&foreign, &AdapterOptions::default())
            .unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RuntimeMismatch);
    }
}

#[test]
fn a_prompt_cache_saves_a_real_model_its_work() {
    for group in ["1.1.0", "1.3.0"] {
        let folder = Folder::new();
        let system = json!([question()[0]]);
        let Some(model) = smollm_in(group) else {
            return;
        };
        model
            .save_prompt_cache(&system, &in_folder(&folder, "system"))
            .unwrap();
        model.close().unwrap();

        let model = smollm_in(group).unwrap();
        model
            .load_prompt_cache("system", &from(&folder, Some(system)))
            .unwrap();
        let answer = model
            .generate(&question(), &at_most(16))
            .unwrap()
            .completion()
            .unwrap();
        assert_eq!(answer.text, "The capital of France is Paris.", "{group}");
        let reused = answer.usage.reused_tokens.unwrap();
        assert!(
            reused > 8 && reused < answer.usage.prompt_tokens,
            "{group}: {reused}"
        );
    }
}

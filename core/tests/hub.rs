//! Models in the cache of Hugging Face's tools. Alone in its program, for it sets the environment.

mod common;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use common::{Folder, SHORT, byte_tokenizer};
use rkchat::{
    ChatTemplate, EncodeOptions, Error, ErrorKind, FolderInfo, ModelFolder, ModelOptions,
    RenderOptions, Result, Tokenizer,
};

const HASH: &str = "8b1d6ce54a2c8ec2b5b9ea5a2fd29f9a2cf5dfaa";
const OTHER: &str = "0000aaaa1111bbbb2222cccc3333dddd4444eeee";
const WEIGHTS: &str = "Qwen2.5-3B-Instruct-w8a8-opt-1.rkllm";

/// A repository as `hf download` lays it out.
fn repository(cache: &Path, id: &str) -> PathBuf {
    let repository = cache.join(format!("models--{}", id.replace('/', "--")));
    let snapshot = repository.join("snapshots").join(HASH);
    for folder in [
        &snapshot,
        &repository.join("blobs"),
        &repository.join("refs"),
    ] {
        fs::create_dir_all(folder).unwrap();
    }
    fs::write(repository.join("refs/main"), HASH).unwrap();
    for (name, blob, text) in [
        (WEIGHTS, "aa11", SHORT),
        ("generation_config.json", "bb22", r#"{"top_k": 20}"#),
    ] {
        fs::write(repository.join("blobs").join(blob), text).unwrap();
        symlink(Path::new("../../blobs").join(blob), snapshot.join(name)).unwrap();
    }
    repository
}

fn open(path: impl AsRef<Path>) -> Result<FolderInfo> {
    Ok(ModelFolder::open(path.as_ref(), &ModelOptions::default())?.info())
}

fn fact<'a>(info: &'a FolderInfo, name: &str) -> &'a str {
    let fact = info.facts.iter().find(|fact| fact.name == name);
    fact.map_or("", |fact| &fact.value)
}

#[test]
fn a_hub_id_is_looked_up_and_a_path_shows_it() {
    let home = Folder::new();
    let cache = home.path().join(".cache/huggingface/hub");
    // SAFETY: no other test of this program runs.
    let set = |name: &str, value: Option<&Path>| unsafe {
        match value {
            Some(value) => std::env::set_var(name, value),
            None => std::env::remove_var(name),
        }
    };
    for name in [
        "HF_HUB_CACHE",
        "HUGGINGFACE_HUB_CACHE",
        "HF_HOME",
        "XDG_CACHE_HOME",
    ] {
        set(name, None);
    }
    set("HOME", Some(home.path()));
    let id = "someone/Qwen2.5-3B-Instruct-RK3588-1.1.4";

    let error = open(id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    for part in [
        &*format!("hf download {id}"),
        "licence",
        &*cache.to_string_lossy(),
    ] {
        assert!(error.message().contains(part), "{part}: {error}");
    }

    let repository = repository(&cache, id);
    let snapshot = repository.join("snapshots").join(HASH);
    for path in [
        PathBuf::from(id),
        repository.clone(),
        snapshot.clone(),
        snapshot.join(WEIGHTS),
        repository.join("blobs/aa11"),
    ] {
        let info = open(&path).unwrap();
        assert_eq!(info.path, snapshot.join(WEIGHTS), "{}", path.display());
        assert_eq!(fact(&info, "repository"), id);
        // The repository's name tells what the file's does not.
        assert_eq!(
            (fact(&info, "platform"), fact(&info, "model_version")),
            ("RK3588", "1.1.4")
        );
        assert_eq!(
            (fact(&info, "family"), fact(&info, "top_k")),
            ("Qwen 2.5", "20")
        );
    }

    the_variables_of_its_tools_are_followed(&home, id, &set);
    what_is_not_complete_is_named(&repository, &snapshot, id);
    a_snapshot_is_chosen(&repository, &snapshot, id);
    templates_and_tokenizers_are_looked_up_too(&cache);
}

fn templates_and_tokenizers_are_looked_up_too(cache: &Path) {
    let id = "someone/gemma-3-1b-it";
    let wrong = |error: Error, parts: &[&str]| {
        assert_eq!(error.kind(), ErrorKind::NotFound);
        for part in parts
            .iter()
            .chain(&["licence", &format!("hf download {id}")])
        {
            assert!(error.message().contains(part), "{part}: {error}");
        }
    };
    let not_there = ["nor a model", &*cache.to_string_lossy()];
    wrong(ChatTemplate::open(id.as_ref()).unwrap_err(), &not_there);
    wrong(Tokenizer::open(id.as_ref()).unwrap_err(), &not_there);

    let snapshot = repository(cache, id).join("snapshots").join(HASH);
    fs::remove_file(snapshot.join(WEIGHTS)).unwrap();
    let without = ChatTemplate::open(id.as_ref()).unwrap_err();
    wrong(without, &["no chat template"]);
    wrong(
        Tokenizer::open(id.as_ref()).unwrap_err(),
        &["no tokenizer.json"],
    );

    for (name, blob, text) in [
        ("chat_template.jinja", "cc33", "{{ messages[0].content }}!"),
        ("tokenizer.json", "dd44", &byte_tokenizer()),
    ] {
        let blobs = snapshot.join("../../blobs");
        fs::write(blobs.join(blob), text).unwrap();
        symlink(Path::new("../../blobs").join(blob), snapshot.join(name)).unwrap();
    }
    for path in [Path::new(id), &snapshot] {
        let template = ChatTemplate::open(path).unwrap();
        let messages = serde_json::json!([{"role": "user", "content": "Hi"}]);
        let prompt = template.render(&messages, &RenderOptions::default());
        assert_eq!(prompt.unwrap(), "Hi!");
        let tokenizer = Tokenizer::open(path).unwrap();
        let ids = tokenizer.encode("Hi", &EncodeOptions::default());
        assert_eq!(ids.unwrap(), [72, 105]);
    }
}

fn the_variables_of_its_tools_are_followed(
    home: &Folder,
    id: &str,
    set: &impl Fn(&str, Option<&Path>),
) {
    let place = |name: &str| home.path().join(name);
    for (name, value) in [
        ("HF_HOME", place(".cache/huggingface")),
        ("XDG_CACHE_HOME", place(".cache")),
        ("HF_HUB_CACHE", place(".cache/huggingface/hub")),
        ("HF_HUB_CACHE", PathBuf::from("~/.cache/huggingface/hub")),
    ] {
        set(name, Some(&value));
        assert!(open(id).is_ok(), "{name}");
        set(name, Some(&place("elsewhere")));
        let error = open(id).unwrap_err();
        assert!(error.message().contains("elsewhere"), "{name}: {error}");
        set(name, None);
    }
}

fn what_is_not_complete_is_named(repository: &Path, snapshot: &Path, id: &str) {
    let blob = repository.join("blobs/aa11");
    fs::write(repository.join("blobs/aa11.incomplete"), "").unwrap();
    let error = open(id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidModel);
    assert!(error.message().contains("aa11.incomplete"), "{error}");
    let again = format!("hf download {id} {WEIGHTS}");
    assert!(error.message().contains(&again), "{error}");
    fs::remove_file(repository.join("blobs/aa11.incomplete")).unwrap();

    fs::rename(&blob, repository.join("blobs/gone")).unwrap();
    for path in [PathBuf::from(id), snapshot.join(WEIGHTS)] {
        let error = open(path).unwrap_err();
        assert!(
            error
                .message()
                .contains("a link to a file that is not there"),
            "{error}"
        );
        assert!(error.message().contains(&again), "{error}");
    }
    fs::rename(repository.join("blobs/gone"), &blob).unwrap();

    fs::rename(snapshot.join(WEIGHTS), snapshot.join("kept")).unwrap();
    let error = open(id).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error.message().contains(&format!("hf download {id}")),
        "{error}"
    );
    fs::rename(snapshot.join("kept"), snapshot.join(WEIGHTS)).unwrap();
}

fn a_snapshot_is_chosen(repository: &Path, snapshot: &Path, id: &str) {
    let main = repository.join("refs/main");
    let other = snapshot.with_file_name(OTHER);
    fs::create_dir(&other).unwrap();
    fs::write(other.join("other.rkllm"), SHORT).unwrap();
    assert_eq!(open(id).unwrap().path, snapshot.join(WEIGHTS));
    fs::write(&main, format!("{OTHER}\n")).unwrap();
    assert_eq!(open(id).unwrap().path, other.join("other.rkllm"));
    // A reference never leads out of the folder.
    for odd in ["../../elsewhere", "", "gone", "/"] {
        fs::write(&main, odd).unwrap();
        let error = open(id).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        assert!(error.message().contains(OTHER), "{error}");
    }
    fs::remove_dir_all(&other).unwrap();
    assert_eq!(open(id).unwrap().path, snapshot.join(WEIGHTS));
    fs::remove_dir_all(snapshot).unwrap();
    assert!(open(id).unwrap_err().message().contains("no snapshot"));
}

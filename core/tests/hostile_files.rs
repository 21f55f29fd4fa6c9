//! Files that mean harm: read in time and in memory, or refused. Large ones are sparse.

mod common;
#[path = "common/counting.rs"]
mod counting;

use std::ffi::CString;
use std::fs::{self, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use common::{Folder, SHORT};
use counting::turn;
use rkchat::{ChatTemplate, Error, ErrorKind, Json, ModelFolder, ModelOptions, Result, Tokenizer};
use serde_json::json;

const NAME: &str = "qwen2.5-1.5b-instruct-rk3588-1.1.0.rkllm";
/// Far more than any of it takes, also beside other tests.
const TIME: Duration = Duration::from_secs(3);
const MEMORY: usize = 128 << 20;

/// Does it with limits on time and memory. What waits for ever fails too.
fn within<T: Send + 'static>(what: &str, work: impl FnOnce() -> T + Send + 'static) -> T {
    let (done, outcome) = mpsc::channel();
    let before = counting::begin();
    let begun = Instant::now();
    let thread = std::thread::spawn(move || done.send(work()));
    let result = outcome.recv_timeout(TIME);
    let used = counting::most() - before;
    println!("{:?} {} KiB {what}", begun.elapsed(), used >> 10);
    let result = result.unwrap_or_else(|error| panic!("{what}: not within {TIME:?}: {error}"));
    assert!(used < MEMORY, "{what}: used {used} bytes");
    thread.join().expect("it ended").expect("it was waited for");
    result
}

/// Opens all that there is in a folder.
fn open_all(folder: &Path) -> [Result<()>; 3] {
    [
        ModelFolder::open(folder, &ModelOptions::default()).map(|_| ()),
        ChatTemplate::open(folder).map(|_| ()),
        Tokenizer::open(folder).map(|_| ()),
    ]
}

fn open_template(path: &Path) -> Result<()> {
    ChatTemplate::open(path).map(|_| ())
}

fn pipe(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).unwrap();
    // SAFETY: the text ends in a NUL.
    assert_eq!(unsafe { libc::mkfifo(path.as_ptr(), 0o600) }, 0);
}

fn device(path: &Path) {
    symlink("/dev/zero", path).unwrap();
}

type Trap = (&'static str, fn(&Path));

/// What nobody writes to, and what never ends.
const TRAPS: [Trap; 2] = [("pipe", pipe), ("device", device)];

/// A folder with a model.
fn folder() -> Folder {
    let folder = Folder::new();
    folder.file(NAME, SHORT);
    folder
}

#[test]
fn only_regular_files_of_a_folder_are_opened() {
    let _turn = turn();
    for (kind, trap) in TRAPS {
        for name in [
            "README.md",
            "tokenizer.json",
            "tokenizer_config.json",
            "config.json",
            "generation_config.json",
            "special_tokens_map.json",
            "chat_template.jinja",
            "chat_template.json",
            "additional_chat_templates/x.jinja",
            "x.gguf",
            ".git/config",
        ] {
            let folder = folder();
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            trap(&path);
            let (root, file) = (folder.path().to_owned(), path.clone());
            within(&format!("{kind} {name}"), move || {
                let _ = open_all(&root);
                open_template(&file).unwrap_err();
            });
        }
        let folder = Folder::new();
        let path = folder.path().join("x.gguf");
        trap(&path);
        for path in [path, folder.path().to_owned()] {
            let error = within(&format!("{kind} for a GGUF file"), move || {
                open_template(&path).unwrap_err()
            });
            assert_eq!(error.kind(), ErrorKind::InvalidModel);
            assert!(error.message().contains("is not a file"), "{error}");
        }
    }
}

#[test]
fn only_regular_files_of_a_cache_are_opened() {
    let _turn = turn();
    for (kind, trap) in TRAPS {
        let cache = Folder::new();
        let repository = cache.path().join("models--someone--qwen2.5-1.5b-instruct");
        let snapshot = repository.join("snapshots/0123abcd");
        fs::create_dir_all(&snapshot).unwrap();
        fs::create_dir(repository.join("refs")).unwrap();
        fs::write(snapshot.join(NAME), SHORT).unwrap();
        trap(&repository.join("refs/main"));
        let opened = within(&format!("{kind} refs/main"), move || open_all(&repository));
        // It names no snapshot, and there is only one.
        assert!(opened[0].is_ok() && opened[1].is_ok());
    }
}

/// A GGUF file of these entries, as long as it is said to be.
fn gguf(folder: &Folder, tensors: u64, pairs: &[&[u8]], size: u64) -> PathBuf {
    let path = folder.path().join("model.gguf");
    let mut file = File::create(&path).unwrap();
    let mut head = b"GGUF\x03\0\0\0".to_vec();
    head.extend(tensors.to_le_bytes());
    head.extend((pairs.len() as u64).to_le_bytes());
    file.write_all(&head).unwrap();
    let mut length = head.len();
    for pair in pairs {
        file.write_all(pair).unwrap();
        length += pair.len();
    }
    file.set_len(size.max(length as u64)).unwrap();
    path
}

fn text(text: &str) -> Vec<u8> {
    let mut bytes = (text.len() as u64).to_le_bytes().to_vec();
    bytes.extend(text.as_bytes());
    bytes
}

/// The front of an array's entry.
fn array(key: &str, kind: u32, count: u64) -> Vec<u8> {
    let mut bytes = text(key);
    bytes.extend(9_u32.to_le_bytes());
    bytes.extend(kind.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes
}

fn template(name: &str, source: &str) -> Vec<u8> {
    let mut bytes = text(&format!("tokenizer.chat_template{name}"));
    bytes.extend(8_u32.to_le_bytes());
    bytes.extend(text(source));
    bytes
}

/// The metadata of so many control tokens.
fn control_tokens(count: u64) -> Vec<u8> {
    let mut bytes = array("tokenizer.ggml.token_type", 0, count);
    bytes.resize(bytes.len() + count as usize, 3);
    bytes.extend(array("tokenizer.ggml.tokens", 8, count));
    bytes
}

fn refused(what: &str, path: PathBuf, says: &str) -> Error {
    let error = within(what, move || open_template(&path)).unwrap_err();
    assert!(error.message().contains(says), "{what}: {error}");
    assert!(error.message().contains("model.gguf"), "{what}: {error}");
    error
}

#[test]
fn a_gguf_file_is_read_as_far_as_real_ones_go() {
    let _turn = turn();
    let folder = Folder::new();
    let tensors = gguf(&folder, 1 << 40, &[], 8 << 30);
    refused("2^40 tensors", tensors, "tensors; at most");

    let texts = array("tokenizer.ggml.tokens", 8, 1 << 29);
    let texts = gguf(&folder, 0, &[&texts], 5 << 30);
    refused("2^29 texts", texts, "goes beyond");
    let texts = array("tokenizer.ggml.merges", 8, (1 << 22) + 1);
    let texts = gguf(&folder, 0, &[&texts], 100 << 20);
    refused("2^22 texts", texts, "texts and arrays inside");

    let mut nested = array("key", 9, 1 << 20);
    for _ in 0..1 << 16 {
        nested.extend(8_u32.to_le_bytes());
        nested.extend(64_u64.to_le_bytes());
        nested.resize(nested.len() + 64 * 8, 0);
    }
    let nested = gguf(&folder, 0, &[&nested], 1 << 30);
    refused("arrays in arrays", nested, "texts and arrays inside");

    let numbers = array("tokenizer.ggml.scores", 6, 1 << 30);
    let numbers = gguf(&folder, 0, &[&numbers], 5 << 30);
    refused("2^30 numbers", numbers, "goes beyond");

    // Two entries of the file are one here.
    let count = (1 << 18) + 1;
    let tokens = control_tokens(count);
    let size = tokens.len() as u64 + 8 * count + 64;
    let path = gguf(&folder, 0, &[&tokens, &[]], size);
    refused("2^18 control tokens", path, "control tokens");
    let count = (1 << 20) + 1;
    let tokens = array("tokenizer.ggml.tokens", 8, count);
    let path = gguf(&folder, 0, &[&tokens], 16 << 20);
    refused("2^20 tokens", path, "entries; at most");

    let source = "x".repeat(4200);
    let named = |count: usize| -> Vec<u8> {
        (0..count)
            .flat_map(|index| template(&format!(".{index}"), &source))
            .collect()
    };
    let empty: &[u8] = &[];
    for (count, says) in [
        (60_000, "metadata entries; at most"),
        (4096, "have more than 16777216"),
        (400, "chat templates of"),
    ] {
        let templates = named(count);
        let mut pairs = vec![templates.as_slice()];
        pairs.resize(count, empty);
        let path = gguf(&folder, 0, &pairs, 0);
        refused(&format!("{count} templates"), path, says);
    }
    let long = template("", &"x".repeat((1 << 20) + 1));
    let long = gguf(&folder, 0, &[&long], 0);
    refused("a long template", long, "at most 1048576 are read");

    // As many as models of speech have.
    let count: u64 = 80_000;
    let tokens = control_tokens(count);
    let source = template("", "{{ messages[0].content }}");
    let mut tail = vec![0; 8 * count as usize];
    tail.extend(&source);
    let path = gguf(&folder, 0, &[&tokens, &tail, &[]], 0);
    within("80 000 control tokens", move || open_template(&path)).unwrap();
}

/// JSON that comes to much more than its bytes.
fn repeated(item: &str, bytes: usize) -> String {
    format!("[{}0]", item.repeat(bytes / item.len()))
}

#[test]
fn small_files_are_small() {
    let _turn = turn();
    for (name, text, says) in [
        (
            "config.json",
            repeated("[],", 30 << 20),
            "at most 16777216 are read",
        ),
        (
            "generation_config.json",
            repeated("0,", 30 << 20),
            "at most 16777216 are read",
        ),
        (
            "config.json",
            repeated("[],", 15 << 20),
            "at most 1048576 are read",
        ),
        (
            "config.json",
            repeated(r#"{"a":0},"#, 15 << 20),
            "at most 1048576 are read",
        ),
    ] {
        let folder = folder();
        folder.file(name, &text);
        let root = folder.path().to_owned();
        let what = format!("{name} of {} bytes", text.len());
        let [error, ..] = within(&what, move || open_all(&root));
        let error = error.unwrap_err();
        assert!(error.message().contains(says), "{error}");
        assert!(error.message().contains(name), "{error}");
    }
    for name in [
        "README.md",
        ".git/config",
        "tokenizer.json",
        "chat_template.jinja",
    ] {
        let folder = folder();
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        File::create(&path).unwrap().set_len(8 << 30).unwrap();
        let root = folder.path().to_owned();
        let _ = within(&format!("{name} of 8 GB"), move || open_all(&root));
    }
}

#[test]
fn as_much_as_is_let_through_is_little() {
    let _turn = turn();
    for (what, text) in [
        ("lists", repeated("[],", (1 << 20) / 5 * 3 - 30)),
        ("objects", repeated(r#"{"a":0},"#, (1 << 20) / 6 * 8 - 80)),
        ("numbers", repeated("0,", (1 << 21) - 20)),
    ] {
        let folder = folder();
        folder.file("config.json", &text);
        let root = folder.path().to_owned();
        let what = format!("config.json with as many {what} as may be");
        let [opened, ..] = within(&what, move || open_all(&root));
        opened.unwrap();
    }
}

/// A tokenizer of a few letters.
fn letters() -> String {
    let vocabulary: serde_json::Map<_, _> = ('a'..='z')
        .enumerate()
        .map(|(id, letter)| (letter.to_string(), id.into()))
        .collect();
    json!({"version": "1.0", "model": {"type": "BPE", "vocab": vocabulary, "merges": []}})
        .to_string()
}

const MANY: usize = 40_000;

fn spelling(index: usize) -> String {
    format!("<t{index}>")
}

/// `k0_token` and so on.
fn names() -> Json {
    let name = |index| (format!("k{index}_token"), spelling(index).into());
    Json::Object((0..MANY).map(name).collect())
}

/// Opens a tokenizer and a template that have many tokens.
fn many(what: &str, config: &Json, map: &Json) {
    let _turn = turn();
    let folder = folder();
    folder.file("tokenizer.json", &letters());
    folder.file("tokenizer_config.json", &config.to_string());
    folder.file("special_tokens_map.json", &map.to_string());
    folder.file("chat_template.jinja", "{{ messages[0].content }}");
    let root = folder.path().to_owned();
    let count = within(&format!("{MANY} {what}"), move || {
        open_template(&root).unwrap();
        let tokenizer = Tokenizer::open(&root).unwrap();
        tokenizer.info().special_tokens.len()
    });
    assert_eq!(count, MANY, "{what}");
}

#[test]
fn many_named_tokens() {
    many("named tokens", &names(), &json!({}));
}

#[test]
fn a_map_of_many_tokens() {
    many("tokens in a map", &json!({}), &names());
}

#[test]
fn many_tokens_that_are_declared_twice() {
    let added = |index: usize| {
        let flags = json!({"content": spelling(index), "special": true});
        ((index + 26).to_string(), flags)
    };
    let added = Json::Object((0..MANY).map(added).collect());
    let extra: Vec<_> = (0..MANY).map(spelling).collect();
    let config = json!({"added_tokens_decoder": added, "extra_special_tokens": extra});
    many("added and extra tokens", &config, &json!({}));
}

#[test]
fn many_templates_are_refused() {
    let _turn = turn();
    let templates: Vec<_> = (0..MANY)
        .map(|index| json!({"name": format!("n{index}"), "template": "x"}))
        .collect();
    let folder = folder();
    folder.file(
        "tokenizer_config.json",
        &json!({"chat_template": templates}).to_string(),
    );
    let root = folder.path().to_owned();
    let error = within("40 000 templates", move || {
        open_template(&root).unwrap_err()
    });
    assert_eq!(error.kind(), ErrorKind::Template);
    assert!(error.message().contains("40000 chat templates"), "{error}");
}

/// How often a file of a folder is opened while something is done.
fn openings(folder: &Path, name: &str, work: impl FnOnce()) -> usize {
    let path = CString::new(folder.as_os_str().as_bytes()).unwrap();
    // SAFETY: the calls take numbers, and a text that ends in a NUL.
    let watch = unsafe {
        let watch = libc::inotify_init1(libc::IN_NONBLOCK | libc::IN_CLOEXEC);
        // Events that follow each other are one where they are equal: a closing is between two openings.
        let events = libc::IN_OPEN | libc::IN_CLOSE_NOWRITE;
        assert!(libc::inotify_add_watch(watch, path.as_ptr(), events) >= 0);
        watch
    };
    work();
    let mut bytes = vec![0_u8; 1 << 20];
    // SAFETY: the buffer has as many bytes as are said.
    let read = unsafe { libc::read(watch, bytes.as_mut_ptr().cast(), bytes.len()) };
    // SAFETY: it was opened above, and nobody else has it.
    unsafe { libc::close(watch) };
    let mut rest = &bytes[..usize::try_from(read).unwrap_or(0)];
    let mut count = 0;
    // An event has four numbers of 32 bits, the second what happened and the last the name's length.
    while rest.len() >= 16 {
        let number = |at: usize| u32::from_ne_bytes(rest[at..at + 4].try_into().unwrap());
        let (event, length) = (number(4), number(12) as usize);
        let told = rest[16..16 + length].split(|byte| *byte == 0).next();
        if event & libc::IN_OPEN != 0 && told == Some(name.as_bytes()) {
            count += 1;
        }
        rest = &rest[16 + length..];
    }
    count
}

#[test]
fn each_file_is_read_once() {
    let _turn = turn();
    let folder = folder();
    folder.file("tokenizer.json", &letters());
    let config = json!({"chat_template": "{{ messages[0].content }}", "bos_token": "a"});
    folder.file("tokenizer_config.json", &config.to_string());
    for name in [
        "config.json",
        "generation_config.json",
        "special_tokens_map.json",
    ] {
        folder.file(name, "{}");
    }
    let root = folder.path();
    let model = || drop(ModelFolder::open(root, &ModelOptions::default()).unwrap());
    for name in [
        "tokenizer.json",
        "tokenizer_config.json",
        "config.json",
        "generation_config.json",
        "special_tokens_map.json",
    ] {
        assert_eq!(openings(root, name, model), 1, "{name}");
    }
    let config = "tokenizer_config.json";
    for path in [root.to_owned(), root.join(config)] {
        let template = || drop(ChatTemplate::open(&path).unwrap());
        assert_eq!(openings(root, config, template), 1, "{}", path.display());
    }
    let tokenizer = || drop(Tokenizer::open(root).unwrap());
    assert_eq!(openings(root, config, tokenizer), 1);
}

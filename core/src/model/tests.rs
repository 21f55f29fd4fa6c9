//! Model folders and GGUF files, made here, good and bad.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use serde_json::json;

use super::{Located, ModelFiles, WeightsFormat, gguf};
use crate::surface::{ErrorKind, Json, ModelOptions, Result};

fn find(path: &Path) -> Result<Located> {
    super::find(path, &ModelOptions::default())
}

fn resolve(path: &Path, options: &ModelOptions) -> Result<ModelFiles> {
    super::find(path, options)?.read(options)
}

/// A folder that goes away with the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("rkchat-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, contents).unwrap();
        path
    }

    fn resolve(&self) -> Result<ModelFiles> {
        resolve(&self.0, &ModelOptions::default())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Writes GGUF files.
struct Gguf {
    bytes: Vec<u8>,
}

impl Gguf {
    fn new(tensors: u64, pairs: u64) -> Self {
        let mut gguf = Self {
            bytes: b"GGUF".to_vec(),
        };
        gguf.u32(3).u64(tensors).u64(pairs);
        gguf
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend(value.to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.u64(text.len() as u64);
        self.bytes.extend(text.as_bytes());
        self
    }

    fn text_pair(&mut self, key: &str, value: &str) -> &mut Self {
        self.text(key).u32(8).text(value)
    }

    fn u32_pair(&mut self, key: &str, value: u32) -> &mut Self {
        self.text(key).u32(4).u32(value)
    }

    fn tensor(&mut self, name: &str, elements: u64, kind: u32, offset: u64) -> &mut Self {
        self.text(name).u32(1).u64(elements).u32(kind).u64(offset)
    }

    fn data(&mut self, bytes: usize) -> &mut Self {
        let aligned = self.bytes.len().next_multiple_of(32);
        self.bytes.resize(aligned + bytes, 0);
        self
    }
}

const CHATML: &str = "{{ bos_token }}{% for message in messages %}<|im_start|>{{ message.role }}\n\
                      {{ message.content }}<|im_end|>\n{% endfor %}\
                      {% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

/// A model with a vocabulary of five tokens and one tensor.
fn small_gguf() -> Vec<u8> {
    let tokens = ["<unk>", "<|im_start|>", "<|im_end|>", "a", "<|endoftext|>"];
    let mut gguf = Gguf::new(1, 9);
    gguf.text_pair("general.architecture", "llama")
        .u32_pair("llama.context_length", 2048)
        .text_pair("tokenizer.chat_template", CHATML)
        .text_pair("tokenizer.chat_template.rag", "named")
        .u32_pair("tokenizer.ggml.bos_token_id", 1)
        .u32_pair("tokenizer.ggml.eos_token_id", 4)
        .u32_pair("tokenizer.ggml.padding_token_id", u32::MAX);
    gguf.text("tokenizer.ggml.tokens").u32(9).u32(8).u64(5);
    for token in tokens {
        gguf.text(token);
    }
    gguf.text("tokenizer.ggml.token_type").u32(9).u32(5).u64(5);
    for kind in [2, 3, 3, 4, 3] {
        gguf.u32(kind);
    }
    gguf.tensor("weight", 64, 8, 0).data(68);
    std::mem::take(&mut gguf.bytes)
}

fn small_tokenizer() -> String {
    let special = |id: u32, content: &str| {
        json!({"id": id, "content": content, "single_word": false, "lstrip": false,
               "rstrip": false, "normalized": false, "special": true})
    };
    let specials = ["<bos>", "<eos>", "<start_of_turn>", "<end_of_turn>"];
    json!({
        "version": "1.0", "truncation": {"direction": "Right", "max_length": 2,
        "strategy": "LongestFirst", "stride": 0}, "padding": null,
        "added_tokens": specials.iter().zip(0..).map(|(text, id)| special(id, text)).collect::<Vec<_>>(),
        "normalizer": null, "pre_tokenizer": {"type": "Whitespace"}, "post_processor": null,
        "decoder": null,
        "model": {"type": "WordLevel", "vocab": {"<bos>": 0, "<eos>": 1, "<start_of_turn>": 2,
                  "<end_of_turn>": 3, "user": 4, "model": 5}, "unk_token": "<eos>"}
    })
    .to_string()
}

/// In the manner of Gemma: roles alternate, there is no system role.
const TURNS: &str = include_str!("../../../tests/fixtures/turns.jinja");

fn rkllm_folder(name: &str) -> Folder {
    let folder = Folder::new(name);
    folder.write("some-model_w8a8_RK3588_ctx8192.rkllm", "weights");
    folder.write("tokenizer.json", small_tokenizer());
    let config =
        json!({"bos_token": "<bos>", "eos_token": {"content": "<eos>"}, "chat_template": TURNS});
    folder.write("tokenizer_config.json", config.to_string());
    folder.write(
        "config.json",
        "{\"max_position_embeddings\": 131072, \"bos_token_id\": 0}",
    );
    folder
}

#[test]
fn a_folder_brings_its_files() {
    let folder = rkllm_folder("folder");
    folder.write("README.md", "A model.");
    for path in [
        folder.0.clone(),
        folder.0.join("some-model_w8a8_RK3588_ctx8192.rkllm"),
    ] {
        let found = find(&path).unwrap();
        assert_eq!(found.format, WeightsFormat::Rkllm);
        assert_eq!(found.max_context_len(), Some(8192));
        let files = found.read(&ModelOptions::default()).unwrap();
        assert!(
            files.weights.is_absolute()
                && files
                    .weights
                    .ends_with("some-model_w8a8_RK3588_ctx8192.rkllm")
        );
        let (template, source) = files.template.unwrap();
        assert!(source.ends_with("tokenizer_config.json"), "{source}");
        assert_eq!(template.source(None).unwrap(), TURNS);
        let (tokenizer, source) = files.tokenizer.unwrap();
        assert!(source.ends_with("tokenizer.json"), "{source}");
        // The truncation of the file does not hold.
        assert_eq!(tokenizer.count("user model user", false).unwrap(), 3);
        // <eos> is declared; <end_of_turn> only shows in the template.
        assert_eq!(files.stop_ids, BTreeSet::from([1, 3]));
    }
}

#[test]
fn stop_ids_are_what_the_files_declare_and_the_template_shows() {
    let folder = rkllm_folder("stops");
    folder.write("generation_config.json", "{\"eos_token_id\": [5, 1]}");
    folder.write("config.json", "{\"eos_token_id\": 4}");
    assert_eq!(
        folder.resolve().unwrap().stop_ids,
        BTreeSet::from([1, 3, 4, 5])
    );

    // A template that ends no turn: the token that opens the next one is not a stop.
    folder.write(
        "chat_template.jinja",
        "{% for m in messages %}<start_of_turn>{{ m.role }} {{ m.content }}{% endfor %}\
         {% if add_generation_prompt %}<start_of_turn>model {% endif %}",
    );
    assert_eq!(
        folder.resolve().unwrap().stop_ids,
        BTreeSet::from([1, 4, 5])
    );

    // BOS after an answer opens the next conversation.
    folder.write(
        "chat_template.jinja",
        "{% for m in messages %}{{ m.content }}{% if m.role == 'assistant' %}<bos>{% endif %}{% endfor %}",
    );
    assert_eq!(
        folder.resolve().unwrap().stop_ids,
        BTreeSet::from([1, 4, 5])
    );

    // A template that refuses the probe shows nothing.
    folder.write("chat_template.jinja", "{{ raise_exception('no') }}");
    assert_eq!(
        folder.resolve().unwrap().stop_ids,
        BTreeSet::from([1, 4, 5])
    );
}

#[test]
fn options_come_first() {
    let folder = rkllm_folder("options");
    let other = Folder::new("options-tokenizer");
    other.write("tokenizer.json", small_tokenizer());
    let options = ModelOptions {
        chat_template: Some("{{ bos_token }}mine".to_owned()),
        tokenizer: Some(other.0.clone()),
        ..ModelOptions::default()
    };
    let files = resolve(&folder.0, &options).unwrap();
    let (template, source) = files.template.unwrap();
    assert_eq!(source, "option");
    let messages = json!([{"role": "user", "content": "x"}]);
    assert_eq!(
        template.render(&messages, &Default::default()).unwrap(),
        "<bos>mine"
    );
    assert_eq!(
        files.tokenizer.unwrap().1,
        other.0.join("tokenizer.json").to_string_lossy()
    );

    let options = ModelOptions {
        chat_template: Some("{% if".to_owned()),
        ..ModelOptions::default()
    };
    assert_eq!(
        resolve(&folder.0, &options).unwrap_err().kind(),
        ErrorKind::Template
    );
}

#[test]
fn a_gguf_file_brings_its_metadata() {
    let folder = Folder::new("gguf");
    let path = folder.write("model.gguf", small_gguf());
    let files = resolve(&path, &ModelOptions::default()).unwrap();
    assert_eq!(find(&path).unwrap().format, WeightsFormat::Gguf);
    assert_eq!(files.stop_ids, BTreeSet::from([2, 4]));
    let spelled = files
        .control
        .tokens
        .iter()
        .map(|token| (token.text.as_str(), token.special));
    assert_eq!(
        spelled.collect::<Vec<_>>(),
        [
            ("<|im_start|>", true),
            ("<|im_end|>", true),
            ("<|endoftext|>", true),
            ("a", false)
        ]
    );
    let (template, source) = files.template.unwrap();
    assert_eq!(source, "gguf");
    assert_eq!(template.info().names, ["default", "rag"]);
    let messages = json!([{"role": "user", "content": "x"}]);
    assert_eq!(
        template.render(&messages, &Default::default()).unwrap(),
        "<|im_start|><|im_start|>user\nx<|im_end|>\n"
    );
    let info = gguf::read(&path).unwrap();
    assert_eq!(info.bos_id, Some(1));
    let special: Vec<_> = info.special.iter().collect();
    assert_eq!(
        special,
        [
            ("bos_token", "<|im_start|>"),
            ("eos_token", "<|endoftext|>")
        ]
    );
    let control: Vec<_> = info
        .control
        .iter()
        .map(|(text, id)| (text.as_str(), *id))
        .collect();
    assert_eq!(
        control,
        [("<|im_start|>", 1), ("<|im_end|>", 2), ("<|endoftext|>", 4)]
    );

    // Without its ending the first bytes tell.
    let path = folder.write("model.bin", small_gguf());
    assert_eq!(find(&path).unwrap().format, WeightsFormat::Gguf);
}

#[test]
fn what_a_gguf_and_the_files_beside_it_tell_of_a_token_is_put_together() {
    let folder = Folder::new("gguf");
    let path = folder.write("model.gguf", small_gguf());
    let config = json!({"eos_token": "<|im_end|>", "added_tokens_decoder": {
        "1": {"content": "<|im_start|>", "special": true}, "3": {"content": "a", "special": true},
        "9": {"content": "<more>", "special": false}}});
    folder.write("tokenizer_config.json", config.to_string());
    let files = resolve(&path, &ModelOptions::default()).unwrap();
    let tokens = files.control.tokens.iter();
    let tokens = tokens.map(|token| (token.text.as_str(), token.id, token.special));
    assert_eq!(
        tokens.collect::<Vec<_>>(),
        [
            ("<|im_start|>", Some(1), true),
            ("<|im_end|>", Some(2), true),
            ("<|endoftext|>", Some(4), true),
            ("a", Some(3), true),
            ("<more>", None, false),
        ]
    );
}

#[test]
fn files_beside_a_gguf_count_where_it_is_alone() {
    let folder = Folder::new("beside");
    let path = folder.write("model.gguf", small_gguf());
    folder.write("tokenizer.json", small_tokenizer());
    assert!(
        resolve(&path, &ModelOptions::default())
            .unwrap()
            .tokenizer
            .is_some()
    );
    folder.write("other.gguf", small_gguf());
    assert!(
        resolve(&path, &ModelOptions::default())
            .unwrap()
            .tokenizer
            .is_none()
    );
}

#[test]
fn the_parts_of_a_split_model_are_one() {
    let folder = Folder::new("split");
    folder.write("m-00001-of-00002.gguf", small_gguf());
    folder.write("m-00002-of-00002.gguf", small_gguf());
    assert!(
        folder
            .resolve()
            .unwrap()
            .weights
            .ends_with("m-00001-of-00002.gguf")
    );
}

#[test]
fn every_cut_of_a_gguf_is_found() {
    let folder = Folder::new("cut");
    let whole = small_gguf();
    assert!(gguf::read(&folder.write("whole.gguf", &whole)).is_ok());
    for length in 0..whole.len() {
        let path = folder.write("cut.gguf", &whole[..length]);
        let error = gguf::read(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidModel, "{length}: {error}");
        let says = if length == 0 { "is empty" } else { "truncated" };
        assert!(error.message().contains(says), "{length}: {error}");
        assert!(error.message().contains("cut.gguf"));
    }
}

#[test]
fn damaged_gguf_files_are_errors() {
    let folder = Folder::new("damaged");
    let read = |bytes: &[u8]| gguf::read(&folder.write("damaged.gguf", bytes));
    let whole = small_gguf();
    for at in 0..whole.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff, whole[at] ^ 1] {
            let mut bytes = whole.clone();
            bytes[at] = value;
            if let Err(error) = read(&bytes) {
                assert_eq!(error.kind(), ErrorKind::InvalidModel, "{at}: {error}");
            }
        }
    }

    let mut pair = Gguf::new(0, 1);
    pair.text("key").u32(9).u32(8).u64(u64::MAX);
    let mut nested = Gguf::new(0, 1);
    nested.text("key").u32(9);
    for _ in 0..64 {
        nested.u32(9).u64(1);
    }
    let mut unknown = Gguf::new(0, 1);
    unknown.text("key").u32(77).u64(0);
    let mut alignment = Gguf::new(0, 1);
    alignment.u32_pair("general.alignment", 3);
    let mut large = Gguf::new(1, 0);
    large
        .text("w")
        .u32(2)
        .u64(u64::MAX)
        .u64(u64::MAX)
        .u32(0)
        .u64(0);
    let mut dimensions = Gguf::new(1, 0);
    dimensions.text("w").u32(5_000);
    let mut beyond = Gguf::new(1, 0);
    beyond.tensor("w", 1 << 40, 14, 0).data(64);
    let mut newer = b"GGUF".to_vec();
    newer.extend([9, 0, 0, 0]);
    for (bytes, says) in [
        (b"PK\x03\x04 some archive".to_vec(), "begins with"),
        (b"GGUF\0\0\0\x03rest of the file".to_vec(), "big-endian"),
        (newer, "version 9"),
        (Gguf::new(0, u64::MAX).bytes, "metadata entries"),
        (Gguf::new(u64::MAX, 0).bytes, "tensors; at most"),
        (Gguf::new(1 << 16, 0).bytes, "truncated"),
        (pair.bytes, "truncated"),
        (nested.bytes, "nested too deep"),
        (unknown.bytes, "unknown type 77"),
        (alignment.bytes, "general.alignment is 3"),
        (large.bytes, "larger than any file"),
        (dimensions.bytes, "5000 dimensions"),
        (beyond.bytes, "truncated"),
    ] {
        let error = read(&bytes).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidModel);
        assert!(error.message().contains(says), "{says}: {error}");
    }
}

#[test]
fn wrong_paths_say_what_is_wrong() {
    let folder = Folder::new("wrong");
    let open = |path: &Path| resolve(path, &ModelOptions::default()).unwrap_err();
    let fails = |path: &Path, kind: ErrorKind, says: &str| {
        let error = open(path);
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.message().contains(says), "{says}: {error}");
    };
    fails(
        Path::new("no/such/model"),
        ErrorKind::NotFound,
        "/no/such/model does not exist",
    );
    fails(&folder.0, ErrorKind::NotFound, "the folder is empty");
    folder.write("README.md", "");
    fails(&folder.0, ErrorKind::NotFound, "the folder has README.md");
    fails(
        &folder.0.join("README.md"),
        ErrorKind::InvalidModel,
        "is empty",
    );
    fails(
        Path::new("/dev/null"),
        ErrorKind::InvalidModel,
        "neither a file nor a folder",
    );
    let text = folder.write("notes.txt", "x");
    fails(
        &text,
        ErrorKind::InvalidModel,
        "neither a .rkllm nor a .gguf",
    );
    let empty = folder.write("a.rkllm", "");
    fails(&empty, ErrorKind::InvalidModel, "is empty");
    folder.write("b.gguf", small_gguf());
    fails(
        &folder.0,
        ErrorKind::InvalidArgument,
        "name one of them: a.rkllm, b.gguf",
    );
}

#[test]
fn broken_files_name_the_place() {
    let cases = [
        (
            "generation_config.json",
            "{\n \"eos_token_id\": [1,\n}",
            ErrorKind::InvalidModel,
            "line 3 column 1",
        ),
        (
            "tokenizer_config.json",
            "{\n",
            ErrorKind::Template,
            "line 2",
        ),
        (
            "tokenizer.json",
            "{",
            ErrorKind::Tokenizer,
            "line 1 column 1",
        ),
        (
            "chat_template.jinja",
            "a\n{% if x %}\n{% endfor %}",
            ErrorKind::Template,
            "line 3",
        ),
    ];
    for (name, contents, kind, says) in cases {
        let folder = rkllm_folder("broken");
        folder.write(name, contents);
        let error = folder.resolve().unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(
            error.message().contains(name) && error.message().contains(says),
            "{error}"
        );
    }
    let folder = rkllm_folder("broken");
    folder.write("config.json", b"\xff\xfe");
    let error = folder.resolve().unwrap_err();
    assert!(error.message().contains("not UTF-8"), "{error}");
}

#[test]
fn any_bytes_make_a_path() {
    let folder = Folder::new("bytes");
    let inner = folder.0.join(OsStr::from_bytes(b"mod\xffel"));
    fs::create_dir(&inner).unwrap();
    fs::write(inner.join(OsStr::from_bytes(b"\xfe.gguf")), small_gguf()).unwrap();
    let files = resolve(&inner, &ModelOptions::default()).unwrap();
    assert!(files.weights.file_name().unwrap().as_bytes() == b"\xfe.gguf");
}

/// Gemma's own files: only `<eos>` is declared, turns end in `<end_of_turn>`.
#[test]
fn gemma_2_stops_at_the_end_of_its_turn() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let tokenizer = root.join(".cache/tokenizers/gemma2");
    let templates = root.join("../shared/templates");
    let Ok(list) = fs::read_to_string(templates.join("templates.jsonl")) else {
        println!("SKIPPED: no reference templates at {}", templates.display());
        return;
    };
    if !tokenizer.is_dir() {
        println!(
            "SKIPPED: no {}; run tools/fetch-tokenizers.sh",
            tokenizer.display()
        );
        return;
    }
    let id = list
        .lines()
        .map(|line| serde_json::from_str::<Json>(line).unwrap())
        .find(|template| template["family"] == "gemma2")
        .unwrap()["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let folder = Folder::new("gemma2");
    folder.write("gemma-2-9b-it.rkllm", "weights");
    for name in ["tokenizer.json", "tokenizer_config.json"] {
        fs::copy(tokenizer.join(name), folder.0.join(name)).unwrap();
    }
    fs::copy(
        templates.join(format!("templates/{id}.jinja")),
        folder.0.join("chat_template.jinja"),
    )
    .unwrap();
    let files = folder.resolve().unwrap();
    let (tokenizer, _) = files.tokenizer.unwrap();
    let ids = ["<eos>", "<end_of_turn>"].map(|text| tokenizer.token_to_id(text).unwrap());
    assert_eq!(files.stop_ids, BTreeSet::from(ids));
}

//! The stream decoder against the whole decoder, on real tokenizers and on small ones of each kind.

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde_json::json;

use super::{StreamDecoder, Tokenizer};
use crate::surface::{ErrorKind, Json};

const TEXTS: [&str; 8] = [
    "Hello world!  Two spaces, a\ttab\r\nand  lines\n\n\n.",
    "Family 👨‍👩‍👧‍👦, flag 🏴‍☠️🇫🇷, skin 👍🏽, keycap 1️⃣ and 🦀🦀🦀🦀🦀.",
    "漢字かな交じり文、中文、한국어 조합 ᄒᆞᆫ글",
    "العربية مع تَشْكِيل، עברית, ไทยไม่มีช่องว่าง, हिन्दी क्षत्रिय",
    "မြန်မာဘာသာ ꦗꦮ 𐎀𐎁𐎂 𝔘𝔫𝔦𝔠𝔬𝔡𝔢 ᚠᚢᚦ \u{10ffff}",
    "e\u{301}\u{323} Å\u{200b}\u{feff}\u{202e} ﬁ ½ İ ß",
    " leading, trailing ",
    "fn main() { println!(\"{}\", 1_000.5e-3); } // ####  <0x41> ▁ Ġ </w> ##x",
];

/// The tokenizers that `tools/fetch-tokenizers.sh` fetches.
pub(super) fn real() -> &'static [(String, Arc<Tokenizer>)] {
    static REAL: OnceLock<Vec<(String, Arc<Tokenizer>)>> = OnceLock::new();
    REAL.get_or_init(load)
}

fn load() -> Vec<(String, Arc<Tokenizer>)> {
    let open = |file: &PathBuf| {
        let folder = file.parent().unwrap();
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        (name, Arc::new(Tokenizer::open(folder).unwrap()))
    };
    real_files().iter().map(open).collect()
}

/// Their files, by name.
pub(super) fn real_files() -> Vec<PathBuf> {
    let cache = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.cache/tokenizers");
    let entries = std::fs::read_dir(&cache).into_iter().flatten().flatten();
    let files = entries.map(|entry| entry.path().join(super::FILE));
    let mut found: Vec<PathBuf> = files.filter(|file| file.is_file()).collect();
    found.sort();
    if found.is_empty() {
        println!(
            "SKIPPED: no tokenizers in {}; run tools/fetch-tokenizers.sh",
            cache.display()
        );
    }
    found
}

/// Word-level tokenizers over a vocabulary of odd spellings, one for each decoder.
fn small(decoder: Json) -> Arc<Tokenizer> {
    let mut vocabulary: Vec<String> = [
        "▁Hello", "▁", "▁▁w", "world", "##ly", " ,", "end</w>", "x", "ĠÃ", "©", "Ġ", "é", "<0x+A>",
        "##", " n't", "</w>", "don", "  y", "Ð", "Ł", "ð", "Ł", "ĺ", "Ģ", "",
    ]
    .map(String::from)
    .to_vec();
    vocabulary.extend((0..=255).map(|byte| format!("<0x{byte:02X}>")));
    vocabulary.dedup();
    let mut ids = serde_json::Map::new();
    for token in vocabulary {
        let id = ids.len();
        ids.entry(token).or_insert(json!(id));
    }
    let special = json!({
        "id": ids.len(), "content": "<s>", "single_word": false, "lstrip": false, "rstrip": false,
        "normalized": false, "special": true
    });
    let file = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [special],
        "normalizer": null, "pre_tokenizer": null, "post_processor": null, "decoder": decoder,
        "model": {"type": "WordLevel", "vocab": ids, "unk_token": "x"}
    });
    Arc::new(Tokenizer::from_json(file.to_string().as_bytes()).unwrap())
}

fn streamed(tokenizer: &Arc<Tokenizer>, ids: &[u32]) -> String {
    let mut decoder = StreamDecoder::new(tokenizer.clone());
    let mut text = String::new();
    for id in ids {
        text.push_str(&decoder.push(*id).unwrap());
    }
    text + &decoder.finish().unwrap()
}

fn same(name: &str, tokenizer: &Arc<Tokenizer>, ids: &[u32]) {
    let whole = tokenizer.decode(ids, true).unwrap();
    assert_eq!(streamed(tokenizer, ids), whole, "{name}: {ids:?}");
}

/// A small generator of numbers, the same in each run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn streams_what_real_tokenizers_decode() {
    for (name, tokenizer) in real() {
        for text in TEXTS {
            for add_special_tokens in [false, true] {
                let ids = tokenizer.encode(text, add_special_tokens).unwrap();
                assert_eq!(
                    ids.len() as u32,
                    tokenizer.count(text, add_special_tokens).unwrap()
                );
                for end in 0..=ids.len() {
                    same(name, tokenizer, &ids[..end]);
                }
                for start in 1..ids.len() {
                    same(name, tokenizer, &ids[start..]);
                }
            }
        }
        let mut random = Random(7);
        // Ids up to 400 hold the byte tokens and most special tokens, those beyond the vocabulary
        // are dropped.
        for limit in [400, 5_000, 300_000] {
            for _ in 0..400 {
                let ids: Vec<u32> = (0..1 + random.below(24))
                    .map(|_| random.below(limit) as u32)
                    .collect();
                same(name, tokenizer, &ids);
            }
        }
    }
}

#[test]
fn streams_what_each_decoder_decodes() {
    let replace = json!({"type": "Replace", "pattern": {"String": "▁"}, "content": " "});
    let fallback = json!({"type": "ByteFallback"});
    let fuse = json!({"type": "Fuse"});
    let strip =
        |start, stop| json!({"type": "Strip", "content": " ", "start": start, "stop": stop});
    let metaspace = |scheme: &str| json!({"type": "Metaspace", "replacement": "▁", "prepend_scheme": scheme, "split": true});
    let sequence = |decoders: &[&Json]| json!({"type": "Sequence", "decoders": decoders});
    let decoders = [
        Json::Null,
        json!({"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true}),
        json!({"type": "WordPiece", "prefix": "##", "cleanup": true}),
        json!({"type": "WordPiece", "prefix": "##", "cleanup": false}),
        json!({"type": "BPEDecoder", "suffix": "</w>"}),
        json!({"type": "CTC", "pad_token": "x", "word_delimiter_token": "▁", "cleanup": true}),
        metaspace("always"),
        metaspace("first"),
        metaspace("never"),
        sequence(&[&replace, &fallback, &fuse]),
        sequence(&[&replace, &fallback, &fuse, &strip(1, 0)]),
        sequence(&[&replace, &fallback, &fuse, &strip(3, 0)]),
        sequence(&[&replace, &fallback, &strip(1, 0)]),
        sequence(&[&fallback, &metaspace("always")]),
        // Cannot be taken apart.
        sequence(&[&replace, &fuse, &fallback]),
    ];
    for decoder in decoders {
        let tokenizer = small(decoder.clone());
        let name = decoder.to_string();
        same(&name, &tokenizer, &[]);
        let mut random = Random(11);
        for limit in [30, 300] {
            for _ in 0..2_000 {
                let ids: Vec<u32> = (0..random.below(12))
                    .map(|_| random.below(limit) as u32)
                    .collect();
                same(&name, &tokenizer, &ids);
            }
        }
    }
}

#[test]
fn characters_come_whole_and_at_once() {
    let tokenizer = small(json!({
        "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": false
    }));
    let id = |token: &str| tokenizer.token_to_id(token).unwrap();
    let mut decoder = StreamDecoder::new(tokenizer.clone());
    // The four bytes of U+1F600 without its last, then a letter.
    for (token, text) in [
        ("ð", ""),
        ("Ł", ""),
        ("ĺ", ""),
        ("Ģ", "\u{1f600}"),
        ("x", "x"),
    ] {
        assert_eq!(decoder.push(id(token)).unwrap(), text);
    }
    assert_eq!(decoder.push(id("ð")).unwrap(), "");
    assert_eq!(decoder.push(id("x")).unwrap(), "\u{fffd}x");
    assert_eq!(decoder.push(id("<s>")).unwrap(), "");
    assert_eq!(decoder.push(id("ð")).unwrap(), "");
    assert_eq!(decoder.finish().unwrap(), "\u{fffd}");
}

#[test]
fn special_tokens_are_known_and_parsed() {
    for (name, tokenizer) in real() {
        let specials = tokenizer.special_tokens();
        assert!(!specials.is_empty(), "{name}");
        for (text, id) in specials {
            assert_eq!(tokenizer.token_to_id(text), Some(*id), "{name}: {text}");
            assert_eq!(
                tokenizer.encode(text, false).unwrap(),
                [*id],
                "{name}: {text}"
            );
            assert_eq!(
                tokenizer.decode(&[*id], true).unwrap(),
                "",
                "{name}: {text}"
            );
            assert_eq!(
                tokenizer.decode(&[*id], false).unwrap(),
                *text,
                "{name}: {text}"
            );
        }
    }
}

#[test]
fn gemma_encodes_its_prompt() {
    let Some((_, tokenizer)) = real().iter().find(|(name, _)| name == "gemma2") else {
        return;
    };
    let prompt = "<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n<start_of_turn>model\n";
    let ids = tokenizer.encode(prompt, false).unwrap();
    assert_eq!(ids[..4], [2, 106, 1645, 108]);
    assert_eq!(ids[ids.len() - 5..], [107, 108, 106, 2516, 108]);
    assert_eq!(tokenizer.encode("hi", true).unwrap()[0], 2);
    assert_eq!(tokenizer.decode(&ids, false).unwrap(), prompt);
}

#[test]
fn odd_decoders_are_errors_not_panics() {
    let tokenizer = small(json!({"type": "Strip", "content": " ", "start": 0, "stop": 9}));
    let empty = tokenizer.token_to_id("").unwrap();
    let error = tokenizer.decode(&[empty], false).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Tokenizer);
    let mut decoder = StreamDecoder::new(tokenizer);
    assert_eq!(
        decoder.push(empty).unwrap_err().kind(),
        ErrorKind::Tokenizer
    );
}

#[test]
fn wrong_files_say_what_is_wrong() {
    let folder = std::env::temp_dir().join(format!("rkchat-tokenizer-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file: PathBuf = folder.join("tokenizer.json");

    let error = Tokenizer::open(&folder).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("no tokenizer.json in"), "{error}");

    let error = Tokenizer::open(&folder.join("other.json")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.message().contains("does not exist"), "{error}");

    for (contents, says) in [
        ("", "line 1 column 0"),
        ("{\n  \"version\": ,", "line 2 column 14"),
        ("{}", "tokenizer.json"),
        ("[1, 2]", "tokenizer.json"),
    ] {
        std::fs::write(&file, contents).unwrap();
        let error = Tokenizer::open(&folder).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Tokenizer);
        assert!(error.message().contains(says), "{error}");
        assert!(error.details().contains_key("path"));
    }
    std::fs::remove_dir_all(&folder).unwrap();
}

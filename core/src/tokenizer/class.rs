//! What transformers (5.23) changes about a `tokenizer.json` when it loads one.
//!
//! Some of its tokenizer classes take only the vocabulary and the merges from the file and build the
//! rest themselves; which class it is, `tokenizer_config.json` says. Ids are those that transformers
//! gives, so the same is done here.

use serde_json::json;

use super::file::{Bpe, File, Model};
use crate::surface::Json;

/// The classes that build their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Llama,
    Gemma,
    Qwen2,
    Gpt2,
}

/// Kinds of models (`model_type` in `config.json`) whose files are taken as they are, whatever class
/// they name.
const AS_IT_IS: [&str; 39] = [
    "aria",
    "ernie4_5",
    "ernie4_5_moe",
    "flex_olmo",
    "glm",
    "glm4",
    "glm4_moe",
    "glm4_moe_lite",
    "glm4v",
    "gpt_bigcode",
    "granite",
    "granitemoe",
    "granitemoehybrid",
    "granitemoeshared",
    "h2ovl_chat",
    "hyperclovax",
    "hyperclovax_vlm",
    "internlm2",
    "internlm3",
    "jamba",
    "kimi_k25",
    "kimi_linear",
    "llava",
    "llava_next",
    "mimo_v2_flash",
    "minicpm3",
    "minicpmv",
    "minicpmv4_6",
    "minimax_m2",
    "ministral",
    "mistral",
    "mixtral",
    "nemotron",
    "olmo2",
    "olmo3",
    "phi3",
    "phi3_v",
    "phimoe",
    "smolvlm",
];

const METASPACE: char = '\u{2581}';

const QWEN2_WORDS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

impl Class {
    /// The class that transformers takes, by `tokenizer_config.json` and `config.json`; `None` where
    /// the file is taken as it is.
    pub fn of(config: &Json, model_config: &Json, file: &[u8]) -> Option<Self> {
        let named = config["tokenizer_class"]
            .as_str()
            .or(model_config["tokenizer_class"].as_str())?;
        let named = named.strip_suffix("Fast").unwrap_or(named);
        let kind = model_config["model_type"].as_str().unwrap_or_default();
        match (kind, named) {
            ("qwen2", _) => Some(Self::Qwen2),
            (kind, _) if AS_IT_IS.contains(&kind) => None,
            // Llama 3 and others are byte-level though they say this.
            (_, "LlamaTokenizer") => {
                let byte_level = memchr::memmem::find(file, br#""ByteLevel""#).is_some();
                (!byte_level).then_some(Self::Llama)
            }
            (_, "GemmaTokenizer") => Some(Self::Gemma),
            (_, "Qwen2Tokenizer") => Some(Self::Qwen2),
            (_, "GPT2Tokenizer") => Some(Self::Gpt2),
            _ => None,
        }
    }

    /// The special tokens that it has where the configuration does not name them.
    pub fn special_tokens(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Llama => &[
                ("bos_token", "<s>"),
                ("eos_token", "</s>"),
                ("unk_token", "<unk>"),
            ],
            Self::Gemma => &[
                ("bos_token", "<bos>"),
                ("eos_token", "<eos>"),
                ("unk_token", "<unk>"),
                ("pad_token", "<pad>"),
                ("mask_token", "<mask>"),
            ],
            Self::Qwen2 => &[
                ("eos_token", "<|endoftext|>"),
                ("unk_token", "<|endoftext|>"),
                ("pad_token", "<|endoftext|>"),
            ],
            Self::Gpt2 => &[
                ("bos_token", "<|endoftext|>"),
                ("eos_token", "<|endoftext|>"),
                ("unk_token", "<|endoftext|>"),
            ],
        }
    }

    /// Puts the class's own settings and steps in place of the file's.
    pub fn rebuild(self, file: &mut File, config: &Json) -> tokenizers::Result<()> {
        let Model::Bpe(bpe) = &mut file.model else {
            // transformers cannot build these classes on another model.
            return Ok(());
        };
        self.set(bpe, config);
        let (normalizer, pre_tokenizer, decoder) = self.steps(config);
        file.normalizer = serde_json::from_value(normalizer)?;
        file.pre_tokenizer = serde_json::from_value(pre_tokenizer)?;
        file.decoder = serde_json::from_value(decoder)?;
        Ok(())
    }

    fn set(self, bpe: &mut Bpe, config: &Json) {
        let pieces = matches!(self, Self::Llama | Self::Gemma);
        bpe.dropout = None;
        bpe.unk_token = match self {
            Self::Gemma => Some(config["unk_token"].as_str().unwrap_or("<unk>").to_owned()),
            Self::Llama | Self::Qwen2 | Self::Gpt2 => None,
        };
        bpe.fuse_unk = Some(pieces);
        bpe.byte_fallback = Some(pieces);
        bpe.ignore_merges = None;
        bpe.continuing_subword_prefix = None;
        bpe.end_of_word_suffix = None;
    }

    /// Normalizer, pre-tokenizer and decoder, as `tokenizer.json` writes them.
    fn steps(self, config: &Json) -> (Json, Json, Json) {
        let byte_level = |add_prefix_space: bool, use_regex: bool| {
            json!({"type": "ByteLevel", "add_prefix_space": add_prefix_space,
                   "trim_offsets": true, "use_regex": use_regex})
        };
        let mut pieces = vec![
            json!({"type": "Replace", "pattern": {"String": METASPACE}, "content": " "}),
            json!({"type": "ByteFallback"}),
            json!({"type": "Fuse"}),
        ];
        let prefix = config["add_prefix_space"].as_bool();
        match self {
            Self::Llama => {
                let legacy = config["legacy"].as_bool().unwrap_or(false);
                let scheme = match (prefix.unwrap_or(true), legacy) {
                    (false, _) => "never",
                    (true, true) => "always",
                    (true, false) => "first",
                };
                if prefix.unwrap_or(true) {
                    let strip = json!({"type": "Strip", "content": " ", "start": 1, "stop": 0});
                    pieces.push(strip);
                }
                let metaspace = json!({"type": "Metaspace", "replacement": METASPACE,
                                       "prepend_scheme": scheme, "split": false});
                (Json::Null, metaspace, sequence(pieces))
            }
            Self::Gemma => (
                json!({"type": "Replace", "pattern": {"String": " "}, "content": METASPACE}),
                json!({"type": "Split", "pattern": {"String": " "},
                       "behavior": "MergedWithPrevious", "invert": false}),
                sequence(pieces),
            ),
            Self::Qwen2 => (
                json!({"type": "NFC"}),
                json!({"type": "Sequence", "pretokenizers": [
                    {"type": "Split", "pattern": {"Regex": QWEN2_WORDS},
                     "behavior": "Isolated", "invert": false},
                    byte_level(prefix.unwrap_or(false), false),
                ]}),
                byte_level(true, true),
            ),
            Self::Gpt2 => (
                Json::Null,
                byte_level(prefix.unwrap_or(false), true),
                byte_level(true, true),
            ),
        }
    }
}

fn sequence(decoders: Vec<Json>) -> Json {
    json!({"type": "Sequence", "decoders": decoders})
}

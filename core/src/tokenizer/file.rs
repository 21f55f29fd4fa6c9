//! A `tokenizer.json`, read in one pass.
//!
//! `tokenizers` reads the model into a tree of values first, which takes several times the memory of the
//! model that comes of it. Of its own types all but that tree are used.

use std::fmt;

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use tokenizers::models::bpe::{BPE, BpeBuilder, Vocab};
use tokenizers::{
    AddedToken, DecoderWrapper, ModelWrapper, NormalizerWrapper, PostProcessorWrapper,
    PreTokenizerWrapper, Tokenizer,
};

use crate::surface::Json;

/// What the file holds. Padding and truncation are left out: files keep what their author last trained
/// with, and a prompt is neither cut nor padded.
#[derive(Deserialize)]
pub(super) struct File {
    version: Option<String>,
    #[serde(default)]
    added_tokens: Vec<AddedToken>,
    pub normalizer: Option<NormalizerWrapper>,
    pub pre_tokenizer: Option<PreTokenizerWrapper>,
    post_processor: Option<PostProcessorWrapper>,
    pub decoder: Option<DecoderWrapper>,
    pub model: Model,
}

impl File {
    pub fn parse(json: &[u8]) -> tokenizers::Result<Self> {
        let file: Self = serde_json::from_slice(json)?;
        match file.version.as_deref() {
            None | Some("1.0") => Ok(file),
            Some(other) => {
                Err(format!("its version is {other:?}, and only \"1.0\" is known").into())
            }
        }
    }

    pub fn build(self) -> tokenizers::Result<Tokenizer> {
        let mut tokenizer = match self.model {
            Model::Bpe(bpe) => Tokenizer::new(bpe.build()?),
            Model::Other(model) => Tokenizer::new(model),
        };
        tokenizer.with_normalizer(self.normalizer)?;
        tokenizer.with_pre_tokenizer(self.pre_tokenizer);
        tokenizer.with_post_processor(self.post_processor);
        tokenizer.with_decoder(self.decoder);
        tokenizer.add_tokens(self.added_tokens)?;
        Ok(tokenizer)
    }
}

/// What turns a word into tokens.
pub(super) enum Model {
    Bpe(Bpe),
    Other(ModelWrapper),
}

impl<'de> Deserialize<'de> for Model {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields;

        impl<'de> Visitor<'de> for Fields {
            type Value = Model;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a model")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Model, A::Error> {
                let mut fields = serde_json::Map::new();
                // What `tokenizers` writes begins with the type; its first releases left it out.
                if let Some((name, value)) = map.next_entry::<String, Json>()? {
                    if name == "type" && value == "BPE" {
                        return Bpe::deserialize(MapAccessDeserializer::new(map)).map(Model::Bpe);
                    }
                    fields.insert(name, value);
                }
                while let Some((name, value)) = map.next_entry()? {
                    fields.insert(name, value);
                }
                let is_bpe = !fields.contains_key("type") || fields["type"] == "BPE";
                let model = if is_bpe && fields.contains_key("merges") {
                    Bpe::deserialize(Json::Object(fields)).map(Model::Bpe)
                } else {
                    ModelWrapper::deserialize(Json::Object(fields)).map(Model::Other)
                };
                model.map_err(A::Error::custom)
            }
        }

        deserializer.deserialize_map(Fields)
    }
}

/// Byte pair encoding, before the tables are built.
#[derive(Deserialize)]
pub(super) struct Bpe {
    pub dropout: Option<f32>,
    pub unk_token: Option<String>,
    pub continuing_subword_prefix: Option<String>,
    pub end_of_word_suffix: Option<String>,
    pub fuse_unk: Option<bool>,
    pub byte_fallback: Option<bool>,
    pub ignore_merges: Option<bool>,
    vocab: Vocab,
    merges: Merges,
}

impl Bpe {
    fn build(self) -> tokenizers::Result<BPE> {
        let mut bpe = BpeBuilder::new()
            .vocab_and_merges(self.vocab, self.merges.0)
            .fuse_unk(self.fuse_unk.unwrap_or(false))
            .byte_fallback(self.byte_fallback.unwrap_or(false))
            .ignore_merges(self.ignore_merges.unwrap_or(false));
        if let Some(dropout) = self.dropout {
            bpe = bpe.dropout(dropout);
        }
        if let Some(unknown) = self.unk_token {
            bpe = bpe.unk_token(unknown);
        }
        if let Some(prefix) = self.continuing_subword_prefix {
            bpe = bpe.continuing_subword_prefix(prefix);
        }
        if let Some(suffix) = self.end_of_word_suffix {
            bpe = bpe.end_of_word_suffix(suffix);
        }
        bpe.build()
    }
}

/// The pairs that become one token, in the order in which they do.
struct Merges(Vec<(String, String)>);

impl<'de> Deserialize<'de> for Merges {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;

        impl<'de> Visitor<'de> for Pairs {
            type Value = Merges;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of merges")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Merges, A::Error> {
                let mut merges = Vec::new();
                while let Some(Merge(pair)) = seq.next_element()? {
                    merges.extend(pair);
                }
                Ok(Merges(merges))
            }
        }

        deserializer.deserialize_seq(Pairs)
    }
}

/// A list of two, or a text with a space between them as older files have it; none for the line that
/// some have in front.
struct Merge(Option<(String, String)>);

impl<'de> Deserialize<'de> for Merge {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pair;

        impl<'de> Visitor<'de> for Pair {
            type Value = Merge;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("two tokens")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Merge, A::Error> {
                let pair = Deserialize::deserialize(SeqAccessDeserializer::new(seq))?;
                Ok(Merge(Some(pair)))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Merge, E> {
                if text.starts_with("#version") {
                    return Ok(Merge(None));
                }
                match text.split_once(' ') {
                    Some((left, right)) if !right.contains(' ') => {
                        Ok(Merge(Some((left.to_owned(), right.to_owned()))))
                    }
                    _ => Err(E::custom(format!("the merge {text:?} is not two tokens"))),
                }
            }
        }

        deserializer.deserialize_any(Pair)
    }
}

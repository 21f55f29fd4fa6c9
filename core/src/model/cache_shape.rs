//! How large a model's cache of keys and values is, where its files tell.

use crate::surface::Json;

/// The shape of the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CacheShape {
    layers: u64,
    heads: u64,
    /// Numbers of a key and a value together.
    width: u64,
}

/// The names of the same things in the two kinds of files.
struct Keys {
    layers: &'static str,
    kv_heads: &'static str,
    heads: &'static str,
    hidden: &'static str,
    key: &'static str,
    value: &'static str,
}

const CONFIG: Keys = Keys {
    layers: "num_hidden_layers",
    kv_heads: "num_key_value_heads",
    heads: "num_attention_heads",
    hidden: "hidden_size",
    key: "head_dim",
    value: "head_dim",
};

const GGUF: Keys = Keys {
    layers: "block_count",
    kv_heads: "attention.head_count_kv",
    heads: "attention.head_count",
    hidden: "embedding_length",
    key: "attention.key_length",
    value: "attention.value_length",
};

impl CacheShape {
    /// By `config.json`; models that read images have it one step below.
    pub fn of_config(config: &Json) -> Option<Self> {
        let number = |config: &Json, key: &str| config[key].as_u64();
        Self::of(&CONFIG, |key| number(config, key))
            .or_else(|| Self::of(&CONFIG, |key| number(&config["text_config"], key)))
    }

    /// By the metadata of a GGUF file; `number` gives one by its name after the architecture's.
    pub fn of_gguf(number: impl Fn(&str) -> Option<u64>) -> Option<Self> {
        Self::of(&GGUF, number)
    }

    fn of(keys: &Keys, number: impl Fn(&str) -> Option<u64>) -> Option<Self> {
        let number = |key: &str| number(key).filter(|number| *number > 0);
        let heads = number(keys.heads)?;
        let width = || number(keys.hidden).map(|hidden| hidden / heads);
        let (key, value) = (
            number(keys.key).or_else(width)?,
            number(keys.value).or_else(width)?,
        );
        Some(Self {
            layers: number(keys.layers)?,
            heads: number(keys.kv_heads).unwrap_or(heads),
            width: key.checked_add(value)?,
        })
    }

    /// Its bytes for so many tokens, with 16 bits for each number, as llama.cpp has it by default; models
    /// whose layers look back less far need less.
    pub fn bytes(self, tokens: u32) -> u64 {
        let numbers = [self.layers, self.heads, self.width, u64::from(tokens)];
        let product = numbers.into_iter().try_fold(2u64, u64::checked_mul);
        product.unwrap_or(u64::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_kinds_of_files_tell_it() {
        // SmolLM2 135M.
        let config = json!({"num_hidden_layers": 30, "num_attention_heads": 9, "num_key_value_heads": 3,
                            "hidden_size": 576});
        let shape = CacheShape::of_config(&config).unwrap();
        assert_eq!(shape.bytes(4096), 30 * 3 * 128 * 4096 * 2);
        assert_eq!(
            CacheShape::of_config(&json!({"text_config": config})),
            Some(shape)
        );
        let gguf = |key: &str| match key {
            "block_count" => Some(30),
            "attention.head_count" => Some(9),
            "attention.head_count_kv" => Some(3),
            "embedding_length" => Some(576),
            _ => None,
        };
        assert_eq!(CacheShape::of_gguf(gguf), Some(shape));
    }

    #[test]
    fn what_is_missing_or_absurd_is_no_panic() {
        assert_eq!(CacheShape::of_config(&Json::Null), None);
        assert_eq!(
            CacheShape::of_config(&json!({"num_attention_heads": 0, "hidden_size": 1})),
            None
        );
        let huge = json!({"num_hidden_layers": u64::MAX, "num_attention_heads": 9, "head_dim": 64});
        let shape = CacheShape::of_config(&huge).unwrap();
        assert_eq!(shape.bytes(4096), u64::MAX);
    }
}

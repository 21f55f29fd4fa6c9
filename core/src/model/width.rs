//! How wide a model's embeddings are.

use super::gguf::GgufInfo;
use crate::surface::Json;

/// Where models of text and images keep the configuration of the part for text.
const PARTS: [&str; 2] = ["text_config", "llm_config"];
/// What architectures call it.
const NAMES: [&str; 3] = ["hidden_size", "n_embd", "d_model"];

/// Numbers in an embedding, where it is told.
pub(super) fn find(gguf: Option<&GgufInfo>, config: &Json) -> Option<usize> {
    let parts = PARTS.iter().map(|part| &config[*part]);
    let mut told = parts
        .chain([config])
        .flat_map(|part| NAMES.iter().map(|name| &part[*name]))
        .filter_map(Json::as_u64);
    let width = gguf
        .and_then(|gguf| gguf.embedding_width)
        .or_else(|| told.next());
    width
        .and_then(|width| usize::try_from(width).ok())
        .filter(|width| *width > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_part_for_text_counts() {
        let find = |config: Json| find(None, &config);
        assert_eq!(find(json!({"hidden_size": 8})), Some(8));
        assert_eq!(find(json!({"n_embd": 4})), Some(4));
        let both = json!({"hidden_size": 8, "text_config": {"hidden_size": 16}});
        assert_eq!(find(both), Some(16));
        assert_eq!(find(json!({"hidden_size": 0})), None);
        assert_eq!(find(Json::Null), None);
        let gguf = GgufInfo {
            embedding_width: Some(2),
            ..GgufInfo::default()
        };
        assert_eq!(
            super::find(Some(&gguf), &json!({"hidden_size": 8})),
            Some(2)
        );
    }
}

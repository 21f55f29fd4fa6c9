//! The tokenizer and the embedding layer of a caller whose model was converted without them.

use std::fmt;
use std::sync::Arc;

/// Token ids of a text.
pub type HostTokenizer = Arc<dyn Fn(&str) -> Result<Vec<i32>, String> + Send + Sync>;
/// The embeddings of tokens, so many numbers of each.
pub type HostEmbedding = Arc<dyn Fn(&[i32], usize) -> Result<Vec<f32>, String> + Send + Sync>;

/// What a caller of `rkllm_init` brings; none in groups before 1.3.0.
#[derive(Clone, Default)]
pub struct Hosts {
    /// Its tokenizer.
    pub tokenizer: Option<HostTokenizer>,
    /// Its embedding layer.
    pub embedding: Option<HostEmbedding>,
}

impl fmt::Debug for Hosts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hosts")
            .field("tokenizer", &self.tokenizer.is_some())
            .field("embedding", &self.embedding.is_some())
            .finish()
    }
}

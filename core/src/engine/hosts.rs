//! What a runtime calls back for where a model was converted without it: rkchat's tokenizer, and a table
//! of the caller's with word embeddings.

use std::sync::Arc;

use super::media::check_numbers;
use crate::surface::{Error, ErrorKind, Result, Tensor};
use crate::tokenizer::Tokenizer;
use crate::vendor::{HostEmbedding, HostTokenizer};

/// The model's tokenizer, for the runtime.
#[derive(Debug)]
pub(super) struct OurTokenizer(Arc<Tokenizer>);

impl OurTokenizer {
    pub fn of(tokenizer: Option<Arc<Tokenizer>>) -> Result<Self> {
        let lacks = || {
            Error::new(
                ErrorKind::Tokenizer,
                "`host_tokenizer`: the model has no tokenizer; put its tokenizer.json into its folder, or name it with \
                 the option tokenizer",
            )
        };
        tokenizer.map(Self).ok_or_else(lacks)
    }
}

impl HostTokenizer for OurTokenizer {
    fn tokenize(&self, text: &str) -> std::result::Result<Vec<i32>, String> {
        let ids = self.0.encode(text, false);
        let ids = ids.map_err(|error| error.message().to_owned())?;
        let id = |id: u32| i32::try_from(id).map_err(|_| format!("{id} is too large for an id"));
        ids.into_iter().map(id).collect()
    }
}

/// Word embeddings.
#[derive(Debug)]
pub(super) struct Table {
    rows: Vec<f32>,
    width: usize,
}

impl Table {
    /// `width`: how wide the model's are, where that is known.
    pub fn of(table: &Tensor, width: Option<usize>) -> Result<Self> {
        const WHAT: &str = "embedding_table";
        let [_, own] = check_numbers(WHAT, table, ["tokens", "numbers of each"])?;
        if width.is_some_and(|width| width != own) {
            return Err(super::media::wrong_width(WHAT, own, width));
        }
        Ok(Self {
            rows: table.data().to_vec(),
            width: own,
        })
    }
}

impl HostEmbedding for Table {
    fn embed(&self, tokens: &[i32], width: usize) -> std::result::Result<Vec<f32>, String> {
        if width != self.width {
            return Err(format!(
                "the runtime asks for {width} numbers of each token, and embedding_table has {}",
                self.width
            ));
        }
        let mut embeddings = Vec::with_capacity(tokens.len() * width);
        for token in tokens {
            let start = usize::try_from(*token)
                .ok()
                .and_then(|row| row.checked_mul(width));
            let row = start.and_then(|start| self.rows.get(start..start.checked_add(width)?));
            let row = row.ok_or_else(|| {
                let rows = self.rows.len() / width;
                format!("the runtime asks for token {token}, and embedding_table has {rows} rows")
            })?;
            embeddings.extend_from_slice(row);
        }
        Ok(embeddings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_gives_the_rows_that_it_has() {
        let tensor = Tensor::new(vec![0.0, 0.5, 1.0, 1.5], vec![2, 2]).unwrap();
        let table = Table::of(&tensor, Some(2)).unwrap();
        assert_eq!(
            table.embed(&[1, 0, 1], 2).unwrap(),
            [1.0, 1.5, 0.0, 0.5, 1.0, 1.5]
        );
        for (token, width) in [(2, 2), (-1, 2), (0, 1), (i32::MAX, 2)] {
            assert!(table.embed(&[token], width).is_err(), "{token} {width}");
        }
        let error = Table::of(&tensor, Some(3)).unwrap_err();
        assert!(error.message().contains('3'), "{error}");
    }
}

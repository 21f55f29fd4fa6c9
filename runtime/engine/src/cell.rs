//! What a prompt is made of, and what the cache holds of it.

use crate::hash;
use rkchat_runtime_front::engine::{Part, Prompt};

/// One position of a prompt.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Entry<'a> {
    /// A token id.
    Token(i32),
    /// An embedding in place of a token.
    Row(&'a [f32]),
}

/// What stands at a position of the cache: a token's id, or an embedding's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cell(u64);

impl Cell {
    /// Set for hashes; ids have 31 bits.
    const ROW: u64 = 1 << 63;

    /// The cell's number in a file.
    pub fn number(self) -> u64 {
        self.0
    }

    /// The cell of a number from a file.
    pub fn from_number(number: u64) -> Self {
        Cell(number)
    }

    /// The token, if it is one.
    pub fn token(self) -> Option<i32> {
        i32::try_from(self.0).ok()
    }
}

impl From<Entry<'_>> for Cell {
    fn from(entry: Entry<'_>) -> Self {
        match entry {
            Entry::Token(id) => Cell(id.unsigned_abs().into()),
            Entry::Row(values) => {
                let bytes = values.iter().flat_map(|value| value.to_le_bytes());
                Cell(hash::of(bytes) | Cell::ROW)
            }
        }
    }
}

/// A prompt's positions; embeddings are `width` numbers each.
pub fn entries(prompt: &Prompt, width: usize) -> Vec<Entry<'_>> {
    let mut entries = Vec::new();
    for part in &prompt.parts {
        match part {
            Part::Tokens(ids) => entries.extend(ids.iter().map(|id| Entry::Token(*id))),
            Part::Embeddings(values) => {
                entries.extend(values.chunks_exact(width.max(1)).map(Entry::Row));
            }
        }
    }
    entries
}

/// How many positions of a prompt a cache begins with.
pub fn common(cells: &[Cell], prompt: &[Entry<'_>]) -> usize {
    let pairs = cells.iter().zip(prompt);
    pairs
        .take_while(|(cell, entry)| **cell == Cell::from(**entry))
        .count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_and_rows_are_told_apart() {
        let (a, b) = ([1.0, 2.0], [1.0, 2.5]);
        let cells = [Entry::Token(7), Entry::Row(&a), Entry::Token(0)].map(Cell::from);
        assert_eq!(cells.map(Cell::token), [Some(7), None, Some(0)]);
        let same = [Entry::Token(7), Entry::Row(&a), Entry::Token(1)];
        assert_eq!(common(&cells, &same), 2);
        assert_eq!(common(&cells, &[Entry::Token(7), Entry::Row(&b)]), 1);
        assert_eq!(common(&cells, &[Entry::Token(7)]), 1);
    }
}

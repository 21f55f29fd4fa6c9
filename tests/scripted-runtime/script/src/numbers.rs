//! Hidden states, logits and log probabilities of a script: numbers that a test can foresee.

use rkchat_runtime_front::engine::{LogProb, Part, Prompt};

/// Hidden states: each number is its row, and the tenth of its column.
pub fn hidden_states(rows: usize, columns: usize) -> Vec<f32> {
    let row = |row: usize| (0..columns).map(move |column| row as f32 + column as f32 / 10.0);
    (0..rows).flat_map(row).collect()
}

/// Logits: all 0 but for one token in each row, which is the row's number; in the last row it is
/// `drawn`. Both count from the start again where the vocabulary ends.
pub fn logits(rows: usize, vocabulary: usize, drawn: i32) -> Vec<f32> {
    let mut values = vec![0.0; rows * vocabulary];
    for (row, values) in values.chunks_mut(vocabulary.max(1)).enumerate() {
        let likeliest = match row + 1 == rows {
            true => drawn.unsigned_abs() as usize,
            false => row,
        };
        values[likeliest % vocabulary] = 1.0;
    }
    values
}

/// Log probabilities: -0.5 for the token that was drawn, then -1, -2 ... for it and those that
/// follow it.
pub fn logprobs(drawn: i32, top: u32) -> Vec<LogProb> {
    let token = |logprob, id| LogProb { logprob, id };
    let top = (0..top)
        .zip(drawn..)
        .map(|(n, id)| token(-1.0 - n as f32, id));
    [token(-0.5, drawn)].into_iter().chain(top).collect()
}

/// A prompt's tokens; each embedding of `width` numbers counts as one that its first number names.
pub fn tokens(prompt: &Prompt, width: usize) -> Vec<i32> {
    let mut tokens = Vec::new();
    for part in &prompt.parts {
        match part {
            Part::Tokens(ids) => tokens.extend(ids),
            Part::Embeddings(values) => {
                tokens.extend(values.chunks(width.max(1)).map(|row| -1 - row[0] as i32));
            }
        }
    }
    tokens
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn are_as_described() {
        assert_eq!(hidden_states(2, 2), [0.0, 0.1, 1.0, 1.1]);
        assert_eq!(logits(2, 3, 1001), [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
        let ids: Vec<_> = logprobs(7, 2).iter().map(|token| token.id).collect();
        assert_eq!(ids, [7, 7, 8]);
    }
}

//! Numbers in place of an answer: embeddings, logits, and the likelihood of a text.

use super::control::Deadlines;
use super::desk::{Desk, Told, Wish};
use super::model::Model;
use super::prompt::{Prompt, ids_of};
use crate::surface::*;
use crate::vendor::{Mode, Rows, RunRequest, capabilities};

/// One text on its way to numbers.
struct Wanted {
    request: RunRequest,
    /// Its tokens; 0 where only the runtime can count them.
    tokens: usize,
}

impl Model {
    pub fn embed(&self, texts: &[String], options: &EmbedOptions) -> Result<Tensor> {
        let instead = "Use a runtime that can, or an embedding model on the CPU runtime.";
        self.require(capabilities::HIDDEN_STATES, instead)?;
        let pooling = options.pooling.unwrap_or(Pooling::Last);
        if texts.is_empty() || pooling == Pooling::None && texts.len() > 1 {
            let message = match texts.is_empty() {
                true => "`texts` is empty: there is nothing to embed",
                false => {
                    "`texts`: pooling none gives a row for each token, so it takes one text at a time"
                }
            };
            return Err(Error::invalid_argument(message));
        }
        let adapter = options.adapter.as_deref();
        let wanted = texts
            .iter()
            .map(|text| {
                let last = pooling == Pooling::Last;
                self.wanted(&Prompt::Text(text), Mode::HiddenStates, adapter, last)
            })
            .collect::<Result<Vec<_>>>()?;
        let normalize = options.normalize;
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        self.errand(deadlines, move |desk| {
            let mut all = Vec::new();
            let mut width = 0;
            for one in &wanted {
                let rows = one.rows(desk, pooling != Pooling::Last)?;
                width = rows.width;
                let mut pooled = pool(rows, pooling);
                if normalize {
                    pooled.chunks_mut(width).for_each(unit);
                }
                // The first is not copied, and most often there is no other.
                match all.is_empty() {
                    true => all = pooled,
                    false => all.extend(pooled),
                }
            }
            Ok(Tensor::rows(all, width))
        })
    }

    pub fn logits(&self, prompt: Prompt<'_>, options: &LogitsOptions) -> Result<Tensor> {
        self.require_logits()?;
        let positions = options.positions.clone();
        let adapter = options.adapter.as_deref();
        let wanted = self.wanted(&prompt, Mode::Logits, adapter, positions.is_none())?;
        let tokens = wanted.tokens;
        let beyond = positions
            .iter()
            .flatten()
            .find(|at| **at as usize >= tokens);
        if let Some(position) = beyond {
            return Err(Error::invalid_argument(format!(
                "`positions` has {position}, and the prompt has the tokens 0 to {}",
                tokens.saturating_sub(1)
            )));
        }
        if positions.as_ref().is_some_and(Vec::is_empty) {
            return Err(Error::invalid_argument("`positions` is empty"));
        }
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        self.errand(deadlines, move |desk| {
            let Rows { values, width, .. } = wanted.rows(desk, positions.is_some())?;
            let data = match positions {
                Some(positions) => picked(values, width, &positions),
                None => values,
            };
            Ok(Tensor::rows(data, width))
        })
    }

    pub fn score(&self, prompt: Prompt<'_>, options: &ScoreOptions) -> Result<Tensor> {
        self.require_logits()?;
        let adapter = options.adapter.as_deref();
        let wanted = self.wanted(&prompt, Mode::Logits, adapter, false)?;
        let Some(ids) = ids_of(&wanted.request.inputs) else {
            return Err(Error::new(
                ErrorKind::Unsupported,
                "no tokenizer is known for this model, so nobody can tell which tokens the text has; put its \
                 tokenizer.json into its folder",
            ));
        };
        let following: Vec<usize> = ids[1..].iter().map(|id| *id as usize).collect();
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        self.errand(deadlines, move |desk| {
            let rows = wanted.rows(desk, true)?;
            let scored = rows.values.chunks(rows.width).zip(&following);
            let scores = scored.map(|(logits, id)| log_probability(logits, *id));
            let scores: Option<Vec<f32>> = scores.collect();
            let scores = scores.ok_or_else(|| {
                Error::invalid_argument("a token id is beyond the vocabulary of the model")
            })?;
            Ok(Tensor::row(scores))
        })
    }

    fn require_logits(&self) -> Result<()> {
        let instead = "Use a runtime that can, or a GGUF file of the model on the CPU runtime.";
        self.require(capabilities::LOGITS, instead)
    }

    fn wanted(
        &self,
        prompt: &Prompt<'_>,
        mode: Mode,
        adapter: Option<&str>,
        last_row: bool,
    ) -> Result<Wanted> {
        self.require_single()?;
        let adapter = self.loaded.adapter(adapter)?;
        let options = GenerateOptions::default();
        let prepared = self.with(|tokens, session| tokens.prepare(prompt, &options, session))?;
        // Runtimes keep a place for the token that would come next.
        self.room(prepared.tokens, Some(1))?;
        Ok(Wanted {
            request: RunRequest {
                inputs: vec![prepared.input],
                max_new_tokens: 1,
                mode,
                last_row,
                adapter,
                ..RunRequest::default()
            },
            tokens: prepared.tokens as usize,
        })
    }
}

impl Wanted {
    /// The rows of its numbers; with `all` one for each token, or it is an error.
    fn rows(&self, desk: &mut Desk<'_>, all: bool) -> Result<Rows> {
        let mut found: Option<Rows> = None;
        let took = desk.run(&self.request, true, &mut |told| match told {
            Told::Rows(rows) => {
                // Those of the prompt come first; later ones are of tokens that nobody asked for.
                found.get_or_insert(rows);
                Wish::More
            }
            // Runtimes whose limit is fixed at opening would go on.
            Told::Token(number) if number > 1 => Wish::Enough,
            Told::Token(_) => Wish::More,
        });
        took?;
        let what = match self.request.mode {
            Mode::HiddenStates => "hidden states",
            Mode::Generate | Mode::Logits => "logits",
        };
        let failed = |message: String| Error::new(ErrorKind::RuntimeFailed, message);
        let rows = found.ok_or_else(|| {
            failed(format!(
                "the runtime ended the run and gave no {what}; they are not there with n_batch above 1"
            ))
        })?;
        if all && self.tokens > 0 && rows.tokens != self.tokens {
            return Err(failed(format!(
                "the runtime gave {what} of {} tokens for a prompt of {}, so nobody can tell which they are of",
                rows.tokens, self.tokens
            )));
        }
        Ok(rows)
    }
}

/// One row for a text, or all of them.
fn pool(rows: Rows, pooling: Pooling) -> Vec<f32> {
    let Rows {
        mut values, width, ..
    } = rows;
    match pooling {
        Pooling::None => values,
        Pooling::Cls => {
            values.truncate(width);
            values
        }
        Pooling::Last => values.split_off(values.len() - width),
        Pooling::Mean => {
            let count = (values.len() / width) as f64;
            let column = |column| values[column..].iter().step_by(width).copied();
            let sums = (0..width).map(|at| column(at).map(f64::from).sum::<f64>());
            sums.map(|sum| (sum / count) as f32).collect()
        }
    }
}

/// Makes the length of a row 1; a row of zeros stays as it is.
fn unit(row: &mut [f32]) {
    let length = row.iter().map(|value| f64::from(*value).powi(2));
    let length = length.sum::<f64>().sqrt();
    if length > 0.0 {
        row.iter_mut()
            .for_each(|value| *value = (f64::from(*value) / length) as f32);
    }
}

/// The rows at some positions, in their order.
fn picked(values: Vec<f32>, width: usize, positions: &[u32]) -> Vec<f32> {
    let row = |at: &u32| &values[*at as usize * width..][..width];
    positions.iter().flat_map(row).copied().collect()
}

/// The natural logarithm of the probability that logits give a token.
fn log_probability(logits: &[f32], id: usize) -> Option<f32> {
    let chosen = f64::from(*logits.get(id)?);
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let shift = f64::from(largest);
    let sum: f64 = logits
        .iter()
        .map(|one| (f64::from(*one) - shift).exp())
        .sum();
    Some((chosen - shift - sum.ln()) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows() -> Rows {
        Rows {
            values: vec![1.0, 2.0, 3.0, 4.0, 5.0, 9.0],
            tokens: 3,
            width: 2,
        }
    }

    #[test]
    fn each_pooling_is_what_it_says() {
        assert_eq!(pool(rows(), Pooling::Cls), [1.0, 2.0]);
        assert_eq!(pool(rows(), Pooling::Last), [5.0, 9.0]);
        assert_eq!(pool(rows(), Pooling::Mean), [3.0, 5.0]);
        assert_eq!(pool(rows(), Pooling::None), rows().values);
    }

    #[test]
    fn a_row_gets_the_length_one_unless_it_has_none() {
        let mut row = [3.0, 4.0];
        unit(&mut row);
        assert_eq!(row, [0.6, 0.8]);
        let mut nothing = [0.0; 2];
        unit(&mut nothing);
        assert_eq!(nothing, [0.0; 2]);
    }

    #[test]
    fn rows_come_in_the_order_that_was_asked_for() {
        assert_eq!(
            picked(rows().values, 2, &[2, 0, 2]),
            [5.0, 9.0, 1.0, 2.0, 5.0, 9.0]
        );
    }

    #[test]
    fn probabilities_add_up_however_large_the_logits_are() {
        let logits = [1000.0, 999.0, -1000.0, 998.0];
        let sum: f64 = (0..4)
            .map(|id| f64::from(log_probability(&logits, id).unwrap()).exp())
            .sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert_eq!(log_probability(&logits, 4), None);
    }
}

//! Several prompts in one run, each with its own answer.

use std::sync::{Arc, PoisonError};

use super::control::{Deadlines, closed};
use super::desk::Desk;
use super::model::Model;
use super::prompt::{Prepared, Prompt};
use super::reading::Reading;
use super::run::{Answer, Limit};
use super::stop_text::Stops;
use super::stream::Stream;
use crate::surface::*;
use crate::vendor::{Flow, Input, RunEvent, RunRequest, Sampling};

/// One of the prompts.
struct One {
    input: Input,
    stream: Arc<Stream>,
    reading: Reading,
    limit: Limit,
}

/// Prompts that are answered alike.
struct Batch {
    ones: Vec<One>,
    stops: Stops,
    thinking: bool,
    sampling: Sampling,
    adapter: Option<String>,
}

impl Model {
    pub fn generate_batch(
        &self,
        prompts: &Json,
        options: &GenerateOptions,
    ) -> Result<Vec<Completion>> {
        let deadlines = Deadlines::of(options.queue_timeout, options.timeout);
        let _held = self.hold();
        if options.images.is_some() || options.videos.is_some() {
            return Err(Error::invalid_argument(
                "`images` and `videos` are for a single prompt; leave them out of a batch",
            ));
        }
        let prompts = prompts_of(prompts)?;
        let asked = self.sampling.request(options, &self.info.runtime)?;
        let (mut ones, mut thinks) = (Vec::new(), false);
        for (place, prompt) in prompts.iter().enumerate() {
            let at = |error: Error| {
                let message = format!("prompt {place}: {}", error.message());
                error.reworded(message)
            };
            let prepared = self.prepare(prompt, options).map_err(at)?;
            let Prepared {
                input,
                tokens,
                reading,
                thinking,
                warnings,
            } = prepared;
            let (tokens_left, reason) = self.room(tokens, options.max_new_tokens).map_err(at)?;
            let stream = Stream::new(self.control.clone(), tokens);
            for warning in warnings.into_iter().chain(asked.warnings.clone()) {
                stream.warn(warning);
            }
            thinks |= thinking;
            ones.push(One {
                input,
                stream,
                reading,
                limit: Limit {
                    tokens: tokens_left,
                    reason,
                },
            });
        }
        let streams: Vec<_> = ones.iter().map(|one| one.stream.clone()).collect();
        let (size, init) = (self.batches, asked.init);
        let batch = Batch {
            ones,
            stops: self.stops(options)?,
            thinking: thinks,
            sampling: asked.run,
            adapter: self.loaded.adapter(options.adapter.as_deref())?,
        };
        self.errand(deadlines, move |desk| {
            desk.sample_with(init)?;
            for ones in batch.ones.chunks(size) {
                desk.answer(&batch, ones, size)?;
            }
            Ok(())
        })?;
        streams.iter().map(|stream| stream.completion()).collect()
    }
}

fn prompts_of<'a>(prompts: &'a Json) -> Result<Vec<Prompt<'a>>> {
    let wrong = || {
        Error::invalid_argument(
            "`prompts` is an array, not empty, of arrays of messages, or of texts",
        )
    };
    let list = prompts.as_array().filter(|list| !list.is_empty());
    let list = list.ok_or_else(wrong)?.iter();
    let prompt = |prompt: &'a Json| match prompt {
        Json::String(text) => Ok(Prompt::Text(text)),
        Json::Array(_) => Ok(Prompt::Messages(prompt)),
        _ => Err(wrong()),
    };
    list.map(prompt).collect()
}

impl Batch {
    /// The run for some of its prompts. The runtime takes exactly as many as the model was opened for, so the
    /// first stands in the places that are left.
    fn request(&self, ones: &[One], size: usize) -> RunRequest {
        let inputs = ones.iter().map(|one| one.input.clone());
        let first = ones[0].input.clone();
        RunRequest {
            inputs: inputs.chain(std::iter::repeat(first)).take(size).collect(),
            max_new_tokens: ones.iter().map(|one| one.limit.tokens).max().unwrap_or(1),
            sampling: self.sampling,
            enable_thinking: self.thinking,
            adapter: self.adapter.clone(),
            ..RunRequest::default()
        }
    }
}

impl Desk<'_> {
    /// Runs some of the prompts to their ends.
    fn answer(&mut self, batch: &Batch, ones: &[One], size: usize) -> Result<()> {
        let request = batch.request(ones, size);
        if self.try_answer(batch, ones, &request)? {
            return Ok(());
        }
        // As in `run::run`: some releases refuse runs after one that was cut short.
        self.open_again()?;
        self.try_answer(batch, ones, &request).map(|_| ())
    }

    /// Gives false where the runtime refuses runs since the last one was cut short.
    fn try_answer(&mut self, batch: &Batch, ones: &[One], request: &RunRequest) -> Result<bool> {
        if self.stream.is_over() {
            return Err(closed());
        }
        let owner = self.owner;
        let session = owner.session.read().unwrap_or_else(PoisonError::into_inner);
        let session = session.as_deref().ok_or_else(closed)?;
        let tokens = owner.tokens.get().ok_or_else(closed)?;
        owner.freshen(session, request, false, self.stand);
        let several = request.inputs.len() > 1;
        let answers = ones.iter().map(|one| {
            one.stream.begin();
            Answer::new(
                &one.stream,
                &owner.control,
                (tokens, session),
                &one.reading,
                &batch.stops,
                one.limit,
            )
        });
        let mut answers: Vec<Answer<'_>> = answers.collect();
        let mut enough = false;
        let status = session.run(request, &mut |event| {
            match event {
                RunEvent::Token(token) => {
                    let over = several && token.id.is_none() && token.text.is_empty();
                    // What stands in a place that was left has no answer.
                    if let Some(answer) = answers.get_mut(token.batch) {
                        match over {
                            true => answer.over(),
                            false => answer.take(RunEvent::Token(token)),
                        }
                    }
                }
                RunEvent::Finish { perf } => {
                    // What the runtime measured is all of it.
                    let perf = perf.filter(|_| !several);
                    for answer in &mut answers {
                        answer.take(RunEvent::Finish { perf });
                    }
                }
                other => {
                    for answer in &mut answers {
                        answer.take(other.clone());
                    }
                }
            }
            if !enough && answers.iter().all(Answer::is_concluded) {
                enough = true;
                owner.control.enough();
            }
            Flow::Go
        });
        let cut = owner.control.step_over();
        let heard = answers.iter().any(Answer::has_begun);
        if self.stand.after_cut && status != 0 && !heard && !cut {
            return Ok(false);
        }
        self.stand.after_cut = cut;
        let counts = (!several).then(|| session.counts()).flatten();
        for answer in answers {
            answer.close(status, session, counts);
        }
        match self.stream.is_over() {
            true => Err(closed()),
            false => Ok(true),
        }
    }
}

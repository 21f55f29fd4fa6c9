//! The run over what the cache holds.

use crate::cell::{Cell, Entry};
use crate::context::{Computed, Item, Outputs};
use crate::lane::shift;
use crate::state::State;
use crate::{logprobs, sampler};
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;
use llama_cpp_2::vocab::LlamaVocab;
use rkchat_runtime_front::engine::{
    Counts, Drawn, Event, Flow, LogProb, Matrix, Mode, Request, Sink,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// Positions that are computed at once where each brings a row of numbers: llama.cpp keeps all of
/// them.
const ROWS_AT_ONCE: usize = 64;

/// One lane's answer.
struct Voice {
    sampler: LlamaSampler,
    token: LlamaToken,
    bytes: Vec<u8>,
    logprobs: Vec<LogProb>,
    ended: bool,
    new_tokens: u64,
}

/// A run in progress.
pub struct Run<'a> {
    pub state: &'a mut State,
    pub vocab: LlamaVocab<'a>,
    pub request: &'a Request,
    pub sink: &'a mut dyn Sink,
    /// Follows the number of tokens in each lane's cache.
    pub cached: &'a [AtomicUsize],
}

impl Run<'_> {
    /// Generates.
    pub fn run(&mut self, prompts: &[Vec<Entry<'_>>]) -> Result<Counts, String> {
        let prepared = self.state.prepare(self.request, prompts);
        let result = prepared.and_then(|prompts| {
            let hidden = self.request.mode == Mode::HiddenStates;
            self.state.context.set_hidden_states(hidden);
            let result = self.generate(&prompts).inspect_err(|_| self.state.clear());
            self.state.context.set_hidden_states(false);
            result
        });
        self.count();
        result
    }

    fn count(&self) {
        for (cached, tokens) in self.cached.iter().zip(self.state.cached()) {
            cached.store(tokens, Ordering::Relaxed);
        }
    }

    fn generate(&mut self, prompts: &[Vec<Entry<'_>>]) -> Result<Counts, String> {
        let mut counts = Counts::default();
        let start = Instant::now();
        let (mut rows, mut voices) = (Vec::new(), Vec::new());
        for (lane, prompt) in prompts.iter().enumerate() {
            let reused = self.state.lanes[lane].cells.len() as u64;
            counts.prompt_tokens += reused + prompt.len() as u64;
            counts.reused_tokens += reused;
            let last = self.prefill(lane, prompt, &mut rows)?;
            counts.prefill_us = micros(start);
            let Some(last) = last else {
                return Ok(counts);
            };
            if self.request.mode == Mode::HiddenStates {
                self.sink.event(Event::HiddenStates(Matrix {
                    values: &rows,
                    columns: self.state.context.n_embd_out(),
                }));
                continue;
            }
            let mut voice = self.voice(lane);
            self.draw(lane, last, &mut voice)?;
            voices.push(voice);
        }
        let start = Instant::now();
        while !voices.is_empty() {
            if self.tell(&voices, &rows) == Flow::Stop {
                break;
            }
            for (lane, voice) in voices.iter_mut().enumerate() {
                voice.ended |= self.is_last(lane, voice);
            }
            if !self.step(&mut voices, &mut rows)? {
                break;
            }
        }
        counts.new_tokens = voices.iter().map(|voice| voice.new_tokens).sum();
        counts.decode_us = micros(start);
        Ok(counts)
    }

    /// Puts a prompt into the cache. The last item that has logits; `None` if the run was told to
    /// stop before. `rows` gets what the mode wants of each position.
    fn prefill(
        &mut self,
        lane: usize,
        prompt: &[Entry<'_>],
        rows: &mut Vec<f32>,
    ) -> Result<Option<usize>, String> {
        let n_batch = self.state.context.n_batch();
        let (outputs, size) = match self.request.mode {
            Mode::Generate => (Outputs::Last, n_batch),
            Mode::HiddenStates | Mode::Logits => (Outputs::All, n_batch.min(ROWS_AT_ONCE)),
        };
        self.reserve(prompt.len(), rows)?;
        let is_row = |entry: &Entry<'_>| matches!(entry, Entry::Row(_));
        let mut last = None;
        // Tokens and embeddings are not computed together.
        for alike in prompt.chunk_by(|a, b| is_row(a) == is_row(b)) {
            for piece in alike.chunks(size) {
                let first = self.state.lanes[lane].cells.len();
                let items: Vec<_> = (first..)
                    .zip(piece)
                    .map(|(position, entry)| Item {
                        lane,
                        position,
                        entry: *entry,
                    })
                    .collect();
                if !self.advance(&items, outputs)? {
                    return Ok(None);
                }
                self.count();
                last = Some(piece.len() - 1);
                let context = &mut self.state.context;
                for item in 0..piece.len() {
                    match self.request.mode {
                        Mode::Generate => {}
                        Mode::HiddenStates => rows.extend(context.hidden_state(item)?),
                        Mode::Logits => rows.extend(context.logits(item)?),
                    }
                }
            }
        }
        Ok(last)
    }

    /// Makes room for the rows of a prompt, which may be more than the memory holds.
    fn reserve(&self, positions: usize, rows: &mut Vec<f32>) -> Result<(), String> {
        let columns = match self.request.mode {
            Mode::Generate => return Ok(()),
            Mode::HiddenStates => self.state.context.n_embd_out(),
            Mode::Logits => self.state.context.n_vocab(),
        };
        rows.try_reserve_exact(positions * columns).map_err(|_| {
            format!("no memory for {positions} rows of {columns} numbers; shorten the prompt")
        })
    }

    /// Puts items into the cache; `false` if the run was told to stop before they are in.
    fn advance(&mut self, items: &[Item<'_>], outputs: Outputs) -> Result<bool, String> {
        if self.sink.aborted() {
            return Ok(false);
        }
        let state = &mut *self.state;
        match state.context.compute(items, outputs, self.sink)? {
            Computed::Done => {
                for item in items {
                    let lane = &mut state.lanes[item.lane];
                    lane.cells.push(Cell::from(item.entry));
                    lane.last = None;
                }
                Ok(true)
            }
            Computed::Stopped => {
                // llama.cpp takes back what it had begun, but for models that cannot forget a part.
                for item in items {
                    let held = state.lanes[item.lane].cells.len();
                    if !state.context.forget_from(item.lane, held) {
                        state.truncate_lane(item.lane, 0);
                    }
                }
                Ok(false)
            }
        }
    }

    fn voice(&self, lane: usize) -> Voice {
        let cells = &self.state.lanes[lane].cells;
        let tokens: Vec<_> = cells.iter().filter_map(|cell| cell.token()).collect();
        let window = tokens.len().saturating_sub(sampler::PENALTY_WINDOW);
        let sampling = &self.request.sampling;
        Voice {
            sampler: sampler::chain(self.vocab.n_tokens(), sampling, &tokens[window..]),
            token: LlamaToken::new(-1),
            bytes: Vec::new(),
            logprobs: Vec::new(),
            ended: false,
            new_tokens: 0,
        }
    }

    /// Draws a lane's next token from the logits of an item.
    fn draw(&mut self, lane: usize, item: usize, voice: &mut Voice) -> Result<(), String> {
        let logits = self.state.context.logits(item)?;
        let candidates = (0..)
            .zip(logits)
            .map(|(id, logit)| LlamaTokenData::new(LlamaToken::new(id), *logit, 0.0));
        let mut candidates = LlamaTokenDataArray::from_iter(candidates, false);
        voice.sampler.apply(&mut candidates);
        voice.token = candidates
            .selected_token()
            .ok_or("llama.cpp's samplers chose no token")?;
        voice.sampler.accept(voice.token);
        if let Some(top) = self.request.top_logprobs {
            voice.logprobs = logprobs::of(logits, voice.token.0, top);
        }
        let special = !self.request.skip_special_token;
        voice.bytes = self.vocab.token_to_piece(voice.token, special, None);
        voice.new_tokens += 1;
        self.state.lanes[lane].last = Some(voice.token.0);
        Ok(())
    }

    /// Tells the sink of a step.
    fn tell(&mut self, voices: &[Voice], rows: &[f32]) -> Flow {
        let logits = (self.request.mode == Mode::Logits).then(|| Matrix {
            values: rows,
            columns: self.state.context.n_vocab(),
        });
        let drawn: Vec<_> = voices
            .iter()
            .map(|voice| match voice.ended {
                true => Drawn {
                    id: -1,
                    ..Drawn::default()
                },
                false => Drawn {
                    id: voice.token.0,
                    bytes: &voice.bytes,
                    logits,
                    logprobs: &voice.logprobs,
                },
            })
            .collect();
        self.sink.event(Event::Tokens(&drawn))
    }

    /// Whether a lane's token is its last; makes room for it if not.
    fn is_last(&mut self, lane: usize, voice: &Voice) -> bool {
        let request = self.request;
        if self.vocab.is_eog(voice.token) && !request.ignore_eos_token {
            return true;
        }
        if request.max_new_tokens > 0 && voice.new_tokens >= request.max_new_tokens as u64 {
            return true;
        }
        let held = self.state.lanes[lane].cells.len();
        if voice.ended || held < self.state.n_ctx {
            return voice.ended;
        }
        let start = usize::try_from(request.n_keep).unwrap_or(0);
        match shift(held, 1, request.n_keep) {
            Some(cut) => self.state.cut(lane, start, start + cut).is_err(),
            None => true,
        }
    }

    /// Puts the tokens of the lanes that go on into the cache and draws the next; `false` if there
    /// is none, or the run was told to stop.
    fn step(&mut self, voices: &mut [Voice], rows: &mut Vec<f32>) -> Result<bool, String> {
        let items: Vec<_> = (0..voices.len())
            .filter(|lane| !voices[*lane].ended)
            .map(|lane| Item {
                lane,
                position: self.state.lanes[lane].cells.len(),
                entry: Entry::Token(voices[lane].token.0),
            })
            .collect();
        if items.is_empty() || !self.advance(&items, Outputs::All)? {
            return Ok(false);
        }
        self.count();
        for (item, Item { lane, .. }) in items.into_iter().enumerate() {
            self.draw(lane, item, &mut voices[lane])?;
        }
        if self.request.mode == Mode::Logits {
            rows.clear();
            rows.extend(self.state.context.logits(0)?);
        }
        Ok(true)
    }
}

fn micros(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

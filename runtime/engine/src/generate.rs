//! A context, what its cache holds, and the run over both.

use crate::{logs, sampler};
use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use rkchat_runtime_front::engine::{Cache, Counts, Event, Flow, Request, Sink, prompt_too_long};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// The context's only sequence.
const SEQUENCE: i32 = 0;

/// A context and what is in it.
pub struct State {
    context: LlamaContext<'static>,
    batch: LlamaBatch<'static>,
    n_batch: usize,
    n_ctx: u32,
    /// The tokens whose keys and values are in the cache, by position.
    tokens: Vec<i32>,
    /// The last token of the last run, which was sampled but is not in the cache.
    last: Option<i32>,
}

impl State {
    pub fn new(context: LlamaContext<'static>, n_ctx: u32, n_batch: usize) -> Self {
        let batch = LlamaBatch::new(n_batch, 1);
        State {
            context,
            batch,
            n_batch,
            n_ctx,
            tokens: Vec::new(),
            last: None,
        }
    }

    pub fn cached(&self) -> usize {
        self.tokens.len()
    }

    /// Keeps the first `keep` tokens.
    pub fn truncate(&mut self, keep: usize) {
        if keep >= self.tokens.len() {
            return;
        }
        self.last = None;
        let from = u32::try_from(keep).unwrap_or(u32::MAX);
        let removed = self
            .context
            .clear_kv_cache_seq(Some(SEQUENCE as u32), Some(from), None);
        if keep > 0 && removed == Ok(true) {
            self.tokens.truncate(keep);
        } else {
            // Recurrent models cannot forget a part.
            self.context.clear_kv_cache();
            self.tokens.clear();
        }
    }

    /// Generates. `cached` follows the number of tokens in the cache.
    pub fn run(
        &mut self,
        vocab: &LlamaVocab<'_>,
        request: &Request,
        sink: &mut dyn Sink,
        cached: &AtomicUsize,
    ) -> Result<Counts, String> {
        let result = self.fit(request).and_then(|prompt| {
            self.generate(vocab, request, &prompt, sink, cached)
                .inspect_err(|_| {
                    // Whatever half of a batch is in the cache, nothing counts on it.
                    self.context.clear_kv_cache();
                    self.tokens.clear();
                    self.last = None;
                })
        });
        cached.store(self.tokens.len(), Ordering::Relaxed);
        result
    }

    /// Makes the cache what the run starts from and returns the tokens that are still to process.
    fn fit(&mut self, request: &Request) -> Result<Vec<i32>, String> {
        let (keep, prompt) = match request.cache {
            Cache::Fresh => (0, request.tokens.clone()),
            Cache::Prefix => {
                let common = self.tokens.iter().zip(&request.tokens);
                let common = common.take_while(|(old, new)| old == new).count();
                // The last token is processed in any case: its logits are needed.
                let keep = common.min(request.tokens.len().saturating_sub(1));
                (keep, request.tokens[keep..].to_vec())
            }
            Cache::Append => {
                let prompt = self.last.iter().chain(&request.tokens).copied().collect();
                (self.tokens.len(), prompt)
            }
        };
        let total = keep + prompt.len();
        if total >= self.n_ctx as usize {
            return Err(prompt_too_long(total, self.n_ctx));
        }
        self.truncate(keep);
        if self.tokens.len() == keep {
            return Ok(prompt);
        }
        // The model could not keep a part: all of the prompt has to be processed.
        Ok(request.tokens.clone())
    }

    fn generate(
        &mut self,
        vocab: &LlamaVocab<'_>,
        request: &Request,
        prompt: &[i32],
        sink: &mut dyn Sink,
        cached: &AtomicUsize,
    ) -> Result<Counts, String> {
        let mut counts = Counts {
            prompt_tokens: (self.tokens.len() + prompt.len()) as u64,
            reused_tokens: self.tokens.len() as u64,
            ..Counts::default()
        };
        let start = Instant::now();
        for piece in prompt.chunks(self.n_batch) {
            if sink.aborted() {
                counts.prefill_us = micros(start);
                return Ok(counts);
            }
            self.decode(piece)?;
            cached.store(self.tokens.len(), Ordering::Relaxed);
        }
        self.context.synchronize();
        counts.prefill_us = micros(start);

        let start = Instant::now();
        let history = self.tokens.len().saturating_sub(sampler::PENALTY_WINDOW);
        let mut sampler =
            sampler::chain(vocab.n_tokens(), &request.sampling, &self.tokens[history..]);
        loop {
            let token = sampler.sample(&self.context, -1);
            counts.new_tokens += 1;
            self.last = Some(token.0);
            let bytes = vocab.token_to_piece(token, !request.skip_special_token, None);
            let flow = sink.event(Event::Token {
                id: token.0,
                bytes: &bytes,
            });
            let stopped = vocab.is_eog(token) && !request.ignore_eos_token;
            let enough =
                request.max_new_tokens > 0 && counts.new_tokens >= request.max_new_tokens as u64;
            let full = self.tokens.len() >= self.n_ctx as usize;
            if flow == Flow::Stop || stopped || enough || full || sink.aborted() {
                break;
            }
            self.decode(&[token.0])?;
            cached.store(self.tokens.len(), Ordering::Relaxed);
        }
        counts.decode_us = micros(start);
        Ok(counts)
    }

    /// Processes tokens after those in the cache; the last one gets logits.
    fn decode(&mut self, tokens: &[i32]) -> Result<(), String> {
        self.batch.clear();
        for (i, id) in tokens.iter().enumerate() {
            let position = i32::try_from(self.tokens.len() + i).unwrap_or(i32::MAX);
            let last = i + 1 == tokens.len();
            self.batch
                .add(LlamaToken::new(*id), position, &[SEQUENCE], last)
                .map_err(|error| error.to_string())?;
        }
        self.context
            .decode(&mut self.batch)
            .map_err(|error| format!("llama.cpp could not go on: {error}: {}", logs::reason()))?;
        self.tokens.extend(tokens);
        self.last = None;
        Ok(())
    }
}

fn micros(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

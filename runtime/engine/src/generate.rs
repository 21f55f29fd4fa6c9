//! What the cache holds, and the run over it.

use crate::context::{Computed, Context};
use crate::{logs, sampler};
use llama_cpp_2::sampling::LlamaSampler;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::vocab::LlamaVocab;
use rkchat_runtime_front::engine::{
    Cache, Counts, Drawn, Event, Flow, Request, Sink, prompt_too_long,
};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

/// A context and what is in it.
pub struct State {
    context: Context,
    n_batch: usize,
    n_ctx: u32,
    /// The tokens in the cache, by position.
    tokens: Vec<i32>,
    /// The last token of the last run, which was sampled but is not in the cache.
    last: Option<i32>,
}

impl State {
    pub fn new(context: Context, n_ctx: u32, n_batch: u32) -> Self {
        let n_batch = n_batch as usize;
        State {
            context,
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
        if keep > 0 && self.context.forget_from(keep) {
            self.tokens.truncate(keep);
        } else {
            self.clear();
        }
    }

    fn clear(&mut self) {
        self.context.clear();
        self.tokens.clear();
        self.last = None;
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
                .inspect_err(|_| self.clear())
        });
        cached.store(self.tokens.len(), Ordering::Relaxed);
        result
    }

    /// Makes the cache what the run starts from and returns the tokens that are still to process.
    fn fit(&mut self, request: &Request) -> Result<Vec<i32>, String> {
        let tokens = crate::llama::tokens_of(request)?;
        let (keep, prompt) = match request.cache {
            Cache::Fresh => (0, tokens.clone()),
            Cache::Prefix => {
                let common = self.tokens.iter().zip(&tokens);
                let common = common.take_while(|(old, new)| old == new).count();
                // The last token is processed in any case: its logits are needed.
                let keep = common.min(tokens.len().saturating_sub(1));
                (keep, tokens[keep..].to_vec())
            }
            Cache::Append | Cache::Resume => {
                let prompt = self.last.iter().chain(&tokens).copied().collect();
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
        Ok(tokens)
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
            if !self.advance(piece, sink)? {
                counts.prefill_us = micros(start);
                return Ok(counts);
            }
            cached.store(self.tokens.len(), Ordering::Relaxed);
        }
        counts.prefill_us = micros(start);

        let start = Instant::now();
        let history = self.tokens.len().saturating_sub(sampler::PENALTY_WINDOW);
        let mut sampler =
            sampler::chain(vocab.n_tokens(), &request.sampling, &self.tokens[history..]);
        loop {
            let token = self.sample(&mut sampler)?;
            counts.new_tokens += 1;
            self.last = Some(token.0);
            let bytes = vocab.token_to_piece(token, !request.skip_special_token, None);
            let flow = sink.event(Event::Tokens(&[Drawn {
                id: token.0,
                bytes: &bytes,
                ..Drawn::default()
            }]));
            let stopped = vocab.is_eog(token) && !request.ignore_eos_token;
            let enough =
                request.max_new_tokens > 0 && counts.new_tokens >= request.max_new_tokens as u64;
            let full = self.tokens.len() >= self.n_ctx as usize;
            if flow == Flow::Stop || stopped || enough || full || !self.advance(&[token.0], sink)? {
                break;
            }
            cached.store(self.tokens.len(), Ordering::Relaxed);
        }
        counts.decode_us = micros(start);
        Ok(counts)
    }

    /// Puts tokens into the cache; `false` if the run was told to stop before they are in.
    fn advance(&mut self, tokens: &[i32], sink: &dyn Sink) -> Result<bool, String> {
        if sink.aborted() {
            return Ok(false);
        }
        match self.context.compute(tokens, sink) {
            Ok(Computed::Done) => {
                self.tokens.extend(tokens);
                self.last = None;
                Ok(true)
            }
            Ok(Computed::Stopped) => {
                // llama.cpp takes back what it had begun, but for models that cannot forget a part.
                if !self.context.forget_from(self.tokens.len()) {
                    self.clear();
                }
                Ok(false)
            }
            Err(status) => Err(format!(
                "llama.cpp failed at token {} with status {status}: {}",
                self.tokens.len(),
                logs::reason()
            )),
        }
    }

    fn sample(&mut self, sampler: &mut LlamaSampler) -> Result<LlamaToken, String> {
        let mut candidates = self
            .context
            .candidates()
            .ok_or("llama.cpp computed no probabilities")?;
        sampler.apply(&mut candidates);
        let token = candidates
            .selected_token()
            .ok_or("llama.cpp's samplers chose no token")?;
        sampler.accept(token);
        Ok(token)
    }
}

fn micros(start: Instant) -> u64 {
    u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX)
}

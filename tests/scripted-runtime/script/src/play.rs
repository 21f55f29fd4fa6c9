//! Plays one run.

use crate::engine::Scripted;
use crate::numbers;
use crate::piece::Piece;
use crate::script::Run;
use crate::stop::Stop;
use rkchat_runtime_front::engine::{
    Cache, Counts, Drawn, Ending, Event, Flow, Matrix, Mode, RawCall, Request, Sink, State,
    prompt_too_long,
};
use rkchat_runtime_front::guard::lock;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

impl Scripted {
    /// From the first callback to the last that the script makes itself.
    pub fn play(
        &self,
        request: &Request,
        tokens: &[i32],
        sink: &mut dyn Sink,
    ) -> Result<Ending, String> {
        match self.script.run {
            Run::Fail => return Ok(Ending::Silent(-1)),
            Run::Error => return Ok(raw_end(sink, State::Error, -1)),
            _ => {}
        }
        let counts = self.generate(request, tokens, sink)?;
        Ok(match self.script.run {
            Run::Fail | Run::Error => unreachable!("handled above"),
            Run::Ok => Ending::Finish(counts),
            Run::FailAfter => Ending::Silent(-1),
            Run::ErrorAfter => raw_end(sink, State::Error, -1),
            Run::NoFinish => Ending::Silent(0),
            Run::FinishTwice => {
                raw_end(sink, State::Finish, 0);
                Ending::Finish(counts)
            }
            Run::FinishAndFail => raw_end(sink, State::Finish, -1),
            Run::Crash => std::process::abort(),
        })
    }

    /// What this run puts out, which is the last that began.
    fn pieces(&self) -> &[Piece] {
        let number = self.runs.load(Ordering::Relaxed).saturating_sub(1);
        let first = self.script.first.get(number);
        first.unwrap_or(&self.script.pieces)
    }

    fn generate(
        &self,
        request: &Request,
        tokens: &[i32],
        sink: &mut dyn Sink,
    ) -> Result<Counts, String> {
        let mut counts = self.take_prompt(request, tokens)?;
        for (place, piece) in lock(&self.stale).drain(..) {
            piece.call(place, |call| sink.event(Event::Raw(call)));
        }
        let script = &self.script;
        let start = Instant::now();
        let mut stop = Stop {
            script,
            sink,
            deadline: None,
        };
        let over = stop.wait(script.prefill_ms);
        counts.prefill_us = micros(start.elapsed());
        if request.mode == Mode::HiddenStates {
            if !over {
                stop.sink.event(Event::HiddenStates(Matrix {
                    values: &numbers::hidden_states(tokens.len(), script.hidden_size),
                    columns: script.hidden_size,
                }));
            }
            return Ok(counts);
        }
        let start = Instant::now();
        self.play_pieces(request, tokens.len(), over, &mut stop, &mut counts);
        counts.decode_us = micros(start.elapsed());
        if stop.sink.aborted() {
            self.aborted_after(counts.new_tokens);
        }
        Ok(counts)
    }

    /// Puts the prompt into the cache.
    fn take_prompt(&self, request: &Request, tokens: &[i32]) -> Result<Counts, String> {
        let mut cache = lock(&self.cache);
        let common = |held: &[i32]| {
            let pairs = tokens.iter().zip(held);
            pairs.take_while(|(new, old)| new == old).count()
        };
        let from = match request.cache {
            Cache::Append | Cache::Resume => 0,
            Cache::Fresh | Cache::Prefix => {
                let own = match request.cache {
                    Cache::Prefix => common(&cache),
                    _ => 0,
                };
                // Kept is the prompt's beginning, wherever it was found.
                let kept = own.max(common(&lock(&self.loaded)));
                *cache = tokens[..kept].to_vec();
                kept
            }
        };
        cache.extend(&tokens[from..]);
        let n_ctx = self.prepared.n_ctx;
        if cache.len() >= n_ctx as usize && !self.script.unlimited {
            let prompt = cache.len();
            cache.clear();
            self.cached.store(0, Ordering::Relaxed);
            return Err(prompt_too_long(prompt, n_ctx));
        }
        self.cached.store(cache.len(), Ordering::Relaxed);
        Ok(Counts {
            prompt_tokens: tokens.len() as u64,
            reused_tokens: from as u64,
            ..Counts::default()
        })
    }

    fn play_pieces(
        &self,
        request: &Request,
        prompt_tokens: usize,
        mut over: bool,
        stop: &mut Stop<'_>,
        counts: &mut Counts,
    ) {
        let (script, pieces) = (&self.script, self.pieces());
        let rounds = match script.repeat {
            0 => u64::MAX,
            rounds => rounds,
        };
        for _ in 0..rounds {
            // Without pieces, endless output is an endless wait.
            if pieces.is_empty() && script.repeat == 0 {
                over |= stop.wait(10);
            }
            for (place, piece) in pieces.iter().enumerate() {
                let enough = request.max_new_tokens > 0
                    && counts.new_tokens >= request.max_new_tokens as u64
                    || self.cached.load(Ordering::Relaxed) >= self.prepared.n_ctx as usize;
                if over || enough && !script.unlimited {
                    return;
                }
                if counts.new_tokens > 0 || piece.delay_ms.is_some() {
                    over = stop.wait(piece.delay_ms.unwrap_or(script.delay_ms));
                }
                if over {
                    return;
                }
                // The prompt has a row for each of its tokens, later steps have one.
                let rows = match counts.new_tokens {
                    0 => prompt_tokens,
                    _ => 1,
                };
                let told = self.play_piece(request, piece, place, rows, stop.sink);
                over = told == Flow::Stop && stop.reached();
                counts.new_tokens += 1;
                let mut cache = lock(&self.cache);
                cache.push(piece.id(place));
                self.cached.store(cache.len(), Ordering::Relaxed);
            }
            if over {
                return;
            }
        }
    }

    fn play_piece(
        &self,
        request: &Request,
        piece: &Piece,
        place: usize,
        rows: usize,
        sink: &mut dyn Sink,
    ) -> Flow {
        let (Some(bytes), None) = (&piece.bytes, piece.state) else {
            return piece.call(place, |call| sink.event(Event::Raw(call)));
        };
        let (id, columns) = (piece.id(place), self.script.vocab_size);
        let logits = match request.mode {
            Mode::Logits => numbers::logits(rows, columns, id),
            _ => Vec::new(),
        };
        let logprobs = request.top_logprobs.map(|top| numbers::logprobs(id, top));
        sink.event(Event::Tokens(&[Drawn {
            id,
            bytes,
            logits: (request.mode == Mode::Logits).then_some(Matrix {
                values: &logits,
                columns,
            }),
            logprobs: logprobs.as_deref().unwrap_or_default(),
        }]))
    }

    /// An aborted run played so many pieces.
    fn aborted_after(&self, played: u64) {
        self.broken
            .store(self.script.abort_breaks, Ordering::Relaxed);
        let pieces = self.pieces().iter().cloned().enumerate();
        let played = usize::try_from(played).unwrap_or(0) % pieces.len().max(1);
        let next = pieces.cycle().skip(played).take(self.script.stale);
        *lock(&self.stale) = next.collect();
    }

    /// Makes the calls that come when the run is over.
    pub fn play_late(&self, sink: &dyn Sink) -> Result<(), String> {
        let (pieces, ms) = (self.script.late.clone(), self.script.late_ms);
        let Some(later) = sink.later().filter(|_| !pieces.is_empty()) else {
            return Ok(());
        };
        let calls = move || {
            std::thread::sleep(Duration::from_millis(ms));
            for (place, piece) in pieces.iter().enumerate() {
                piece.call(place, &later);
            }
        };
        let thread = std::thread::Builder::new().spawn(calls);
        thread
            .map(|_| ())
            .map_err(|error| format!("no thread for late calls: {error}"))
    }
}

fn raw_end(sink: &mut dyn Sink, state: State, status: i32) -> Ending {
    sink.event(Event::Raw(RawCall {
        state,
        id: -1,
        text: None,
    }));
    Ending::Silent(status)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

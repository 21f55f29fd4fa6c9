//! Plays the pieces of a script.

use super::Scripted;
use crate::numbers;
use crate::script::{Piece, Run, Script};
use rkchat_runtime_front::engine::{
    Cache, Counts, Drawn, Ending, Event, Flow, Matrix, Mode, Request, Sink, State, prompt_too_long,
};
use rkchat_runtime_front::guard;
use std::ffi::CString;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

impl Scripted {
    /// Plays the pieces, and ends as the script says.
    pub(super) fn play(
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

    fn generate(
        &self,
        request: &Request,
        tokens: &[i32],
        sink: &mut dyn Sink,
    ) -> Result<Counts, String> {
        let script = &self.script;
        let mut cache = guard::lock(&self.cache);
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
                let kept = own.max(common(&guard::lock(&self.loaded)));
                *cache = tokens[..kept].to_vec();
                kept
            }
        };
        cache.extend(&tokens[from..]);
        let n_ctx = self.prepared.n_ctx;
        if cache.len() >= n_ctx as usize && !script.unlimited {
            let prompt = cache.len();
            cache.clear();
            return Err(prompt_too_long(prompt, n_ctx));
        }
        self.cached.store(cache.len(), Ordering::Relaxed);

        let mut counts = Counts {
            prompt_tokens: tokens.len() as u64,
            reused_tokens: from as u64,
            ..Counts::default()
        };
        let start = Instant::now();
        let mut stop = Stop {
            script,
            sink,
            deadline: None,
        };
        let mut over = stop.wait(script.prefill_ms);
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
        let rounds = if script.repeat == 0 {
            u64::MAX
        } else {
            script.repeat
        };
        'rounds: for _ in 0..rounds {
            // Without pieces, endless output is an endless wait.
            if script.pieces.is_empty() && script.repeat == 0 {
                over |= stop.wait(10);
            }
            for (place, piece) in script.pieces.iter().enumerate() {
                let enough = request.max_new_tokens > 0
                    && counts.new_tokens >= request.max_new_tokens as u64
                    || cache.len() >= n_ctx as usize;
                if over || enough && !script.unlimited {
                    break 'rounds;
                }
                if counts.new_tokens > 0 || piece.delay_ms.is_some() {
                    over = stop.wait(piece.delay_ms.unwrap_or(script.delay_ms));
                }
                if over {
                    break 'rounds;
                }
                let id = piece.id.unwrap_or(1000 + place as i32);
                // The prompt has a row for each of its tokens, later steps have one.
                let rows = if counts.new_tokens == 0 {
                    tokens.len()
                } else {
                    1
                };
                let told = self.play_piece(request, piece, id, rows, stop.sink);
                over = told == Flow::Stop && stop.reached();
                counts.new_tokens += 1;
                cache.push(id);
                self.cached.store(cache.len(), Ordering::Relaxed);
            }
            if over {
                break;
            }
        }
        counts.decode_us = micros(start.elapsed());
        Ok(counts)
    }

    fn play_piece(
        &self,
        request: &Request,
        piece: &Piece,
        id: i32,
        rows: usize,
        sink: &mut dyn Sink,
    ) -> Flow {
        let raw = |text| Event::Raw {
            state: State::Normal,
            id,
            text,
        };
        let Some(bytes) = &piece.bytes else {
            return sink.event(raw(None));
        };
        if piece.raw {
            let text = CString::new(bytes.clone()).unwrap_or_default();
            return sink.event(raw(Some(&text)));
        }
        let columns = self.script.vocab_size;
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
}

/// Decides when an aborted run really ends.
struct Stop<'a> {
    script: &'a Script,
    sink: &'a mut dyn Sink,
    deadline: Option<Instant>,
}

impl Stop<'_> {
    /// Whether a run that was told to stop stops now.
    fn reached(&mut self) -> bool {
        let abort = Duration::from_millis(self.script.abort_ms);
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + abort);
        !self.script.deaf && Instant::now() >= deadline
    }

    /// Sleeps; `true` if the run ends meanwhile.
    fn wait(&mut self, ms: u64) -> bool {
        let end = Instant::now() + Duration::from_millis(ms);
        loop {
            if self.sink.aborted() && self.reached() {
                return true;
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            std::thread::sleep(left.min(Duration::from_millis(5)));
        }
    }
}

fn raw_end(sink: &mut dyn Sink, state: State, status: i32) -> Ending {
    sink.event(Event::Raw {
        state,
        id: -1,
        text: None,
    });
    Ending::Silent(status)
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

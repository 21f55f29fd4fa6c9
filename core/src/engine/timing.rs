//! How long a request took: the runtime's numbers where it has them, the clock's where not.

use std::time::{Duration, Instant};

use crate::surface::{Measure, Timings};
use crate::vendor::Perf;

/// The moments of one request.
#[derive(Debug)]
pub(super) struct Clock {
    asked: Instant,
    begun: Option<Instant>,
    first_token: Option<Instant>,
    stopped: Option<Instant>,
    perf: Option<Perf>,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            asked: Instant::now(),
            begun: None,
            first_token: None,
            stopped: None,
            perf: None,
        }
    }

    pub fn begin(&mut self) {
        self.begun = Some(Instant::now());
    }

    pub fn token(&mut self) {
        self.first_token.get_or_insert_with(Instant::now);
    }

    pub fn stop(&mut self) {
        self.stopped.get_or_insert_with(Instant::now);
    }

    pub fn measured(&mut self, perf: Perf) {
        // All zero is a runtime that does not fill it in.
        self.perf = (perf.prefill_ms > 0.0 || perf.decode_ms > 0.0).then_some(perf);
    }

    /// The times of a request that has ended.
    pub fn timings(
        &self,
        prompt_tokens: u32,
        reused_tokens: Option<u32>,
        new_tokens: u32,
    ) -> Timings {
        let stopped = self.stopped.unwrap_or_else(Instant::now);
        let begun = self.begun.unwrap_or(stopped);
        let first = self.first_token.unwrap_or(stopped);
        let (prefill, prefill_tokens, decode, decode_tokens) = match self.perf {
            Some(perf) => (
                f64::from(perf.prefill_ms) / 1e3,
                perf.prefill_tokens,
                f64::from(perf.decode_ms) / 1e3,
                perf.decode_tokens,
            ),
            // The first token comes out of the prefill.
            None => (
                seconds(begun, first),
                prompt_tokens.saturating_sub(reused_tokens.unwrap_or(0)),
                seconds(first, stopped),
                new_tokens.saturating_sub(1),
            ),
        };
        Timings {
            queued: seconds(self.asked, begun),
            time_to_first_token: self.first_token.map(|first| seconds(begun, first)),
            prefill,
            prefill_speed: speed(prefill_tokens, prefill),
            decode,
            decode_speed: speed(decode_tokens, decode),
            measured_by: if self.perf.is_some() {
                Measure::Runtime
            } else {
                Measure::Clock
            },
        }
    }
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}

/// Tokens by the second; none where there is nothing to divide.
fn speed(tokens: u32, seconds: f64) -> Option<f64> {
    (tokens > 0 && seconds > Duration::from_micros(1).as_secs_f64())
        .then(|| f64::from(tokens) / seconds)
}

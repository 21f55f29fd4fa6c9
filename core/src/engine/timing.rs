//! How long a request took: the runtime's numbers where it has them, the clock's where not.

use std::time::{Duration, Instant};

use crate::surface::{Measure, Timings, Usage};
use crate::vendor::Perf;

/// The moments of one request.
#[derive(Debug)]
pub(super) struct Clock {
    asked: Instant,
    begun: Option<Instant>,
    first_token: Option<Instant>,
    stopped: Option<Instant>,
    /// The most memory in use until then, in bytes.
    peak_memory: u64,
    perf: Option<Perf>,
}

impl Clock {
    pub fn start() -> Self {
        Self {
            asked: Instant::now(),
            begun: None,
            first_token: None,
            stopped: None,
            peak_memory: 0,
            perf: None,
        }
    }

    pub fn begin(&mut self) {
        self.begun = Some(Instant::now());
    }

    pub fn has_begun(&self) -> bool {
        self.begun.is_some()
    }

    pub fn token(&mut self) {
        self.first_token.get_or_insert_with(Instant::now);
    }

    pub fn stop(&mut self) {
        if self.stopped.is_none() {
            self.stopped = Some(Instant::now());
            self.peak_memory = peak_memory().unwrap_or(0);
        }
    }

    pub fn measured(&mut self, perf: Perf) {
        // All zero is a runtime that does not fill it in.
        self.perf = (perf.prefill_ms > 0.0 || perf.decode_ms > 0.0).then_some(perf);
    }

    /// Tokens that the runtime computed for the prompt.
    pub fn prefilled(&self) -> Option<u32> {
        let perf = self.perf.as_ref()?;
        (perf.prefill_tokens > 0).then_some(perf.prefill_tokens)
    }

    /// The times of a request that has ended.
    pub fn timings(&self, usage: &Usage) -> Timings {
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
                usage
                    .prompt_tokens
                    .saturating_sub(usage.reused_tokens.unwrap_or(0)),
                seconds(first, stopped),
                usage.new_tokens.saturating_sub(1),
            ),
        };
        let (peak_memory, memory_measured_by) = self.peak_memory();
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
                Measure::Rkchat
            },
            peak_memory,
            memory_measured_by,
        }
    }

    /// In bytes. The runtime's number is of the process that it runs in.
    fn peak_memory(&self) -> (u64, Measure) {
        match self.perf.map(|perf| perf.peak_memory_mb) {
            // Read from VmHWM by the runtime too, whose megabytes have 1024 kB.
            Some(megabytes) if megabytes > 0.0 => (
                (f64::from(megabytes) * 1024.0 * 1024.0) as u64,
                Measure::Runtime,
            ),
            _ => (self.peak_memory, Measure::Rkchat),
        }
    }
}

/// What the system says is the most that this process has used, in bytes.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes = line.trim().strip_suffix("kB")?;
    Some(kilobytes.trim().parse::<u64>().ok()? * 1024)
}

fn seconds(from: Instant, to: Instant) -> f64 {
    to.saturating_duration_since(from).as_secs_f64()
}

/// Tokens by the second; none where there is nothing to divide.
fn speed(tokens: u32, seconds: f64) -> Option<f64> {
    (tokens > 0 && seconds > Duration::from_micros(1).as_secs_f64())
        .then(|| f64::from(tokens) / seconds)
}

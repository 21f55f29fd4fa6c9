//! What the log says of a run.

use crate::engine::{Counts, Part};
use crate::log;
use crate::session::Perf;

/// A prompt and what became of it.
pub fn prompt(text: Option<&str>, parts: &[Part]) {
    if let Some(text) = text {
        log::info(&format!("prompt: {text:?}"));
    }
    for part in parts {
        match part {
            Part::Tokens(ids) => log::info(&format!("tokens: {ids:?}")),
            Part::Embeddings(values) => {
                log::info(&format!("embeddings: {} numbers", values.len()));
            }
        }
    }
}

/// The measurements of a run.
pub fn perf(perf: &Perf) {
    if log::level() < 1 {
        return;
    }
    let Counts {
        prompt_tokens,
        reused_tokens,
        new_tokens,
        prefill_us,
        decode_us,
    } = perf.counts;
    log::info("stage     time (ms)  tokens  ms/token  tokens/s");
    for (stage, us, tokens) in [
        ("prefill", prefill_us, prompt_tokens - reused_tokens),
        ("generate", decode_us, new_tokens),
    ] {
        let ms = us as f64 / 1000.0;
        let each = ms / tokens.max(1) as f64;
        let speed = if ms > 0.0 {
            tokens as f64 * 1000.0 / ms
        } else {
            0.0
        };
        log::info(&format!(
            "{stage:<8} {ms:>10.2} {tokens:>7} {each:>9.2} {speed:>9.2}"
        ));
    }
    log::info(&format!("peak memory (MB): {:.2}", perf.memory_mb));
}

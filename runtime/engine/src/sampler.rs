//! From the vendor's sampling settings to llama.cpp's samplers.

use llama_cpp_2::sampling::LlamaSampler;
use rkchat_runtime_front::engine::Sampling;

/// How many of the last tokens the penalties look at: llama.cpp's default.
pub const PENALTY_WINDOW: usize = 64;

/// Makes llama.cpp draw a new seed for each run.
const RANDOM_SEED: u32 = u32::MAX;

/// Tokens that mirostat 1 looks at: llama.cpp's fixed value.
const MIROSTAT_M: i32 = 100;

/// The chain in llama.cpp's own order. `history` is what the penalties have seen before the first
/// sample: the end of the prompt.
pub fn chain(n_vocab: i32, sampling: &Sampling, history: &[i32]) -> LlamaSampler {
    let mut samplers = vec![LlamaSampler::penalties(
        n_vocab,
        PENALTY_WINDOW as i32,
        sampling.repeat_penalty,
        sampling.frequency_penalty,
        sampling.presence_penalty,
    )];
    if sampling.top_k == 1 || sampling.temperature <= 0.0 {
        samplers.push(LlamaSampler::greedy());
    } else {
        let temperature = LlamaSampler::temp(sampling.temperature);
        let (tau, eta) = (sampling.mirostat_tau, sampling.mirostat_eta);
        match sampling.mirostat {
            1 => samplers.extend([
                temperature,
                LlamaSampler::mirostat(n_vocab, RANDOM_SEED, tau, eta, MIROSTAT_M),
            ]),
            2 => samplers.extend([
                temperature,
                LlamaSampler::mirostat_v2(RANDOM_SEED, tau, eta),
            ]),
            _ => samplers.extend([
                LlamaSampler::top_k(sampling.top_k),
                LlamaSampler::top_p(sampling.top_p, 1),
                temperature,
                LlamaSampler::dist(RANDOM_SEED),
            ]),
        }
    }
    let mut chain = LlamaSampler::chain(samplers, true);
    chain.accept_many(
        history
            .iter()
            .map(|id| llama_cpp_2::token::LlamaToken::new(*id)),
    );
    chain
}

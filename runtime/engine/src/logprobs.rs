//! Log probabilities of tokens.

use rkchat_runtime_front::engine::LogProb;

/// The log probabilities that logits stand for: of the token that was drawn, then of the `top`
/// likeliest, best first.
pub fn of(logits: &[f32], drawn: i32, top: u32) -> Vec<LogProb> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f64 = logits
        .iter()
        .map(|logit| f64::from(logit - largest).exp())
        .sum();
    let shift = f64::from(largest) + sum.ln();
    let logprob = |id: usize| LogProb {
        logprob: (f64::from(logits[id]) - shift) as f32,
        id: id as i32,
    };
    let mut ids: Vec<usize> = (0..logits.len()).collect();
    let top = ids.len().min(top as usize);
    let better = |a: &usize, b: &usize| logits[*b].total_cmp(&logits[*a]).then(a.cmp(b));
    if top > 0 && top < ids.len() {
        ids.select_nth_unstable_by(top - 1, better);
    }
    ids.truncate(top);
    ids.sort_unstable_by(better);
    let drawn = usize::try_from(drawn).ok().filter(|id| *id < logits.len());
    drawn.into_iter().chain(ids).map(logprob).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_add_up_and_are_in_order() {
        let logits = [0.0, 2.0, -1.0, 2.0, 1.0];
        let all = of(&logits, 2, 5);
        let ids: Vec<_> = all.iter().map(|token| token.id).collect();
        assert_eq!(ids, [2, 1, 3, 4, 0, 2]);
        let sum: f32 = all[1..].iter().map(|token| token.logprob.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-6, "{sum}");
        assert_eq!(all[0], all[5]);
        assert_eq!(of(&logits, 4, 2), [all[3], all[1], all[2]]);
        assert_eq!(of(&logits, 4, 0), [all[3]]);
        assert_eq!(of(&logits, 0, u32::MAX).len(), 6);
    }

    #[test]
    fn large_logits_do_not_overflow() {
        let [drawn] = of(&[1e4, 1e4], 0, 0)[..] else {
            panic!()
        };
        assert!((drawn.logprob - 0.5f32.ln()).abs() < 1e-3);
    }
}

//! What one lane's cache holds, and how a prompt fits in.

use crate::cell::{Cell, Entry, common};
use crate::prompt_cache::PromptCache;
use rkchat_runtime_front::engine::{Cache, EMPTY_PROMPT, Mode, Request, prompt_too_long};

/// The mark of a cache that was computed with several adapters.
pub const MIXED: u64 = u64::MAX;

/// One lane's cache.
#[derive(Default)]
pub struct Lane {
    /// What is in it, by position.
    pub cells: Vec<Cell>,
    /// The last token of the last run, which was drawn but is not in the cache.
    pub last: Option<i32>,
    /// The mark of the adapter that it was computed with, 0 without.
    pub mark: u64,
}

/// What a run does with a lane before it computes.
#[derive(Debug, PartialEq)]
pub struct Plan<'a> {
    /// Put the loaded prompt cache in its place.
    pub restore: bool,
    /// Keep this many positions.
    pub keep: usize,
    /// Take this many positions out after those that `n_keep` protects.
    pub cut: usize,
    /// What is to be computed.
    pub entries: Vec<Entry<'a>>,
}

impl Lane {
    /// Plans a run with an adapter's mark.
    pub fn plan<'a>(
        &self,
        request: &Request,
        prompt: &[Entry<'a>],
        mark: u64,
        loaded: Option<&PromptCache>,
        n_ctx: usize,
    ) -> Result<Plan<'a>, String> {
        if prompt.is_empty() && request.cache != Cache::Resume {
            return Err(EMPTY_PROMPT.into());
        }
        match request.cache {
            Cache::Fresh | Cache::Prefix => self.plan_anew(request, prompt, mark, loaded, n_ctx),
            Cache::Append => self.plan_further(request, self.last, prompt, n_ctx),
            Cache::Resume => {
                let pending = self.last.filter(|_| prompt.is_empty());
                self.plan_further(request, pending, prompt, n_ctx)
            }
        }
    }

    fn plan_anew<'a>(
        &self,
        request: &Request,
        prompt: &[Entry<'a>],
        mark: u64,
        loaded: Option<&PromptCache>,
        n_ctx: usize,
    ) -> Result<Plan<'a>, String> {
        if prompt.len() >= n_ctx {
            return Err(prompt_too_long(prompt.len(), n_ctx as u32));
        }
        let (mut own, mut saved) = (0, 0);
        // Hidden states and logits are wanted for the whole prompt, so all of it is computed.
        if request.mode == Mode::Generate {
            if request.cache == Cache::Prefix && self.mark == mark {
                own = common(&self.cells, prompt);
            }
            if let Some(loaded) = loaded.filter(|loaded| loaded.mark == mark) {
                saved = common(&loaded.cells, prompt);
            }
        }
        // The last position is computed in any case: its logits are needed.
        let keep = own.max(saved).min(prompt.len() - 1);
        Ok(Plan {
            restore: keep > own,
            keep,
            cut: 0,
            entries: prompt[keep..].to_vec(),
        })
    }

    fn plan_further<'a>(
        &self,
        request: &Request,
        pending: Option<i32>,
        prompt: &[Entry<'a>],
        n_ctx: usize,
    ) -> Result<Plan<'a>, String> {
        let pending = pending.map(Entry::Token);
        let entries: Vec<_> = pending.into_iter().chain(prompt.iter().copied()).collect();
        if entries.is_empty() {
            return Err(EMPTY_PROMPT.into());
        }
        let held = self.cells.len();
        let total = held + entries.len();
        let cut = match (total + 1).saturating_sub(n_ctx) {
            0 => 0,
            over => shift(held, over, request.n_keep)
                .ok_or_else(|| prompt_too_long(total, n_ctx as u32))?,
        };
        Ok(Plan {
            restore: false,
            keep: held - cut,
            cut,
            entries,
        })
    }
}

/// How many positions to take out after the first `n_keep` so that `over` become free: half of
/// those that may go, so that it is not needed again at once. `None`: the window is not shifted,
/// or that would not be enough.
pub fn shift(held: usize, over: usize, n_keep: i32) -> Option<usize> {
    let movable = held.checked_sub(usize::try_from(n_keep).ok()?)?;
    (movable >= over).then(|| over.max(movable / 2))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rkchat_runtime_front::engine::Sampling;

    fn request(cache: Cache, n_keep: i32) -> Request {
        Request {
            prompts: Vec::new(),
            mode: Mode::Generate,
            lora: None,
            sampling: Sampling::NEUTRAL,
            max_new_tokens: 0,
            ignore_eos_token: false,
            skip_special_token: false,
            top_logprobs: None,
            n_keep,
            cache,
        }
    }

    fn tokens(ids: &[i32]) -> Vec<Entry<'static>> {
        ids.iter().map(|id| Entry::Token(*id)).collect()
    }

    fn cells(ids: &[i32]) -> Vec<Cell> {
        tokens(ids).into_iter().map(Cell::from).collect()
    }

    fn lane() -> Lane {
        Lane {
            cells: cells(&[1, 2, 3]),
            last: Some(4),
            mark: 0,
        }
    }

    /// Kept, restored, to be computed.
    fn anew(
        request: &Request,
        prompt: &[i32],
        mark: u64,
        loaded: Option<&PromptCache>,
    ) -> (usize, bool, usize) {
        let plan = lane()
            .plan(request, &tokens(prompt), mark, loaded, 8)
            .unwrap();
        assert_eq!(plan.keep + plan.entries.len(), prompt.len());
        (plan.keep, plan.restore, plan.entries.len())
    }

    #[test]
    fn a_prompt_reuses_what_it_begins_with() {
        let prefix = request(Cache::Prefix, -1);
        assert_eq!(anew(&prefix, &[1, 2, 9], 0, None), (2, false, 1));
        assert_eq!(
            anew(&prefix, &[1, 2, 3], 0, None),
            (2, false, 1),
            "one is left"
        );
        assert_eq!(anew(&prefix, &[1, 2, 9], 5, None).0, 0, "another adapter");
        assert_eq!(anew(&request(Cache::Fresh, -1), &[1, 2, 9], 0, None).0, 0);
        let logits = Request {
            mode: Mode::Logits,
            ..prefix
        };
        assert_eq!(anew(&logits, &[1, 2, 9], 0, None).0, 0);
    }

    #[test]
    fn a_loaded_cache_is_taken_if_it_fits_better() {
        let loaded = PromptCache {
            cells: cells(&[1, 2, 9, 9]),
            mark: 0,
            state: Vec::new(),
        };
        let (prefix, fresh) = (request(Cache::Prefix, -1), request(Cache::Fresh, -1));
        assert_eq!(anew(&prefix, &[1, 2, 9, 5], 0, Some(&loaded)), (3, true, 1));
        assert_eq!(
            anew(&prefix, &[1, 2, 3, 5], 0, Some(&loaded)),
            (3, false, 1)
        );
        assert_eq!(anew(&fresh, &[1, 2, 3, 5], 0, Some(&loaded)), (2, true, 2));
        assert_eq!(anew(&fresh, &[1, 2, 3, 5], 1, Some(&loaded)), (0, false, 4));
    }

    #[test]
    fn a_further_turn_follows_the_pending_token() {
        let plan = |cache, prompt: &[i32]| {
            let plan = lane().plan(&request(cache, -1), &tokens(prompt), 0, None, 8);
            plan.map(|plan| plan.entries)
        };
        assert_eq!(plan(Cache::Append, &[7]).unwrap(), tokens(&[4, 7]));
        assert_eq!(plan(Cache::Resume, &[7]).unwrap(), tokens(&[7]));
        assert_eq!(plan(Cache::Resume, &[]).unwrap(), tokens(&[4]));
        assert_eq!(plan(Cache::Append, &[]).unwrap_err(), EMPTY_PROMPT);
        assert_eq!(plan(Cache::Prefix, &[]).unwrap_err(), EMPTY_PROMPT);
    }

    #[test]
    fn a_full_window_is_shifted_only_with_n_keep() {
        let plan = |n_keep, prompt: &[i32]| {
            lane().plan(&request(Cache::Append, n_keep), &tokens(prompt), 0, None, 8)
        };
        assert_eq!(plan(1, &[7, 7, 7]).unwrap().cut, 0);
        assert!(plan(-1, &[7; 4]).is_err());
        assert_eq!(plan(0, &[7; 4]).unwrap().cut, 1);
        assert_eq!(plan(1, &[7; 5]).unwrap().cut, 2);
        assert!(plan(1, &[7; 6]).is_err(), "one may not go");
        assert!(plan(9, &[7; 4]).is_err());
        assert_eq!(shift(8, 1, 2), Some(3));
        assert_eq!(shift(8, 1, 8), None);
    }
}

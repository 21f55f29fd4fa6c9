//! A prepared model: its context, and what is in the cache.

use crate::cell::{Cell, Entry};
use crate::context::Context;
use crate::lane::{Lane, MIXED, Plan};
use crate::logs;
use crate::lora::Adapter;
use crate::prompt_cache::PromptCache;
use rkchat_runtime_front::engine::{Cache, Request, prompt_too_long};
use std::path::Path;

/// A context and what is in it.
pub struct State {
    /// Dropped before the adapters, which it refers to.
    pub(crate) context: Context,
    adapters: Vec<Adapter>,
    pub(crate) lanes: Vec<Lane>,
    pub(crate) n_ctx: usize,
    loaded: Option<PromptCache>,
}

impl State {
    pub fn new(context: Context, n_ctx: u32, lanes: u32) -> Self {
        State {
            context,
            adapters: Vec::new(),
            lanes: (0..lanes).map(|_| Lane::default()).collect(),
            n_ctx: n_ctx as usize,
            loaded: None,
        }
    }

    /// Tokens in each lane's cache.
    pub fn cached(&self) -> impl Iterator<Item = usize> {
        self.lanes.iter().map(|lane| lane.cells.len())
    }

    /// Keeps the first `keep` positions of each lane.
    pub fn truncate(&mut self, keep: usize) {
        for lane in 0..self.lanes.len() {
            self.truncate_lane(lane, keep);
        }
    }

    /// Keeps the first `keep` positions of a lane, or none if the model cannot forget a part.
    pub(crate) fn truncate_lane(&mut self, lane: usize, keep: usize) {
        let held = &mut self.lanes[lane];
        if keep >= held.cells.len() {
            return;
        }
        let kept = if self.context.forget_from(lane, keep) {
            keep
        } else {
            0
        };
        if kept == 0 {
            self.context.forget_from(lane, 0);
        }
        held.cells.truncate(kept);
        held.last = None;
    }

    /// Takes positions out of a lane and closes the gap.
    pub fn cut(&mut self, lane: usize, start: usize, end: usize) -> Result<(), String> {
        let held = &self.lanes[lane];
        if start > end || end > held.cells.len() {
            return Err(format!("no positions {start} to {end} in the cache"));
        }
        if end == held.cells.len() {
            self.truncate_lane(lane, start);
            return Ok(());
        }
        if start < end && !self.context.cut(lane, start, end) {
            return Err("this model's cache cannot lose a part in the middle; \
                        clear it from a position to its end, or all of it"
                .into());
        }
        self.lanes[lane].cells.drain(start..end);
        Ok(())
    }

    /// Makes the lanes what a run starts from; what is to be computed in each, and how much of it
    /// was there already.
    pub(crate) fn prepare<'a>(
        &mut self,
        request: &Request,
        prompts: &[Vec<Entry<'a>>],
    ) -> Result<Vec<Vec<Entry<'a>>>, String> {
        let adapter = match &request.lora {
            None => None,
            Some(name) => Some(self.adapter(name)?),
        };
        let mark = adapter.map_or(0, |adapter| adapter.mark);
        // Every lane is planned before any is changed.
        let plans = prompts.iter().zip(&self.lanes).map(|(prompt, lane)| {
            lane.plan(request, prompt, mark, self.loaded.as_ref(), self.n_ctx)
        });
        let plans = plans.collect::<Result<Vec<_>, _>>()?;
        self.context.set_adapter(match &request.lora {
            None => None,
            Some(name) => self.adapters.iter().find(|adapter| adapter.name == *name),
        });
        let mut rest = Vec::new();
        for (lane, (plan, prompt)) in plans.into_iter().zip(prompts).enumerate() {
            rest.push(self.carry_out(lane, plan, prompt, request, mark)?);
        }
        Ok(rest)
    }

    fn adapter(&self, name: &str) -> Result<&Adapter, String> {
        let found = self.adapters.iter().find(|adapter| adapter.name == name);
        found.ok_or_else(|| {
            let names: Vec<_> = self.adapters.iter().map(|adapter| &adapter.name).collect();
            format!("no adapter named {name:?} is loaded with rkllm_load_lora; loaded: {names:?}")
        })
    }

    fn carry_out<'a>(
        &mut self,
        lane: usize,
        plan: Plan<'a>,
        prompt: &[Entry<'a>],
        request: &Request,
        mark: u64,
    ) -> Result<Vec<Entry<'a>>, String> {
        if let Some(loaded) = self.loaded.as_ref().filter(|_| plan.restore) {
            let restored = self
                .context
                .restore(lane, &loaded.state, loaded.cells.len());
            let cells: &[Cell] = if restored { &loaded.cells } else { &[] };
            self.lanes[lane].cells = cells.to_vec();
        }
        let held = self.lanes[lane].cells.len();
        if plan.cut > 0 {
            let start = usize::try_from(request.n_keep).unwrap_or(0);
            if self.cut(lane, start, start + plan.cut).is_err() {
                let total = held + plan.entries.len();
                return Err(prompt_too_long(total, self.n_ctx as u32));
            }
        }
        self.truncate_lane(lane, plan.keep);
        let held = &mut self.lanes[lane];
        let further = matches!(request.cache, Cache::Append | Cache::Resume);
        held.mark = match held.mark == mark || !further || held.cells.is_empty() {
            true => mark,
            false => MIXED,
        };
        if further || held.cells.len() == plan.keep {
            return Ok(plan.entries);
        }
        // The model could not keep a part: all of the prompt has to be computed.
        Ok(prompt.to_vec())
    }

    /// Forgets everything, after a failure left the cache undefined.
    pub(crate) fn clear(&mut self) {
        for (number, lane) in self.lanes.iter_mut().enumerate() {
            self.context.clear(number);
            *lane = Lane::default();
        }
    }

    /// Adds an adapter, or replaces the one of the same name.
    pub fn add_adapter(&mut self, adapter: Adapter) {
        // The context must not refer to one that is freed.
        self.context.set_adapter(None);
        self.adapters.retain(|other| other.name != adapter.name);
        self.adapters.push(adapter);
    }

    /// Writes what the first lane holds.
    pub fn save(&mut self, path: &Path, model: u64) -> Result<(), String> {
        let state = self.context.state(0);
        if state.is_empty() {
            return Err(format!(
                "llama.cpp cannot save this model's cache: {}",
                logs::reason()
            ));
        }
        let lane = &self.lanes[0];
        let cache = PromptCache {
            cells: lane.cells.clone(),
            mark: lane.mark,
            state,
        };
        cache.write(path, model)
    }

    /// Reads a file and puts it into the cache, where it stays at hand for later prompts.
    pub fn load(&mut self, path: &Path, model: u64) -> Result<(), String> {
        if self.lanes.len() > 1 {
            return Err("a prompt cache cannot be loaded with n_batch above 1".into());
        }
        let cache = PromptCache::read(path, model)?;
        let misfit = |why: &str| Err(format!("the prompt cache {} {why}", path.display()));
        if cache.cells.len() >= self.n_ctx {
            let (cells, n_ctx) = (cache.cells.len(), self.n_ctx);
            return misfit(&format!(
                "holds {cells} tokens, but the context window has {n_ctx} and must have room for \
                 one more; raise max_context_len"
            ));
        }
        self.truncate(0);
        if !self.context.restore(0, &cache.state, cache.cells.len()) {
            return misfit("does not fit this context; save it again with this release");
        }
        self.lanes[0] = Lane {
            cells: cache.cells.clone(),
            last: None,
            mark: cache.mark,
        };
        self.loaded = Some(cache);
        Ok(())
    }

    /// Forgets the file that was read.
    pub fn release(&mut self) {
        self.loaded = None;
    }
}

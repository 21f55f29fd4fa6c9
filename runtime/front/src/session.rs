//! One open model: what its handle stands for.

mod delivery;
mod opening;

pub use delivery::{Answer, Deliver, Delivery, Perf};
pub use opening::{ContextLimit, Opening, open};

use crate::activity::{Activity, Release};
use crate::engine::{Counts, CrossAttention, Engine, InitParams, ModelInfo, Prepared};
use crate::guard::lock;
use crate::log;
use crate::template::{self, SetTemplate, Style, Template};
use crate::tools::Tools;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// One open model.
pub struct Session<E: Engine> {
    pub(crate) engine: E,
    pub(crate) params: InitParams,
    pub(crate) model: ModelInfo,
    pub(crate) prepared: Prepared,
    pub(crate) deliver: Deliver,
    pub(crate) activity: Activity,
    pub(crate) opening: &'static Opening,
    set_template: Mutex<Option<SetTemplate>>,
    tools: Mutex<Option<Tools>>,
    counts: Mutex<Counts>,
    /// The last run was paused by its callback.
    paused: AtomicBool,
    process: u32,
}

impl<E: Engine> Session<E> {
    fn new(
        engine: E,
        params: InitParams,
        model: ModelInfo,
        prepared: Prepared,
        deliver: Deliver,
        opening: &'static Opening,
    ) -> Self {
        Session {
            engine,
            params,
            model,
            prepared,
            deliver,
            activity: Activity::new(),
            opening,
            set_template: Mutex::new(None),
            tools: Mutex::new(None),
            counts: Mutex::new(Counts::default()),
            paused: AtomicBool::new(false),
            process: std::process::id(),
        }
    }

    /// Refuses use in a forked child: the threads and locks of the parent are not there.
    pub(crate) fn check_process(&self, function: &str) -> Result<(), String> {
        if self.process == std::process::id() {
            return Ok(());
        }
        Err(format!(
            "{function}: the model was opened by process {}, which forked; \
             a child process must open its own",
            self.process
        ))
    }

    /// How text becomes a prompt now.
    pub(crate) fn style(&self) -> Style {
        let template = match &*lock(&self.set_template) {
            Some(set) => Template::Set(set.clone()),
            None if self.opening.templated => Template::BuiltIn,
            None => Template::None,
        };
        Style {
            template,
            tools: lock(&self.tools).clone(),
            thinks: self.model.thinks,
        }
    }

    /// Replaces the template and empties the cache.
    pub(crate) fn set_template(&self, set: SetTemplate) -> Result<(), String> {
        self.while_idle(|| {
            self.empty_cache(0)?;
            *lock(&self.set_template) = Some(set);
            Ok(())
        })?;
        log::info("the KV cache was emptied: the chat template is a new one");
        Ok(())
    }

    /// Sets the functions that the model may call; replaces the system prompt.
    pub(crate) fn set_function_tools(
        &self,
        system: &str,
        tools: &str,
        response: &str,
    ) -> Result<(), String> {
        let tools = Tools::new(system, tools, response)?;
        self.while_idle(|| {
            *lock(&self.tools) = Some(tools);
            Ok(())
        })
    }

    /// Sets what the model attends to.
    pub(crate) fn set_cross_attn(&self, encoder: &CrossAttention) -> Result<(), String> {
        if self.params.use_cross_attn == 0 {
            return Err("the model was opened without cross attention (use_cross_attn)".into());
        }
        self.while_idle(|| self.engine.set_cross_attn(encoder))
    }

    /// Loads an adapter that runs pick by its name.
    pub(crate) fn load_lora(&self, name: &str, path: &Path, scale: f32) -> Result<(), String> {
        if name.is_empty() {
            return Err("lora_adapter_name is empty; runs pick an adapter by its name".into());
        }
        if !scale.is_finite() {
            return Err(format!(
                "the scale of the adapter {name:?} must be a finite number, but got {scale}"
            ));
        }
        self.while_idle(|| self.engine.load_lora(name, path, scale))
    }

    /// Reads a prompt cache file.
    pub(crate) fn load_prompt_cache(&self, path: &Path) -> Result<(), String> {
        self.while_idle(|| self.engine.load_prompt_cache(path))
    }

    /// Forgets the prompt cache file that was read.
    pub(crate) fn release_prompt_cache(&self) -> Result<(), String> {
        self.while_idle(|| self.engine.release_prompt_cache())
    }

    /// Empties the cache, but for the system prompt and the first `n_keep` tokens if `keep_system`.
    /// With `ranges`, from and to before which position for each of the `n_batch` prompts, only
    /// those go; an empty range takes nothing.
    pub(crate) fn clear_cache(
        &self,
        keep_system: bool,
        ranges: Option<&[(i32, i32)]>,
    ) -> Result<(), String> {
        match ranges {
            Some(ranges) => self.while_idle(|| self.cut_cache(ranges)),
            None => {
                let keep = match keep_system {
                    true => template::system_tokens(&self.engine, &self.style())?
                        .len()
                        .max(usize::try_from(self.params.n_keep).unwrap_or(0)),
                    false => 0,
                };
                self.while_idle(|| self.empty_cache(keep))
            }
        }
    }

    fn empty_cache(&self, keep: usize) -> Result<(), String> {
        self.paused.store(false, Ordering::SeqCst);
        self.engine.truncate_cache(keep)
    }

    fn cut_cache(&self, ranges: &[(i32, i32)]) -> Result<(), String> {
        if !self.paused.load(Ordering::SeqCst) {
            return Err(
                "a range of the cache can only be cleared while a run with keep_history 0 is \
                 paused (its callback returned 1); pass NULL for start_pos and end_pos to clear \
                 all"
                .into(),
            );
        }
        // All are checked before any is cut.
        let mut cuts = Vec::new();
        for (lane, (start, end)) in ranges.iter().enumerate() {
            let cached = self.engine.cached(lane);
            match (usize::try_from(*start), usize::try_from(*end)) {
                (Ok(start), Ok(end)) if start <= end && end <= cached => {
                    cuts.push((lane, start, end));
                }
                _ => {
                    return Err(format!(
                        "the range from {start} to before {end} is not inside the cache of prompt \
                         {lane}, which has {cached} tokens"
                    ));
                }
            }
        }
        for (lane, start, end) in cuts {
            if start < end {
                self.engine.cut_cache(lane, start, end)?;
            }
        }
        Ok(())
    }

    /// Tokens in the cache, for each of the `n_batch` prompts.
    pub(crate) fn cache_sizes(&self) -> Vec<usize> {
        (0..self.params.n_batch.into())
            .map(|lane| self.engine.cached(lane))
            .collect()
    }

    /// Does something that must not happen during a run.
    fn while_idle(&self, action: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        self.activity.claim()?;
        let _release = Release(&self.activity);
        action()
    }

    /// Says whether the run that ended was paused.
    pub(crate) fn set_paused(&self, paused: bool) {
        self.paused.store(paused, Ordering::SeqCst);
    }

    /// Whether the last run was paused; the next one knows of it, the one after not.
    pub(crate) fn take_paused(&self) -> bool {
        self.paused.swap(false, Ordering::SeqCst)
    }

    /// Keeps the measurements of a run that ended.
    pub(crate) fn set_counts(&self, counts: Counts) {
        *lock(&self.counts) = counts;
    }

    /// Measurements of the last run that ended.
    pub(crate) fn counts(&self) -> Counts {
        *lock(&self.counts)
    }
}

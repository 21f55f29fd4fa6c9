//! One open model: what its handle stands for.

use crate::activity::{Activity, Release};
use crate::engine::{
    Counts, Engine, InitParams, LogProb, Matrix, ModelInfo, Prepared, State, unsupported,
};
use crate::guard::lock;
use crate::log;
use crate::registry::Registry;
use crate::template::{self, SetTemplate, Style, Template};
use crate::tools::Tools;
use std::ffi::{CStr, c_void};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

/// One call of the caller's result callback.
pub struct Delivery<'a> {
    /// What the call is about.
    pub state: State,
    /// As many as `n_batch`; callers get them as consecutive structs.
    pub answers: &'a [Answer<'a>],
    /// The run's userdata.
    pub userdata: *mut c_void,
}

/// What a call says about one prompt of the run.
#[derive(Clone, Copy, Default)]
pub struct Answer<'a> {
    /// Token id; negative where there is none.
    pub id: i32,
    /// Text, or NULL.
    pub text: Option<&'a CStr>,
    /// The last layer's output, a row for each token of the prompt. Only in
    /// [`Mode::HiddenStates`](crate::engine::Mode); valid during the call.
    pub hidden_states: Option<Matrix<'a>>,
    /// What the token was drawn from. Only in [`Mode::Logits`](crate::engine::Mode); valid during
    /// the call.
    pub logits: Option<Matrix<'a>>,
    /// If `top_logprobs` is set: the token, then the likeliest ones, best first.
    pub logprobs: &'a [LogProb],
    /// Measurements, with [`State::Finish`].
    pub perf: Option<Perf>,
}

/// The measurements that callers get with FINISH.
#[derive(Clone, Copy)]
pub struct Perf {
    /// Measurements of the run.
    pub counts: Counts,
    /// Peak resident memory in megabytes.
    pub memory_mb: f32,
}

/// Makes a call of the caller's callback in the group's layout. Returns what the callback returned:
/// 0 goes on, 1 pauses; 2 frees the output buffer, which ours is after each call anyway. Groups
/// whose callback returns nothing say 0.
pub type Deliver = Box<dyn Fn(Delivery<'_>) -> i32 + Send + Sync>;

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

/// What a group can and how its `rkllm_init` behaves.
pub struct Opening {
    /// Newest release of the group.
    pub release: &'static str,
    /// Whether text input gets the model's own template.
    pub templated: bool,
    /// Whether text comes in whole characters, with [`State::Waiting`] until one is complete; if
    /// not, a token's bytes come as they are.
    pub whole_characters: bool,
    /// What becomes of a `max_context_len` above the model's limit.
    pub context_limit: ContextLimit,
}

/// What becomes of a `max_context_len` above the model's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextLimit {
    /// `rkllm_init` fails.
    Strict,
    /// The limit takes its place, with a warning.
    Clamped,
}

/// Loads a model and registers it; the handle, or NULL where the engine imitates that.
pub fn open<E: Engine>(
    registry: &Registry<E>,
    opening: &'static Opening,
    params: InitParams,
    deliver: Deliver,
) -> Result<*mut c_void, String> {
    E::opening(&params);
    check::<E>(&params)?;
    log::info(&format!(
        "rkllm-runtime version: {}{}, rknpu driver version: {}, platform: {}",
        opening.release,
        E::SUFFIX,
        E::DRIVER,
        E::PLATFORM
    ));
    if log::level() >= 2 {
        log::info(&format!("{params:?}"));
    }
    let Some(mut engine) = E::load(&params)? else {
        return Ok(std::ptr::null_mut());
    };
    let model = engine.model();
    log::info(&format!(
        "rkllm-toolkit version: {}, max_context_limit: {}, npu_core_num: {}, \
         target_platform: {}, model_dtype: {}",
        model.toolkit, model.n_ctx_train, model.npu_cores, model.platform, model.dtype
    ));
    let n_ctx = window(&params, &model, engine.context_limit(opening.context_limit))?;
    let prepared = engine.prepare(n_ctx, params.n_batch.into())?;
    Ok(registry.insert(Session {
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
    }))
}

fn check<E: Engine>(params: &InitParams) -> Result<(), String> {
    params.sampling.check()?;
    if !(1..=100).contains(&params.n_batch) {
        return Err(format!(
            "n_batch must be between 1 and 100, but got {}",
            params.n_batch
        ));
    }
    if params.use_cross_attn != 0 {
        return Err(unsupported::<E>("cross attention"));
    }
    Ok(())
}

fn window(params: &InitParams, model: &ModelInfo, limit: ContextLimit) -> Result<u32, String> {
    let asked = params.max_context_len;
    let n_ctx = u32::try_from(asked).unwrap_or(0);
    if n_ctx == 0 {
        return Err(format!(
            "max_context_len must be at least 1, but got {asked}"
        ));
    }
    if n_ctx <= model.n_ctx_train {
        return Ok(n_ctx);
    }
    let message = format!(
        "max_context[{n_ctx}] must be less than the model's max_context_limit[{}]",
        model.n_ctx_train
    );
    match limit {
        ContextLimit::Strict => Err(message),
        ContextLimit::Clamped => {
            log::warning(&format!("{message}; the limit is used"));
            Ok(model.n_ctx_train)
        }
    }
}

impl<E: Engine> Session<E> {
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

    /// Cross attention, which no engine has.
    pub(crate) fn set_cross_attn(&self) -> Result<(), String> {
        Err(unsupported::<E>("cross attention"))
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

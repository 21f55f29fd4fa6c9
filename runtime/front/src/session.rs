//! One open model and the state of its run.

use crate::engine::{Counts, Engine, InitParams, ModelInfo, Prepared};
use crate::guard::lock;
use crate::log;
use crate::registry::Registry;
use crate::template::{SetTemplate, Template, tokenize};
use std::ffi::{CStr, c_void};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread::ThreadId;

/// One call of the caller's result callback.
pub struct Delivery<'a> {
    /// Call state.
    pub state: u32,
    /// Token id.
    pub id: i32,
    /// Text, or NULL.
    pub text: Option<&'a CStr>,
    /// Measurements, with FINISH.
    pub perf: Option<Perf>,
    /// The run's userdata.
    pub userdata: *mut c_void,
}

/// The measurements that callers get with FINISH.
#[derive(Clone, Copy)]
pub struct Perf {
    /// Measurements of the run.
    pub counts: Counts,
    /// Peak resident memory in megabytes.
    pub memory_mb: f32,
}

/// Makes a call of the caller's callback in the group's layout. Returns what the callback returned.
pub type Deliver = Box<dyn Fn(Delivery<'_>) -> i32 + Send + Sync>;

/// One open model.
pub struct Session<E: Engine> {
    pub(crate) engine: E,
    pub(crate) params: InitParams,
    pub(crate) model: ModelInfo,
    pub(crate) prepared: Prepared,
    pub(crate) deliver: Deliver,
    /// Whether text input gets the model's own template.
    templated: bool,
    set_template: Mutex<Option<SetTemplate>>,
    counts: Mutex<Counts>,
    activity: Mutex<Activity>,
    idle: Condvar,
    aborted: AtomicBool,
    closing: AtomicBool,
    process: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Activity {
    Idle,
    /// A run is claimed; its thread is not known yet.
    Starting,
    Running(ThreadId),
    /// The last callback is being made.
    Ending(ThreadId),
}

/// What a group says about `rkllm_init`.
pub struct Opening {
    /// Newest release of the group.
    pub release: &'static str,
    /// Whether text input gets the model's own template.
    pub templated: bool,
}

/// Loads a model and registers it; the handle, or NULL where the engine imitates that.
pub fn open<E: Engine>(
    registry: &Registry<E>,
    opening: &Opening,
    params: InitParams,
    deliver: Deliver,
) -> Result<*mut c_void, String> {
    params.sampling.check()?;
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
    let n_ctx = u32::try_from(params.max_context_len)
        .ok()
        .filter(|n_ctx| *n_ctx > 0);
    let Some(n_ctx) = n_ctx else {
        return Err(format!(
            "max_context_len must be at least 1, but got {}",
            params.max_context_len
        ));
    };
    if n_ctx > model.n_ctx_train {
        return Err(format!(
            "max_context[{n_ctx}] must be less than the model's max_context_limit[{}]",
            model.n_ctx_train
        ));
    }
    let prepared = engine.prepare(n_ctx)?;
    Ok(registry.insert(Session {
        engine,
        params,
        model,
        prepared,
        deliver,
        templated: opening.templated,
        set_template: Mutex::new(None),
        counts: Mutex::new(Counts::default()),
        activity: Mutex::new(Activity::Idle),
        idle: Condvar::new(),
        aborted: AtomicBool::new(false),
        closing: AtomicBool::new(false),
        process: std::process::id(),
    }))
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

    /// Claims the model for one run.
    pub(crate) fn claim(&self) -> Result<(), String> {
        let here = std::thread::current().id();
        let mut activity = lock(&self.activity);
        loop {
            match *activity {
                Activity::Idle => break,
                // The run is over but for its last callback: the caller may well have been woken
                // by it, so the next run waits instead of failing.
                Activity::Ending(thread) if thread != here => {
                    activity = self
                        .idle
                        .wait(activity)
                        .unwrap_or_else(PoisonError::into_inner);
                }
                _ => {
                    return Err(
                        "a run is in progress on this model; wait until it has ended, \
                                or abort it"
                            .into(),
                    );
                }
            }
        }
        // Checked under the lock that `close` waits with: no run slips in behind it.
        if self.closing.load(Ordering::SeqCst) {
            return Err("the model is being destroyed".into());
        }
        *activity = Activity::Starting;
        self.aborted.store(false, Ordering::SeqCst);
        Ok(())
    }

    /// The claimed run goes on in this thread.
    pub(crate) fn enter(&self) {
        *lock(&self.activity) = Activity::Running(std::thread::current().id());
    }

    /// Nothing but the last callback is left of the run.
    pub(crate) fn ending(&self) {
        *lock(&self.activity) = Activity::Ending(std::thread::current().id());
    }

    /// The run is over.
    pub(crate) fn release(&self) {
        *lock(&self.activity) = Activity::Idle;
        self.idle.notify_all();
    }

    /// Whether a run is in progress.
    pub(crate) fn is_running(&self) -> bool {
        matches!(
            *lock(&self.activity),
            Activity::Starting | Activity::Running(_)
        )
    }

    /// Whether this thread is inside a callback of the model's run.
    pub(crate) fn runs_here(&self) -> bool {
        let here = std::thread::current().id();
        matches!(*lock(&self.activity),
            Activity::Running(thread) | Activity::Ending(thread) if thread == here)
    }

    /// Ends the run in progress and lets no other begin; returns when the model is idle.
    pub(crate) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        let mut activity = lock(&self.activity);
        while *activity != Activity::Idle {
            activity = self
                .idle
                .wait(activity)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Tells the run in progress to end.
    pub(crate) fn abort(&self) {
        self.aborted.store(true, Ordering::SeqCst);
    }

    /// Whether the run was told to end.
    pub(crate) fn aborted(&self) -> bool {
        self.aborted.load(Ordering::SeqCst) || self.closing.load(Ordering::SeqCst)
    }

    /// The template that text input gets now.
    pub(crate) fn template(&self) -> Template {
        match &*lock(&self.set_template) {
            Some(set) => Template::Set(set.clone()),
            None if self.templated => Template::BuiltIn,
            None => Template::None,
        }
    }

    /// Replaces the template and empties the cache.
    pub(crate) fn set_template(&self, set: SetTemplate) -> Result<(), String> {
        self.while_idle(|| {
            self.engine.truncate_cache(0)?;
            *lock(&self.set_template) = Some(set);
            Ok(())
        })
    }

    /// Empties the cache, but for the system prompt of the set template if `keep_system`.
    pub(crate) fn clear_cache(&self, keep_system: bool) -> Result<(), String> {
        let system = match &*lock(&self.set_template) {
            Some(set) if keep_system => Some(set.system.clone()),
            _ => None,
        };
        let keep = match system {
            Some(system) => tokenize(&self.engine, &system, true)?.len(),
            None => 0,
        };
        self.while_idle(|| self.engine.truncate_cache(keep))
    }

    /// Does something that must not happen during a run.
    fn while_idle(&self, action: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
        self.claim()?;
        let _release = Release(self);
        action()
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

/// Gives the model back when a run is over, however it ends.
pub(crate) struct Release<'a, E: Engine>(pub(crate) &'a Session<E>);

impl<E: Engine> Drop for Release<'_, E> {
    fn drop(&mut self) {
        self.0.release();
    }
}

//! The owner thread: it opens the model, runs one request after the other, and frees the model; for a
//! while too, where it is to be unloaded.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockWriteGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::chat;
use super::control::{Ask, Before, Control, Next, Work, closed};
use super::desk::{Desk, Errand};
use super::life::{Life, Stage};
use super::loaded::Loaded;
use super::opening::memory;
use super::run::{self, Ran};
use super::stream::Stream;
use super::tokens::Tokens;
use crate::surface::{Error, ErrorKind, FinishReason, Result, Warning, WarningKind};
use crate::vendor::capabilities;
use crate::vendor::instances::Place;
use crate::vendor::{
    InitFailure, InitParams, Input, Library, Opened, RunRequest, Sampling, Session, log,
};
use crate::vendor::{npu_lock, npu_memory};

/// Where the opened model lives; empty before and after.
pub(super) type SessionCell = RwLock<Option<Box<dyn Session>>>;

/// What the owner thread is given.
pub(super) struct Owner {
    pub library: Arc<Library>,
    /// Given back after the model was freed, and while it is unloaded.
    pub place: Mutex<Option<Place>>,
    /// How it gets another.
    pub many_instances: bool,
    /// How long it stays loaded without a request.
    pub keep_alive: Option<Duration>,
    pub life: Arc<Life>,
    pub control: Arc<Control>,
    pub session: Arc<SessionCell>,
    /// Stays empty when opening fails.
    pub tokens: Arc<std::sync::OnceLock<Tokens>>,
    /// What was loaded besides the model, and is loaded again with it.
    pub loaded: Arc<Loaded>,
}

/// How the model stands between two requests.
pub(super) struct Stand {
    params: InitParams,
    /// The last run was cut short.
    pub after_cut: bool,
    /// The adapter of the last run.
    adapter: Option<String>,
    /// The last run was fed embeddings.
    embedded: bool,
    /// The conversation that its cache holds.
    conversation: Option<u64>,
}

impl Stand {
    /// The model that it was about is freed.
    fn forget(&mut self) {
        (self.after_cut, self.embedded) = (false, false);
        (self.adapter, self.conversation) = (None, None);
    }

    /// Takes over sampling that the model is to be opened with; gives whether that is another.
    pub fn takes(&mut self, wanted: Option<Sampling>) -> bool {
        let other = wanted.filter(|wanted| *wanted != self.params.sampling);
        if let Some(wanted) = other {
            self.params.sampling = wanted;
        }
        other.is_some()
    }
}

impl Owner {
    /// Starts the thread. `opened` gets the context window, or why there is no model.
    pub fn spawn(
        self,
        params: InitParams,
        context_is_default: bool,
        opened: SyncSender<Result<u32>>,
    ) -> Result<thread::JoinHandle<()>> {
        let thread = thread::Builder::new().name("rkchat-model".into());
        let main = move || {
            let control = self.control.clone();
            control.serve_here();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                self.main(params, context_is_default, &opened)
            }));
            let error = |payload: &Box<dyn Any + Send>| Error::panic(&**payload);
            match &outcome {
                Ok(()) => control.leave(closed),
                Err(payload) => {
                    control.leave(|| error(payload));
                    // Nobody waits any more where the model had been opened.
                    let _ = opened.try_send(Err(error(payload)));
                }
            }
            control.freed();
        };
        thread.spawn(main).map_err(|error| no_thread(&error))
    }

    fn main(&self, params: InitParams, context_is_default: bool, opened: &SyncSender<Result<u32>>) {
        // The receiver waits for exactly one word.
        let (session, params) = match open(&self.library, params, context_is_default) {
            Err(error) => {
                let _ = opened.send(Err(error));
                return;
            }
            Ok(opened) => opened,
        };
        let max_context_len = params.max_context_len;
        *self.cell() = Some(session);
        thread::scope(|scope| {
            // Dropped at the latest when a panic unwinds: the scope waits for the attendant.
            let _dismissed = Dismiss(&self.control);
            let attendant = thread::Builder::new().name("rkchat-attendant".into());
            let attended = attendant.spawn_scoped(scope, || self.control.attend(|| self.abort()));
            if let Err(error) = attended {
                let _ = opened.send(Err(no_thread(&error)));
                return;
            }
            let _ = opened.send(Ok(max_context_len));
            self.serve(params);
        });
        drop(self.cell().take());
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cell(&self) -> RwLockWriteGuard<'_, Option<Box<dyn Session>>> {
        self.session.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Aborts what runs in the model. Without waiting: where the model is being opened again, nothing
    /// runs in it.
    fn abort(&self) {
        if let Some(session) = self
            .session
            .try_read()
            .ok()
            .as_deref()
            .and_then(Option::as_deref)
        {
            // Its status says nothing that the end of the run does not.
            let _ = session.abort();
        }
    }

    /// Runs what comes until nothing more can come.
    fn serve(&self, params: InitParams) {
        // What the whole process prints is only read when the model is opened for the user.
        let mut stand = Stand {
            params: InitParams {
                capture_logs: false,
                ..params
            },
            after_cut: false,
            adapter: None,
            embedded: false,
            conversation: None,
        };
        loop {
            let job = match self.control.next_job(|| self.idle_at()) {
                Next::Job(job) => job,
                Next::Idle => {
                    self.unload(&mut stand);
                    continue;
                }
                Next::Over => return,
            };
            match job.work {
                Work::Answer(mut ask) => self.answer(&job.stream, &mut ask, &mut stand),
                Work::Errand(errand) => self.errand(&job.stream, errand, &mut stand),
                Work::Unload => {
                    self.unload(&mut stand);
                    self.control.run_over();
                    job.stream.end(Ok(FinishReason::Stop));
                }
            }
            self.life.rest();
        }
    }

    /// When the model is unloaded unless a request comes.
    fn idle_at(&self) -> Option<Instant> {
        let moment = self.life.now();
        let loaded = moment.stage == Stage::Loaded && !self.life.is_held();
        let keep_alive = self.keep_alive.filter(|_| loaded)?;
        // What the clock cannot count to never comes.
        moment.rested.checked_add(keep_alive)
    }

    /// Frees the model; all else stays.
    fn unload(&self, stand: &mut Stand) {
        drop(self.cell().take());
        drop(self.place().take());
        stand.forget();
        self.life.reach(Stage::Unloaded);
    }

    /// Sees to it that the model is loaded, with the sampling that is wanted.
    fn load(&self, stand: &mut Stand, sampling: Option<Sampling>) -> Result<()> {
        let changed = stand.takes(sampling);
        if self.life.now().stage == Stage::Loaded {
            return match changed {
                true => self.open_again(stand),
                false => Ok(()),
            };
        }
        let (info, can) = (self.library.info(), self.library.capabilities());
        let place = Place::take(info, can, self.many_instances)?;
        *self.place() = Some(place);
        self.open_again(stand)
    }

    /// Answers a request. Where the model cannot be loaded for it, its stream ends with that, and the next
    /// request tries again.
    fn answer(&self, stream: &Arc<Stream>, ask: &mut Ask, stand: &mut Stand) {
        if let Err(error) = self.try_answer(stream, ask, stand) {
            self.control.run_over();
            stream.end(Err(error));
        }
    }

    fn try_answer(&self, stream: &Arc<Stream>, ask: &mut Ask, stand: &mut Stand) -> Result<()> {
        self.load(stand, ask.init_sampling)?;
        if let Some(before) = ask.before.take() {
            self.before(stream, before, stand);
            self.load(stand, None)?;
        }
        if !self.admits(stream, ask, stand) {
            return Ok(());
        }
        let mut ran = self.run(stream, ask, stand);
        if ran == Ran::Broken {
            self.open_again(stand)?;
            stream.warn(opened_again());
            if !self.admits(stream, ask, stand) {
                return Ok(());
            }
            ran = self.run(stream, ask, stand);
        }
        stand.after_cut = ran == Ran::Done { cut_short: true };
        Ok(())
    }

    /// Does what comes before an answer.
    fn before(&self, stream: &Arc<Stream>, before: Before, stand: &mut Stand) {
        let mut desk = Desk::new(self, stream, stand);
        let done = catch_unwind(AssertUnwindSafe(|| before(&mut desk)));
        let done = done.unwrap_or_else(|payload| Err(Error::panic(&*payload)));
        if let Err(error) = done {
            stream.warn(Warning {
                kind: WarningKind::PromptCache,
                message: format!(
                    "the prompt was computed from its first token: {}",
                    error.message()
                ),
            });
        }
    }

    /// Whether a request may run after what the cache holds; where not, its stream has an end. A
    /// conversation that begins gets an empty cache.
    fn admits(&self, stream: &Arc<Stream>, ask: &Ask, stand: &mut Stand) -> bool {
        let Some(kept) = ask.kept else {
            stand.conversation = None;
            return true;
        };
        if kept.begins {
            let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(session) = session.as_deref() {
                // What fails here fails in the run, and is reported there.
                let _ = session.clear_cache(false, &[]);
            }
        } else if stand.conversation != Some(kept.conversation) {
            self.control.run_over();
            stream.end(Err(chat::lost_from_cache()));
            return false;
        }
        stand.conversation = Some(kept.conversation);
        true
    }

    /// Runs an errand.
    fn errand(&self, stream: &Arc<Stream>, errand: Errand, stand: &mut Stand) {
        let outcome = self.load(stand, None).and_then(|()| {
            stand.conversation = None;
            let mut desk = Desk::new(self, stream, stand);
            let done = catch_unwind(AssertUnwindSafe(|| errand(&mut desk)));
            done.map_err(|payload| Error::panic(&*payload))
        });
        self.control.run_over();
        stream.end(outcome.map(|()| FinishReason::Stop));
    }

    /// Opens the model again. Where that fails it is unloaded.
    pub(super) fn open_again(&self, stand: &mut Stand) -> Result<()> {
        let opened = self.try_open(stand);
        match opened.is_ok() {
            true => stand.forget(),
            false => self.unload(stand),
        }
        opened
    }

    fn try_open(&self, stand: &Stand) -> Result<()> {
        // Held until the model is open again, so that calls that need it wait.
        let mut cell = self.cell();
        drop(cell.take());
        self.life.reach(Stage::Loading);
        let params = &stand.params;
        let opened = self.library.driver().init(params);
        let opened = opened.map_err(|failure| explain(&self.library, params, &failure, None))?;
        self.loaded.restore(&*opened.session)?;
        *cell = Some(opened.session);
        self.life.reach(Stage::Loaded);
        Ok(())
    }

    /// Empties the cache where what it holds must not be gone on with. What fails here fails in the run,
    /// and is reported there.
    pub(super) fn freshen(
        &self,
        session: &dyn Session,
        request: &RunRequest,
        anew: bool,
        stand: &mut Stand,
    ) {
        let capabilities = self.library.capabilities();
        let adapter = &request.adapter;
        let embedded = request.inputs.iter().any(Input::is_embedded);
        // Releases that were not made to compare embeddings take one prompt for another (`QUIRKS.md`,
        // "History / cache").
        let unlike = (embedded || stand.embedded)
            && stand.conversation.is_none()
            && !capabilities.has(capabilities::EMBEDDING_REUSE);
        let anew = anew || unlike;
        stand.embedded = embedded;
        // rkchat's own runtime sees to both by itself.
        let other = !capabilities.own && (anew || stand.adapter != *adapter);
        let clears = capabilities.has(capabilities::CLEAR_CACHE);
        let asked =
            self.tokens.get().is_some_and(Tokens::fresh_runs) && stand.conversation.is_none();
        if asked || other && clears {
            let _ = session.clear_cache(false, &[]);
        }
        stand.adapter.clone_from(adapter);
    }

    /// One run for an answer. A panic is the end of its stream, and of nothing else.
    fn run(&self, stream: &Arc<Stream>, ask: &Ask, stand: &mut Stand) -> Ran {
        let run = AssertUnwindSafe(|| {
            let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
            let (Some(session), Some(tokens)) = (session.as_deref(), self.tokens.get()) else {
                return Ran::Done { cut_short: false };
            };
            self.freshen(session, &ask.request, false, stand);
            run::run(stream, ask, session, tokens, &self.control, stand.after_cut)
        });
        catch_unwind(run).unwrap_or_else(|payload| {
            self.control.run_over();
            stream.end(Err(Error::panic(&*payload)));
            Ran::Done { cut_short: false }
        })
    }
}

fn opened_again() -> Warning {
    Warning {
        kind: WarningKind::Reopened,
        message: "the runtime refused the request, as some releases do after a run that was cut short; the model was \
                  opened again for it, which took as long as opening it"
            .to_owned(),
    }
}

/// Sends the attendant home when it is dropped.
struct Dismiss<'a>(&'a Control);

impl Drop for Dismiss<'_> {
    fn drop(&mut self) {
        self.0.dismiss();
    }
}

fn no_thread(error: &std::io::Error) -> Error {
    let message = format!("a thread of the model could not be started: {error}");
    Error::new(ErrorKind::Io, message)
}

/// Opens the model. Where the default context window is more than the model allows and the runtime says
/// how much that is, opens it once more with that.
fn open(
    library: &Library,
    params: InitParams,
    context_is_default: bool,
) -> Result<(Box<dyn Session>, InitParams)> {
    let asked = params.max_context_len;
    let first = library.driver().init(&params);
    let failure = match first {
        Ok(opened) => return Ok(accept(opened, params)),
        Err(failure) => failure,
    };
    let limit = log::max_context_limit(&failure.log);
    if let Some(limit) = limit.filter(|limit| context_is_default && *limit < asked) {
        let smaller = InitParams {
            max_context_len: limit,
            ..params.clone()
        };
        let second = library.driver().init(&smaller);
        return match second {
            Ok(opened) => Ok(accept(opened, smaller)),
            Err(failure) => Err(explain(library, &params, &failure, None)),
        };
    }
    Err(explain(library, &params, &failure, limit))
}

/// With the window that counts: older releases take a smaller one than they were asked for, and log it.
fn accept(opened: Opened, mut params: InitParams) -> (Box<dyn Session>, InitParams) {
    if let Some(limit) = log::max_context_limit(&opened.log) {
        params.max_context_len = params.max_context_len.min(limit);
    }
    (opened.session, params)
}

fn explain(
    library: &Library,
    params: &InitParams,
    failure: &InitFailure,
    limit: Option<u32>,
) -> Error {
    let path = params.model_path.display();
    if let Some(limit) = limit.filter(|limit| *limit < params.max_context_len) {
        return Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "max_context_len: {} is more than the {limit} tokens that {path} allows; ask for {limit} or less",
                params.max_context_len
            ),
        )
        .with("max_context_limit", limit);
    }
    let info = library.info();
    let errors: Vec<&str> = log::errors(&failure.log).collect();
    let said = if !errors.is_empty() {
        errors.join("; ")
    } else if failure.status == 0 {
        "it claimed success and gave no model, as it does when memory runs out".to_owned()
    } else {
        "it gave no reason here; its log on stderr may have one (option capture_logs puts it into this error)".to_owned()
    };
    let mut message = format!(
        "the runtime {} (group {}) could not open {path} (rkllm_init returned {}): {said}",
        info.path.display(),
        info.abi_group,
        failure.status
    );
    let own = std::process::id();
    let mut others = npu_lock::holders();
    others.retain(|holder| holder.pid != own);
    let on_npu = !library.capabilities().own;
    let memory = on_npu && npu_memory::is_cause(failure);
    if memory {
        let available = memory::available();
        let causes = npu_memory::causes(failure, &params.model_path, available, &others);
        message = format!("{message}. {causes}");
    } else if on_npu && !others.is_empty() {
        let others = npu_memory::list(&others);
        message = format!("{message}. Other processes use the NPU: {others}, which may be why");
    }
    let error = Error::new(ErrorKind::RuntimeFailed, message)
        .with("vendor_status", failure.status)
        .with("log", failure.log.clone());
    match memory {
        true => error.with("cause", "npu_memory"),
        false => error,
    }
}

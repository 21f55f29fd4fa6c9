//! The owner thread: it opens the model, runs one request after the other, and frees the model.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::SyncSender;
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use std::thread;

use super::control::{Control, Job, closed};
use super::prompt::Tokens;
use super::run::{self, Ran};
use crate::surface::{Error, ErrorKind, Result};
use crate::vendor::instances::Place;
use crate::vendor::{InitFailure, InitParams, Library, Opened, Session, log};

/// Where the opened model lives; empty before and after.
pub(super) type SessionCell = RwLock<Option<Box<dyn Session>>>;

/// What the owner thread is given.
pub(super) struct Owner {
    pub library: Arc<Library>,
    /// Given back after the model was freed.
    pub _place: Place,
    pub control: Arc<Control>,
    pub session: Arc<SessionCell>,
    /// Stays empty when opening fails.
    pub tokens: Arc<std::sync::OnceLock<Tokens>>,
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
        let mut begun = Some(|attended: Result<()>| {
            let _ = opened.send(attended.map(|()| max_context_len));
        });
        *self.cell() = Some(session);
        // What the whole process prints is only read when the model is opened for the user.
        let params = InitParams {
            capture_logs: false,
            ..params
        };
        loop {
            let again = self.serve(begun.take());
            // No run is in progress, and the attendant has gone home. Held until the model is open again,
            // so that calls that need it wait.
            let mut cell = self.cell();
            drop(cell.take());
            if !again {
                return;
            }
            match self.library.driver().init(&params) {
                Ok(opened) => *cell = Some(opened.session),
                Err(failure) => {
                    let error = explain(&self.library, &params, &failure, None);
                    return self.control.leave(|| error.clone());
                }
            }
        }
    }

    fn cell(&self) -> RwLockWriteGuard<'_, Option<Box<dyn Session>>> {
        self.session.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs what comes until nothing more can come, or until the runtime is broken and has to be opened
    /// again. `begun` hears whether it can begin.
    fn serve(&self, begun: Option<impl FnOnce(Result<()>)>) -> bool {
        let session = self.session.read().unwrap_or_else(PoisonError::into_inner);
        let Some(session) = session.as_deref() else {
            return false;
        };
        self.control.pause(false);
        thread::scope(|scope| {
            let attendant = thread::Builder::new().name("rkchat-attendant".into());
            let attended = attendant.spawn_scoped(scope, || self.control.attend(session));
            let again = match attended.map_err(|error| no_thread(&error)) {
                Ok(_) => {
                    if let Some(begun) = begun {
                        begun(Ok(()));
                    }
                    self.run_all(session)
                }
                Err(error) => {
                    match begun {
                        Some(begun) => begun(Err(error)),
                        None => self.control.leave(|| error.clone()),
                    }
                    false
                }
            };
            // The attendant leaves before the scope waits for it.
            match again {
                true => self.control.pause(true),
                false => self.control.leave(closed),
            }
            again
        })
    }

    /// Runs what comes. True where the runtime has to be opened again.
    fn run_all(&self, session: &dyn Session) -> bool {
        let mut after_cut = false;
        while let Some(job) = self.control.next_job() {
            let ran = catch_unwind(AssertUnwindSafe(|| self.run(&job, session, after_cut)));
            match ran {
                Ok(Ran::Done { cut_short }) => after_cut = cut_short,
                Ok(Ran::Broken) => {
                    self.control.put_back(job);
                    return true;
                }
                Err(payload) => {
                    self.control.run_over();
                    job.stream.end(Err(Error::panic(&*payload)));
                }
            }
        }
        false
    }

    fn run(&self, job: &Job, session: &dyn Session, after_cut: bool) -> Ran {
        let Some(tokens) = self.tokens.get() else {
            return Ran::Done { cut_short: false };
        };
        if tokens.fresh_runs() {
            // What fails here fails in the run, and is reported there.
            let _ = session.clear_cache();
        }
        run::run(job, session, tokens, &self.control, after_cut)
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
    let message = format!(
        "the runtime {} (group {}) could not open {path} (rkllm_init returned {}): {said}",
        info.path.display(),
        info.abi_group,
        failure.status
    );
    Error::new(ErrorKind::RuntimeFailed, message)
        .with("vendor_status", failure.status)
        .with("log", failure.log.clone())
}

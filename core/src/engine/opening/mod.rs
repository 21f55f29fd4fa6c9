//! A model on its way: opened on a thread of its own, watched and waited for through a handle.

mod course;
mod guard;
pub(super) mod memory;
mod open;
mod reading;
mod warm_up;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::fork::Home;
use super::model::Model;
use crate::surface::{Error, ErrorKind, ModelOptions, OpeningProgress, Result};
use course::{Course, given_up};

/// What comes of it; none while it is on its way.
type Outcome = Option<Result<Arc<Model>>>;

/// The handle's side of an opening.
#[derive(Debug)]
pub(crate) struct Opening {
    home: Home,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug, Default)]
struct Shared {
    course: Course,
    outcome: Mutex<Outcome>,
    done: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Outcome> {
        self.outcome.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole opening, on the calling thread.
    fn open(&self, path: &Path, options: &ModelOptions) {
        let opened = catch_unwind(AssertUnwindSafe(|| open::open(path, options, &self.course)));
        let opened = opened.unwrap_or_else(|payload| Err(Error::panic(&*payload)));
        let mut outcome = self.lock();
        let opened = match self.course.ended(opened.is_ok()) {
            Ok(()) => opened,
            Err(error) => {
                drop(outcome);
                // Nobody is told before the model is freed.
                drop(opened);
                outcome = self.lock();
                Err(error)
            }
        };
        *outcome = Some(opened);
        drop(outcome);
        self.done.notify_all();
    }
}

impl Opening {
    pub fn start(path: &Path, options: &ModelOptions) -> Result<Self> {
        options.check()?;
        let home = Home::here();
        let shared: Arc<Shared> = Arc::default();
        let (path, options) = (path.to_owned(), options.clone());
        let opener = shared.clone();
        let thread = thread::Builder::new().name("rkchat-opening".into());
        let thread = thread.spawn(move || opener.open(&path, &options));
        let thread = thread.map_err(|error| {
            let message = format!("a thread to open the model could not be started: {error}");
            Error::new(ErrorKind::Io, message)
        })?;
        Ok(Self {
            home,
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    pub fn progress(&self) -> Result<OpeningProgress> {
        self.home.check()?;
        Ok(self.shared.course.progress())
    }

    pub fn wait(&self, timeout: Option<Duration>) -> Result<bool> {
        self.home.check()?;
        // What the clock cannot count to is none.
        let until = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let mut outcome = self.shared.lock();
        while outcome.is_none() {
            let done = &self.shared.done;
            outcome = match until.map(|until| until.saturating_duration_since(Instant::now())) {
                None => done.wait(outcome).unwrap_or_else(PoisonError::into_inner),
                Some(Duration::ZERO) => return Ok(false),
                Some(left) => {
                    let waited = done.wait_timeout(outcome, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        drop(outcome);
        self.join();
        Ok(true)
    }

    pub fn model(&self) -> Result<Arc<Model>> {
        self.wait(None)?;
        match &*self.shared.lock() {
            Some(outcome) => outcome.clone(),
            None => Err(given_up()),
        }
    }

    pub fn cancel(&self) {
        if !self.home.is_here() {
            return;
        }
        self.shared.course.give_up();
        let mut outcome = self.shared.lock();
        // One that was taken has other handles.
        let gone = match &*outcome {
            Some(Ok(_)) => outcome.replace(Err(given_up())),
            _ => None,
        };
        drop(outcome);
        drop(gone);
    }

    /// The thread has told all, and is as good as gone.
    fn join(&self) {
        let mut thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(thread) = thread.take() {
            // Its panic is the outcome.
            let _ = thread.join();
        }
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        if self.home.is_here() {
            // The thread goes on alone until the runtime lets go.
            self.cancel();
        } else {
            // Letting go of the handle would detach whichever of the child's threads has its number now.
            std::mem::forget(self.thread.get_mut().map(Option::take));
        }
    }
}

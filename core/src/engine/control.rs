//! The queue of one model, and the attendant that keeps its deadlines and its aborts.
//!
//! Requests run in the order they came, one at a time, on the owner thread. The attendant is a second
//! thread, because `rkllm_abort` may be slow and must neither hold up the caller who cancels nor be
//! called from inside a result callback, and because requests that wait have deadlines while the owner
//! is busy.

use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::desk::{Desk, Errand};
use super::reading::Reading;
use super::stop_text::Stops;
use super::stream::Stream;
use crate::surface::{Error, ErrorKind, FinishReason, Result};
use crate::vendor::{RunRequest, Sampling};

/// How long the attendant waits before it aborts again: an abort that comes before the runtime has begun
/// is lost.
const ABORT_AGAIN: Duration = Duration::from_millis(100);

thread_local! {
    /// The control that this thread serves as owner or attendant.
    static SERVED: Cell<*const Control> = const { Cell::new(std::ptr::null()) };
}

/// A request in the queue.
pub(crate) struct Job {
    /// Tells of its end, also where nothing is streamed.
    pub stream: Arc<Stream>,
    pub work: Work,
    pub deadlines: Deadlines,
}

/// What a request wants done.
pub(crate) enum Work {
    /// An answer, streamed.
    Answer(Box<Ask>),
    /// Anything else that needs the model to itself.
    Errand(Errand),
    /// The runtime is to free the model until the next request.
    Unload,
}

/// What is asked for.
pub(crate) struct Ask {
    pub request: RunRequest,
    /// The sampling that the model has to be opened with, where that counts.
    pub init_sampling: Option<Sampling>,
    /// Why it ends when `max_new_tokens` have come.
    pub limit_reason: FinishReason,
    /// How its answer is read.
    pub reading: Reading,
    /// Its own ends, besides those of the model.
    pub stops: Stops,
    /// The conversation that it adds to, where the runtime keeps that in its cache.
    pub kept: Option<Kept>,
    /// What is done before it runs, while the model is its own.
    pub before: Option<Before>,
}

/// Something done before an answer. What goes wrong there costs time, and not the answer.
pub(crate) type Before = Box<dyn FnOnce(&mut Desk<'_>) -> Result<()> + Send>;

/// A conversation in a runtime's cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kept {
    /// Which one; never the same twice.
    pub conversation: u64,
    /// This request is its first.
    pub begins: bool,
}

/// What the owner thread does next.
pub(crate) enum Next {
    Job(Job),
    /// Nothing came for as long as it waits.
    Idle,
    /// Nothing more will come.
    Over,
}

/// How the queue stands.
pub(crate) struct Queue {
    /// Nothing more is accepted.
    pub over: bool,
    pub waiting: usize,
    /// Since when a request runs.
    pub running: Option<Instant>,
}

/// When a request has taken long enough.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Deadlines {
    /// For its wait in the queue.
    pub queue: Option<Instant>,
    /// For all of it.
    pub end: Option<Instant>,
}

impl Deadlines {
    /// From now on.
    pub fn of(queue: Option<Duration>, end: Option<Duration>) -> Self {
        // What the clock cannot count to is none.
        let at =
            |timeout: Option<Duration>| timeout.and_then(|time| Instant::now().checked_add(time));
        Self {
            queue: at(queue),
            end: at(end),
        }
    }

    /// The first that counts for a request in the queue.
    fn waiting(self) -> Option<Instant> {
        self.queue.into_iter().chain(self.end).min()
    }
}

/// What runs.
struct Running {
    stream: Arc<Stream>,
    since: Instant,
    deadline: Option<Instant>,
    /// The run in progress has given all that is wanted of it, though its request may not be over.
    enough: bool,
    /// How many runs of it are over.
    steps: u32,
}

impl Running {
    /// Whether nothing more is wanted of the run.
    fn is_over(&self) -> bool {
        self.enough || self.stream.is_over()
    }
}

pub(crate) struct Control {
    max_queue: usize,
    state: Mutex<State>,
    /// Tells the owner thread of work.
    owner: Condvar,
    /// Tells the attendant of ends and deadlines.
    attendant: Condvar,
    /// Held while `rkllm_abort` is called, so that the owner begins nothing new meanwhile.
    aborting: Mutex<()>,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Job>,
    running: Option<Running>,
    /// Nothing more is accepted, and what is there ends.
    closed: bool,
    /// No model handle is left: nothing more can come, what is there runs to its end.
    retired: bool,
    /// The owner has left its loop.
    done: bool,
    /// The runtime has let go of the model.
    freed: bool,
}

impl Control {
    pub fn new(max_queue: usize) -> Arc<Self> {
        Arc::new(Self {
            max_queue,
            state: Mutex::default(),
            owner: Condvar::new(),
            attendant: Condvar::new(),
            aborting: Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// This thread is the owner or the attendant from now on.
    pub fn serve_here(&self) {
        SERVED.set(self);
    }

    /// Whether this thread is the owner or the attendant.
    pub fn is_served_here(&self) -> bool {
        std::ptr::eq(SERVED.get(), self)
    }

    /// Puts a request at the end of the queue.
    pub fn enqueue(&self, job: Job) -> Result<()> {
        let mut state = self.lock();
        if state.closed || state.done {
            return Err(closed());
        }
        // Where nothing runs, the first of the queue is as good as running.
        let room = self.max_queue + usize::from(state.running.is_none());
        if state.waiting.len() >= room {
            return Err(Error::new(
                ErrorKind::Busy,
                format!(
                    "{} requests are waiting already, as many as max_queue allows; try again later, or open the \
                     model with a larger max_queue",
                    state.waiting.len()
                ),
            ));
        }
        state.waiting.push_back(job);
        drop(state);
        self.owner.notify_all();
        self.attendant.notify_all();
        Ok(())
    }

    pub fn queue(&self) -> Queue {
        let state = self.lock();
        Queue {
            over: state.closed || state.done,
            waiting: state.waiting.len(),
            running: state.running.as_ref().map(|running| running.since),
        }
    }

    /// A stream was ended by its reader.
    pub fn ended(&self, stream: &Arc<Stream>) {
        let mut state = self.lock();
        let place = state
            .waiting
            .iter()
            .position(|job| Arc::ptr_eq(&job.stream, stream));
        let gone = place.and_then(|place| state.waiting.remove(place));
        drop(state);
        drop(gone);
        self.attendant.notify_all();
    }

    /// Ends everything as cancelled and sends the owner home.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        let running = state.running_stream();
        drop(state);
        let streams = waiting.iter().map(|job| &job.stream).chain(&running);
        for stream in streams {
            stream.end(Ok(FinishReason::Cancelled));
        }
        self.owner.notify_all();
        self.nudge();
    }

    /// Nobody is woken any more: the process ends, and what a wake-up would touch may be gone.
    pub fn silence(&self) {
        let state = self.lock();
        for stream in state.streams() {
            stream.silence();
        }
    }

    /// The last model handle is gone. Gives whether a request that somebody may still read is left.
    pub fn retire(&self) -> bool {
        let mut state = self.lock();
        state.retired = true;
        let wanted = state.streams().any(|stream| !stream.is_over());
        drop(state);
        self.owner.notify_all();
        wanted
    }

    /// Waits until the model is freed, at the longest until `deadline`.
    pub fn wait_freed(&self, deadline: Instant) {
        let mut state = self.lock();
        while !state.freed && Instant::now() < deadline {
            state = rest(&self.attendant, state, Some(deadline));
        }
    }

    /// The model is ready for requests: the owner may count from now on how long none comes.
    pub fn ready(&self) {
        // Taking the lock makes sure that the owner is not between looking and waiting.
        drop(self.lock());
        self.owner.notify_all();
    }

    // The owner thread's side.

    /// The next request, when it comes; `idle_at` tells when there is no waiting for one any more.
    pub fn next_job(&self, idle_at: impl Fn() -> Option<Instant>) -> Next {
        let mut state = self.lock();
        loop {
            if state.closed {
                return Next::Over;
            }
            if let Some(job) = state.waiting.pop_front() {
                if job.stream.is_over() {
                    continue;
                }
                state.running = Some(Running {
                    stream: job.stream.clone(),
                    since: Instant::now(),
                    deadline: job.deadlines.end,
                    enough: false,
                    steps: 0,
                });
                drop(state);
                // The attendant keeps another deadline now.
                self.attendant.notify_all();
                return Next::Job(job);
            }
            if state.retired {
                return Next::Over;
            }
            let idle_at = idle_at();
            if idle_at.is_some_and(|idle_at| idle_at <= Instant::now()) {
                return Next::Idle;
            }
            state = rest(&self.owner, state, idle_at);
        }
    }

    /// The run in progress has given all that is wanted of it.
    pub fn enough(&self) {
        if let Some(running) = &mut self.lock().running {
            running.enough = true;
        }
        self.attendant.notify_all();
    }

    /// A run is over, and its request may go on with another; returns when no abort of it is on its way any
    /// more. Gives whether it was cut short.
    pub fn step_over(&self) -> bool {
        let mut state = self.lock();
        let cut = state.running.as_mut().is_some_and(|running| {
            let cut = running.is_over();
            running.enough = false;
            running.steps += 1;
            cut
        });
        drop(state);
        drop(self.aborting.lock().unwrap_or_else(PoisonError::into_inner));
        cut
    }

    /// The run is over; returns when no abort of it is on its way any more.
    pub fn run_over(&self) {
        let running = self.lock().running.take();
        drop(self.aborting.lock().unwrap_or_else(PoisonError::into_inner));
        drop(running);
    }

    /// Nothing more is run, and the attendant goes home.
    pub fn dismiss(&self) {
        self.lock().done = true;
        self.attendant.notify_all();
    }

    /// The owner leaves: whatever is left ends with `error`.
    pub fn leave(&self, error: impl Fn() -> Error) {
        self.dismiss();
        let mut state = self.lock();
        let waiting = std::mem::take(&mut state.waiting);
        let running = state.running.take().map(|running| running.stream);
        drop(state);
        for stream in waiting.iter().map(|job| &job.stream).chain(&running) {
            stream.end(Err(error()));
        }
    }

    /// The owner has freed the model.
    pub fn freed(&self) {
        self.lock().freed = true;
        self.attendant.notify_all();
    }

    // The attendant's side.

    /// Keeps deadlines and aborts until the owner has left; `abort` aborts what runs.
    pub fn attend(&self, abort: impl Fn()) {
        self.serve_here();
        // The run, as its stream and its number there.
        let mut aborted: Option<(Arc<Stream>, u32, Instant)> = None;
        let mut state = self.lock();
        while !state.done {
            let now = Instant::now();
            let late = state.take_late(now);
            let out_of_time = state.out_of_time(now);
            let running = state.running.as_ref().filter(|running| running.is_over());
            let over = running.map(|running| (running.stream.clone(), running.steps));
            let again = |(stream, step): &(Arc<Stream>, u32)| {
                let last = aborted
                    .as_ref()
                    .filter(|(last, at, _)| Arc::ptr_eq(last, stream) && at == step);
                last.map(|(_, _, when)| *when + ABORT_AGAIN)
            };
            let abort_at = over.as_ref().map(|run| again(run).unwrap_or(now));
            let due = over.filter(|_| abort_at.is_some_and(|when| when <= now));
            if late.is_empty() && due.is_none() && out_of_time.is_none() {
                let until = state.first_deadline().into_iter().chain(abort_at).min();
                state = rest(&self.attendant, state, until);
                continue;
            }
            drop(state);
            for (job, error) in late {
                job.stream.end(Err(error));
            }
            if let Some(stream) = out_of_time {
                stream.end(Err(took_too_long()));
            }
            if let Some(run) = due {
                let is_again = again(&run).is_some();
                let (stream, step) = run;
                if is_again {
                    // The runtime takes its time; the reader need not.
                    stream.end_concluded();
                }
                self.abort(&abort, &stream);
                aborted = Some((stream, step, Instant::now()));
            }
            state = self.lock();
        }
    }

    /// Wakes the attendant: a stream has said that it wants no more.
    pub fn nudge(&self) {
        // Taking the lock makes sure that the attendant is not between looking and waiting.
        drop(self.lock());
        self.attendant.notify_all();
    }

    /// Aborts the run of `stream`, if it is still on.
    fn abort(&self, abort: impl Fn(), stream: &Arc<Stream>) {
        let _alone = self.aborting.lock().unwrap_or_else(PoisonError::into_inner);
        let state = self.lock();
        let still_on = state
            .running
            .as_ref()
            .is_some_and(|running| Arc::ptr_eq(&running.stream, stream) && running.is_over());
        drop(state);
        if still_on {
            abort();
        }
    }
}

/// Waits until something happens or `until` comes.
fn rest<'a>(
    told: &Condvar,
    state: MutexGuard<'a, State>,
    until: Option<Instant>,
) -> MutexGuard<'a, State> {
    let Some(until) = until else {
        return told.wait(state).unwrap_or_else(PoisonError::into_inner);
    };
    let left = until.saturating_duration_since(Instant::now());
    let (state, _) = told
        .wait_timeout(state, left)
        .unwrap_or_else(PoisonError::into_inner);
    state
}

impl State {
    fn running_stream(&self) -> Option<Arc<Stream>> {
        self.running.as_ref().map(|running| running.stream.clone())
    }

    /// All that is waiting and running.
    fn streams(&self) -> impl Iterator<Item = &Arc<Stream>> {
        let running = self.running.iter().map(|running| &running.stream);
        self.waiting.iter().map(|job| &job.stream).chain(running)
    }

    /// Takes the requests that have waited too long.
    fn take_late(&mut self, now: Instant) -> Vec<(Job, Error)> {
        let passed = |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= now);
        let (late, waiting) = std::mem::take(&mut self.waiting)
            .into_iter()
            .partition::<VecDeque<_>, _>(|job| passed(job.deadlines.waiting()));
        self.waiting = waiting;
        let told = late.into_iter().map(|job| {
            let error = match passed(job.deadlines.end) {
                true => took_too_long(),
                false => waited_too_long(),
            };
            (job, error)
        });
        told.collect()
    }

    /// What runs for longer than it may.
    fn out_of_time(&self, now: Instant) -> Option<Arc<Stream>> {
        let late = self.running.as_ref().filter(|running| {
            running.deadline.is_some_and(|deadline| deadline <= now) && !running.stream.is_over()
        });
        late.map(|running| running.stream.clone())
    }

    fn first_deadline(&self) -> Option<Instant> {
        let running = self
            .running
            .iter()
            .filter(|running| !running.stream.is_over());
        let waiting = self
            .waiting
            .iter()
            .filter_map(|job| job.deadlines.waiting());
        waiting
            .chain(running.filter_map(|running| running.deadline))
            .min()
    }
}

pub(super) fn closed() -> Error {
    Error::new(
        ErrorKind::Closed,
        "the model was closed; open it again to go on",
    )
}

fn waited_too_long() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "the request waited in the queue for longer than queue_timeout allows",
    )
}

fn took_too_long() -> Error {
    Error::new(
        ErrorKind::Timeout,
        "the request took longer than its timeout allows; what it had produced until then was streamed",
    )
}

//! One run: from the caller's input to the last callback.

mod report;

use crate::activity::Release;
use crate::engine::{
    Cache, Drawn, Ending, Engine, Event, Flow, Later, Mode, Prompt, RawCall, Request, Sampling,
    Sink, State,
};
use crate::joiner::{Joiner, unjoined};
use crate::session::{Answer, Delivery, Opening, Perf, Session};
use crate::template::{self, Place, Turn};
use crate::{guard, log, memory};
use std::ffi::{CStr, CString, c_int, c_void};
use std::path::PathBuf;
use std::sync::Arc;

/// Where a prompt cache is written if the caller names no file, as the vendor's manual says.
const PROMPT_CACHE: &str = "./prompt_cache.bin";

/// What the groups read out of their run parameters.
pub struct Run {
    /// The prompts, as many as `n_batch`.
    pub turns: Vec<Turn>,
    /// What the run is for.
    pub mode: Mode,
    /// Name of the adapter to use.
    pub lora: Option<String>,
    /// Where to write the cache after the run; an empty path is the manual's file.
    pub prompt_cache: Option<PathBuf>,
    /// Replaces the settings of `rkllm_init`.
    pub sampling: Option<Sampling>,
    /// Replaces the value of `rkllm_init` if greater than 0.
    pub max_new_tokens: i32,
    /// What happens with the cache: not [`Cache::Resume`], which follows from a paused run.
    pub cache: Cache,
    /// Given to the callback.
    pub userdata: Userdata,
}

/// A caller's userdata.
#[derive(Clone, Copy)]
pub struct Userdata(pub *mut c_void);

// SAFETY: it is passed on and never dereferenced; the vendor does not promise on which thread the
// callback comes, so the caller has to be prepared for any.
unsafe impl Send for Userdata {}
// SAFETY: as above.
unsafe impl Sync for Userdata {}

/// Starts a run, here or on a thread of its own.
pub fn start<E: Engine>(
    session: Arc<Session<E>>,
    run: Run,
    detached: bool,
) -> Result<c_int, String> {
    run.check(&session)?;
    session.activity.claim()?;
    if !detached {
        return Ok(perform(&session, run));
    }
    let owner = session.clone();
    let thread = std::thread::Builder::new().name("rkllm_run".into());
    match thread.spawn(move || perform(&owner, run)) {
        Ok(_) => Ok(0),
        Err(error) => {
            session.activity.release();
            Err(format!("no thread for an asynchronous run: {error}"))
        }
    }
}

impl Run {
    fn check<E: Engine>(&self, session: &Session<E>) -> Result<(), String> {
        self.sampling.as_ref().map_or(Ok(()), Sampling::check)?;
        let n_batch = usize::from(session.params.n_batch);
        if self.turns.len() != n_batch {
            let n = self.turns.len();
            return Err(format!("{n} inputs for a model with n_batch {n_batch}"));
        }
        if n_batch == 1 {
            return Ok(());
        }
        match (self.mode, &self.prompt_cache) {
            (Mode::Generate, None) => Ok(()),
            (Mode::Generate, Some(_)) => {
                Err("a prompt cache cannot be saved with n_batch above 1".into())
            }
            _ => Err("hidden states and logits are not there with n_batch above 1".into()),
        }
    }
}

/// Runs in this thread and returns the status. The model is claimed.
fn perform<E: Engine>(session: &Arc<Session<E>>, run: Run) -> c_int {
    session.activity.enter();
    let _release = Release(&session.activity);
    let prompts = run.turns.len();
    let mut runner = Runner {
        session,
        userdata: run.userdata,
        joiners: (0..prompts).map(|_| Joiner::default()).collect(),
        may_pause: run.cache != Cache::Append,
        paused: false,
    };
    let ended = guard::catch(|| runner.run(run));
    session.set_paused(runner.paused && ended.is_ok());
    match ended {
        Ok(Ending::Silent(status)) => status,
        // Paused: the caller changes the input and runs again, so this is not the end.
        Ok(Ending::Finish(counts)) if runner.paused => {
            session.set_counts(counts);
            0
        }
        Ok(Ending::Finish(counts)) => {
            session.set_counts(counts);
            let perf = Perf {
                counts,
                memory_mb: memory::peak_megabytes(),
            };
            report::perf(&perf);
            runner.end(State::Finish, Some(perf));
            0
        }
        Err(message) => {
            log::error(&message);
            runner.end(State::Error, None);
            -1
        }
    }
}

struct Runner<'a, E: Engine> {
    session: &'a Arc<Session<E>>,
    userdata: Userdata,
    /// One for each prompt.
    joiners: Vec<Joiner>,
    /// Pausing is for runs without history.
    may_pause: bool,
    paused: bool,
}

impl<E: Engine> Runner<'_, E> {
    fn run(&mut self, run: Run) -> Result<Ending, String> {
        let session = self.session;
        let cache = match run.cache {
            Cache::Append => Cache::Append,
            _ if session.take_paused() => Cache::Resume,
            other => other,
        };
        let style = session.style();
        let mut prompts = Vec::new();
        for (lane, turn) in run.turns.into_iter().enumerate() {
            let empty = session.engine.cached(lane) == 0;
            let place = match cache {
                Cache::Resume if !empty => Place::Inside,
                Cache::Append if !empty => Place::Later,
                _ => Place::First,
            };
            let (text, parts) = template::prompt(&session.engine, &style, &turn, place)?;
            if log::level() >= 2 {
                report::prompt(text.as_deref(), &parts);
            }
            prompts.push(Prompt {
                input: turn.input,
                text,
                parts,
                role: turn.role,
                enable_thinking: turn.enable_thinking,
            });
        }
        let max_new_tokens = match run.max_new_tokens {
            ..=0 => session.params.max_new_tokens,
            tokens => tokens,
        };
        let request = Request {
            prompts,
            mode: run.mode,
            // Callers without an adapter may pass an empty name.
            lora: run.lora.filter(|name| !name.is_empty()),
            sampling: run.sampling.unwrap_or(session.params.sampling),
            max_new_tokens,
            ignore_eos_token: session.params.ignore_eos_token,
            skip_special_token: session.params.skip_special_token,
            top_logprobs: session.params.top_logprobs,
            n_keep: session.params.n_keep,
            cache,
        };
        let ending = session.engine.run(&request, self)?;
        if log::level() >= 2 {
            log::info(&format!("tokens in the cache: {:?}", session.cache_sizes()));
        }
        if let (Some(mut path), Ending::Finish(_)) = (run.prompt_cache, &ending) {
            if path.as_os_str().is_empty() {
                path = PROMPT_CACHE.into();
            }
            session.engine.save_prompt_cache(&path)?;
        }
        Ok(ending)
    }

    /// The last callback.
    fn end(&mut self, state: State, perf: Option<Perf>) {
        self.session.activity.ending();
        let answer = Answer {
            id: -1,
            perf,
            ..Answer::default()
        };
        let answers = vec![answer; self.joiners.len()];
        self.deliver(state, &answers);
    }

    fn deliver(&mut self, state: State, answers: &[Answer<'_>]) -> Flow {
        let answer = (self.session.deliver)(Delivery {
            state,
            answers,
            userdata: self.userdata.0,
        });
        if answer == 1 && !self.may_pause {
            log::warning("the callback returned 1, but a run with keep_history cannot be paused");
        } else {
            self.paused |= answer == 1;
        }
        if self.paused || self.session.activity.aborted() {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }

    fn tokens(&mut self, tokens: &[Drawn<'_>]) -> Flow {
        let texts: Vec<_> = tokens
            .iter()
            .zip(&mut self.joiners)
            .map(|(token, joiner)| self.session.opening.text(joiner, token))
            .collect();
        // No bytes in this state: the next NORMAL brings the whole character, and callers that
        // join the text of every state must not get its beginning twice.
        let waiting = texts.iter().all(Text::is_waiting);
        let answers: Vec<_> = tokens
            .iter()
            .zip(&texts)
            .map(|(token, text)| Answer {
                id: token.id,
                text: text.as_c_str(),
                logits: token.logits,
                logprobs: token.logprobs,
                ..Answer::default()
            })
            .collect();
        let state = if waiting {
            State::Waiting
        } else {
            State::Normal
        };
        self.deliver(state, &answers)
    }
}

impl<E: Engine> Sink for Runner<'_, E> {
    fn event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::Tokens(tokens) => self.tokens(tokens),
            // Callers print the text of this state, so it is not NULL.
            Event::HiddenStates(states) => self.deliver(
                State::Normal,
                &[Answer {
                    id: -1,
                    text: Some(c""),
                    hidden_states: Some(states),
                    ..Answer::default()
                }],
            ),
            Event::Raw(call) => self.deliver(call.state, &[answer(&call)]),
        }
    }

    fn aborted(&self) -> bool {
        self.session.activity.aborted()
    }

    fn later(&self) -> Option<Later> {
        let (session, userdata) = (self.session.clone(), self.userdata);
        Some(Box::new(move |call| {
            // The whole struct is captured, not its raw pointer, which may not cross threads.
            let userdata = &userdata;
            (session.deliver)(Delivery {
                state: call.state,
                answers: &[answer(&call)],
                userdata: userdata.0,
            });
        }))
    }
}

fn answer<'a>(call: &RawCall<'a>) -> Answer<'a> {
    Answer {
        id: call.id,
        text: call.text,
        ..Answer::default()
    }
}

/// The text of a token.
enum Text {
    /// The prompt's answer has ended.
    None,
    /// It ends inside a character.
    Waiting,
    Whole(CString),
}

impl Text {
    fn is_waiting(&self) -> bool {
        !matches!(self, Text::Whole(_))
    }

    fn as_c_str(&self) -> Option<&CStr> {
        match self {
            Text::None => None,
            Text::Waiting => Some(c""),
            Text::Whole(text) => Some(text),
        }
    }
}

impl Opening {
    fn text(&self, joiner: &mut Joiner, token: &Drawn<'_>) -> Text {
        if token.id < 0 {
            return Text::None;
        }
        if !self.whole_characters {
            return Text::Whole(unjoined(token.bytes));
        }
        joiner.push(token.bytes).map_or(Text::Waiting, Text::Whole)
    }
}

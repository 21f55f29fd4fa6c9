//! One run: from the caller's input to the last callback.

use crate::abi::v1_1_0::{RKLLM_RUN_ERROR, RKLLM_RUN_FINISH, RKLLM_RUN_NORMAL, RKLLM_RUN_WAITING};
use crate::engine::{Cache, Counts, Ending, Engine, Event, Flow, Input, Request, Sampling, Sink};
use crate::joiner::Joiner;
use crate::session::{Delivery, Perf, Release, Session};
use crate::{guard, log, memory, template};
use std::ffi::{CStr, c_int, c_void};
use std::sync::Arc;

/// What the groups read out of their run parameters.
pub struct Run {
    /// The input.
    pub input: Input,
    /// Who speaks.
    pub role: Option<String>,
    /// Thinking mode.
    pub enable_thinking: bool,
    /// Replaces the settings of `rkllm_init`.
    pub sampling: Option<Sampling>,
    /// Replaces the value of `rkllm_init` if greater than 0.
    pub max_new_tokens: i32,
    /// What happens with the cache.
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
    run.sampling.as_ref().map_or(Ok(()), Sampling::check)?;
    session.claim()?;
    if !detached {
        return Ok(perform(&session, run));
    }
    let owner = session.clone();
    let thread = std::thread::Builder::new().name("rkllm_run".into());
    match thread.spawn(move || perform(&owner, run)) {
        Ok(_) => Ok(0),
        Err(error) => {
            session.release();
            Err(format!("no thread for an asynchronous run: {error}"))
        }
    }
}

/// Runs in this thread and returns the status. The model is claimed.
fn perform<E: Engine>(session: &Session<E>, run: Run) -> c_int {
    session.enter();
    let _release = Release(session);
    let userdata = run.userdata;
    let mut runner = Runner {
        session,
        userdata,
        joiner: Joiner::default(),
        paused: false,
    };
    match guard::catch(|| runner.run(run)) {
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
            log_perf(&perf);
            session.ending();
            runner.deliver(RKLLM_RUN_FINISH, -1, None, Some(perf));
            0
        }
        Err(message) => {
            log::error(&message);
            session.ending();
            runner.deliver(RKLLM_RUN_ERROR, -1, None, None);
            -1
        }
    }
}

struct Runner<'a, E: Engine> {
    session: &'a Session<E>,
    userdata: Userdata,
    joiner: Joiner,
    paused: bool,
}

impl<E: Engine> Runner<'_, E> {
    fn run(&mut self, run: Run) -> Result<Ending, String> {
        let session = self.session;
        let (prompt, tokens) = template::prompt(
            &session.engine,
            &session.template(),
            &run.input,
            run.role.as_deref(),
            run.cache,
        )?;
        if tokens.is_empty() {
            return Err("the prompt is empty: it has no token".into());
        }
        if log::level() >= 2 {
            log::info(&format!(
                "prompt: {:?}, tokens: {tokens:?}",
                prompt.as_deref().unwrap_or("")
            ));
        }
        let max_new_tokens = match run.max_new_tokens {
            ..=0 => session.params.max_new_tokens,
            tokens => tokens,
        };
        let request = Request {
            input: run.input,
            prompt,
            tokens,
            role: run.role,
            enable_thinking: run.enable_thinking,
            sampling: run.sampling.unwrap_or(session.params.sampling),
            max_new_tokens,
            ignore_eos_token: session.params.ignore_eos_token,
            skip_special_token: session.params.skip_special_token,
            cache: run.cache,
        };
        let ending = session.engine.run(&request, self);
        if log::level() >= 2 {
            log::info(&format!("tokens in the cache: {}", session.engine.cached()));
        }
        ending
    }

    fn deliver(&mut self, state: u32, id: i32, text: Option<&CStr>, perf: Option<Perf>) -> Flow {
        let userdata = self.userdata.0;
        let answer = (self.session.deliver)(Delivery {
            state,
            id,
            text,
            perf,
            userdata,
        });
        // 0 goes on, 2 frees an output buffer that this runtime does not have, 1 pauses.
        self.paused |= answer == 1;
        if self.paused || self.session.aborted() {
            Flow::Stop
        } else {
            Flow::Continue
        }
    }
}

impl<E: Engine> Sink for Runner<'_, E> {
    fn event(&mut self, event: Event<'_>) -> Flow {
        match event {
            Event::Raw { state, id, text } => self.deliver(state, id, text, None),
            Event::Token { id, bytes } => match self.joiner.push(bytes) {
                Some(text) => self.deliver(RKLLM_RUN_NORMAL, id, Some(&text), None),
                // No bytes yet: the next NORMAL brings the whole character, and callers that
                // join the text of every state must not get its beginning twice.
                None => self.deliver(RKLLM_RUN_WAITING, id, Some(c""), None),
            },
        }
    }

    fn aborted(&self) -> bool {
        self.session.aborted()
    }
}

fn log_perf(perf: &Perf) {
    if log::level() < 1 {
        return;
    }
    let Counts {
        prompt_tokens,
        reused_tokens,
        new_tokens,
        prefill_us,
        decode_us,
    } = perf.counts;
    log::info("stage     time (ms)  tokens  ms/token  tokens/s");
    for (stage, us, tokens) in [
        ("prefill", prefill_us, prompt_tokens - reused_tokens),
        ("generate", decode_us, new_tokens),
    ] {
        let ms = us as f64 / 1000.0;
        let each = ms / tokens.max(1) as f64;
        let speed = if ms > 0.0 {
            tokens as f64 * 1000.0 / ms
        } else {
            0.0
        };
        log::info(&format!(
            "{stage:<8} {ms:>10.2} {tokens:>7} {each:>9.2} {speed:>9.2}"
        ));
    }
    log::info(&format!("peak memory (MB): {:.2}", perf.memory_mb));
}

//! The engine's side of a run.

use super::serve::{done, engine, utf8};
use super::table::{self, Array, Out, Rows, RunParams, RunSink};
use crate::engine::{
    Cache, Counts, Ending, Engine, Event, Flow, Input, Mode, Part, Prompt, Request, Sink,
};
use std::ffi::c_void;

/// The table's `run`.
pub unsafe extern "C" fn run<E: Engine>(
    model: *mut c_void,
    params: *const RunParams,
    sink: *const RunSink,
    counts: *mut Counts,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            let request = request(&*params)?;
            match engine::<E>(model).run(&request, &mut ClientSink(&*sink))? {
                Ending::Finish(measured) => counts.write(measured),
                Ending::Silent(status) => return Err(format!("the engine returned {status}")),
            }
            Ok(())
        })
    }
}

/// # Safety
/// The arrays are valid during the call.
unsafe fn request(params: &RunParams) -> Result<Request, String> {
    // SAFETY: the caller vouches for the arrays.
    let (prompts, lora) = unsafe {
        let prompts = params.prompts.get().iter().map(|parts| Prompt {
            input: Input::Tokens(Vec::new()),
            text: None,
            parts: parts.get().iter().map(|part| copy(part)).collect(),
            role: None,
            enable_thinking: false,
        });
        (prompts.collect(), utf8(params.lora)?)
    };
    Ok(Request {
        prompts,
        mode: match params.mode {
            0 => Mode::Generate,
            1 => Mode::HiddenStates,
            _ => Mode::Logits,
        },
        lora: (!lora.is_empty()).then(|| lora.to_owned()),
        sampling: params.sampling,
        max_new_tokens: params.max_new_tokens,
        ignore_eos_token: params.ignore_eos_token != 0,
        skip_special_token: params.skip_special_token != 0,
        top_logprobs: u32::try_from(params.top_logprobs).ok(),
        n_keep: params.n_keep,
        cache: match params.cache {
            0 => Cache::Fresh,
            1 => Cache::Prefix,
            2 => Cache::Append,
            _ => Cache::Resume,
        },
    })
}

/// # Safety
/// The arrays are valid during the call.
unsafe fn copy(part: &table::Part) -> Part {
    // SAFETY: the caller vouches for the arrays.
    unsafe {
        match part.embeddings.len {
            0 => Part::Tokens(part.tokens.get().to_vec()),
            _ => Part::Embeddings(part.embeddings.get().into()),
        }
    }
}

/// The client's sink.
struct ClientSink<'a>(&'a RunSink);

// SAFETY: the client made the context from a `&mut dyn Sink`, which is Send and Sync.
unsafe impl Send for ClientSink<'_> {}
// SAFETY: as above.
unsafe impl Sync for ClientSink<'_> {}

impl Sink for ClientSink<'_> {
    fn event(&mut self, event: Event<'_>) -> Flow {
        let context = self.0.context;
        let stop = match event {
            Event::Tokens(tokens) => {
                let tokens: Vec<_> = tokens
                    .iter()
                    .map(|token| table::Token {
                        id: token.id,
                        bytes: Array::of(token.bytes),
                        logits: Rows::of(token.logits),
                        logprobs: Array::of(token.logprobs),
                    })
                    .collect();
                // SAFETY: the client's function and context are valid during the run.
                unsafe { (self.0.tokens)(context, Array::of(&tokens)) }
            }
            Event::HiddenStates(states) => {
                // SAFETY: the client's function and context are valid during the run.
                unsafe { (self.0.hidden_states)(context, Rows::of(Some(states))) }
            }
            // For imitations, which are not behind a table.
            Event::Raw(_) => 0,
        };
        match stop {
            0 => Flow::Continue,
            _ => Flow::Stop,
        }
    }

    fn aborted(&self) -> bool {
        // SAFETY: the client's function and context are valid during the run.
        unsafe { (self.0.aborted)(self.0.context) != 0 }
    }
}

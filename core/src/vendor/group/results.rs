//! From the results that a callback hands over to events, for the groups since 1.1.0.

use std::ffi::{c_char, c_int, c_void};

use crate::vendor::abi::v1_1_0::{self as states, RKLLMResultLastHiddenLayer};
use crate::vendor::abi::v1_2_0::RKLLMResultLogits;
use crate::vendor::callback::{self, About};
use crate::vendor::{Flow, Mode, Perf, Rows, RunEvent, Token};

/// More numbers than a token of any model has, as a state or as logits.
const WIDEST: usize = 1 << 22;

/// A group's `RKLLMResult`.
pub(super) trait RawResult: Copy {
    /// The state in which hidden states come.
    const HIDDEN: u32 = states::RKLLM_RUN_NORMAL;

    fn text(&self) -> *const c_char;
    fn id(&self) -> i32;
    fn hidden(&self) -> RKLLMResultLastHiddenLayer;
    fn logits(&self) -> Option<RKLLMResultLogits> {
        None
    }
    fn perf(&self) -> Option<Perf> {
        None
    }
}

/// What a callback is answered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Answer {
    pub flow: Flow,
    /// Hidden states or logits were copied, and are not needed any more.
    pub copied: bool,
}

/// Tells the run that `userdata` numbers what a callback brings.
///
/// # Safety
/// `results` is NULL or has as many results as the run has inputs, of which each text is NULL or
/// NUL-terminated, and each table of numbers NULL or as large as it says; all live during the call.
pub(super) unsafe fn deliver<R: RawResult>(
    results: *const R,
    userdata: *mut c_void,
    state: u32,
) -> Answer {
    let mut copied = false;
    let flow = callback::deliver(userdata, |about, tell| match state {
        states::RKLLM_RUN_FINISH => {
            // SAFETY: NULL or at least one result, by contract.
            let result = unsafe { results.as_ref() };
            tell(RunEvent::Finish {
                perf: result.and_then(R::perf),
            });
        }
        states::RKLLM_RUN_ERROR => tell(RunEvent::Error { message: None }),
        _ if results.is_null() => {}
        _ => {
            for batch in 0..about.batches {
                // SAFETY: there is one for each input, by contract.
                let result = unsafe { results.add(batch).read() };
                // SAFETY: handed on from the caller.
                copied |= unsafe { tell_result(&result, batch, state, about, tell) };
            }
        }
    });
    Answer { flow, copied }
}

/// Gives whether numbers were copied.
///
/// # Safety
/// As for [`deliver`].
unsafe fn tell_result<R: RawResult>(
    result: &R,
    batch: usize,
    state: u32,
    about: &About,
    tell: &mut dyn FnMut(RunEvent),
) -> bool {
    let failed = |message| RunEvent::Error {
        message: Some(message),
    };
    if about.mode == Mode::HiddenStates && state == R::HIDDEN {
        let hidden = result.hidden();
        let (values, width, tokens) = (hidden.hidden_states, hidden.embd_size, hidden.num_tokens);
        // SAFETY: handed on from the caller.
        match unsafe { rows("hidden states", values, width, tokens, about.window) } {
            Ok(None) => {}
            Ok(Some(states)) => {
                tell(RunEvent::Hidden { batch, states });
                return true;
            }
            Err(message) => {
                tell(failed(message));
                return false;
            }
        }
    }
    if !matches!(state, states::RKLLM_RUN_NORMAL | states::RKLLM_RUN_WAITING) {
        // A state that no header has.
        return false;
    }
    let mut copied = false;
    if let Some(logits) = result.logits().filter(|_| about.mode == Mode::Logits) {
        let (values, width, tokens) = (logits.logits, logits.vocab_size, logits.num_tokens);
        // SAFETY: handed on from the caller.
        match unsafe { rows("logits", values, width, tokens, about.window) } {
            Ok(None) => {}
            Ok(Some(logits)) => {
                tell(RunEvent::Logits { batch, logits });
                copied = true;
            }
            Err(message) => tell(failed(message)),
        }
    }
    tell(RunEvent::Token(Token {
        batch,
        id: u32::try_from(result.id()).ok(),
        // SAFETY: handed on from the caller.
        text: unsafe { callback::bytes(result.text()) },
        waiting: state == states::RKLLM_RUN_WAITING,
        logprobs: Vec::new(),
    }));
    copied
}

/// Copies a table of numbers; none where the runtime says that there is none, as the vendor's demos test
/// for. What cannot be true is not read.
///
/// # Safety
/// `values` is NULL or has `width` times `tokens` numbers, which live during the call.
unsafe fn rows(
    what: &str,
    values: *const f32,
    width: c_int,
    tokens: c_int,
    window: usize,
) -> Result<Option<Rows>, String> {
    if width == 0 || tokens == 0 {
        return Ok(None);
    }
    let said = || format!("the runtime gave {what} of {tokens} tokens with {width} numbers each");
    let sizes = (usize::try_from(width), usize::try_from(tokens));
    let (Ok(width), Ok(tokens)) = sizes else {
        return Err(said());
    };
    if values.is_null() || width > WIDEST || tokens > window {
        let at = if values.is_null() { ", at NULL" } else { "" };
        return Err(format!("{}{at}; the window has {window} tokens", said()));
    }
    let count = width.checked_mul(tokens).ok_or_else(said)?;
    let mut copy: Vec<f32> = Vec::new();
    copy.try_reserve_exact(count)
        .map_err(|_| format!("{}, for which there is no memory", said()))?;
    // SAFETY: that many numbers are there to be read, by contract, and room for them was just made; as
    // bytes they need no alignment.
    unsafe {
        let bytes = count * size_of::<f32>();
        std::ptr::copy_nonoverlapping(values.cast::<u8>(), copy.as_mut_ptr().cast(), bytes);
        copy.set_len(count);
    }
    Ok(Some(Rows {
        values: copy,
        tokens,
        width,
    }))
}

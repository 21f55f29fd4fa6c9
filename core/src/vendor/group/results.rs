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
        match unsafe { rows("hidden states", values, width, tokens, about) } {
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
        match unsafe { rows("logits", values, width, tokens, about) } {
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
    about: &About,
) -> Result<Option<Rows>, String> {
    if width == 0 || tokens == 0 {
        return Ok(None);
    }
    let said = || format!("the runtime gave {what} of {tokens} tokens with {width} numbers each");
    let sizes = (usize::try_from(width), usize::try_from(tokens));
    let (Ok(width), Ok(tokens)) = sizes else {
        return Err(said());
    };
    if values.is_null() || width > WIDEST || tokens > about.window {
        let at = if values.is_null() { ", at NULL" } else { "" };
        let window = about.window;
        return Err(format!("{}{at}; the window has {window} tokens", said()));
    }
    let total = width.checked_mul(tokens).ok_or_else(said)?;
    let (count, tokens) = match about.last_row {
        true => (width, 1),
        false => (total, tokens),
    };
    let mut copy: Vec<f32> = Vec::new();
    copy.try_reserve_exact(count)
        .map_err(|_| format!("{}, for which there is no memory", said()))?;
    // SAFETY: the total of numbers is there to be read, by contract, and room for the last `count` of them
    // was just made; as bytes they need no alignment.
    unsafe {
        let (skipped, bytes) = ((total - count) * size_of::<f32>(), count * size_of::<f32>());
        let from = values.cast::<u8>().add(skipped);
        std::ptr::copy_nonoverlapping(from, copy.as_mut_ptr().cast(), bytes);
        copy.set_len(count);
    }
    Ok(Some(Rows {
        values: copy,
        tokens,
        width,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::abi::v1_1_0;
    use crate::vendor::abi::v1_2_1::{RKLLM_RUN_NORMAL, RKLLMResult};

    const ABOUT: About = About {
        batches: 1,
        mode: Mode::Generate,
        last_row: false,
        may_pause: true,
        window: 8,
        logprobs: 0,
    };

    /// What comes of a callback with these results.
    fn events<R: RawResult>(results: &[R], state: u32, about: About) -> (Vec<RunEvent>, Answer) {
        let mut events = Vec::new();
        let mut sink = |event| {
            events.push(event);
            Flow::Go
        };
        let answer = callback::with_sink(&mut sink, about, |userdata| {
            // SAFETY: the results live, there are enough of them, and their pointers are NULL or valid.
            unsafe { deliver(results.as_ptr(), userdata, state) }
        });
        (events, answer)
    }

    fn in_mode(mode: Mode) -> About {
        About { mode, ..ABOUT }
    }

    fn token(id: i32) -> RKLLMResult {
        let mut result = RKLLMResult::zeroed();
        result.token_id = id;
        result
    }

    #[test]
    fn numbers_are_copied_in_the_mode_that_asked_for_them() {
        let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut result = token(7);
        result.logits.logits = numbers.as_ptr();
        (result.logits.num_tokens, result.logits.vocab_size) = (2, 3);
        result.last_hidden_layer.hidden_states = numbers.as_ptr();
        (
            result.last_hidden_layer.num_tokens,
            result.last_hidden_layer.embd_size,
        ) = (3, 2);
        let rows = |tokens, width| Rows {
            values: numbers.into(),
            tokens,
            width,
        };
        let (seen, answer) = events(&[result], RKLLM_RUN_NORMAL, in_mode(Mode::Logits));
        let logits = rows(2, 3);
        assert_eq!(seen[0], RunEvent::Logits { batch: 0, logits });
        assert!(matches!(&seen[1], RunEvent::Token(token) if token.id == Some(7)));
        assert!(answer.copied && seen.len() == 2);
        let (seen, answer) = events(&[result], RKLLM_RUN_NORMAL, in_mode(Mode::HiddenStates));
        let states = rows(3, 2);
        assert_eq!(seen, [RunEvent::Hidden { batch: 0, states }]);
        assert!(answer.copied);
        // What stands there in another mode is not even looked at.
        result.logits.logits = std::ptr::dangling();
        result.last_hidden_layer.num_tokens = -1;
        let (seen, answer) = events(&[result], RKLLM_RUN_NORMAL, ABOUT);
        assert!(matches!(&seen[..], [RunEvent::Token(_)]) && !answer.copied);
    }

    #[test]
    fn where_only_the_last_row_is_wanted_no_other_is_copied() {
        let numbers = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let mut result = token(7);
        result.logits.logits = numbers.as_ptr();
        (result.logits.num_tokens, result.logits.vocab_size) = (3, 2);
        let last = About {
            last_row: true,
            ..in_mode(Mode::Logits)
        };
        let (seen, _) = events(&[result], RKLLM_RUN_NORMAL, last);
        let logits = Rows {
            values: vec![5.0, 6.0],
            tokens: 1,
            width: 2,
        };
        assert_eq!(seen[0], RunEvent::Logits { batch: 0, logits });
    }

    #[test]
    fn numbers_that_cannot_be_are_an_error_and_not_read() {
        let one = [1.0f32];
        let (there, null) = (one.as_ptr(), std::ptr::null());
        for (values, tokens, width) in [
            (there, -1, 4),
            (there, 4, -1),
            (there, i32::MIN, i32::MIN),
            (there, 9, 1),
            (there, 1, i32::MAX),
            (there, i32::MAX, i32::MAX),
            (null, 1, 1),
        ] {
            let mut result = token(-1);
            result.logits.logits = values;
            (result.logits.num_tokens, result.logits.vocab_size) = (tokens, width);
            let hidden = &mut result.last_hidden_layer;
            hidden.hidden_states = values;
            (hidden.num_tokens, hidden.embd_size) = (tokens, width);
            for mode in [Mode::HiddenStates, Mode::Logits] {
                let (seen, answer) = events(&[result], RKLLM_RUN_NORMAL, in_mode(mode));
                assert!(!answer.copied);
                let RunEvent::Error { message } = &seen[0] else {
                    panic!("{tokens} times {width}: {seen:?}");
                };
                assert!(message.as_deref().unwrap().contains("the runtime gave"));
            }
        }
        // None at all is no error.
        for (tokens, width) in [(0, 0), (0, 5), (5, 0)] {
            let mut result = token(3);
            (result.logits.num_tokens, result.logits.vocab_size) = (tokens, width);
            let (seen, _) = events(&[result], RKLLM_RUN_NORMAL, in_mode(Mode::Logits));
            assert!(matches!(&seen[..], [RunEvent::Token(_)]), "{seen:?}");
        }
    }

    #[test]
    fn each_input_of_a_run_has_its_result() {
        let batch = About {
            batches: 3,
            ..ABOUT
        };
        let results = [token(5), token(-1), token(6)];
        let (seen, _) = events(&results, RKLLM_RUN_NORMAL, batch);
        let ids: Vec<_> = seen
            .iter()
            .map(|event| match event {
                RunEvent::Token(token) => (token.batch, token.id),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(ids, [(0, Some(5)), (1, None), (2, Some(6))]);
        // The end comes once, and neither it nor an error reads more than one result.
        for state in [states::RKLLM_RUN_FINISH, states::RKLLM_RUN_ERROR] {
            assert_eq!(events(&results[..1], state, batch).0.len(), 1);
        }
        // SAFETY: NULL is allowed.
        let nothing = unsafe { deliver::<RKLLMResult>(std::ptr::null(), std::ptr::null_mut(), 0) };
        assert!(!nothing.copied);
    }

    #[test]
    fn the_oldest_hidden_states_have_a_state_of_their_own() {
        let numbers = [1.0, 2.0];
        let mut result = v1_1_0::RKLLMResult::zeroed();
        result.last_hidden_layer.hidden_states = numbers.as_ptr();
        result.last_hidden_layer.num_tokens = 1;
        result.last_hidden_layer.embd_size = 2;
        let state = v1_1_0::RKLLM_RUN_GET_LAST_HIDDEN_LAYER;
        let (seen, _) = events(&[result], state, in_mode(Mode::HiddenStates));
        assert!(matches!(&seen[..], [RunEvent::Hidden { states, .. }] if states.width == 2));
        assert!(events(&[result], state, ABOUT).0.is_empty());
        // Later groups have no such state.
        let mut later = token(1);
        later.last_hidden_layer = result.last_hidden_layer;
        assert!(
            events(&[later], state, in_mode(Mode::HiddenStates))
                .0
                .is_empty()
        );
    }
}

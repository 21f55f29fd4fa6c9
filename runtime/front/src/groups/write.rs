//! What several groups' callbacks get.

use crate::abi::v1_1_0::RKLLMResultLastHiddenLayer;
use crate::abi::v1_2_0::{
    LLMCallState, RKLLM_RUN_ERROR, RKLLM_RUN_FINISH, RKLLM_RUN_NORMAL, RKLLM_RUN_WAITING,
    RKLLMResultLogits,
};
use crate::engine::State;
use crate::session::Answer;
use std::ffi::{c_char, c_int};

/// A size as the vendor's structs hold it.
pub fn size(n: usize) -> c_int {
    c_int::try_from(n).unwrap_or(c_int::MAX)
}

/// The call state in the numbers of the groups since 1.1.0.
pub fn call_state(state: State) -> LLMCallState {
    match state {
        State::Normal => RKLLM_RUN_NORMAL,
        State::Waiting => RKLLM_RUN_WAITING,
        State::Finish => RKLLM_RUN_FINISH,
        State::Error => RKLLM_RUN_ERROR,
    }
}

/// The text, or NULL.
pub fn text(answer: &Answer<'_>) -> *const c_char {
    answer.text.map_or(std::ptr::null(), |text| text.as_ptr())
}

/// The last layer's output, or zeros.
pub fn hidden_states(answer: &Answer<'_>) -> RKLLMResultLastHiddenLayer {
    answer
        .hidden_states
        .map_or(RKLLMResultLastHiddenLayer::zeroed(), |states| {
            RKLLMResultLastHiddenLayer {
                hidden_states: states.values.as_ptr(),
                embd_size: size(states.columns),
                num_tokens: size(states.rows()),
            }
        })
}

/// The logits, or zeros.
pub fn logits(answer: &Answer<'_>) -> RKLLMResultLogits {
    answer
        .logits
        .map_or(RKLLMResultLogits::zeroed(), |logits| RKLLMResultLogits {
            logits: logits.values.as_ptr(),
            vocab_size: size(logits.columns),
            num_tokens: size(logits.rows()),
        })
}

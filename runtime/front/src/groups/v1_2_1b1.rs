//! Group 1.2.1b1: as 1.2.0, with several images in an input.

use super::{Group, Structured, read, v1_2_0};
use crate::abi::v1_2_1b1::*;
use crate::engine::{Engine, InitParams, Input};
use crate::run::Run;
use crate::session::{Deliver, Opening, Session};
use crate::template::Turn;
use std::ffi::CStr;

impl Group for Functions {
    const NAME: &'static CStr = c"1.2.1b1";
    const OPENING: &'static Opening = &v1_2_0::opening("1.2.1b1");
    type Param = RKLLMParam;
    type Callback = LLMResultCallback;

    fn default_param() -> RKLLMParam {
        v1_2_0::default_param()
    }

    unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
        // SAFETY: handed on from the caller.
        unsafe { v1_2_0::params(param) }
    }

    unsafe fn deliver(callback: LLMResultCallback) -> Result<Deliver, String> {
        v1_2_0::deliver(callback)
    }
}

impl Structured for Functions {
    type Input = RKLLMInput;
    type Infer = RKLLMInferParam;
    const NO_INFER: RKLLMInferParam = RKLLMInferParam::zeroed();

    unsafe fn turn<E: Engine>(session: &Session<E>, input: &RKLLMInput) -> Result<Turn, String> {
        // SAFETY: any member of the union may be read as all are plain data; the rest is handed on
        // from the caller.
        let input = unsafe { input!(session, input, images)? };
        Ok(read::plain_turn(input))
    }

    unsafe fn set(infer: &RKLLMInferParam, run: &mut Run) -> Result<(), String> {
        // SAFETY: handed on from the caller.
        unsafe { v1_2_0::set(infer, run) }
    }
}

/// # Safety
/// As for [`read::images`].
unsafe fn images<E: Engine>(
    session: &Session<E>,
    input: &RKLLMMultiModelInput,
) -> Result<Input, String> {
    // SAFETY: handed on from the caller.
    unsafe { read::images_marked_at_init(session, &pictures!(input)) }
}

/// Exports the functions of group 1.2.1b1 over an engine type.
#[macro_export]
macro_rules! export_v1_2_1b1 {
    ($engine:ty) => {
        $crate::export_group! { $engine, v1_2_1b1 {
            rkllm_createDefaultParam,
            rkllm_init: by_pointer,
            rkllm_load_lora,
            rkllm_load_prompt_cache,
            rkllm_release_prompt_cache,
            rkllm_destroy,
            rkllm_run: input,
            rkllm_run_async,
            rkllm_abort,
            rkllm_is_running,
            rkllm_clear_kv_cache: whole,
            rkllm_set_chat_template,
        } }
    };
}

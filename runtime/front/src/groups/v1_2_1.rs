//! Group 1.2.1: roles and thinking modes, batches, pauses, measurements, function tools.

use super::{Group, Structured, read, v1_2_0, write};
use crate::abi::v1_2_1::*;
use crate::engine::{Engine, InitParams, Input, Sampling};
use crate::guard;
use crate::run::Run;
use crate::session::{Answer, Deliver, Delivery, Opening, Perf, Session};
use crate::template::Turn;
use std::ffi::{CStr, c_int, c_void};

impl Group for Functions {
    const NAME: &'static CStr = c"1.2.1";
    const OPENING: &'static Opening = &v1_2_0::opening("1.2.3");
    type Param = RKLLMParam;
    type Callback = LLMResultCallback;

    fn default_param() -> RKLLMParam {
        default_param! {
            max_context_len: 4096,
            max_new_tokens: -1,
            n_keep: -1,
            img_start: c"".as_ptr(),
            img_end: c"".as_ptr(),
            img_content: c"".as_ptr(),
            extend_param: default_extend_param(),
        }
    }

    unsafe fn params(param: &RKLLMParam) -> Result<InitParams, String> {
        // SAFETY: handed on from the caller.
        unsafe {
            let mut params = params!(param, model_path)?;
            copy!(params, param, n_keep);
            copy!(params, param, flags skip_special_token is_async);
            set_extended(&mut params, &param.extend_param);
            params.image_markers =
                read::markers([param.img_start, param.img_end, param.img_content])?;
            Ok(params)
        }
    }

    unsafe fn deliver(callback: LLMResultCallback) -> Result<Deliver, String> {
        let callback = callback.ok_or("the result callback is NULL")?;
        Ok(Box::new(move |delivery| {
            // SAFETY: the caller of rkllm_init gave the function for such calls.
            unsafe { call(callback, &delivery, delivery.userdata) }
        }))
    }
}

impl Structured for Functions {
    type Input = RKLLMInput;
    type Infer = RKLLMInferParam;
    const NO_INFER: RKLLMInferParam = RKLLMInferParam::zeroed();

    unsafe fn turn<E: Engine>(session: &Session<E>, input: &RKLLMInput) -> Result<Turn, String> {
        // SAFETY: any member of the union may be read as all are plain data; the rest is handed on
        // from the caller.
        unsafe { Ok(turn!(input, input!(session, input, images)?)) }
    }

    unsafe fn set(infer: &RKLLMInferParam, run: &mut Run) -> Result<(), String> {
        // SAFETY: handed on from the caller.
        unsafe { v1_2_0::set(infer, run) }
    }
}

/// The defaults of the groups since 1.2.1.
pub(super) fn default_extend_param() -> RKLLMExtendParam {
    RKLLMExtendParam {
        embed_flash: 1,
        enabled_cpus_num: 4,
        n_batch: 1,
        ..RKLLMExtendParam::zeroed()
    }
}

/// The further settings of the groups since 1.2.1.
pub(super) fn set_extended(params: &mut InitParams, extend: &RKLLMExtendParam) {
    copy!(params, extend, base_domain_id embed_flash enabled_cpus_num enabled_cpus_mask);
    copy!(params, extend, n_batch use_cross_attn);
}

/// # Safety
/// As for [`read::images`].
unsafe fn images<E: Engine>(
    session: &Session<E>,
    input: &RKLLMMultiModalInput,
) -> Result<Input, String> {
    // SAFETY: handed on from the caller.
    unsafe { read::images_marked_at_init(session, &pictures!(input)) }
}

/// A callback as the groups since 1.2.1 have it.
pub(super) type Callback =
    unsafe extern "C" fn(*mut RKLLMResult, *mut c_void, LLMCallState) -> c_int;

/// Makes a call of the callback, with a result for each prompt.
///
/// # Safety
/// The function may be called so.
pub(super) unsafe fn call(
    callback: Callback,
    delivery: &Delivery<'_>,
    userdata: *mut c_void,
) -> c_int {
    let mut results: Vec<_> = delivery.answers.iter().map(result).collect();
    // SAFETY: the caller vouches for the function; the results and what they point to live until
    // it returns.
    unsafe {
        callback(
            results.as_mut_ptr(),
            userdata,
            write::call_state(delivery.state),
        )
    }
}

fn result(answer: &Answer<'_>) -> RKLLMResult {
    RKLLMResult {
        text: write::text(answer),
        token_id: answer.id,
        last_hidden_layer: write::hidden_states(answer),
        logits: write::logits(answer),
        perf: answer.perf.map_or(RKLLMPerfStat::zeroed(), perf),
    }
}

fn perf(perf: Perf) -> RKLLMPerfStat {
    let counts = &perf.counts;
    let tokens = |n: u64| c_int::try_from(n).unwrap_or(c_int::MAX);
    RKLLMPerfStat {
        prefill_time_ms: counts.prefill_us as f32 / 1000.0,
        prefill_tokens: tokens(counts.prompt_tokens - counts.reused_tokens),
        generate_time_ms: counts.decode_us as f32 / 1000.0,
        generate_tokens: tokens(counts.new_tokens),
        memory_usage_mb: perf.memory_mb,
    }
}

/// Exports the functions of group 1.2.1 over an engine type.
#[macro_export]
macro_rules! export_v1_2_1 {
    ($engine:ty) => {
        $crate::export_group! { $engine, v1_2_1 {
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
            rkllm_clear_kv_cache: ranges,
            rkllm_get_kv_cache_size,
            rkllm_set_chat_template,
            rkllm_set_function_tools,
            rkllm_set_cross_attn_params,
        } }
    };
}

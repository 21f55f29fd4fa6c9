//! What the export macros of the groups share.

use crate::abi::v1_1_0::{RKLLM_INPUT_EMBED, RKLLM_INPUT_MULTIMODAL};
use crate::engine::{Engine, Input};
use crate::{Registry, guard, log};
use std::ffi::{c_int, c_void};

/// Says that a part of the vendor's API is not there yet.
pub fn missing<E: Engine>(what: &str) -> String {
    format!("{} does not have {what} yet", E::NAME)
}

/// Says why an input type is refused.
pub fn unknown_input<E: Engine>(input_type: u32) -> String {
    match input_type {
        RKLLM_INPUT_EMBED => missing::<E>("embedding input"),
        RKLLM_INPUT_MULTIMODAL => missing::<E>("multimodal input"),
        other => format!("input_type must be 0 to 3, but got {other}"),
    }
}

/// Copies a caller's token ids.
///
/// # Safety
/// `ids` is NULL or points to `n` readable numbers.
pub unsafe fn tokens(ids: *const i32, n: usize) -> Result<Input, String> {
    if n == 0 {
        return Ok(Input::Tokens(Vec::new()));
    }
    if ids.is_null() {
        return Err(format!("input_ids is NULL, but n_tokens is {n}"));
    }
    if n > i32::MAX as usize {
        return Err(format!("n_tokens is {n}, more than any context holds"));
    }
    // SAFETY: the caller vouches for the array; reading element by element needs no alignment.
    let ids = (0..n)
        .map(|i| unsafe { ids.add(i).read_unaligned() })
        .collect();
    Ok(Input::Tokens(ids))
}

/// `rkllm_destroy`.
pub fn destroy<E: Engine>(registry: &Registry<E>, handle: *mut c_void) -> c_int {
    guard::status(|| registry.destroy(handle).map(|()| 0))
}

/// `rkllm_abort`. Whether aborting nothing is a failure is not documented for these groups; the
/// vendor's 1.0.x header says it is.
pub fn abort<E: Engine>(registry: &Registry<E>, handle: *mut c_void) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_abort", handle)?;
        if !session.is_running() {
            // Usual where the end of a run and its abort cross.
            if log::level() >= 2 {
                log::info("rkllm_abort: no run is in progress");
            }
            return Ok(-1);
        }
        session.abort();
        Ok(0)
    })
}

/// `rkllm_is_running`: 1 while a run is in progress, else 0; also 0 for what is not a handle.
pub fn is_running<E: Engine>(registry: &Registry<E>, handle: *mut c_void) -> c_int {
    guard::value(0, || {
        Ok(registry
            .get("rkllm_is_running", handle)?
            .is_running()
            .into())
    })
}

/// A function that needs a handle and is not there yet.
pub fn refuse<E: Engine>(
    registry: &Registry<E>,
    function: &str,
    handle: *mut c_void,
    what: &str,
) -> c_int {
    guard::status(|| {
        registry.get(function, handle)?;
        Err(missing::<E>(what))
    })
}

/// Exports the functions that all groups since 1.1.0 have; `group` is the group's `abi` module.
#[doc(hidden)]
#[macro_export]
macro_rules! export_common {
    ($engine:ty, $front:ident) => {
        use core::ffi::{c_char, c_int, c_void};
        use group::{LLMHandle, RKLLMInferParam, RKLLMInput, RKLLMLoraAdapter, RKLLMParam};

        static REGISTRY: $crate::Registry<$engine> = $crate::Registry::new();

        /// Parameters with the defaults filled in.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)]
        pub unsafe extern "C" fn rkllm_createDefaultParam() -> RKLLMParam {
            $crate::$front::default_param()
        }

        /// Frees a model.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_destroy(handle: LLMHandle) -> c_int {
            $crate::export::destroy(&REGISTRY, handle)
        }

        /// Runs and returns when the run is over.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_run(
            handle: LLMHandle,
            input: *mut RKLLMInput,
            infer: *mut RKLLMInferParam,
            userdata: *mut c_void,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::$front::run(&REGISTRY, false, handle, input, infer, userdata) }
        }

        /// Runs on a thread of its own.
        ///
        /// # Safety
        /// As the vendor's header says. What `input` points to is copied before this returns.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_run_async(
            handle: LLMHandle,
            input: *mut RKLLMInput,
            infer: *mut RKLLMInferParam,
            userdata: *mut c_void,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::$front::run(&REGISTRY, true, handle, input, infer, userdata) }
        }

        /// Ends the run in progress.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_abort(handle: LLMHandle) -> c_int {
            $crate::export::abort(&REGISTRY, handle)
        }

        /// Whether a run is in progress.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_is_running(handle: LLMHandle) -> c_int {
            $crate::export::is_running(&REGISTRY, handle)
        }

        /// Not there yet.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_load_lora(
            handle: LLMHandle,
            _adapter: *mut RKLLMLoraAdapter,
        ) -> c_int {
            $crate::export::refuse(&REGISTRY, "rkllm_load_lora", handle, "LoRA adapters")
        }

        /// Not there yet.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_load_prompt_cache(
            handle: LLMHandle,
            _path: *const c_char,
        ) -> c_int {
            let function = "rkllm_load_prompt_cache";
            $crate::export::refuse(&REGISTRY, function, handle, "prompt cache files")
        }

        /// Not there yet.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_release_prompt_cache(handle: LLMHandle) -> c_int {
            let function = "rkllm_release_prompt_cache";
            $crate::export::refuse(&REGISTRY, function, handle, "prompt cache files")
        }
    };
}

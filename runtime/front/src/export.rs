//! What the export macros of the groups share.

use crate::engine::{Engine, Images, Input, prompt_too_long};
use crate::session::Session;
use crate::{Registry, guard, log};
use std::ffi::{c_char, c_int, c_void};
use std::path::Path;
use std::sync::Arc;

/// Says why an input type is refused.
pub fn unknown_input(input_type: u32) -> String {
    format!("input_type must be 0 to 3, but got {input_type}")
}

/// A size as the vendor's structs hold it.
pub fn size(n: usize) -> c_int {
    c_int::try_from(n).unwrap_or(c_int::MAX)
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

/// Copies a caller's embeddings: `n_tokens` rows as wide as the model's.
///
/// # Safety
/// `values` is NULL or points to that many readable numbers.
pub unsafe fn embeddings<E: Engine>(
    session: &Session<E>,
    values: *const f32,
    n_tokens: usize,
) -> Result<Input, String> {
    // SAFETY: passed on from the caller.
    let values = unsafe { rows(session, "embed", values, n_tokens)? };
    Ok(Input::Embeddings { values, n_tokens })
}

/// Copies a caller's images; `markers` are what goes before and after each.
///
/// # Safety
/// `values` is NULL or points to `n_image * n_image_tokens` rows of readable numbers, each as wide
/// as the model's embeddings.
pub unsafe fn images<E: Engine>(
    session: &Session<E>,
    prompt: String,
    values: *const f32,
    n_image: usize,
    n_image_tokens: usize,
    markers: [String; 2],
) -> Result<Input, String> {
    let n_tokens = n_image.saturating_mul(n_image_tokens);
    // SAFETY: passed on from the caller.
    let values = unsafe { rows(session, "image_embed", values, n_tokens)? };
    let [start, end] = markers;
    Ok(Input::Images(Images {
        prompt,
        values,
        n_image,
        n_image_tokens,
        start,
        end,
    }))
}

/// # Safety
/// As for [`embeddings`].
unsafe fn rows<E: Engine>(
    session: &Session<E>,
    name: &str,
    values: *const f32,
    n_tokens: usize,
) -> Result<Arc<[f32]>, String> {
    let width = session.model.n_embd as usize;
    if width == 0 {
        return Err(format!(
            "{name}: {} takes no embeddings for this model",
            E::NAME
        ));
    }
    if values.is_null() && n_tokens > 0 {
        return Err(format!(
            "{name} is NULL, but there should be {n_tokens} tokens"
        ));
    }
    // Before anything is read: a wrong number must not run past the caller's memory.
    if n_tokens >= session.prepared.n_ctx as usize {
        return Err(prompt_too_long(n_tokens, session.prepared.n_ctx));
    }
    // SAFETY: the caller vouches for the array; reading number by number needs no alignment.
    let values = (0..n_tokens * width).map(|i| unsafe { values.add(i).read_unaligned() });
    let values: Arc<[f32]> = values.collect();
    match values.iter().position(|value| !value.is_finite()) {
        None => Ok(values),
        Some(place) => Err(format!(
            "{name} has {} in row {}; embeddings are finite numbers",
            values[place],
            place / width
        )),
    }
}

/// `rkllm_load_lora`.
///
/// # Safety
/// The strings are NULL or NUL-terminated.
pub unsafe fn load_lora<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    path: *const c_char,
    name: *const c_char,
    scale: f32,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_load_lora", handle)?;
        // SAFETY: the caller vouches for the strings.
        let (path, name) = unsafe {
            (
                guard::text("lora_adapter_path", path)?.ok_or("lora_adapter_path is NULL")?,
                guard::text("lora_adapter_name", name)?.ok_or("lora_adapter_name is NULL")?,
            )
        };
        session.load_lora(&name, Path::new(&path), scale)?;
        Ok(0)
    })
}

/// `rkllm_load_prompt_cache`.
///
/// # Safety
/// The path is NULL or NUL-terminated.
pub unsafe fn load_prompt_cache<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    path: *const c_char,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_load_prompt_cache", handle)?;
        // SAFETY: the caller vouches for the string.
        let path = unsafe { guard::text("prompt_cache_path", path)? };
        session.load_prompt_cache(Path::new(&path.ok_or("prompt_cache_path is NULL")?))?;
        Ok(0)
    })
}

/// `rkllm_release_prompt_cache`.
pub fn release_prompt_cache<E: Engine>(registry: &Registry<E>, handle: *mut c_void) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_release_prompt_cache", handle)?;
        session.release_prompt_cache().map(|()| 0)
    })
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
        if !session.activity.is_running() {
            // Usual where the end of a run and its abort cross.
            if log::level() >= 2 {
                log::info("rkllm_abort: no run is in progress");
            }
            return Ok(-1);
        }
        session.activity.abort();
        Ok(0)
    })
}

/// `rkllm_is_running`: 1 while a run is in progress, else 0; also 0 for what is not a handle.
pub fn is_running<E: Engine>(registry: &Registry<E>, handle: *mut c_void) -> c_int {
    guard::value(0, || {
        Ok(registry
            .get("rkllm_is_running", handle)?
            .activity
            .is_running()
            .into())
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

        /// Loads an adapter.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_load_lora(
            handle: LLMHandle,
            adapter: *mut RKLLMLoraAdapter,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::$front::load_lora(&REGISTRY, handle, adapter) }
        }

        /// Reads a prompt cache file.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_load_prompt_cache(
            handle: LLMHandle,
            path: *const c_char,
        ) -> c_int {
            // SAFETY: passed on from the caller.
            unsafe { $crate::export::load_prompt_cache(&REGISTRY, handle, path) }
        }

        /// Forgets the prompt cache file that was read.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_release_prompt_cache(handle: LLMHandle) -> c_int {
            $crate::export::release_prompt_cache(&REGISTRY, handle)
        }
    };
}

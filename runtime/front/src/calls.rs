//! The bodies of the exported functions, the same for all groups that have them.

use crate::abi::v1_1_0::RKLLMLoraAdapter;
use crate::abi::v1_2_1::RKLLMCrossAttnParam;
use crate::engine::{Cache, Engine, Mode};
use crate::groups::{Group, Structured, read};
use crate::run::{self, Run, Userdata};
use crate::template::{SetTemplate, Turn};
use crate::{Registry, guard, log, session};
use std::ffi::{c_char, c_int, c_void};
use std::path::Path;

/// `rkllm_init`.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
pub unsafe fn init<G: Group, E: Engine>(
    registry: &Registry<E>,
    handle: *mut *mut c_void,
    param: *const G::Param,
    callback: G::Callback,
) -> c_int {
    log::read_level();
    log::set_prefix(G::LOG_PREFIX);
    guard::status(|| {
        // SAFETY: the caller vouches for the pointers.
        unsafe {
            guard::clear_handle(handle)?;
            let mut params = G::params(&guard::read("the parameter struct", param)?)?;
            params.hosts = G::hosts(callback)?;
            let opened = session::open(registry, G::OPENING, params, G::deliver(callback)?)?;
            handle.write_unaligned(opened);
        }
        Ok(0)
    })
}

/// `rkllm_run` of the groups that take a finished prompt and nothing else.
///
/// # Safety
/// `prompt` is NULL or NUL-terminated.
pub unsafe fn run_prompt<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    prompt: *const c_char,
    userdata: *mut c_void,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_run", handle)?;
        // SAFETY: the caller vouches for the string.
        let turn = read::plain_turn(unsafe { read::prompt(prompt)? });
        run::start(session, plain_run(vec![turn], userdata), false)
    })
}

/// `rkllm_run` and, with `detached`, `rkllm_run_async`.
///
/// # Safety
/// Each pointer is NULL or valid as the group's header says.
pub unsafe fn run<G: Structured, E: Engine>(
    registry: &Registry<E>,
    detached: bool,
    handle: *mut c_void,
    input: *const G::Input,
    infer: *const G::Infer,
    userdata: *mut c_void,
) -> c_int {
    let function = match detached {
        true => "rkllm_run_async",
        false => "rkllm_run",
    };
    guard::status(|| {
        let session = registry.get(function, handle)?;
        // SAFETY: the caller vouches for the pointers.
        let run = unsafe {
            let mut turns = Vec::new();
            for place in 0..session.params.n_batch.into() {
                let input = guard::read("the input", input.wrapping_add(place))?;
                turns.push(G::turn(&session, &input)?);
            }
            let mut run = plain_run(turns, userdata);
            let infer = match infer.is_null() {
                true => G::NO_INFER,
                false => guard::read("the infer params", infer)?,
            };
            G::set(&infer, &mut run)?;
            run
        };
        let detached = detached || session.params.is_async;
        run::start(session, run, detached)
    })
}

/// A run with the settings of groups that have none.
fn plain_run(turns: Vec<Turn>, userdata: *mut c_void) -> Run {
    Run {
        turns,
        mode: Mode::Generate,
        lora: None,
        prompt_cache: None,
        sampling: None,
        max_new_tokens: 0,
        cache: Cache::Fresh,
        userdata: Userdata(userdata),
    }
}

/// `rkllm_abort`. Whether aborting nothing is a failure is documented for 1.0.x only, where it is.
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
        session.engine.aborting();
        Ok(0)
    })
}

/// `rkllm_is_running`: 1 while a run is in progress, else 0; also 0 for what is not a handle. (The
/// headers before 1.3.0 say the opposite and are wrong.)
pub fn is_running<E: Engine>(registry: &Registry<E>, handle: *mut c_void) -> c_int {
    guard::value(0, || {
        Ok(registry
            .get("rkllm_is_running", handle)?
            .activity
            .is_running()
            .into())
    })
}

/// `rkllm_destroy`.
pub fn destroy<E: Engine>(registry: &Registry<E>, handle: *mut c_void) -> c_int {
    guard::status(|| registry.destroy(handle).map(|()| 0))
}

/// `rkllm_load_lora`.
///
/// # Safety
/// `adapter` is NULL or readable, its strings are NULL or NUL-terminated.
pub unsafe fn load_lora<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    adapter: *const RKLLMLoraAdapter,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_load_lora", handle)?;
        // SAFETY: the caller vouches for the pointers.
        let (path, name, scale) = unsafe {
            let adapter = guard::read("the adapter", adapter)?;
            let path = guard::text("lora_adapter_path", adapter.lora_adapter_path)?;
            let name = guard::text("lora_adapter_name", adapter.lora_adapter_name)?;
            (path, name, adapter.scale)
        };
        let path = path.ok_or("lora_adapter_path is NULL")?;
        let name = name.ok_or("lora_adapter_name is NULL")?;
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

/// `rkllm_clear_kv_cache`; groups without ranges pass NULL for both.
///
/// # Safety
/// `start_pos` and `end_pos` are NULL or have `n_batch` readable numbers.
pub unsafe fn clear_kv_cache<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    keep_system_prompt: c_int,
    start_pos: *const c_int,
    end_pos: *const c_int,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_clear_kv_cache", handle)?;
        let keep_system = keep_system_prompt != 0;
        if start_pos.is_null() && end_pos.is_null() {
            return session.clear_cache(keep_system, None).map(|()| 0);
        }
        let mut ranges = Vec::new();
        for place in 0..session.params.n_batch.into() {
            // SAFETY: the caller vouches for the arrays.
            ranges.push(unsafe {
                (
                    guard::read("start_pos", start_pos.wrapping_add(place))?,
                    guard::read("end_pos", end_pos.wrapping_add(place))?,
                )
            });
        }
        session.clear_cache(keep_system, Some(&ranges)).map(|()| 0)
    })
}

/// `rkllm_get_kv_cache_size`.
///
/// # Safety
/// `sizes` is NULL or has room for `n_batch` numbers.
pub unsafe fn get_kv_cache_size<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    sizes: *mut c_int,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_get_kv_cache_size", handle)?;
        if sizes.is_null() {
            return Err("the pointer for the cache sizes is NULL".into());
        }
        for (place, cached) in session.cache_sizes().into_iter().enumerate() {
            let cached = c_int::try_from(cached).unwrap_or(c_int::MAX);
            // SAFETY: not NULL, and the caller says it has room for n_batch numbers.
            unsafe { sizes.add(place).write_unaligned(cached) };
        }
        Ok(0)
    })
}

/// `rkllm_set_chat_template`.
///
/// # Safety
/// Each string is NULL or NUL-terminated.
pub unsafe fn set_chat_template<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    system_prompt: *const c_char,
    prompt_prefix: *const c_char,
    prompt_postfix: *const c_char,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_set_chat_template", handle)?;
        // SAFETY: the caller vouches for the strings.
        let set = unsafe {
            SetTemplate {
                system: guard::text("system_prompt", system_prompt)?.unwrap_or_default(),
                prefix: guard::text("prompt_prefix", prompt_prefix)?.unwrap_or_default(),
                postfix: guard::text("prompt_postfix", prompt_postfix)?.unwrap_or_default(),
            }
        };
        session.set_template(set)?;
        log::warning(
            "the model's own chat template is off now; a thinking mode has no effect without it",
        );
        Ok(0)
    })
}

/// `rkllm_set_function_tools`.
///
/// # Safety
/// Each string is NULL or NUL-terminated.
pub unsafe fn set_function_tools<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    system_prompt: *const c_char,
    tools: *const c_char,
    tool_response: *const c_char,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_set_function_tools", handle)?;
        // SAFETY: the caller vouches for the strings.
        let (system, tools, response) = unsafe {
            (
                guard::text("system_prompt", system_prompt)?.unwrap_or_default(),
                guard::text("tools", tools)?.ok_or("tools is NULL")?,
                guard::text("tool_response_str", tool_response)?.unwrap_or_default(),
            )
        };
        session.set_function_tools(&system, &tools, &response)?;
        Ok(0)
    })
}

/// `rkllm_set_cross_attn_params`.
///
/// # Safety
/// `params` is NULL or valid, and its mask and its positions have `num_tokens` numbers.
pub unsafe fn set_cross_attn_params<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    params: *const RKLLMCrossAttnParam,
) -> c_int {
    guard::status(|| {
        let session = registry.get("rkllm_set_cross_attn_params", handle)?;
        // SAFETY: handed on from the caller.
        let encoder = unsafe { read::cross_attention(params)? };
        session.set_cross_attn(&encoder).map(|()| 0)
    })
}

//! The engine's side of the table: wraps the functions of an [`Engine`].

use super::serve_run::run;
use super::table::{self, Array, Facts, Out, RELEASE, Table, VERSION};
use crate::engine::{Engine, Hosts, InitParams, Message, Prepared, Sampling};
use crate::{guard, log};
use std::ffi::{OsStr, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The table of an engine. Its `load` gets a path and nothing else; its runs end as they should.
pub const fn table<E: Engine>() -> Table {
    Table {
        version: VERSION,
        release: Array::of(RELEASE.as_bytes()),
        load: load::<E>,
        free: free::<E>,
        prepare: prepare::<E>,
        tokenize: tokenize::<E>,
        detokenize: detokenize::<E>,
        is_stop: is_stop::<E>,
        is_special: is_special::<E>,
        bos: bos::<E>,
        chat_template: chat_template::<E>,
        cached: cached::<E>,
        truncate_cache: truncate_cache::<E>,
        cut_cache: cut_cache::<E>,
        load_lora: load_lora::<E>,
        save_prompt_cache: save_prompt_cache::<E>,
        load_prompt_cache: load_prompt_cache::<E>,
        release_prompt_cache: release_prompt_cache::<E>,
        run: run::<E>,
    }
}

/// # Safety
/// `out` is a valid [`Out`].
unsafe fn write(out: *const Out, bytes: &[u8]) {
    // SAFETY: the caller vouches for `out`, and its maker for the function.
    unsafe { ((*out).write)((*out).context, bytes.as_ptr(), bytes.len()) }
}

/// # Safety
/// `error` is a valid [`Out`].
pub(super) unsafe fn done(error: *const Out, body: impl FnOnce() -> Result<(), String>) -> u8 {
    match guard::catch(body) {
        Ok(()) => 1,
        Err(message) => {
            // SAFETY: passed on from the caller.
            unsafe { write(error, message.as_bytes()) };
            0
        }
    }
}

/// # Safety
/// `model` came from `load::<E>` and was not freed.
pub(super) unsafe fn engine<'a, E: Engine>(model: *mut c_void) -> &'a E {
    // SAFETY: the caller vouches for it.
    unsafe { &*model.cast::<E>() }
}

/// # Safety
/// `text` is valid during the call.
pub(super) unsafe fn utf8<'a>(text: Array<u8>) -> Result<&'a str, String> {
    // SAFETY: passed on from the caller.
    std::str::from_utf8(unsafe { text.get() }).map_err(|error| error.to_string())
}

/// # Safety
/// `path` is valid as long as the reference to it.
unsafe fn path_of(path: &Array<u8>) -> &Path {
    // SAFETY: passed on from the caller.
    Path::new(OsStr::from_bytes(unsafe { path.get() }))
}

unsafe extern "C" fn load<E: Engine>(
    path: Array<u8>,
    facts: *mut Facts,
    dtype: *const Out,
    error: *const Out,
) -> *mut c_void {
    log::read_level();
    let mut model = std::ptr::null_mut();
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            let params = InitParams {
                model_path: PathBuf::from(utf8(path)?),
                max_context_len: 0,
                max_new_tokens: 0,
                n_keep: 0,
                // The real ones come with each run.
                sampling: Sampling::NEUTRAL,
                skip_special_token: false,
                ignore_eos_token: false,
                is_async: false,
                image_markers: [const { None }; 3],
                base_domain_id: 0,
                embed_flash: 0,
                enabled_cpus_num: 0,
                enabled_cpus_mask: 0,
                n_batch: 1,
                use_cross_attn: 0,
                top_logprobs: None,
                hosts: Hosts::default(),
            };
            let engine = E::load(&params)?.ok_or("the engine made no model")?;
            let info = engine.model();
            facts.write(Facts {
                n_ctx_train: info.n_ctx_train,
                n_embd: info.n_embd,
                thinks: info.thinks.into(),
            });
            write(dtype, info.dtype.as_bytes());
            model = Box::into_raw(Box::new(engine)).cast();
            Ok(())
        });
    }
    model
}

unsafe extern "C" fn free<E: Engine>(model: *mut c_void) {
    // A panic while freeing has nobody to tell; the memory is lost, the process goes on.
    let _ = guard::catch(|| {
        // SAFETY: made by `Box::into_raw` in `load`, and the client frees it once.
        drop(unsafe { Box::from_raw(model.cast::<E>()) });
        Ok(())
    });
}

unsafe extern "C" fn prepare<E: Engine>(
    model: *mut c_void,
    n_ctx: u32,
    lanes: u32,
    prepared: *mut Prepared,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers, and nothing else uses the model before it is
    // prepared.
    unsafe {
        done(error, || {
            prepared.write((*model.cast::<E>()).prepare(n_ctx, lanes)?);
            Ok(())
        })
    }
}

unsafe extern "C" fn tokenize<E: Engine>(
    model: *mut c_void,
    text: Array<u8>,
    add_special: u8,
    parse_special: u8,
    ids: *const Out,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            let engine = engine::<E>(model);
            let tokens = engine.tokenize(utf8(text)?, add_special != 0, parse_special != 0)?;
            let bytes: Vec<u8> = tokens.into_iter().flat_map(i32::to_ne_bytes).collect();
            write(ids, &bytes);
            Ok(())
        })
    }
}

unsafe extern "C" fn detokenize<E: Engine>(
    model: *mut c_void,
    ids: Array<i32>,
    skip_special: u8,
    bytes: *const Out,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            write(
                bytes,
                &engine::<E>(model).detokenize(ids.get(), skip_special != 0)?,
            );
            Ok(())
        })
    }
}

unsafe extern "C" fn is_stop<E: Engine>(
    model: *mut c_void,
    id: i32,
    answer: *mut u8,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            answer.write(engine::<E>(model).is_stop(id)?.into());
            Ok(())
        })
    }
}

unsafe extern "C" fn is_special<E: Engine>(
    model: *mut c_void,
    id: i32,
    answer: *mut u8,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            answer.write(engine::<E>(model).is_special(id)?.into());
            Ok(())
        })
    }
}

unsafe extern "C" fn bos<E: Engine>(model: *mut c_void) -> i32 {
    // SAFETY: the client passes a model that is open.
    let bos = guard::catch(|| Ok(unsafe { engine::<E>(model) }.bos()));
    bos.ok().flatten().unwrap_or(-1)
}

unsafe extern "C" fn chat_template<E: Engine>(
    model: *mut c_void,
    messages: Array<table::Message>,
    answer: u8,
    prompt: *const Out,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            let messages = messages.get().iter().map(|message| {
                let (role, text) = (utf8(message.role)?, utf8(message.text)?);
                Ok(Message { role, text })
            });
            let messages: Vec<_> = messages.collect::<Result<_, String>>()?;
            let text = engine::<E>(model).chat_template(&messages, answer != 0)?;
            write(prompt, text.as_bytes());
            Ok(())
        })
    }
}

unsafe extern "C" fn cached<E: Engine>(model: *mut c_void, lane: usize) -> usize {
    // SAFETY: the client passes a model that is open.
    guard::catch(|| Ok(unsafe { engine::<E>(model) }.cached(lane))).unwrap_or(0)
}

unsafe extern "C" fn truncate_cache<E: Engine>(
    model: *mut c_void,
    keep: usize,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe { done(error, || engine::<E>(model).truncate_cache(keep)) }
}

unsafe extern "C" fn cut_cache<E: Engine>(
    model: *mut c_void,
    lane: usize,
    start: usize,
    end: usize,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe { done(error, || engine::<E>(model).cut_cache(lane, start, end)) }
}

unsafe extern "C" fn load_lora<E: Engine>(
    model: *mut c_void,
    name: Array<u8>,
    path: Array<u8>,
    scale: f32,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            engine::<E>(model).load_lora(utf8(name)?, path_of(&path), scale)
        })
    }
}

unsafe extern "C" fn save_prompt_cache<E: Engine>(
    model: *mut c_void,
    path: Array<u8>,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            engine::<E>(model).save_prompt_cache(path_of(&path))
        })
    }
}

unsafe extern "C" fn load_prompt_cache<E: Engine>(
    model: *mut c_void,
    path: Array<u8>,
    error: *const Out,
) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe {
        done(error, || {
            engine::<E>(model).load_prompt_cache(path_of(&path))
        })
    }
}

unsafe extern "C" fn release_prompt_cache<E: Engine>(model: *mut c_void, error: *const Out) -> u8 {
    // SAFETY: the client passes valid pointers for the duration of the call.
    unsafe { done(error, || engine::<E>(model).release_prompt_cache()) }
}

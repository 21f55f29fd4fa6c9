//! The functions behind `rkchat_rt_extension`.

use crate::abi::extension::Counts;
use crate::engine::Engine;
use crate::{Registry, guard, log};
use std::ffi::c_void;

/// `tokenize`.
///
/// # Safety
/// `text` has `len` readable bytes, `ids` room for `capacity` numbers; either may be NULL if 0.
#[allow(clippy::too_many_arguments)]
pub unsafe fn tokenize<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    text: *const u8,
    len: usize,
    add_special: u8,
    parse_special: u8,
    ids: *mut i32,
    capacity: usize,
) -> i64 {
    guard::value(-1, || {
        let session = registry.get("tokenize", handle)?;
        // SAFETY: the caller vouches for both arrays.
        unsafe {
            let text = std::str::from_utf8(slice("the text", text, len)?).map_err(|error| {
                format!(
                    "the text is not valid UTF-8 (at byte {})",
                    error.valid_up_to()
                )
            })?;
            let tokens = session
                .engine
                .tokenize(text, add_special != 0, parse_special != 0)?;
            write(&tokens, ids, capacity)
        }
    })
}

/// `detokenize`.
///
/// # Safety
/// `ids` has `n` readable numbers, `text` room for `capacity` bytes; either may be NULL if 0.
pub unsafe fn detokenize<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    ids: *const i32,
    n: usize,
    skip_special: u8,
    text: *mut u8,
    capacity: usize,
) -> i64 {
    guard::value(-1, || {
        let session = registry.get("detokenize", handle)?;
        // SAFETY: the caller vouches for both arrays.
        unsafe {
            let bytes = session
                .engine
                .detokenize(slice("the ids", ids, n)?, skip_special != 0)?;
            write(&bytes, text, capacity)
        }
    })
}

/// `is_stop`.
pub fn is_stop<E: Engine>(registry: &Registry<E>, handle: *mut c_void, id: i32) -> i32 {
    guard::value(-1, || {
        Ok(registry.get("is_stop", handle)?.engine.is_stop(id)?.into())
    })
}

/// `is_special`.
pub fn is_special<E: Engine>(registry: &Registry<E>, handle: *mut c_void, id: i32) -> i32 {
    guard::value(-1, || {
        Ok(registry
            .get("is_special", handle)?
            .engine
            .is_special(id)?
            .into())
    })
}

/// `counts`.
///
/// # Safety
/// `out` is NULL or has as many writable bytes as its `struct_size` says.
pub unsafe fn counts<E: Engine>(
    registry: &Registry<E>,
    handle: *mut c_void,
    out: *mut Counts,
) -> i32 {
    guard::status(|| {
        let session = registry.get("counts", handle)?;
        if out.is_null() {
            return Err("the pointer for the counts is NULL".into());
        }
        let (run, prepared) = (session.counts(), session.prepared);
        // SAFETY: not NULL, and struct_size is the first field of every version.
        let struct_size = unsafe { out.cast::<u32>().read_unaligned() };
        let counts = Counts {
            struct_size,
            reserved: 0,
            prompt_tokens: run.prompt_tokens,
            reused_tokens: run.reused_tokens,
            new_tokens: run.new_tokens,
            prefill_us: run.prefill_us,
            decode_us: run.decode_us,
            n_ctx: prepared.n_ctx,
            n_ctx_train: session.model.n_ctx_train,
            n_threads: prepared.n_threads,
            n_batch: prepared.n_batch,
        };
        let size = (struct_size as usize).min(size_of::<Counts>());
        // SAFETY: the caller says that struct_size bytes are writable.
        unsafe {
            std::ptr::copy_nonoverlapping((&raw const counts).cast::<u8>(), out.cast(), size);
        }
        Ok(0)
    })
}

/// `last_error`.
///
/// # Safety
/// `text` has room for `capacity` bytes; it may be NULL if that is 0.
pub unsafe fn last_error(text: *mut u8, capacity: usize) -> i64 {
    // SAFETY: the caller vouches for the buffer.
    log::last_error(|last| unsafe { write(last.as_bytes(), text, capacity) }).unwrap_or(-1)
}

/// # Safety
/// `pointer` is NULL or has `len` readable elements.
unsafe fn slice<'a, T>(name: &str, pointer: *const T, len: usize) -> Result<&'a [T], String> {
    if len == 0 {
        return Ok(&[]);
    }
    if pointer.is_null() || !pointer.is_aligned() || len > isize::MAX as usize / size_of::<T>() {
        return Err(format!(
            "{name}: {len} elements at {pointer:p} cannot be read"
        ));
    }
    // SAFETY: checked above as far as it can be; the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(pointer, len) })
}

/// Writes what fits and returns how much there is.
///
/// # Safety
/// `out` is NULL or has room for `capacity` elements.
unsafe fn write<T: Copy>(values: &[T], out: *mut T, capacity: usize) -> Result<i64, String> {
    if capacity > 0 && out.is_null() {
        return Err(format!(
            "the output is NULL, but its capacity is {capacity}"
        ));
    }
    for (i, value) in values.iter().take(capacity).enumerate() {
        // SAFETY: `i` is less than the capacity, and the caller vouches for that.
        unsafe { out.add(i).write_unaligned(*value) };
    }
    Ok(values.len() as i64)
}

/// Exports `rkchat_rt_extension`, next to the functions of a group.
#[macro_export]
macro_rules! export_extension {
    ($name:literal, $release:expr) => {
        mod extension {
            use super::{Group, REGISTRY};
            use core::ffi::{CStr, c_char, c_void};
            use $crate::abi::extension::{Counts, Extension, VERSION};
            use $crate::extension as front;

            const RELEASE: &CStr = $crate::abi::layout::symbol(concat!($release, "\0"));

            static TABLE: Extension = Extension {
                struct_size: size_of::<Extension>() as u32,
                version: VERSION,
                name: ($name as &CStr).as_ptr(),
                release: RELEASE.as_ptr(),
                group: <Group as $crate::Group>::NAME.as_ptr(),
                tokenize,
                detokenize,
                is_stop,
                is_special,
                counts,
                last_error,
            };

            /// The table of what this runtime offers beyond the vendor's functions.
            #[unsafe(no_mangle)]
            pub extern "C" fn rkchat_rt_extension() -> *const Extension {
                &TABLE
            }

            unsafe extern "C" fn tokenize(
                handle: *mut c_void,
                text: *const u8,
                len: usize,
                add_special: u8,
                parse_special: u8,
                ids: *mut i32,
                capacity: usize,
            ) -> i64 {
                // SAFETY: passed on from the caller.
                unsafe {
                    front::tokenize(
                        &REGISTRY,
                        handle,
                        text,
                        len,
                        add_special,
                        parse_special,
                        ids,
                        capacity,
                    )
                }
            }

            unsafe extern "C" fn detokenize(
                handle: *mut c_void,
                ids: *const i32,
                n: usize,
                skip_special: u8,
                text: *mut u8,
                capacity: usize,
            ) -> i64 {
                // SAFETY: passed on from the caller.
                unsafe {
                    front::detokenize(&REGISTRY, handle, ids, n, skip_special, text, capacity)
                }
            }

            unsafe extern "C" fn is_stop(handle: *mut c_void, id: i32) -> i32 {
                front::is_stop(&REGISTRY, handle, id)
            }

            unsafe extern "C" fn is_special(handle: *mut c_void, id: i32) -> i32 {
                front::is_special(&REGISTRY, handle, id)
            }

            unsafe extern "C" fn counts(handle: *mut c_void, out: *mut Counts) -> i32 {
                // SAFETY: passed on from the caller.
                unsafe { front::counts(&REGISTRY, handle, out) }
            }

            unsafe extern "C" fn last_error(text: *mut u8, capacity: usize) -> i64 {
                // SAFETY: passed on from the caller.
                unsafe { front::last_error(text, capacity) }
            }
        }
    };
}

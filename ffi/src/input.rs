//! What functions take: pointers from C, checked and converted.

use std::ffi::{CStr, c_char};
use std::fmt::Display;
use std::path::PathBuf;
use std::time::Duration;

use rkchat::{Error, Json, Result, Tensor};

use crate::arena::rkchat_str;

/// A flag or a choice that is unset.
pub const RKCHAT_UNSET: i32 = -1;
/// An integer that is unset; the header spells it `INT64_MIN`.
pub const RKCHAT_UNSET_INT: i64 = i64::MIN;

fn invalid(message: impl Into<String>) -> Error {
    Error::invalid_argument(message)
}

/// # Safety
/// `pointer` is NULL or a handle of this library that stays alive while the result is used.
pub unsafe fn handle<'a, T>(name: &str, pointer: *const T) -> Result<&'a T> {
    // SAFETY: as the caller promises.
    unsafe { pointer.as_ref() }.ok_or_else(|| invalid(format!("`{name}` is NULL")))
}

/// # Safety
/// `data` is NULL or points to `len` values that stay unchanged while the result is used.
pub unsafe fn list<'a, T>(name: &str, data: *const T, len: usize) -> Result<&'a [T]> {
    if len == 0 {
        return Ok(&[]); // NULL too: that is what an empty list of C often is.
    }
    if data.is_null() {
        return Err(invalid(format!(
            "`{name}` is NULL, and its length is {len}"
        )));
    }
    if len > isize::MAX as usize / size_of::<T>() {
        return Err(invalid(format!(
            "the length of `{name}` is {len}: it was never set"
        )));
    }
    if !data.is_aligned() {
        return Err(invalid(format!(
            "`{name}` is at an address that is not a multiple of {}; copy it to where it is",
            align_of::<T>()
        )));
    }
    // SAFETY: as the caller promises; length and alignment were checked.
    Ok(unsafe { std::slice::from_raw_parts(data, len) })
}

fn utf8<'a>(name: &str, bytes: &'a [u8]) -> Result<&'a str> {
    std::str::from_utf8(bytes).map_err(|error| {
        invalid(format!(
            "`{name}` is not UTF-8: the fault is at byte {}",
            error.valid_up_to()
        ))
    })
}

/// # Safety
/// As for `list`.
pub unsafe fn text<'a>(name: &str, data: *const c_char, len: usize) -> Result<&'a str> {
    if data.is_null() {
        return Err(invalid(format!("`{name}` is NULL")));
    }
    // SAFETY: as the caller promises.
    utf8(name, unsafe { list(name, data.cast::<u8>(), len)? })
}

/// # Safety
/// As for `list`.
pub unsafe fn json(name: &str, data: *const c_char, len: usize) -> Result<Json> {
    // SAFETY: as the caller promises.
    parse(name, unsafe { text(name, data, len)? })
}

fn parse(name: &str, text: &str) -> Result<Json> {
    serde_json::from_str(text).map_err(|error| invalid(format!("`{name}` is not JSON: {error}")))
}

/// # Safety
/// `path` is NULL or a NUL-terminated text.
pub unsafe fn path<'a>(name: &str, path: *const c_char) -> Result<&'a std::path::Path> {
    if path.is_null() {
        return Err(invalid(format!("`{name}` is NULL")));
    }
    // SAFETY: as the caller promises.
    let bytes = unsafe { CStr::from_ptr(path) }.to_bytes();
    Ok(std::path::Path::new(utf8(name, bytes)?))
}

/// A text among the options: NULL is unset, length 0 means that it is NUL-terminated.
///
/// # Safety
/// `data` is NULL or points to `len` bytes; for length 0, to a NUL-terminated text.
pub unsafe fn optional_text(name: &str, data: *const c_char, len: usize) -> Result<Option<String>> {
    if data.is_null() {
        return match len {
            0 => Ok(None),
            _ => Err(invalid(format!(
                "`{name}` is NULL, and `{name}_len` is {len}"
            ))),
        };
    }
    let bytes = match len {
        // SAFETY: length 0 means NUL-terminated, as the caller promises.
        0 => unsafe { CStr::from_ptr(data) }.to_bytes(),
        // SAFETY: `len` bytes, as the caller promises.
        _ => unsafe { list(name, data.cast::<u8>(), len)? },
    };
    Ok(Some(utf8(name, bytes)?.to_owned()))
}

/// # Safety
/// As for `optional_text`.
pub unsafe fn optional_path(
    name: &str,
    data: *const c_char,
    len: usize,
) -> Result<Option<PathBuf>> {
    // SAFETY: as the caller promises.
    let text = unsafe { optional_text(name, data, len)? };
    match text.as_deref().and_then(|text| text.find('\0')) {
        Some(byte) => Err(invalid(format!(
            "`{name}` is a path with a NUL at byte {byte}"
        ))),
        None => Ok(text.map(PathBuf::from)),
    }
}

/// # Safety
/// As for `optional_text`.
pub unsafe fn optional_json(name: &str, data: *const c_char, len: usize) -> Result<Option<Json>> {
    // SAFETY: as the caller promises.
    let text = unsafe { optional_text(name, data, len)? };
    text.map(|text| parse(name, &text)).transpose()
}

/// A list of texts among the options: NULL is unset.
///
/// # Safety
/// `data` is NULL or points to `len` of them, each as for `optional_text`.
pub unsafe fn optional_texts(
    name: &str,
    data: *const rkchat_str,
    len: usize,
) -> Result<Option<Vec<String>>> {
    if data.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: as the caller promises.
    let texts = unsafe { list(name, data, len)? }.iter().enumerate();
    let texts = texts.map(|(index, text)| {
        let name = format!("{name}[{index}]");
        // SAFETY: as the caller promises.
        let text = unsafe { optional_text(&name, text.data, text.len)? };
        text.ok_or_else(|| invalid(format!("`{name}` is NULL")))
    });
    texts.collect::<Result<_>>().map(Some)
}

/// A list of texts.
///
/// # Safety
/// As for `optional_texts`.
pub unsafe fn texts(name: &str, data: *const rkchat_str, len: usize) -> Result<Vec<String>> {
    // SAFETY: as the caller promises.
    Ok(unsafe { optional_texts(name, data, len)? }.unwrap_or_default())
}

/// A list of numbers among the options: NULL is unset.
///
/// # Safety
/// As for `list`.
pub unsafe fn optional_list<T: Clone>(
    name: &str,
    data: *const T,
    len: usize,
) -> Result<Option<Vec<T>>> {
    if data.is_null() && len == 0 {
        return Ok(None);
    }
    // SAFETY: as the caller promises.
    Ok(Some(unsafe { list(name, data, len)? }.to_vec()))
}

/// Numbers, and the length of each dimension; they are copied.
///
/// # Safety
/// As for `list`, for both.
pub unsafe fn tensor(
    name: &str,
    data: *const f32,
    len: usize,
    shape: *const u64,
    shape_len: usize,
) -> Result<Tensor> {
    // SAFETY: as the caller promises.
    let (data, shape) = unsafe {
        let shape_name = format!("{name}_shape");
        (list(name, data, len)?, list(&shape_name, shape, shape_len)?)
    };
    Tensor::new(data.to_vec(), shape.to_vec())
        .map_err(|error| invalid(format!("`{name}`: {}", error.message())))
}

/// A tensor among the options: NULL for both is unset.
///
/// # Safety
/// As for `tensor`.
pub unsafe fn optional_tensor(
    name: &str,
    data: *const f32,
    len: usize,
    shape: *const u64,
    shape_len: usize,
) -> Result<Option<Tensor>> {
    if data.is_null() && len == 0 && shape.is_null() && shape_len == 0 {
        return Ok(None);
    }
    // SAFETY: as the caller promises.
    unsafe { tensor(name, data, len, shape, shape_len).map(Some) }
}

/// One of the numbers in the table (a flag is 0 or 1), with nothing in the reserved half.
pub fn optional_choice<T: Copy>(
    name: &str,
    value: i32,
    reserved: i32,
    table: &[(i32, T)],
) -> Result<Option<T>> {
    if reserved != 0 {
        return Err(invalid(format!("`reserved_{name}` is {reserved}, not 0")));
    }
    if value == RKCHAT_UNSET {
        return Ok(None);
    }
    match table.iter().find(|(number, _)| *number == value) {
        Some((_, choice)) => Ok(Some(*choice)),
        None => {
            let allowed: Vec<String> = table.iter().map(|(number, _)| number.to_string()).collect();
            let allowed = allowed.join(", ");
            Err(invalid(format!(
                "`{name}` is {value}; allowed are {allowed}"
            )))
        }
    }
}

/// An integer that must be in the range, which is inside that of its Rust type.
pub fn optional_integer<T>(name: &str, value: i64, min: T, max: T) -> Result<Option<T>>
where
    T: TryFrom<i64> + PartialOrd + Display,
{
    if value == RKCHAT_UNSET_INT {
        return Ok(None);
    }
    match T::try_from(value) {
        Ok(number) if min <= number && number <= max => Ok(Some(number)),
        _ => Err(invalid(format!(
            "`{name}` is {value}; allowed are {min} to {max}"
        ))),
    }
}

/// A number; its range is checked where it is used, as for all languages.
pub fn optional_float(value: f64) -> Option<f64> {
    (!value.is_nan()).then_some(value)
}

/// Milliseconds.
pub fn optional_duration(name: &str, value: i64) -> Result<Option<Duration>> {
    match u64::try_from(value) {
        _ if value == RKCHAT_UNSET_INT => Ok(None),
        Ok(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
        Err(_) => Err(invalid(format!(
            "`{name}` is {value} ms; a duration is not negative"
        ))),
    }
}

/// A parameter in milliseconds, where -1 is no limit.
pub fn timeout(name: &str, value: i64) -> Result<Option<Duration>> {
    match u64::try_from(value) {
        _ if value == -1 => Ok(None),
        Ok(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
        Err(_) => Err(invalid(format!(
            "`{name}` is {value}; allowed are -1 (no limit), 0 and more"
        ))),
    }
}

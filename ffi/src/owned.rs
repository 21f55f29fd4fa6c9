//! Texts and lists that belong to the program.

use std::ffi::c_char;
use std::os::unix::ffi::OsStrExt;
use std::ptr;

use crate::arena::Text;
use crate::guard::guard_free;
use crate::output;

/// A text that belongs to the caller.
pub struct rkchat_text(Text);

impl rkchat_text {
    pub(crate) fn new(text: String) -> Self {
        Self(Text::new(text.as_bytes()))
    }

    /// A path as its bytes, which is what it is on this system.
    pub(crate) fn of_path(path: &std::path::Path) -> Self {
        Self(Text::new(path.as_os_str().as_bytes()))
    }
}

/// The text, which stays until it is freed. `len` may be NULL. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_text_data(
    text: *const rkchat_text,
    len: *mut usize,
) -> *const c_char {
    // SAFETY: both are NULL or valid.
    unsafe {
        match text.as_ref() {
            Some(text) => output::view(Some(&text.0), len),
            None => {
                output::length(len, 0);
                ptr::null()
            }
        }
    }
}

/// Frees a text. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_text_free(text: *mut rkchat_text) {
    // SAFETY: NULL, or a text of this library that is freed once.
    unsafe { guard_free(text) }
}

/// Token ids that belong to the caller.
pub struct rkchat_ids(Vec<u32>);

impl rkchat_ids {
    pub(crate) fn new(ids: Vec<u32>) -> Self {
        Self(ids)
    }
}

/// The ids, which stay until they are freed; `*len` becomes how many there are. NULL for NULL and where
/// there are none.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_ids_data(ids: *const rkchat_ids, len: *mut usize) -> *const u32 {
    // SAFETY: both are NULL or valid.
    unsafe {
        let list = ids.as_ref().map(|ids| ids.0.as_slice()).unwrap_or_default();
        output::items(list, len)
    }
}

/// Frees ids. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_ids_free(ids: *mut rkchat_ids) {
    // SAFETY: NULL, or ids of this library that are freed once.
    unsafe { guard_free(ids) }
}

/// Numbers with a shape, which belong to the caller.
pub struct rkchat_tensor(rkchat::Tensor);

impl rkchat_tensor {
    pub(crate) fn new(tensor: rkchat::Tensor) -> Self {
        Self(tensor)
    }
}

/// The numbers, which stay until the tensor is freed; the last dimension changes fastest, and nothing lies
/// between. `*len` becomes how many there are, and may be NULL. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_tensor_data(
    tensor: *const rkchat_tensor,
    len: *mut usize,
) -> *const f32 {
    // SAFETY: both are NULL or valid.
    unsafe {
        let data = tensor.as_ref().map(|tensor| tensor.0.data());
        output::items(data.unwrap_or_default(), len)
    }
}

/// The length of each dimension, the outermost first, which stay until the tensor is freed. `*len` becomes
/// how many dimensions there are, and may be NULL. NULL for NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_tensor_shape(
    tensor: *const rkchat_tensor,
    len: *mut usize,
) -> *const u64 {
    // SAFETY: both are NULL or valid.
    unsafe {
        let shape = tensor.as_ref().map(|tensor| tensor.0.shape());
        output::items(shape.unwrap_or_default(), len)
    }
}

/// Frees a tensor. NULL is fine.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn rkchat_tensor_free(tensor: *mut rkchat_tensor) {
    // SAFETY: NULL, or a tensor of this library that is freed once.
    unsafe { guard_free(tensor) }
}

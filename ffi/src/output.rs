//! What functions give: out-parameters, checked before anything is done and written, never read.

use std::ffi::c_char;

use rkchat::{Error, Result};

use crate::arena::{List, Text};
use crate::options::Versioned;

fn present<T>(out: *mut T) -> Result<*mut T> {
    match out.is_null() {
        true => Err(Error::invalid_argument("`out` is NULL")),
        false => Ok(out),
    }
}

/// The place for a number.
pub struct Scalar<T>(*mut T);

impl<T> Scalar<T> {
    /// # Safety
    /// `out` is NULL or may be written to as long as this lives.
    pub unsafe fn at(out: *mut T) -> Result<Self> {
        present(out).map(Self)
    }

    pub fn put(self, value: T) {
        // SAFETY: may be written to, as promised in `at`.
        unsafe { self.0.write(value) }
    }
}

/// The place for a pointer to something that the program will own.
pub struct Boxed<T>(*mut *mut T);

impl<T> Boxed<T> {
    /// Writes NULL, so that a program may free it after a failure.
    ///
    /// # Safety
    /// `out` is NULL or may be written to as long as this lives.
    pub unsafe fn at(out: *mut *mut T) -> Result<Self> {
        let out = present(out)?;
        // SAFETY: the caller may write to it.
        unsafe { out.write(std::ptr::null_mut()) };
        Ok(Self(out))
    }

    pub fn put(self, value: T) {
        // SAFETY: may be written to, as promised in `at`.
        unsafe { self.0.write(Box::into_raw(Box::new(value))) }
    }
}

/// The place for a record: a struct of the size that the program knows.
pub struct Structure<C: Versioned> {
    out: *mut C,
    size: usize,
}

impl<C: Versioned> Structure<C> {
    /// # Safety
    /// `out` is NULL or begins with two `uint32_t`, the first of which says how many bytes may be written.
    pub unsafe fn at(out: *mut C) -> Result<Self> {
        let out = present(out)?;
        // SAFETY: it begins with the two numbers.
        let size = unsafe { crate::options::size(out)? };
        Ok(Self { out, size })
    }

    /// Writes all fields that the program knows. Fields that only the program knows stay as they are.
    pub fn put(self, value: &C) {
        const HEAD: usize = size_of::<[u32; 2]>();
        let size = self.size.min(size_of::<C>());
        // SAFETY: `size` bytes may be written, as promised in `at`, and read; HEAD is at most `size`.
        unsafe {
            let from = std::ptr::from_ref(value).cast::<u8>().add(HEAD);
            self.out
                .cast::<u8>()
                .add(HEAD)
                .copy_from_nonoverlapping(from, size - HEAD);
        }
    }
}

/// Hands out a text; an empty one for none.
///
/// # Safety
/// `len` is NULL or may be written to.
pub unsafe fn view(text: Option<&Text>, len: *mut usize) -> *const c_char {
    let (data, bytes) = text.map_or((c"".as_ptr(), 0), |text| {
        let view = text.view();
        (view.data, view.len)
    });
    // SAFETY: as the caller promises.
    unsafe { length(len, bytes) };
    data
}

/// Hands out the records of a list; NULL where there are none.
///
/// # Safety
/// `len` is NULL or may be written to.
pub unsafe fn records<C>(list: Option<&List<C>>, len: *mut usize) -> *const *const C {
    // SAFETY: as the caller promises.
    unsafe { items(list.map(List::items).unwrap_or_default(), len) }
}

/// Hands out a list; NULL where it is empty.
///
/// # Safety
/// `len` is NULL or may be written to.
pub unsafe fn items<T>(list: &[T], len: *mut usize) -> *const T {
    // SAFETY: as the caller promises.
    unsafe { length(len, list.len()) };
    match list.is_empty() {
        true => std::ptr::null(),
        false => list.as_ptr(),
    }
}

/// Writes a length, unless it is not wanted.
///
/// # Safety
/// `len` is NULL or may be written to.
pub unsafe fn length(len: *mut usize, value: usize) {
    if !len.is_null() {
        // SAFETY: may be written to, as the caller promises.
        unsafe { len.write(value) };
    }
}

/// What does not fit is the largest number that does.
pub fn integer(value: impl TryInto<i64>) -> i64 {
    value.try_into().unwrap_or(i64::MAX)
}

//! Structs that grow: read by the size that the program was compiled with.

use std::ptr;

use rkchat::{Error, Result};

use crate::input::{RKCHAT_UNSET, RKCHAT_UNSET_INT};

/// A C struct that begins with `uint32_t struct_size, reserved`.
///
/// # Safety
/// The struct is `repr(C)`, begins with those two, has no padding, and any bytes are a value of it.
pub unsafe trait Versioned: Copy {
    /// Its name in C.
    const NAME: &str;
}

/// Options that can be read out of a C struct.
pub trait Input: Default {
    /// The struct.
    type C: Versioned;
    /// The struct with everything unset.
    const UNSET: Self::C;
    /// Converts what was read.
    ///
    /// # Safety
    /// The pointers in `c` are NULL or valid for the lengths beside them.
    unsafe fn convert(c: &Self::C) -> Result<Self>;
}

/// No struct will ever be larger; a `struct_size` above it was never set.
const MAX_SIZE: usize = 4096;

/// The size of the program's struct, checked.
///
/// # Safety
/// `c` points to two `uint32_t`.
pub unsafe fn size<C: Versioned>(c: *const C) -> Result<usize> {
    let name = C::NAME;
    // SAFETY: as the caller promises; nothing is assumed of the alignment.
    let [size, reserved] = unsafe { c.cast::<[u32; 2]>().read_unaligned() };
    let size = size as usize;
    if !(8..=MAX_SIZE).contains(&size) || size % 8 != 0 {
        return Err(Error::invalid_argument(format!(
            "`struct_size` of {name} is {size}; this library's own is {}. Begin with its INIT macro",
            size_of::<C>()
        )));
    }
    if reserved != 0 {
        return Err(Error::invalid_argument(format!(
            "`reserved` of {name} is {reserved}, not 0. Begin with its INIT macro"
        )));
    }
    Ok(size)
}

/// Whether 8 bytes of a field that is not known here are one of the marks for unset: those of INIT, or 0.
fn is_unset(slot: [u8; 8]) -> bool {
    let flag = [RKCHAT_UNSET.to_ne_bytes(), [0; 4]].concat();
    [0, RKCHAT_UNSET_INT].contains(&i64::from_ne_bytes(slot))
        || f64::from_ne_bytes(slot).is_nan()
        || slot[..] == flag[..]
}

/// Reads options; NULL is all defaults.
///
/// # Safety
/// `c` is NULL, or points to as many bytes as its `struct_size` says, and the pointers in it are NULL or
/// valid for the lengths beside them.
pub unsafe fn read<T: Input>(c: *const T::C) -> Result<T> {
    if c.is_null() {
        return Ok(T::default());
    }
    // SAFETY: as the caller promises.
    unsafe { read_one(c, size(c)?) }
}

/// Reads structs that lie in a row. All have the size that the first one says.
///
/// # Safety
/// `first` is NULL or points to `len` structs, for each of which what `read` asks for holds.
pub unsafe fn read_all<T: Input>(name: &str, first: *const T::C, len: usize) -> Result<Vec<T>> {
    if len == 0 {
        return Ok(Vec::new()); // NULL too, as for other lists.
    }
    if first.is_null() {
        return Err(Error::invalid_argument(format!(
            "`{name}` is NULL, and its length is {len}"
        )));
    }
    let at = |index: usize, error: Error| {
        Error::invalid_argument(format!("`{name}[{index}]`: {}", error.message()))
    };
    // SAFETY: there is a first one.
    let width = unsafe { size(first) }.map_err(|error| at(0, error))?;
    if len > isize::MAX as usize / width {
        return Err(Error::invalid_argument(format!(
            "the length of `{name}` is {len}: it was never set"
        )));
    }
    let one = |index: usize| {
        // SAFETY: those before it were of this width, so it is inside the row, as the caller promises.
        unsafe {
            let c = first.cast::<u8>().add(index * width).cast::<T::C>();
            match size(c)? {
                own if own == width => read_one(c, width),
                own => Err(Error::invalid_argument(format!(
                    "its `struct_size` is {own}, and that of the first one {width}"
                ))),
            }
        }
    };
    (0..len)
        .map(|index| one(index).map_err(|error| at(index, error)))
        .collect()
}

/// # Safety
/// `c` points to `size` bytes; else as for `read`.
unsafe fn read_one<T: Input>(c: *const T::C, size: usize) -> Result<T> {
    let mut copy = T::UNSET;
    // SAFETY: all reads stay inside `size` bytes, the write inside `copy`, of which any bytes are a value;
    // what `convert` needs is what the caller promises.
    unsafe {
        let known = size.min(size_of::<T::C>());
        ptr::copy_nonoverlapping(c.cast::<u8>(), ptr::from_mut(&mut copy).cast::<u8>(), known);
        let tail = c.cast::<u8>().add(known).cast::<[u8; 8]>();
        if !(0..(size - known) / 8).all(|slot| is_unset(tail.add(slot).read())) {
            return Err(Error::invalid_argument(format!(
                "{} has fields set that this library does not know: it is older than the program's rkchat.h",
                T::C::NAME
            )));
        }
        T::convert(&copy)
    }
}

//! Which library this is.

use std::ffi::c_char;

/// Changes when programs have to be compiled again.
pub const RKCHAT_ABI_MAJOR: u32 = 0;
/// Grows when something is added.
pub const RKCHAT_ABI_MINOR: u32 = 1;

const VERSION: &str = concat!(env!("CARGO_PKG_VERSION"), "\0");

/// The ABI of the library that is loaded: `major << 16 | minor`. It fits the header if the major number
/// is `RKCHAT_ABI_MAJOR`.
#[unsafe(no_mangle)]
pub extern "C" fn rkchat_abi_version() -> u32 {
    (RKCHAT_ABI_MAJOR << 16) | RKCHAT_ABI_MINOR
}

/// The version of the library that is loaded, such as `0.1.0`. Static.
#[unsafe(no_mangle)]
pub extern "C" fn rkchat_version() -> *const c_char {
    VERSION.as_ptr().cast()
}

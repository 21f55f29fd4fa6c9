//! The wall between Rust's panics and the program.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::error::rkchat_error;
use crate::generated::constants::RKCHAT_ERR_PANIC;
use crate::status::rkchat_status;

/// Runs the body of a function. Its error, or its panic, becomes the status and `*error`.
///
/// # Safety
/// `error` is NULL or may be written to.
pub unsafe fn guard(
    error: *mut *mut rkchat_error,
    body: impl FnOnce() -> rkchat::Result<rkchat_status>,
) -> rkchat_status {
    // Unwind safe: a body that panics leaves only locks that ignore poison, and out-parameters.
    catch_unwind(AssertUnwindSafe(|| {
        let failure = match catch_unwind(AssertUnwindSafe(body)) {
            Ok(Ok(status)) => return status,
            Ok(Err(failure)) => failure,
            Err(payload) => rkchat::Error::panic(&*payload),
        };
        let failure = rkchat_error::new(&failure);
        let status = failure.kind();
        if !error.is_null() {
            // SAFETY: the caller may write to it; what it held before is not ours.
            unsafe { error.write(Box::into_raw(Box::new(failure))) };
        }
        status
    }))
    .unwrap_or(RKCHAT_ERR_PANIC)
}

/// Drops what `Box::into_raw` gave to the program. A panic on the way is swallowed: there is nobody to tell.
///
/// # Safety
/// `pointer` is NULL or came from `Box::into_raw`, and is not used again.
pub unsafe fn guard_free<T>(pointer: *mut T) {
    if !pointer.is_null() {
        // SAFETY: from `Box::into_raw`, as the caller promises.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(unsafe { Box::from_raw(pointer) })));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{rkchat_error_free, rkchat_error_kind, rkchat_error_message};
    use std::ffi::CStr;
    use std::ptr;

    #[test]
    fn a_panic_becomes_a_status() {
        let mut error = ptr::null_mut();
        // SAFETY: `error` is a local, and the error is read before it is freed.
        unsafe {
            let status = guard(&mut error, || panic!("number {}", 7));
            assert_eq!(status, RKCHAT_ERR_PANIC);
            assert_eq!(rkchat_error_kind(error), RKCHAT_ERR_PANIC);
            let message = CStr::from_ptr(rkchat_error_message(error, ptr::null_mut()));
            assert!(
                message.to_str().unwrap().ends_with("number 7"),
                "{message:?}"
            );
            rkchat_error_free(error);
            assert_eq!(
                guard(ptr::null_mut(), || panic!("unheard")),
                RKCHAT_ERR_PANIC
            );
        }
    }

    #[test]
    fn a_panic_while_freeing_is_swallowed() {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("in drop");
            }
        }
        // SAFETY: the pointer is fresh.
        unsafe { guard_free(Box::into_raw(Box::new(Bad))) };
    }
}

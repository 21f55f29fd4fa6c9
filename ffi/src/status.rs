//! What functions return, as the header has it.

pub type rkchat_status = i32;

pub const RKCHAT_OK: rkchat_status = 0;
pub const RKCHAT_END: rkchat_status = -1;
pub const RKCHAT_TIMEOUT: rkchat_status = -2;
pub const RKCHAT_PENDING: rkchat_status = -3;

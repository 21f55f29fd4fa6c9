//! Memory layouts of the RKLLM C ABI, one file per ABI group.
//!
//! Names are the vendor's. Each struct carries its size and each field its offset for 64-bit and
//! 32-bit targets; the compiler checks them for the target it builds for, and
//! `core/tests/abi_layout.rs` compares all of them with the facts taken from the vendor's headers.
//!
//! These files use nothing but `core`, because rkchat's own runtimes include the folder as well:
//! a runtime must not depend on the client library.

#[macro_use]
pub mod layout;
pub mod extension;
pub mod v1_0_0;
pub mod v1_0_1;
pub mod v1_1_0;
pub mod v1_2_0;
pub mod v1_2_1;
pub mod v1_2_1b1;
pub mod v1_3_0;

/// All groups, oldest first.
pub const GROUPS: [&layout::GroupLayout; 7] = [
    &v1_0_0::GROUP,
    &v1_0_1::GROUP,
    &v1_1_0::GROUP,
    &v1_2_0::GROUP,
    &v1_2_1b1::GROUP,
    &v1_2_1::GROUP,
    &v1_3_0::GROUP,
];

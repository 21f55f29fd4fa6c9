//! The vendor's library `librkllmrt.so`.

pub mod abi;

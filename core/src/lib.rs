//! Chat models on Rockchip NPUs, and on any CPU, behind one API.

#[doc(hidden)]
pub mod vendor;

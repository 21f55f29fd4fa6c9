//! The built CPU runtime with a real model, through the ABI of both groups.

mod limits;
mod output;
mod support;
mod symbols;

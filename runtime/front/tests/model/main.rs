//! The built CPU runtime with a real model, through the ABI of the groups.

mod limits;
mod output;
mod support;
mod symbols;

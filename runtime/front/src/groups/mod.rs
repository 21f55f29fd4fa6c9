//! The ABI groups: how each reads its structs and makes its callback.
//!
//! A group's file holds what is its own; what several have in common is in [`read`], [`write`]
//! and the macros of [`fields`]; the functions' bodies, which are the same for all, are in
//! [`calls`](crate::calls).

#[macro_use]
mod fields;
pub(crate) mod read;
mod v1_0_0;
mod v1_0_1;
mod v1_1_0;
mod v1_2_0;
mod v1_2_1;
mod v1_2_1b1;
mod v1_3_0;
mod write;

use crate::engine::{Engine, Hosts, InitParams};
use crate::run::Run;
use crate::session::{Deliver, Opening, Session};
use crate::template::Turn;
use std::ffi::CStr;

/// An ABI group; implemented by the group's table of functions.
pub trait Group {
    /// The group's first release, which names it.
    const NAME: &'static CStr;
    /// What the group can.
    const OPENING: &'static Opening;
    /// Whether information in the log begins with `I rkllm:`.
    const LOG_PREFIX: bool = true;
    /// Parameters of `rkllm_init`.
    type Param: Copy;
    /// The last argument of `rkllm_init`.
    type Callback: Copy;

    /// `rkllm_createDefaultParam`: the manual's values, and what the vendor's demos set where the
    /// manual is silent (max_context_len, max_new_tokens, n_keep, embed_flash). What neither
    /// mentions is zero or empty.
    fn default_param() -> Self::Param;

    /// Reads the parameters.
    ///
    /// # Safety
    /// Each pointer is NULL or valid as the group's header says.
    unsafe fn params(param: &Self::Param) -> Result<InitParams, String>;

    /// What makes the calls of the caller's callback.
    ///
    /// # Safety
    /// As for [`Group::params`].
    unsafe fn deliver(callback: Self::Callback) -> Result<Deliver, String>;

    /// The tokenizer and the embedding layer that the caller brings.
    ///
    /// # Safety
    /// As for [`Group::params`].
    unsafe fn hosts(_callback: Self::Callback) -> Result<Hosts, String> {
        Ok(Hosts::default())
    }
}

/// A group whose runs take structs: all since 1.1.0.
pub trait Structured: Group {
    /// One input of a run.
    type Input: Copy;
    /// Settings of a run.
    type Infer: Copy;
    /// The settings of a run that is given none: leaving them out means generate, says a comment
    /// in the vendor's demos.
    const NO_INFER: Self::Infer;

    /// Reads an input.
    ///
    /// # Safety
    /// As for [`Group::params`], and the union member that `input_type` names is valid.
    unsafe fn turn<E: Engine>(session: &Session<E>, input: &Self::Input) -> Result<Turn, String>;

    /// Puts the settings into a run that has the defaults.
    ///
    /// # Safety
    /// As for [`Group::params`].
    unsafe fn set(infer: &Self::Infer, run: &mut Run) -> Result<(), String>;
}

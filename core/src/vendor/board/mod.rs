//! Checks on a real board what rkchat assumes about the real library (see [`super::assumptions`]).
//!
//! `rkchat doctor --board` and the example `board` print the report and keep what was measured; from
//! then on `Model.open` goes by it.

mod checks;
mod features;
mod observe;
mod report;

use std::path::Path;

pub use report::{Finding, Report, Verdict};

use super::capabilities::Capabilities;
use super::{InitParams, Library, Sampling, Session, Word, log};
use crate::model::{self, ModelFiles};
use crate::surface::{Error, ErrorKind, ModelOptions, Result};

/// The window that models are opened with here: enough for every check.
const WINDOW: u32 = 512;

/// What is looked at.
pub(super) struct Subject<'a> {
    pub capabilities: Capabilities,
    pub files: &'a ModelFiles,
    pub session: &'a dyn Session,
}

/// Opens a model in a runtime and checks every assumption that can be checked without risk.
pub fn check(runtime: &Path, abi: Option<&str>, model: &Path) -> Result<Report> {
    let library = Library::open(runtime, Word::of(abi, false)?)?;
    let options = ModelOptions::default();
    let files = model::find(model, &options)?.read(&options)?;
    let mut findings = vec![checks::default_param(&library)];
    let window = InitParams {
        model_path: files.weights.clone(),
        max_context_len: WINDOW,
        sampling: Sampling {
            top_k: Some(1),
            repeat_penalty: Some(1.0),
            ..Sampling::default()
        },
        capture_logs: true,
        ..InitParams::default()
    };
    let none = InitParams {
        unlimited: true,
        ..window.clone()
    };
    let limited = library.driver().init(&window);
    findings.push(checks::max_new_tokens_window(limited.as_ref().err()));
    let opened = limited.or_else(|_| library.driver().init(&none));
    let opened = opened.map_err(|failure| {
        let said: Vec<_> = log::errors(&failure.log).collect();
        let message = format!(
            "{} was not opened (rkllm_init returned {}): {}",
            files.weights.display(),
            failure.status,
            said.join("; ")
        );
        Error::new(ErrorKind::RuntimeFailed, message)
    })?;
    let subject = Subject {
        capabilities: library.capabilities(),
        files: &files,
        session: &*opened.session,
    };
    findings.extend(checks::all(&subject));
    Ok(Report {
        runtime: library.info().clone(),
        sha1: library.sha1().to_owned(),
        model: files.weights.clone(),
        log: opened.log,
        findings,
    })
}

/// Opens the model twice, which releases before 1.2.2 may answer with a crash or never: for a process
/// that may be lost.
pub fn check_second_model(runtime: &Path, abi: Option<&str>, model: &Path) -> Result<Finding> {
    let library = Library::open(runtime, Word::of(abi, false)?)?;
    let found = model::find(model, &ModelOptions::default())?;
    let params = InitParams {
        model_path: found.weights,
        max_context_len: WINDOW,
        ..InitParams::default()
    };
    let first = library.driver().init(&params);
    let second = library.driver().init(&params);
    Ok(checks::one_model(&library, first.is_ok(), second.is_ok()))
}

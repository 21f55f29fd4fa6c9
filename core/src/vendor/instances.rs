//! How many models Rockchip's libraries hold, in this process and in others.
//!
//! Before 1.2.2 a second `rkllm_init` blocks, fails or crashes (`QUIRKS.md`, "Abort / lifetime"), so it is
//! refused here. rkchat's own runtime is not counted.

use std::sync::{Mutex, PoisonError};

use super::capabilities::{self, Capabilities};
use super::npu_lock::{self, Note, Noted};
use super::npu_memory;
use crate::surface::{Error, ErrorKind, Result, RuntimeInfo, Warning, WarningKind};

/// The models that are open: the process they were opened in, and how many of them let no other in.
static OPEN: Mutex<Open> = Mutex::new(Open {
    process: 0,
    all: 0,
    alone: 0,
});

struct Open {
    process: u32,
    all: usize,
    alone: usize,
}

/// A model's place. Given back when it is dropped, which is after the model was freed.
#[derive(Debug)]
pub(crate) struct Place {
    process: u32,
    alone: bool,
    counts: bool,
    /// The other processes, when it was taken.
    others: Vec<Note>,
    /// What tells other processes of it.
    _noted: Option<Noted>,
}

impl Place {
    /// Takes a place, where there is one for a model in this runtime. `many`: whatever the release.
    pub fn take(runtime: &RuntimeInfo, capabilities: Capabilities, many: bool) -> Result<Self> {
        let process = std::process::id();
        let alone = !many && !capabilities.has(capabilities::SEVERAL_MODELS);
        let counts = !capabilities.own;
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if open.process != process {
            // A fork: the parent's models are not here.
            *open = Open {
                process,
                all: 0,
                alone: 0,
            };
        }
        if counts && !many && (open.alone > 0 || (alone && open.all > 0)) {
            let instead = "Close the model that is open in this process first, or use another process; where this \
                           board can hold both, say so with the option assume, {\"instances\": \"many\"}.";
            let wanted = capabilities::SEVERAL_MODELS;
            return Err(capabilities::refusal(
                runtime,
                capabilities,
                wanted,
                instead,
            ));
        }
        let others = match counts {
            true => npu_lock::others(),
            false => Vec::new(),
        };
        let refuses = |other: &&Note| !many && (alone || other.alone > 0);
        if let Some(other) = others.iter().find(refuses) {
            return Err(taken(runtime, capabilities, other));
        }
        open.all += usize::from(counts);
        open.alone += usize::from(alone);
        Ok(Self {
            process,
            alone,
            counts,
            others,
            _noted: counts.then(|| Noted::new(alone)),
        })
    }

    /// A warning where other processes use the NPU.
    pub fn shared(&self) -> Option<Warning> {
        let others: Vec<_> = self.others.iter().map(Note::holder).collect();
        (!others.is_empty()).then(|| Warning {
            kind: WarningKind::SharedNpu,
            message: format!(
                "other processes use the NPU: {}. Both get slower, and memory may not suffice for both",
                npu_memory::list(&others)
            ),
        })
    }
}

/// The error where another process has a model, and one of the two lets no other in.
fn taken(runtime: &RuntimeInfo, capabilities: Capabilities, other: &Note) -> Error {
    let holder = npu_memory::named(&other.holder());
    let instead = format!(
        "{holder} has a model on the NPU, and one of the two releases lets no other in: close it first; where this board can \
         hold both, say so with the option assume, {{\"instances\": \"many\"}}."
    );
    let wanted = capabilities::SEVERAL_MODELS;
    let error = match capabilities.has(wanted) {
        false => capabilities::refusal(runtime, capabilities, wanted, &instead),
        true => Error::new(ErrorKind::Unsupported, instead).with("capability", wanted.id),
    };
    error
        .with("pid", other.pid)
        .with("program", other.program.as_str())
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut open = OPEN.lock().unwrap_or_else(PoisonError::into_inner);
        if open.process == self.process {
            open.all -= usize::from(self.counts);
            open.alone -= usize::from(self.alone);
        }
    }
}

//! One driver for each ABI group: owned data in, the group's structs and calls out.
//!
//! A driver is the only place that touches its group's layouts.

/// Puts the sampling settings that are set into a struct of a group, whose fields have the same names.
macro_rules! set_sampling {
    ($fields:ident, $sampling:expr) => {
        set_sampling!($fields, $sampling, top_k top_p temperature repeat_penalty frequency_penalty presence_penalty)
    };
    ($fields:ident, $sampling:expr, $($name:ident)*) => {
        $(if let Some(value) = $sampling.$name {
            $fields.$name = value;
        })*
    };
}

mod v1_1_0;
mod v1_3_0;

use std::ffi::{CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::abi::layout::Address;
use super::extension::Table;
use super::{Driver, InitFailure, InitParams, Opened, Session, capture};

/// The ABI groups that can be driven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Group {
    V1_1_0,
    V1_3_0,
}

impl Group {
    pub const ALL: [Self; 2] = [Self::V1_1_0, Self::V1_3_0];

    /// The first release of the group, which names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::V1_1_0 => "1.1.0",
            Self::V1_3_0 => "1.3.0",
        }
    }

    /// The driver for a library of this group, which must stay loaded for good.
    ///
    /// # Safety
    /// `find` gives the addresses of the library's symbols, and the library is of this group.
    pub unsafe fn driver(
        self,
        find: impl FnMut(&'static std::ffi::CStr) -> Result<Address, String>,
        table: Option<Table>,
    ) -> Result<Box<dyn Driver>, String> {
        Ok(match self {
            // SAFETY: handed on from the caller.
            Self::V1_1_0 => Box::new(unsafe { v1_1_0::Library::load(find, table) }?),
            // SAFETY: as above.
            Self::V1_3_0 => Box::new(unsafe { v1_3_0::Library::load(find, table) }?),
        })
    }
}

/// What `rkllm_init` filled in. The vendor's demos use a handle from several threads: one that runs,
/// another that aborts.
#[derive(Clone, Copy)]
struct Handle(*mut c_void);

// SAFETY: the handle is only given back to the library; `rkllm_abort` is called from another thread
// than `rkllm_run` in the vendor's own demos, and every other call is made by one thread at a time.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

/// The path as the library wants it.
fn c_path(path: &Path) -> Result<CString, InitFailure> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| InitFailure {
        status: -1,
        log: vec!["the model's path contains a NUL byte".into()],
    })
}

/// A prompt as the library wants it. The engine has refused NUL bytes before.
fn c_text(text: &str) -> CString {
    CString::new(text.replace('\0', "")).unwrap_or_default()
}

/// Calls `rkllm_init` and believes it only if it gave both success and a handle: some releases return 0
/// with NULL, 1.1.x also 0 after a failed load (`QUIRKS.md`, "Abort / lifetime").
fn init(
    params: &InitParams,
    table: Option<Table>,
    call: impl FnOnce(*mut *mut c_void) -> c_int,
    session: impl FnOnce(Handle) -> Box<dyn Session>,
) -> Result<Opened, InitFailure> {
    let mut handle = std::ptr::null_mut();
    let (status, mut log) = capture::during(params.capture_logs, || call(&mut handle));
    if status == 0 && !handle.is_null() {
        let session = session(Handle(handle));
        return Ok(Opened { session, log });
    }
    if let Some(line) = table.and_then(Table::last_error) {
        log.push(format!("E rkllm: {line}"));
    }
    Err(InitFailure { status, log })
}

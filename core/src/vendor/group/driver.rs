//! What the drivers of all groups have in common.

use std::ffi::{CStr, CString, c_int, c_void};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Find;
use crate::vendor::extension::{ModelTable, Table};
use crate::vendor::{
    Driver, EventSink, InitFailure, InitParams, Input, Opened, RunCounts, RunRequest, Session,
    Vocabulary, callback, capture, log,
};

/// The calls of one group, in its layout. Implemented by the group's table of functions.
pub(super) trait Abi: Copy + Send + Sync + Sized + 'static {
    /// What the library may look at as long as the model is open, and what runs need again.
    type Kept: Send + Sync;

    /// # Safety
    /// As for [`super::Group::driver`].
    unsafe fn load(find: Find<'_>) -> Result<Self, String>;

    /// What `rkllm_init` is given.
    fn prepare(&self, params: &InitParams, model_path: &CStr) -> Self::Kept;

    /// `rkllm_init`.
    ///
    /// # Safety
    /// `kept` and the path it was made with live as long as the handle.
    unsafe fn init(&self, handle: *mut *mut c_void, kept: &mut Self::Kept) -> c_int;

    /// `rkllm_run`; returns when the run is over.
    ///
    /// # Safety
    /// The handle is open and no other run is in progress on it.
    unsafe fn run(
        &self,
        handle: *mut c_void,
        kept: &Self::Kept,
        request: &RunRequest,
        buffers: &mut Buffers,
        userdata: *mut c_void,
    ) -> c_int;

    /// `rkllm_abort`; -1 where the group has none.
    ///
    /// # Safety
    /// The handle is open.
    unsafe fn abort(&self, _handle: *mut c_void) -> c_int {
        -1
    }

    /// Forgets what runs left in the cache; -1 where the group cannot.
    ///
    /// # Safety
    /// The handle is open and no run is in progress on it.
    unsafe fn clear_cache(&self, _handle: *mut c_void) -> c_int {
        -1
    }

    /// Tokens in the cache, where the group can tell.
    ///
    /// # Safety
    /// As for `clear_cache`; the model was opened for one batch.
    unsafe fn cache_size(&self, _handle: *mut c_void) -> Option<u32> {
        None
    }

    /// `rkllm_destroy`.
    ///
    /// # Safety
    /// The handle is open, no run is in progress on it, and it is not used again.
    unsafe fn destroy(&self, handle: *mut c_void);
}

/// A run's input as the library reads it; lives until the run returns.
pub(super) enum Buffers {
    Tokens(Vec<i32>),
    Text(CString),
}

impl Buffers {
    fn of(input: &Input) -> Self {
        match input {
            Input::Tokens(ids) => Self::Tokens(ids.clone()),
            // The engine has refused NUL bytes before.
            Input::Text(text) => {
                Self::Text(CString::new(text.replace('\0', "")).unwrap_or_default())
            }
        }
    }

    /// The text, for groups that take nothing else; empty for tokens, which the engine does not send
    /// there.
    pub fn text(&self) -> &CStr {
        match self {
            Self::Text(text) => text,
            Self::Tokens(_) => c"",
        }
    }
}

/// The driver over a loaded library.
///
/// # Safety
/// As for [`super::Group::driver`], for the group of `A`.
pub(super) unsafe fn library<A: Abi>(
    find: Find<'_>,
    table: Option<Table>,
) -> Result<Box<dyn Driver>, String> {
    // SAFETY: handed on from the caller.
    let functions = unsafe { A::load(find) }?;
    Ok(Box::new(Library { functions, table }))
}

struct Library<A> {
    functions: A,
    table: Option<Table>,
}

impl<A: Abi> Driver for Library<A> {
    /// Believes `rkllm_init` only if it gave both success and a handle and logged no error: some releases
    /// return 0 with NULL, 1.1.x also 0 and a handle after a failed load (`QUIRKS.md`, "Abort /
    /// lifetime"). Such a handle is left alone: 1.1.2 ends the process when it is used.
    fn init(&self, params: &InitParams) -> Result<Opened, InitFailure> {
        let model_path = c_path(&params.model_path)?;
        let functions = self.functions;
        // Boxed: the library may keep the addresses of what it was given.
        let mut kept = Box::new(functions.prepare(params, &model_path));
        let mut handle = std::ptr::null_mut();
        let (status, mut log) = capture::during(params.capture_logs, || {
            // SAFETY: path and `kept` are moved into the model below, or outlive the failed call.
            unsafe { functions.init(&mut handle, &mut kept) }
        });
        let lied = log::errors(&log).next().is_some();
        if status == 0 && !handle.is_null() && !lied {
            let session = Box::new(Model {
                functions,
                handle: Handle(handle),
                kept,
                table: self.table.map(|table| ModelTable::new(table, handle)),
                _model_path: model_path,
            });
            return Ok(Opened { session, log });
        }
        if !handle.is_null() {
            // The library may look at them as long as the handle is there.
            std::mem::forget((kept, model_path));
        }
        if let Some(line) = self.table.and_then(Table::last_error) {
            log.push(format!("E rkllm: {line}"));
        }
        Err(InitFailure { status, log })
    }
}

/// The path as the library wants it.
fn c_path(path: &Path) -> Result<CString, InitFailure> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| InitFailure {
        status: -1,
        log: vec!["the model's path contains a NUL byte".into()],
    })
}

/// The library's handle of an open model.
struct Handle(*mut c_void);

// SAFETY: nothing but the library looks behind the pointer. `rkllm_abort` is called from another thread
// than `rkllm_run` in the vendor's own demos, and every other call is made by one thread at a time.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

struct Model<A: Abi> {
    functions: A,
    handle: Handle,
    kept: Box<A::Kept>,
    table: Option<ModelTable>,
    /// Whether the library copies it is not documented.
    _model_path: CString,
}

impl<A: Abi> Session for Model<A> {
    fn run(&self, request: &RunRequest, sink: EventSink<'_>) -> i32 {
        let mut buffers = Buffers::of(&request.input);
        callback::with_sink(sink, |userdata| {
            // SAFETY: the handle is open, and runs come one at a time by the trait's contract.
            unsafe {
                self.functions
                    .run(self.handle.0, &self.kept, request, &mut buffers, userdata)
            }
        })
    }

    fn abort(&self) -> i32 {
        // SAFETY: the handle is open; abort may come from another thread than run.
        unsafe { self.functions.abort(self.handle.0) }
    }

    fn clear_cache(&self) -> i32 {
        // SAFETY: the handle is open, and no run is in progress by the trait's contract.
        unsafe { self.functions.clear_cache(self.handle.0) }
    }

    fn cache_size(&self) -> Option<u32> {
        // SAFETY: as above; models are opened for one batch.
        unsafe { self.functions.cache_size(self.handle.0) }
    }

    fn vocabulary(&self) -> Option<&dyn Vocabulary> {
        self.table.as_ref().map(|table| table as _)
    }

    fn last_error(&self) -> Option<String> {
        self.table.as_ref()?.last_error()
    }

    fn counts(&self) -> Option<RunCounts> {
        self.table.as_ref()?.counts()
    }
}

impl<A: Abi> Drop for Model<A> {
    fn drop(&mut self) {
        // SAFETY: the handle is open and no run is in progress, by the trait's contract.
        unsafe { self.functions.destroy(self.handle.0) };
    }
}

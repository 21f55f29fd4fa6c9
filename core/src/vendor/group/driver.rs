//! What the drivers of all groups have in common.

use std::ffi::{CString, c_int, c_void};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::Find;
use super::buffers::{self, Buffers, MarkerTexts};
use super::held::{Adapter, Cross, Held, Place};
use super::host::Registered;
use super::table::{Abi, IMPOSSIBLE};
use crate::vendor::callback::About;
use crate::vendor::extension::{ModelTable, Table};
use crate::vendor::{
    CrossAttention, Driver, EventSink, InitFailure, InitParams, Mode, Opened, RunCounts, RunEvent,
    RunRequest, Session, Vocabulary, callback, capture, log,
};

/// What a model is opened with, as the library reads it. Whether it copies it is not documented.
pub(super) struct Given {
    pub model_path: CString,
    pub markers: MarkerTexts,
    pub hosts: Registered,
}

impl Given {
    fn of(params: &InitParams) -> Result<Self, String> {
        let markers = params.image_markers.clone().unwrap_or_default();
        Ok(Self {
            model_path: buffers::path("the model", &params.model_path)?,
            markers: buffers::markers(&markers)?,
            hosts: Registered::new(params),
        })
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
        let given = Given::of(params).map_err(|message| InitFailure {
            status: IMPOSSIBLE,
            log: vec![format!("E rkllm: {message}")],
        })?;
        let functions = self.functions;
        // Boxed: the library may keep the addresses of what it was given.
        let mut kept = Box::new(functions.prepare(params, &given));
        let mut handle = std::ptr::null_mut();
        let (status, mut log) = capture::during(params.capture_logs, || {
            // SAFETY: `given` and `kept` are moved into the model below, or outlive the failed call.
            unsafe { functions.init(&mut handle, &mut kept) }
        });
        let lied = log::errors(&log).next().is_some();
        if status == 0 && !handle.is_null() && !lied {
            let session = Box::new(Model {
                functions,
                handle: Handle(handle),
                kept,
                given,
                held: Mutex::default(),
                about: about::<A>(params),
                table: self.table.map(|table| ModelTable::new(table, handle)),
            });
            return Ok(Opened { session, log });
        }
        let said = given
            .hosts
            .failure()
            .or_else(|| self.table.and_then(Table::last_error));
        if !handle.is_null() {
            // The library may look at them as long as the handle is there.
            std::mem::forget((kept, given));
        }
        if let Some(line) = said {
            log.push(format!("E rkllm: {line}"));
        }
        Err(InitFailure { status, log })
    }
}

/// What its runs have in common.
fn about<A: Abi>(params: &InitParams) -> About {
    let logprobs = params
        .top_logprobs
        .map_or(0, |top| usize::try_from(top).unwrap_or(0) + 1);
    About {
        batches: if A::BATCHES { params.batches() } else { 1 },
        mode: Mode::Generate,
        last_row: false,
        may_pause: A::PAUSES,
        window: usize::try_from(params.max_context_len).unwrap_or(usize::MAX),
        logprobs,
    }
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
    given: Given,
    held: Mutex<Held>,
    about: About,
    table: Option<ModelTable>,
}

impl<A: Abi> Model<A> {
    /// Makes a call with something that is kept from then on, in place of what an earlier call gave. What
    /// could not be made for C is not given.
    fn hold<T: Place>(&self, new: Result<T, String>, call: impl FnOnce(&mut T) -> c_int) -> i32 {
        let Ok(new) = new else { return IMPOSSIBLE };
        // Boxed: the library may keep its address.
        let mut new = Box::new(new);
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let status = call(&mut new);
        if status == 0 {
            T::hold(&mut held, new);
        }
        status
    }
}

fn texts(texts: [&str; 3]) -> Result<[CString; 3], String> {
    let [one, two, three] = texts.map(|text| buffers::text("a text", text));
    Ok([one?, two?, three?])
}

impl<A: Abi> Session for Model<A> {
    fn run(&self, request: &RunRequest, sink: EventSink<'_>) -> i32 {
        let about = About {
            mode: request.mode,
            last_row: request.last_row,
            may_pause: self.about.may_pause && !request.keep_history,
            ..self.about
        };
        let mut buffers = match Buffers::of(request, about.batches) {
            Ok(buffers) => buffers,
            Err(message) => {
                let message = Some(message);
                // Nothing runs that could go on or not.
                let _ = sink(RunEvent::Error { message });
                return IMPOSSIBLE;
            }
        };
        callback::with_sink(sink, about, |userdata| {
            // SAFETY: the handle is open, and runs come one at a time by the trait's contract, which is
            // also what says how wide embeddings are; the inputs were counted.
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

    fn is_running(&self) -> Option<bool> {
        // SAFETY: the handle is open; asking is what the function is for while a run is in progress.
        unsafe { self.functions.is_running(self.handle.0) }
    }

    fn clear_cache(&self, keep_system: bool, ranges: &[(u32, u32)]) -> i32 {
        let position = |position| c_int::try_from(position).ok();
        let positions = ranges
            .iter()
            .map(|(start, end)| position(*start).zip(position(*end)));
        let Some(ranges) = positions.collect::<Option<Vec<_>>>() else {
            return IMPOSSIBLE;
        };
        if !ranges.is_empty() && ranges.len() != self.about.batches {
            return IMPOSSIBLE;
        }
        // SAFETY: the handle is open, and no run is in progress by the trait's contract.
        unsafe {
            self.functions
                .clear_cache(self.handle.0, keep_system, &ranges)
        }
    }

    fn cache_size(&self) -> Option<u32> {
        // SAFETY: as above.
        unsafe { self.functions.cache_size(self.handle.0) }
    }

    fn load_adapter(&self, name: &str, path: &Path, scale: f32) -> i32 {
        self.hold(Adapter::new(name, path, scale), |adapter| {
            // SAFETY: as above; the adapter is kept as long as the model.
            unsafe { self.functions.load_lora(self.handle.0, adapter.raw()) }
        })
    }

    fn load_prompt_cache(&self, path: &Path) -> i32 {
        self.hold(buffers::path("the prompt cache", path), |path| {
            // SAFETY: as above; the path is kept until another file is loaded.
            unsafe { self.functions.load_prompt_cache(self.handle.0, path) }
        })
    }

    fn release_prompt_cache(&self) -> i32 {
        // SAFETY: as above.
        unsafe { self.functions.release_prompt_cache(self.handle.0) }
    }

    fn set_chat_template(&self, system: &str, prefix: &str, postfix: &str) -> i32 {
        let template = texts([system, prefix, postfix]).map(super::held::Template);
        self.hold(template, |template| {
            // SAFETY: as above; the texts are kept until others are set.
            unsafe { self.functions.set_chat_template(self.handle.0, &template.0) }
        })
    }

    fn set_function_tools(&self, system: &str, tools: &str, tool_response: &str) -> i32 {
        let tools = texts([system, tools, tool_response]).map(super::held::Tools);
        self.hold(tools, |tools| {
            // SAFETY: as above.
            unsafe { self.functions.set_function_tools(self.handle.0, &tools.0) }
        })
    }

    fn set_cross_attention(&self, encoder: CrossAttention) -> i32 {
        self.hold(Cross::new(encoder), |cross| {
            // SAFETY: as above; the sizes fit each other, and by the trait's contract the model.
            unsafe { self.functions.set_cross_attn(self.handle.0, cross.raw()) }
        })
    }

    fn vocabulary(&self) -> Option<&dyn Vocabulary> {
        self.table.as_ref().map(|table| table as _)
    }

    fn last_error(&self) -> Option<String> {
        let runtimes = || self.table.as_ref()?.last_error();
        self.given.hosts.failure().or_else(runtimes)
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

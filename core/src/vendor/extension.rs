//! The table that rkchat's own runtime offers besides the vendor's functions.

use std::ffi::{CStr, c_char, c_void};

use super::abi::extension::{Counts, Extension, ExtensionFn, SYMBOL, VERSION};
use super::{RunCounts, Vocabulary};

/// The table of a loaded library.
#[derive(Clone, Copy)]
pub(super) struct Table(&'static Extension);

impl Table {
    /// Looks for the table; none is there in the vendor's libraries.
    pub fn of(library: &libloading::Library) -> Option<Self> {
        // SAFETY: nothing but rkchat's runtimes exports this name, with this type.
        let function = unsafe { library.get::<ExtensionFn>(SYMBOL.to_bytes()) }.ok()?;
        // SAFETY: the function has no preconditions and returns NULL or a static table.
        let table = unsafe { function().as_ref() }?;
        let whole = table.struct_size as usize >= size_of::<Extension>();
        (table.version >= VERSION && whole).then_some(Self(table))
    }

    pub fn name(self) -> String {
        text(self.0.name)
    }

    pub fn release(self) -> String {
        text(self.0.release)
    }

    pub fn group(self) -> String {
        text(self.0.group)
    }

    /// The last error line of a call on this thread.
    pub fn last_error(self) -> Option<String> {
        let line = filled(|buffer: *mut u8, capacity| {
            // SAFETY: room for `capacity` bytes is behind `buffer`.
            unsafe { (self.0.last_error)(buffer, capacity) }
        })?;
        (!line.is_empty()).then(|| String::from_utf8_lossy(&line).into_owned())
    }
}

/// The strings of the table.
fn text(pointer: *const c_char) -> String {
    // SAFETY: the table promises static NUL-terminated strings.
    unsafe { CStr::from_ptr(pointer) }
        .to_string_lossy()
        .into_owned()
}

/// Calls a function that tells how much it has and writes as much as there is room for, until there is
/// room for all. None where it reports a failure.
fn filled<T: Clone + Default>(mut call: impl FnMut(*mut T, usize) -> i64) -> Option<Vec<T>> {
    let mut buffer = vec![T::default(); 64];
    loop {
        let needed = usize::try_from(call(buffer.as_mut_ptr(), buffer.len())).ok()?;
        let enough = needed <= buffer.len();
        buffer.resize(needed, T::default());
        if enough {
            return Some(buffer);
        }
    }
}

/// The table, for one opened model.
pub(super) struct ModelTable {
    table: Table,
    handle: *mut c_void,
}

// SAFETY: the table's functions may be called from any thread, by its contract, and check the handle.
unsafe impl Send for ModelTable {}
// SAFETY: as above.
unsafe impl Sync for ModelTable {}

impl ModelTable {
    pub fn new(table: Table, handle: *mut c_void) -> Self {
        Self { table, handle }
    }

    pub fn counts(&self) -> Option<RunCounts> {
        let mut counts = Counts {
            struct_size: size_of::<Counts>() as u32,
            ..Counts::default()
        };
        // SAFETY: `counts` says its size, and no more than that is written.
        let status = unsafe { (self.table.0.counts)(self.handle, &mut counts) };
        (status == 0).then_some(RunCounts {
            prompt_tokens: counts.prompt_tokens as u32,
            reused_tokens: counts.reused_tokens as u32,
        })
    }

    pub fn last_error(&self) -> Option<String> {
        self.table.last_error()
    }

    fn failure(&self, what: &str) -> String {
        self.last_error()
            .unwrap_or_else(|| format!("the runtime could not {what}"))
    }
}

impl Vocabulary for ModelTable {
    fn tokenize(
        &self,
        text: &str,
        add_special: bool,
        parse_special: bool,
    ) -> Result<Vec<u32>, String> {
        let ids = filled(|ids: *mut i32, capacity| {
            // SAFETY: text and room for `capacity` ids are valid for the call.
            unsafe {
                (self.table.0.tokenize)(
                    self.handle,
                    text.as_ptr(),
                    text.len(),
                    add_special.into(),
                    parse_special.into(),
                    ids,
                    capacity,
                )
            }
        });
        let ids = ids.ok_or_else(|| self.failure("tokenize"))?;
        ids.into_iter()
            .map(|id| u32::try_from(id).map_err(|_| format!("the runtime gave the token id {id}")))
            .collect()
    }

    fn detokenize(&self, ids: &[u32], skip_special: bool) -> Result<Vec<u8>, String> {
        let ids = ids
            .iter()
            .map(|id| i32::try_from(*id).map_err(|_| format!("{id} is not a token id")))
            .collect::<Result<Vec<_>, _>>()?;
        filled(|bytes: *mut u8, capacity| {
            // SAFETY: ids and room for `capacity` bytes are valid for the call.
            unsafe {
                (self.table.0.detokenize)(
                    self.handle,
                    ids.as_ptr(),
                    ids.len(),
                    skip_special.into(),
                    bytes,
                    capacity,
                )
            }
        })
        .ok_or_else(|| self.failure("detokenize"))
    }
}

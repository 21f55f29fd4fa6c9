//! Where the texts and lists of records live, so that C can point to them.

use std::any::Any;
use std::ffi::c_char;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rkchat::Json;

/// A text in a list: UTF-8, with a NUL byte behind it that `len` does not count.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct rkchat_str {
    pub data: *const c_char,
    /// Bytes in `data`.
    pub len: usize,
}

impl rkchat_str {
    const NONE: Self = Self {
        data: ptr::null(),
        len: 0,
    };
}

/// Bytes with a NUL byte behind them.
pub struct Text(Box<[u8]>);

impl Text {
    pub fn new(bytes: &[u8]) -> Self {
        let mut all = Vec::with_capacity(bytes.len() + 1);
        all.extend_from_slice(bytes);
        all.push(0);
        Self(all.into_boxed_slice())
    }

    pub fn view(&self) -> rkchat_str {
        rkchat_str {
            data: self.0.as_ptr().cast(),
            len: self.0.len() - 1,
        }
    }
}

/// A record as a C struct.
pub trait Record {
    /// The struct.
    type C: Copy + 'static;
    /// Fills the struct; what it points to goes into the arena.
    fn fill(record: &Self, arena: &mut Arena) -> Self::C;
}

/// Owns what the pointers of one record lead to. Nothing in it changes or moves until it is dropped.
#[derive(Default)]
pub struct Arena {
    // Raw, because C's pointers are derived from them and a moving Box would say that it is the only one.
    kept: Vec<*mut dyn Any>,
}

impl Arena {
    fn keep<T: 'static>(&mut self, value: T) -> *const T {
        let pointer = Box::into_raw(Box::new(value));
        self.kept.push(pointer);
        pointer
    }

    fn bytes(&mut self, bytes: &[u8]) -> rkchat_str {
        let text = self.keep(Text::new(bytes));
        // SAFETY: kept just now, and never changed.
        unsafe { &*text }.view()
    }

    pub fn text(&mut self, text: &String) -> rkchat_str {
        self.bytes(text.as_bytes())
    }

    pub fn path(&mut self, path: impl AsRef<Path>) -> rkchat_str {
        self.bytes(path.as_ref().as_os_str().as_bytes())
    }

    /// JSON as text.
    pub fn json(&mut self, json: &Json) -> rkchat_str {
        self.bytes(json.to_string().as_bytes())
    }

    /// An optional text: NULL where there is none.
    pub fn optional<T>(
        &mut self,
        value: Option<&T>,
        make: impl FnOnce(&mut Self, &T) -> rkchat_str,
    ) -> rkchat_str {
        value.map_or(rkchat_str::NONE, |value| make(self, value))
    }

    pub fn texts(&mut self, texts: &[String]) -> Vec<rkchat_str> {
        texts.iter().map(|text| self.text(text)).collect()
    }

    /// A list; NULL where it is empty.
    pub fn list<T: 'static>(&mut self, items: Vec<T>) -> (*const T, usize) {
        if items.is_empty() {
            return (ptr::null(), 0);
        }
        let len = items.len();
        let items = self.keep(items);
        // SAFETY: kept just now, and never changed.
        (unsafe { &*items }.as_ptr(), len)
    }

    /// A record inside a record, and the bytes of its struct.
    pub fn record<R: Record>(&mut self, record: &R) -> (*const R::C, usize) {
        let value = R::fill(record, self);
        (self.keep(value), size_of::<R::C>())
    }

    /// Pointers to records, which may so grow.
    pub fn records<R: Record>(&mut self, records: &[R]) -> Vec<*const R::C> {
        records.iter().map(|record| self.record(record).0).collect()
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        for pointer in self.kept.drain(..) {
            // SAFETY: each came from `Box::into_raw` in `keep`, and is freed here only.
            drop(unsafe { Box::from_raw(pointer) });
        }
    }
}

/// A record and all that it points to.
pub struct Held<C> {
    pub value: C,
    _arena: Arena,
}

// SAFETY: the pointers in `value` lead into the arena, which owns plain data that nothing changes.
unsafe impl<C> Send for Held<C> {}
// SAFETY: as above; nothing in it can be changed through a shared reference.
unsafe impl<C> Sync for Held<C> {}

impl<C> Held<C> {
    pub fn new<R: Record<C = C>>(record: &R) -> Self {
        let mut arena = Arena::default();
        let value = R::fill(record, &mut arena);
        Self {
            value,
            _arena: arena,
        }
    }
}

/// Records and all that they point to.
pub struct List<C> {
    items: Vec<*const C>,
    _arena: Arena,
}

// SAFETY: as for `Held`.
unsafe impl<C> Send for List<C> {}
// SAFETY: as for `Held`.
unsafe impl<C> Sync for List<C> {}

impl<C> List<C> {
    pub fn new<R: Record<C = C>>(records: &[R]) -> Self {
        let mut arena = Arena::default();
        Self {
            items: arena.records(records),
            _arena: arena,
        }
    }

    pub fn items(&self) -> &[*const C] {
        &self.items
    }
}

/// The record that a function gave last; its next call replaces it.
pub struct Kept<C>(Mutex<Option<Held<C>>>);

impl<C> Default for Kept<C> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<C> Kept<C> {
    pub fn lock(&self) -> MutexGuard<'_, Option<Held<C>>> {
        // A panic while it was held left a whole value or none.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

//! The tokenizer and the embedding layer that a model is opened with, as 1.3.0 calls them.
//!
//! As with the result callback, the `userdata` is a number: a call that comes when the model is gone finds
//! nothing under it and is told that it failed.

use std::collections::HashMap;
use std::ffi::{c_char, c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use crate::vendor::{HostEmbedding, HostTokenizer, InitParams};

/// What every failure is answered with: any negative number is one.
const FAILED: c_int = -1;

static HOSTS: LazyLock<Mutex<HashMap<usize, Arc<Host>>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicUsize = AtomicUsize::new(1);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

struct Host {
    tokenizer: Option<Arc<dyn HostTokenizer>>,
    embedding: Option<Arc<dyn HostEmbedding>>,
    failure: Mutex<Option<String>>,
}

/// What one model was opened with; dropped with it.
pub(in crate::vendor) struct Registered {
    number: usize,
    host: Arc<Host>,
}

impl Registered {
    pub fn new(params: &InitParams) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let host = Arc::new(Host {
            tokenizer: params.tokenizer.clone(),
            embedding: params.embedding.clone(),
            failure: Mutex::default(),
        });
        lock(&HOSTS).insert(number, host.clone());
        Self { number, host }
    }

    pub fn has_tokenizer(&self) -> bool {
        self.host.tokenizer.is_some()
    }

    pub fn has_embedding(&self) -> bool {
        self.host.embedding.is_some()
    }

    pub fn userdata(&self) -> *mut c_void {
        std::ptr::without_provenance_mut(self.number)
    }

    /// Takes what the last call failed with.
    pub fn failure(&self) -> Option<String> {
        lock(&self.host.failure).take()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        lock(&HOSTS).remove(&self.number);
    }
}

/// Calls the host that `userdata` numbers. Never unwinds: the caller is foreign code.
fn call(userdata: *mut c_void, call: impl FnOnce(&Host) -> Result<c_int, String>) -> c_int {
    let Some(host) = lock(&HOSTS).get(&userdata.addr()).cloned() else {
        return FAILED;
    };
    let outcome = catch_unwind(AssertUnwindSafe(|| call(&host)));
    let failure = match outcome {
        Ok(Ok(count)) => return count,
        Ok(Err(message)) => message,
        Err(_) => "it panicked".into(),
    };
    let failure =
        format!("the tokenizer or embedding layer that the model was opened with: {failure}");
    *lock(&host.failure) = Some(failure);
    FAILED
}

/// `LLMTokenizerCallback`.
///
/// # Safety
/// `text` is NULL or has `text_len` bytes, `tokens` is NULL or has room for `n_tokens_max` ids.
pub(super) unsafe extern "C" fn tokenize(
    userdata: *mut c_void,
    text: *const c_char,
    text_len: i32,
    tokens: *mut i32,
    n_tokens_max: i32,
) -> c_int {
    call(userdata, |host| {
        let tokenizer = host.tokenizer.as_ref().ok_or("there is no tokenizer")?;
        let sizes = (usize::try_from(text_len), usize::try_from(n_tokens_max));
        let (Ok(len), Ok(room)) = sizes else {
            return Err(format!(
                "a text of {text_len} bytes and room for {n_tokens_max} ids"
            ));
        };
        let bytes = match text.is_null() {
            true if len > 0 => return Err("the text is NULL".into()),
            true => &[],
            // SAFETY: the caller vouches for the text.
            false => unsafe { std::slice::from_raw_parts(text.cast::<u8>(), len) },
        };
        let text = std::str::from_utf8(bytes).map_err(|error| format!("the text: {error}"))?;
        let ids = tokenizer.tokenize(text)?;
        if ids.len() > room {
            return Err(format!("{} ids, with room for {room}", ids.len()));
        }
        if tokens.is_null() && !ids.is_empty() {
            return Err("the buffer for the ids is NULL".into());
        }
        for (place, id) in ids.iter().enumerate() {
            // SAFETY: the place is below the room that the caller vouches for.
            unsafe { tokens.add(place).write_unaligned(*id) };
        }
        // Not more than the room, which came as one.
        Ok(ids.len() as c_int)
    })
}

/// `LLMGetEmbedCallback`.
///
/// # Safety
/// `tokens` is NULL or has `num_tokens` ids, `embed` is NULL or has room for `len` bytes.
pub(super) unsafe extern "C" fn embed(
    userdata: *mut c_void,
    tokens: *mut i32,
    num_tokens: u64,
    embed: *mut c_void,
    len: u64,
) -> c_int {
    call(userdata, |host| {
        let embedding = host
            .embedding
            .as_ref()
            .ok_or("there is no embedding layer")?;
        let said = || format!("{num_tokens} tokens and room for {len} bytes");
        if num_tokens == 0 && len == 0 {
            return Ok(0);
        }
        let most = isize::MAX as u64;
        let fits = num_tokens > 0 && num_tokens <= most / 4 && len > 0 && len <= most;
        if !fits || tokens.is_null() || embed.is_null() {
            return Err(said());
        }
        let bytes_each = num_tokens * 4;
        if len % bytes_each != 0 {
            return Err(said());
        }
        // Neither is more than an address can be.
        let (count, width) = (num_tokens as usize, (len / bytes_each) as usize);
        // SAFETY: the caller vouches for the ids; reading one by one needs no alignment.
        let ids = (0..count).map(|place| unsafe { tokens.add(place).read_unaligned() });
        let ids: Vec<i32> = ids.collect();
        let rows = embedding.embed(&ids, width)?;
        if rows.len() != count * width {
            let numbers = rows.len();
            return Err(format!(
                "{numbers} numbers for {count} tokens of {width} each"
            ));
        }
        // SAFETY: there are as many bytes as the caller has room for; bytes need no alignment.
        unsafe {
            std::ptr::copy_nonoverlapping(rows.as_ptr().cast::<u8>(), embed.cast(), len as usize);
        }
        Ok(0)
    })
}

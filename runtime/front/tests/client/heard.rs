//! A callback's userdata that writes down what comes.

use std::ffi::{CStr, c_char, c_void};
use std::sync::{Condvar, Mutex};
use std::time::Duration;

/// One call of the callback.
#[derive(Clone, Debug, PartialEq)]
pub enum Call {
    /// Text, or NULL, and the token's id; -1 in groups whose callback gets none.
    Normal(Option<String>, i32),
    /// Text and id as above.
    Waiting(Option<String>, i32),
    Finish(Option<String>),
    Error,
    /// Rows and columns, in group 1.1.0's own state.
    HiddenStates(i32, i32),
}

impl Call {
    pub fn normal(text: &str, id: i32) -> Call {
        Call::Normal(Some(text.into()), id)
    }

    /// As the CPU runtime and, where not told otherwise, scripts do it.
    pub fn waiting(id: i32) -> Call {
        Call::Waiting(Some(String::new()), id)
    }

    pub const FINISH: Call = Call::Finish(None);
}

/// Gets the calls of a run; its address is the run's userdata.
#[derive(Default)]
pub struct Heard {
    pub calls: Mutex<Vec<Call>>,
    /// All text of NORMAL calls as it came.
    bytes: Mutex<Vec<u8>>,
    changed: Condvar,
}

impl Heard {
    pub fn userdata(&self) -> *mut c_void {
        (&raw const *self).cast_mut().cast()
    }

    /// Adds the call that `state` makes of the text.
    ///
    /// # Safety
    /// `userdata` is that of a `Heard`, `text` NULL or NUL-terminated.
    pub unsafe fn add(
        userdata: *mut c_void,
        text: *const c_char,
        state: impl FnOnce(Option<String>) -> Call,
    ) {
        // SAFETY: the caller vouches for both.
        let (heard, text) = unsafe {
            let text = (!text.is_null()).then(|| CStr::from_ptr(text));
            (&*userdata.cast::<Heard>(), text)
        };
        let call = state(text.map(|text| text.to_string_lossy().into_owned()));
        if let (Call::Normal(..), Some(text)) = (&call, text) {
            heard.bytes.lock().unwrap().extend(text.to_bytes());
        }
        heard.calls.lock().unwrap().push(call);
        heard.changed.notify_all();
    }

    /// The calls since the last `take`.
    pub fn take(&self) -> Vec<Call> {
        self.bytes.lock().unwrap().clear();
        std::mem::take(&mut self.calls.lock().unwrap())
    }

    /// The joined text of all NORMAL calls.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes.lock().unwrap()).into_owned()
    }

    /// Waits for a call that `wanted` accepts.
    pub fn wait_for(&self, wanted: impl Fn(&Call) -> bool) {
        let calls = self.calls.lock().unwrap();
        let waited = self
            .changed
            .wait_timeout_while(calls, Duration::from_secs(10), |calls| {
                !calls.iter().any(&wanted)
            });
        let timeout = waited.unwrap().1;
        assert!(!timeout.timed_out(), "the call did not come");
    }

    /// Waits for text.
    pub fn wait_for_text(&self) {
        self.wait_for(|call| matches!(call, Call::Normal(..)));
    }
}

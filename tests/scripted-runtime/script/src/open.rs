//! The models that are open: what a second `rkllm_init` meets.

use crate::script::Second;
use rkchat_runtime_front::guard::lock;
use std::sync::{Condvar, Mutex, PoisonError};

/// How many models are open whose script has `second`.
static OPEN: Mutex<usize> = Mutex::new(0);
static CLOSED: Condvar = Condvar::new();

/// An open model that others take notice of.
pub struct Open;

impl Open {
    /// Does what the script says about another open model.
    pub fn new(second: Second) -> Result<Option<Open>, String> {
        if second == Second::Ok {
            return Ok(None);
        }
        let mut open = lock(&OPEN);
        while *open > 0 {
            match second {
                Second::Ok => break,
                Second::Fail => return Err("another model is open in this process".into()),
                Second::Crash => std::process::abort(),
                Second::Block => {
                    open = CLOSED.wait(open).unwrap_or_else(PoisonError::into_inner);
                }
            }
        }
        *open += 1;
        Ok(Some(Open))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        *lock(&OPEN) -= 1;
        CLOSED.notify_all();
    }
}

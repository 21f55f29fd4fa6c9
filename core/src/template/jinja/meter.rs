//! What a template may use up. Templates come from strangers: every limit is on by default.

use std::cell::Cell;
use std::time::{Duration, Instant};

use super::fault::{Fault, Result};

/// Steps for any input: some tenths of a second.
const STEPS: u64 = 6_000_000;
/// Steps on top for each byte of input.
const STEPS_PER_BYTE: u64 = 16;
/// Bytes copied or compared for one step.
const BYTES_PER_STEP: usize = 64;
/// Bytes of strings and lists that may be made, for any input.
const BYTES: usize = 16 << 20;
/// Bytes on top for each byte of input.
const BYTES_PER_BYTE: usize = 128;
/// Time for any input.
const TIME: Duration = Duration::from_millis(700);
/// Time on top for each MiB of input.
const TIME_PER_MIB: Duration = Duration::from_millis(200);
/// The clock is read once in so many steps.
const STEPS_PER_LOOK: u64 = 4096;
/// Stack that the interpreter may use. Threads of Rust have 2 MiB.
const STACK: usize = 1 << 20;
/// Macros and recursive loops inside each other; jinja2 ends near this too, at Python's own limit.
const CALLS: usize = 200;
/// Containers inside containers.
pub(crate) const DEPTH: u32 = 150;

/// Counts what one rendering uses up.
#[derive(Debug)]
pub(crate) struct Meter {
    steps: Cell<u64>,
    bytes: Cell<usize>,
    calls: Cell<usize>,
    time: Duration,
    started: Cell<Option<Instant>>,
    /// Where the stack was when the rendering began.
    stack: usize,
}

impl Meter {
    /// Limits for an input of so many bytes: long conversations may cost more.
    pub fn for_input(size: usize) -> Self {
        let here = 0_u8;
        Self {
            steps: Cell::new(STEPS + STEPS_PER_BYTE * size as u64),
            bytes: Cell::new(BYTES.saturating_add(size.saturating_mul(BYTES_PER_BYTE))),
            calls: Cell::new(CALLS),
            time: TIME + TIME_PER_MIB.saturating_mul(u32::try_from(size >> 20).unwrap_or(u32::MAX)),
            started: Cell::new(None),
            stack: std::ptr::from_ref(&here).addr(),
        }
    }

    /// Pays for one step of the interpreter.
    #[inline]
    pub fn step(&self) -> Result<()> {
        self.steps(1)
    }

    /// Pays for looking at so many bytes.
    #[inline]
    pub fn work(&self, bytes: usize) -> Result<()> {
        self.steps((bytes / BYTES_PER_STEP) as u64)
    }

    #[inline]
    fn steps(&self, count: u64) -> Result<()> {
        let left = self.steps.get();
        let now_left = left.wrapping_sub(count);
        // The same multiple of STEPS_PER_LOOK is below both, unless one was passed or zero was.
        if (left ^ now_left) < STEPS_PER_LOOK {
            self.steps.set(now_left);
            return Ok(());
        }
        self.many_steps(left, count)
    }

    #[cold]
    fn many_steps(&self, left: u64, count: u64) -> Result<()> {
        let Some(now_left) = left.checked_sub(count) else {
            return Err(Fault::limit(
                "it takes more steps than any template needs for these messages",
            ));
        };
        self.steps.set(now_left);
        self.look_at_clock()
    }

    fn look_at_clock(&self) -> Result<()> {
        match self.started.get() {
            None => self.started.set(Some(Instant::now())),
            Some(started) if started.elapsed() > self.time => {
                return Err(Fault::limit(format!(
                    "it runs for longer than {} ms",
                    self.time.as_millis()
                )));
            }
            Some(_) => {}
        }
        Ok(())
    }

    /// Takes memory; false where there is not so much left.
    #[inline]
    pub fn take(&self, bytes: usize) -> bool {
        match self.bytes.get().checked_sub(bytes) {
            Some(left) => {
                self.bytes.set(left);
                true
            }
            None => false,
        }
    }

    /// Takes memory, or fails.
    pub fn bytes(&self, bytes: usize) -> Result<()> {
        if self.take(bytes) {
            return Ok(());
        }
        Err(Self::too_large())
    }

    /// The fault of a template that makes too much.
    #[cold]
    pub fn too_large() -> Box<Fault> {
        Fault::limit(
            "it makes more text or longer lists than any template needs for these messages",
        )
    }

    /// Goes one level down: into an expression, a block or a value.
    #[inline]
    pub fn stack(&self) -> Result<()> {
        let here = 0_u8;
        if self.stack.abs_diff(std::ptr::from_ref(&here).addr()) > STACK {
            return Err(Self::too_deep());
        }
        Ok(())
    }

    #[cold]
    fn too_deep() -> Box<Fault> {
        Fault::limit("it is nested too deeply")
    }

    /// Enters a macro or one more level of a recursive loop.
    pub fn enter(&self) -> Result<()> {
        let left = self.calls.get();
        if left == 0 {
            return Err(Fault::limit(format!(
                "its macros or recursive loops call each other more than {CALLS} levels deep"
            )));
        }
        self.calls.set(left - 1);
        self.stack()
    }

    /// Leaves what `enter` entered.
    pub fn leave(&self) {
        self.calls.set(self.calls.get() + 1);
    }
}

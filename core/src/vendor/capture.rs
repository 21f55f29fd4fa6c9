//! What a runtime prints while a model is opened, read off descriptors 1 and 2 and passed on.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Descriptors belong to the process, so only one model is opened at a time while they are read.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// Runs `call`; with `wanted`, also gives the lines that the process printed meanwhile. Where the
/// descriptors cannot be redirected, nothing is read.
pub(super) fn during<R>(wanted: bool, call: impl FnOnce() -> R) -> (R, Vec<String>) {
    if !wanted {
        return (call(), Vec::new());
    }
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let redirected = [libc::STDOUT_FILENO, libc::STDERR_FILENO].map(Redirected::begin);
    let result = call();
    let log = redirected
        .into_iter()
        .flatten()
        .flat_map(Redirected::end)
        .collect();
    (result, log)
}

/// A descriptor whose output goes through a pipe to a thread that keeps it and passes it on.
struct Redirected {
    descriptor: RawFd,
    original: OwnedFd,
    reader: thread::JoinHandle<Vec<u8>>,
}

impl Redirected {
    fn begin(descriptor: RawFd) -> Option<Self> {
        flush();
        let original = duplicate(descriptor)?;
        let mut pass_on = File::from(original.try_clone().ok()?);
        let (read, write) = pipe()?;
        let reader = thread::Builder::new()
            .name("rkchat-log".into())
            .spawn(move || {
                let (mut from, mut kept, mut buffer) = (File::from(read), Vec::new(), [0; 4096]);
                while let Ok(length @ 1..) = from.read(&mut buffer) {
                    kept.extend_from_slice(&buffer[..length]);
                    // A closed output is no reason to lose the log.
                    let _ = pass_on.write_all(&buffer[..length]);
                }
                kept
            })
            .ok()?;
        // SAFETY: both are open descriptors; the old meaning of `descriptor` is kept in `original`.
        (unsafe { libc::dup2(write.as_raw_fd(), descriptor) } >= 0).then_some(Self {
            descriptor,
            original,
            reader,
        })
    }

    /// Gives the descriptor back. The pipe has no writer then, so the reader ends.
    fn end(self) -> Vec<String> {
        flush();
        // SAFETY: both are open descriptors.
        unsafe { libc::dup2(self.original.as_raw_fd(), self.descriptor) };
        let kept = self.reader.join().unwrap_or_default();
        String::from_utf8_lossy(&kept)
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

/// Writes out what C's streams still hold, for the library prints through them.
fn flush() {
    // SAFETY: NULL flushes all output streams.
    unsafe { libc::fflush(std::ptr::null_mut()) };
}

fn duplicate(descriptor: RawFd) -> Option<OwnedFd> {
    // SAFETY: fcntl checks the descriptor.
    let copy = unsafe { libc::fcntl(descriptor, libc::F_DUPFD_CLOEXEC, 3) };
    // SAFETY: a new descriptor that nothing else owns.
    (copy >= 0).then(|| unsafe { OwnedFd::from_raw_fd(copy) })
}

fn pipe() -> Option<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: room for two descriptors.
    if unsafe { libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) } != 0 {
        return None;
    }
    // SAFETY: two new descriptors that nothing else owns.
    Some(unsafe { (OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])) })
}

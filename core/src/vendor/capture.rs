//! What a runtime prints while a model is opened, read off descriptors 1 and 2 and passed on.

use std::fs::File;
use std::io::Write;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::{Mutex, PoisonError, mpsc};
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
    /// Closed when no more is to be kept.
    keeping: OwnedFd,
    kept: mpsc::Receiver<Vec<u8>>,
}

impl Redirected {
    fn begin(descriptor: RawFd) -> Option<Self> {
        flush();
        let original = duplicate(descriptor)?;
        let pass_on = File::from(original.try_clone().ok()?);
        let (read, write) = pipe()?;
        let (until, keeping) = pipe()?;
        let (give, kept) = mpsc::channel();
        let reader = thread::Builder::new().name("rkchat-log".into());
        reader
            .spawn(move || read_on(&read, &until, pass_on, &give))
            .ok()?;
        // SAFETY: both are open descriptors; the old meaning of `descriptor` is kept in `original`.
        (unsafe { libc::dup2(write.as_raw_fd(), descriptor) } >= 0).then_some(Self {
            descriptor,
            original,
            keeping,
            kept,
        })
    }

    /// Gives the descriptor back.
    fn end(self) -> Vec<String> {
        flush();
        // SAFETY: both are open descriptors.
        unsafe { libc::dup2(self.original.as_raw_fd(), self.descriptor) };
        drop(self.keeping);
        let kept = self.kept.recv().unwrap_or_default();
        String::from_utf8_lossy(&kept)
            .lines()
            .map(str::to_owned)
            .collect()
    }
}

/// Passes on what is printed and keeps it, until `until` is closed and all that was printed before is
/// read. A process that was started meanwhile has the pipe as its output: for that one it goes on.
fn read_on(from: &OwnedFd, until: &OwnedFd, mut pass_on: File, give: &mpsc::Sender<Vec<u8>>) {
    let (mut kept, mut buffer, mut keep) = (Vec::new(), [0; 4096], true);
    loop {
        let watched = |descriptor: &OwnedFd| libc::pollfd {
            fd: descriptor.as_raw_fd(),
            events: libc::POLLIN,
            revents: 0,
        };
        let mut ready = [watched(from), watched(until)];
        // Where nothing is kept any more, only the pipe is waited for.
        let count = if keep { 2 } else { 1 };
        // SAFETY: `ready` has at least `count` entries.
        if unsafe { libc::poll(ready.as_mut_ptr(), count, -1) } < 0 {
            continue;
        }
        if ready[0].revents != 0 {
            // SAFETY: the buffer has room for what it says.
            let length =
                unsafe { libc::read(from.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len()) };
            let Ok(length @ 1..) = usize::try_from(length) else {
                break;
            };
            if keep {
                kept.extend_from_slice(&buffer[..length]);
            }
            // A closed output is no reason to lose the log.
            let _ = pass_on.write_all(&buffer[..length]);
        } else if ready[1].revents != 0 {
            keep = false;
            // Nobody listens where the redirection failed.
            let _ = give.send(std::mem::take(&mut kept));
        }
    }
    let _ = give.send(kept);
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

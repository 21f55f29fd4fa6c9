//! Asks a library in a child process, the program `rkchat-worker`, what its `rkllm_createDefaultParam`
//! writes. The library may be anything: this process only reads a pipe, for a limited time.

use std::env;
use std::io::{self, Read};
use std::os::fd::AsRawFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::call::{END, HELLO};
use super::defaults::{Filled, SEEN};
use crate::vendor::search;

/// The environment variable that names the worker.
const VARIABLE: &str = "RKCHAT_WORKER";

const PROGRAM: &str = "rkchat-worker";

/// How long a library may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often it is looked whether the worker is still there, and how long a killed one may take to go.
const SLICE: Duration = Duration::from_millis(50);
const PARTING: Duration = Duration::from_secs(1);

/// No report is longer.
const LONGEST: usize = 64 * 1024;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Probe {
    /// The function was called twice; what it wrote.
    Measured(Box<Filled>),
    /// The library could not be loaded; the dynamic linker's words.
    NotLoadable(String),
    /// The worker ended without a report; how.
    Crashed(String),
    /// It did not end in time and was stopped.
    TimedOut(Duration),
    /// There is no worker that could be asked; why.
    NoWorker(String),
}

impl Probe {
    /// Why nothing was measured, in a sentence about the function.
    pub fn why_not(&self) -> Option<String> {
        let call = "rkllm_createDefaultParam could not be tried";
        match self {
            Self::Measured(_) => None,
            Self::NotLoadable(why) => Some(format!("{call}: {why}")),
            Self::Crashed(how) => Some(format!("{call}: the process that called it {how}")),
            Self::TimedOut(after) => Some(format!("{call}: it did not return within {after:?}")),
            Self::NoWorker(why) => Some(format!("{call} in a process of its own: {why}")),
        }
    }
}

/// Probes the library with the worker that belongs to this rkchat.
pub fn probe(library: &Path) -> Probe {
    match worker() {
        Ok(worker) => probe_with(&worker, library, PATIENCE),
        Err(why) => Probe::NoWorker(why),
    }
}

/// The worker named by environment, or the one beside the file that holds this code, one level up, or
/// beside the running program.
fn worker() -> Result<PathBuf, String> {
    if let Some(named) = env::var_os(VARIABLE).filter(|value| !value.is_empty()) {
        return Ok(named.into());
    }
    let this = search::this_file();
    let program = env::current_exe().unwrap_or_default();
    let folders = this.ancestors().skip(1).take(2).chain(program.parent());
    let mut seen = Vec::new();
    for file in folders.map(|folder| folder.join(PROGRAM)) {
        if file.is_file() {
            return Ok(file);
        }
        let shown = file.display().to_string();
        if !seen.contains(&shown) {
            seen.push(shown);
        }
    }
    Err(format!(
        "the program {PROGRAM} was not found; looked at {}; the environment variable {VARIABLE} can name it",
        seen.join(", ")
    ))
}

/// Probes the library with this worker and this much patience.
pub fn probe_with(worker: &Path, library: &Path, patience: Duration) -> Probe {
    let deadline = Instant::now() + patience;
    let mut command = Command::new(worker);
    command.arg("probe").arg(library);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            let why = format!("{} cannot be started: {error}", worker.display());
            return Probe::NoWorker(why);
        }
    };
    let mut text = Vec::new();
    let stdout = child.stdout.take();
    let whole = stdout.is_some_and(|mut stdout| read(&mut child, &mut stdout, &mut text, deadline));
    let ended = end(child, if whole { Instant::now() } else { deadline });
    let text = String::from_utf8_lossy(&text);
    let (hello, report) = text.split_once('\n').unwrap_or((&text, ""));
    match ended {
        _ if whole && hello == HELLO => understood(report),
        Ended::Killed if text.is_empty() || hello == HELLO => Probe::TimedOut(patience),
        Ended::ByItself(status) if hello == HELLO => Probe::Crashed(how(status)),
        _ => Probe::NoWorker(format!(
            "{} is not the {HELLO} that belongs to this rkchat: it says {hello:?}",
            worker.display()
        )),
    }
}

/// Reads until the report is whole (true), the worker or its output ended, or time is up.
fn read(
    child: &mut Child,
    stdout: &mut ChildStdout,
    text: &mut Vec<u8>,
    deadline: Instant,
) -> bool {
    let last_line = format!("\n{END}\n");
    let mut piece = [0; 4096];
    loop {
        // Asked first: what was written before the end is then in the pipe. The end of the pipe itself
        // may not come, because processes that the library or another thread started hold it, too.
        let ended = !matches!(child.try_wait(), Ok(None));
        let left = deadline.saturating_duration_since(Instant::now());
        let wait = if ended {
            Duration::ZERO
        } else {
            left.min(SLICE)
        };
        match readable(stdout, wait)
            .and_then(|ready| ready.then(|| stdout.read(&mut piece)).transpose())
        {
            Ok(Some(0)) | Err(_) => return false,
            Ok(Some(count)) => text.extend_from_slice(&piece[..count]),
            Ok(None) if ended || left.is_zero() => return false,
            Ok(None) => {}
        }
        if text.ends_with(last_line.as_bytes()) {
            return true;
        }
        if text.len() > LONGEST {
            return false;
        }
    }
}

/// Whether something can be read, or the end, within `wait`.
fn readable(stdout: &ChildStdout, wait: Duration) -> io::Result<bool> {
    let mut watched = libc::pollfd {
        fd: stdout.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // Rounded up, so that the last wait does not become many of no length.
    let wait = wait.as_micros().div_ceil(1000) as i32;
    // SAFETY: one valid entry, whose descriptor is open.
    match unsafe { libc::poll(&mut watched, 1, wait) } {
        -1 => match io::Error::last_os_error() {
            error if error.kind() == io::ErrorKind::Interrupted => Ok(false),
            error => Err(error),
        },
        ready => Ok(ready > 0),
    }
}

enum Ended {
    /// With this status, if the system gave it to us.
    ByItself(Option<ExitStatus>),
    Killed,
}

/// Waits for the end until `deadline`, then brings it about. No zombie is left. A host that ignores
/// `SIGCHLD`, or waits for all its children, gets the status in our place.
fn end(mut child: Child, deadline: Instant) -> Ended {
    if let Some(status) = gone(&mut child, deadline) {
        return Ended::ByItself(status);
    }
    // Fails only if it ended just now.
    let _ = child.kill();
    if gone(&mut child, Instant::now() + PARTING).is_none() {
        // Stuck in a driver, where signals have to wait as well.
        std::thread::spawn(move || child.wait());
    }
    Ended::Killed
}

/// The status of a child that is gone by `deadline`.
fn gone(child: &mut Child, deadline: Instant) -> Option<Option<ExitStatus>> {
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Some(Some(status)),
            Err(_) => return Some(None),
            Ok(None) if Instant::now() >= deadline => return None,
            Ok(None) => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

fn how(status: Option<ExitStatus>) -> String {
    let Some(status) = status else {
        return "ended without a report".to_owned();
    };
    match (status.signal(), status.code()) {
        (Some(signal), _) => format!("was ended by signal {signal}"),
        (_, code) => format!("ended with exit code {}", code.unwrap_or_default()),
    }
}

fn understood(report: &str) -> Probe {
    let line = report.lines().next().unwrap_or_default();
    if let Some(why) = line.strip_prefix("failed ") {
        return Probe::NotLoadable(why.to_owned());
    }
    let buffers = line
        .strip_prefix("filled ")
        .and_then(|line| line.split_once(' '));
    let buffers = buffers.and_then(|(first, second)| Some([bytes(first)?, bytes(second)?]));
    match buffers {
        Some(buffers) => Probe::Measured(Box::new(Filled(buffers))),
        None => Probe::NoWorker(format!("its report cannot be read: {line:?}")),
    }
}

fn bytes(hex: &str) -> Option<[u8; SEEN]> {
    let mut bytes = [0; SEEN];
    if hex.len() != 2 * SEEN || !hex.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&hex[2 * at..2 * at + 2], 16).ok()?;
    }
    Some(bytes)
}

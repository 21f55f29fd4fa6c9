//! The worker's side of the probe: loads a library, calls its `rkllm_createDefaultParam` and reports what
//! that wrote. Only ever in a child process: the library may crash, hang, print, or end the process.

use std::fs::File;
use std::io::{self, Write};
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::path::Path;

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use super::blob::hex;
use super::defaults::{Filled, POISON, SEEN};
use crate::vendor::abi::layout::Address;

/// The first line of every report; a parent of another release does not read on.
pub(super) const HELLO: &str = concat!("rkchat-worker ", env!("CARGO_PKG_VERSION"));

/// The last line of a whole report.
pub(super) const END: &str = "end";

/// When the worker ends by itself, should its parent no longer be there to end it; in seconds.
const LIFETIME: u32 = 60;

/// Room for the result: far more than any group's struct has.
#[repr(C, align(16))]
struct Slot([u8; 4096]);

/// Writes the report on `library` to standard output and ends the process.
pub(crate) fn report(library: &Path) -> ! {
    let reported = take_stdout().and_then(|mut out| {
        // Before the library can do any harm.
        writeln!(out, "{HELLO}")?;
        let line = match fill(library) {
            Ok(Filled([first, second])) => format!("filled {} {}", hex(&first), hex(&second)),
            Err(why) => format!("failed {}", why.replace('\n', " ")),
        };
        out.write_all(format!("{line}\n{END}\n").as_bytes())
    });
    // SAFETY: ends the process at once, without the library's exit handlers.
    unsafe { libc::_exit(reported.is_err().into()) }
}

/// Keeps standard output for the report; what the library prints goes nowhere. A crash leaves no
/// core file behind.
fn take_stdout() -> io::Result<File> {
    let check = |status: i32| match status {
        -1 => Err(io::Error::last_os_error()),
        status => Ok(status),
    };
    // SAFETY: copies a descriptor to a number that is free.
    let kept = check(unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_DUPFD_CLOEXEC, 3) })?;
    // SAFETY: the descriptor is open and nobody else's.
    let kept = unsafe { File::from_raw_fd(kept) };
    // SAFETY: the path is a NUL-terminated string.
    let null =
        check(unsafe { libc::open(c"/dev/null".as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC) })?;
    // SAFETY: both are descriptors of this process, whose standard output is written to by nobody.
    check(unsafe { libc::dup2(null, libc::STDOUT_FILENO) })?;
    let none = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: the struct is valid for the call.
    check(unsafe { libc::setrlimit(libc::RLIMIT_CORE, &none) })?;
    // SAFETY: has no preconditions; the signal's default is to end the process.
    unsafe { libc::alarm(LIFETIME) };
    Ok(kept)
}

/// What `rkllm_createDefaultParam` of the library writes.
fn fill(library: &Path) -> Result<Filled, String> {
    // SAFETY: loading runs the library's initialisers; this process has nothing that they could harm.
    let library = unsafe { Library::open(Some(library), RTLD_NOW | RTLD_LOCAL) };
    let library =
        ManuallyDrop::new(library.map_err(|error| format!("it cannot be loaded: {error}"))?);
    // SAFETY: only the address is taken.
    let function = unsafe { library.get::<Address>(b"rkllm_createDefaultParam\0") };
    let function = *function.map_err(|error| error.to_string())?;
    let once = |poison: u8| {
        let mut slot = Slot([poison; 4096]);
        // SAFETY: every header so far declares this function without parameters and with a struct as
        // its result, of some hundred bytes and with no stricter alignment. A library that does
        // otherwise ruins this process, which is there for that.
        unsafe { call_into(function, slot.0.as_mut_ptr()) };
        let mut seen = [0; SEEN];
        seen.copy_from_slice(&slot.0[..SEEN]);
        seen
    };
    Ok(Filled(POISON.map(once)))
}

/// Calls a C function without parameters whose result is a struct, with `slot` as the place for the
/// result, so that bytes the function does not write stay as they are. Declaring the function with a
/// struct as its result would let the compiler choose the place, and copy.
///
/// # Safety
/// `function` is such a function, its struct is larger than 16 bytes, and `slot` has room for it.
unsafe fn call_into(function: Address, slot: *mut u8) {
    // The procedure call standards of x86-64 and 32-bit Arm pass the place of a large result like a
    // first pointer parameter, in rdi and r0; that of x86-64 returns it again.
    #[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
    {
        // SAFETY: to the machine the function is of this type, see above; the rest the caller promises.
        unsafe {
            let function = std::mem::transmute::<Address, unsafe extern "C" fn(*mut u8)>(function);
            function(slot);
        }
    }
    // That of AArch64 has the register x8 for it, which no parameter is passed in.
    #[cfg(target_arch = "aarch64")]
    {
        // SAFETY: a call by the procedure call standard: everything the callee may change is named
        // as changed, the stack pointer is aligned inside asm, and the caller promises the rest.
        unsafe {
            std::arch::asm!(
                "blr {function}",
                function = in(reg) function,
                in("x8") slot,
                clobber_abi("C"),
            );
        }
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "arm", target_arch = "aarch64")))]
compile_error!("rkchat runs on x86-64, AArch64 and 32-bit Arm");

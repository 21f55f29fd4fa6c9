//! Why a file cannot be the runtime, each reason in words that say what to do.

use std::fmt;
use std::path::Path;

use object::elf;

use crate::surface::{Error, ErrorKind};

/// Where the vendor keeps its libraries, for messages.
const VENDOR_FOLDER: &str = "rkllm-runtime/Linux/librkllm_api of github.com/airockchip/rknn-llm";

/// What is wrong with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// There is nothing with this name.
    Missing,
    /// It may not be read.
    Denied,
    /// The system's words for another failure to read it.
    Unreadable(String),
    /// It is a folder.
    Folder,
    /// It is a device, a socket or a pipe.
    Special,
    /// It is empty.
    Empty,
    /// It is larger than any library, in bytes.
    Large(u64),
    /// It is a pointer file of Git LFS.
    LfsPointer,
    /// It is a web page.
    WebPage,
    /// It is no ELF file; how it begins.
    NotElf(Vec<u8>),
    /// Its headers speak of more bytes than it has.
    Truncated {
        /// Bytes it should have at least.
        needs: u64,
        /// Bytes it has.
        has: u64,
    },
    /// Its headers make no sense; which.
    Damaged(&'static str),
    /// It is for big-endian machines.
    BigEndian,
    /// It is for this family of machines, but of the other width; its bits.
    Width(u8),
    /// It is for another machine; the ELF number.
    Machine(u16),
    /// It is a program or an object file; what it is.
    NotShared(&'static str),
    /// It is for Android; the library it needs that tells.
    Android(String),
    /// It lacks functions that every RKLLM runtime has; which.
    NotRuntime(Vec<&'static str>),
}

impl Unfit {
    /// The error for the file at `path`.
    pub fn at(&self, path: &Path) -> Error {
        let kind = match self {
            Self::Missing => ErrorKind::RuntimeNotFound,
            Self::Denied | Self::Unreadable(_) => ErrorKind::Io,
            _ => ErrorKind::RuntimeInvalid,
        };
        Error::new(kind, format!("the runtime {}: {self}", path.display()))
    }
}

impl fmt::Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => write!(f, "there is no such file"),
            Self::Denied => write!(
                f,
                "permission denied; see with ls -l who may read the file and its folders, and allow it with chmod"
            ),
            Self::Unreadable(why) => write!(f, "it cannot be read: {why}"),
            Self::Folder => write!(f, "it is a folder; name the librkllmrt.so in it"),
            Self::Special => write!(f, "it is not a regular file; name the librkllmrt.so itself"),
            Self::Empty => write!(f, "the file is empty; copy or download it again"),
            Self::Large(size) => write!(
                f,
                "the file has {size} bytes, more than any library; is it a model?"
            ),
            Self::LfsPointer => write!(
                f,
                "it is a pointer of Git LFS and not the library; run git lfs pull where it comes from, or download \
                 the file itself"
            ),
            Self::WebPage => write!(
                f,
                "it is a web page and not the library; download it with the site's raw or download link"
            ),
            Self::NotElf(begin) => write!(
                f,
                "it is not a shared library (ELF): it begins with \"{}\"",
                begin.escape_ascii()
            ),
            Self::Truncated { needs, has } => write!(
                f,
                "the file is cut off: by its headers it has at least {needs} bytes, but there are {has}; copy or \
                 download it again"
            ),
            Self::Damaged(what) => write!(f, "the file is damaged: {what}"),
            Self::BigEndian => write!(f, "it is built for big-endian machines; {}", advice()),
            Self::Width(bits) => write!(
                f,
                "it is a {bits}-bit library and this is a {}-bit program; {}",
                usize::BITS,
                advice()
            ),
            Self::Machine(machine) => {
                let (theirs, ours) = (machine_name(*machine), machine_name(HERE));
                write!(
                    f,
                    "it is built for {theirs}, and this program runs on {ours}: {}",
                    advice()
                )
            }
            Self::NotShared(what) => write!(
                f,
                "it is {what} and not a shared library; name the librkllmrt.so itself"
            ),
            Self::Android(needed) => write!(
                f,
                "it is built for Android (it needs {needed}), which cannot be loaded here; {}",
                advice()
            ),
            Self::NotRuntime(missing) => write!(
                f,
                "it is not an RKLLM runtime: it does not export {}",
                missing.join(", ")
            ),
        }
    }
}

/// The ELF number of the machine this is compiled for.
pub(super) const HERE: u16 = if cfg!(target_arch = "x86_64") {
    elf::EM_X86_64
} else if cfg!(target_arch = "aarch64") {
    elf::EM_AARCH64
} else {
    elf::EM_ARM
};

/// What to use on this machine. The vendor has nothing for x86-64.
fn advice() -> String {
    match HERE {
        elf::EM_X86_64 => "on this machine use a GGUF model with rkchat's CPU runtime".to_owned(),
        elf::EM_AARCH64 => format!("take the library in {VENDOR_FOLDER}/aarch64"),
        _ => format!("take the library in {VENDOR_FOLDER}/armhf"),
    }
}

fn machine_name(machine: u16) -> String {
    match machine {
        elf::EM_386 => "x86 (32-bit)".to_owned(),
        elf::EM_X86_64 => "x86-64".to_owned(),
        elf::EM_ARM => "32-bit Arm".to_owned(),
        elf::EM_AARCH64 => "AArch64 (64-bit Arm)".to_owned(),
        elf::EM_RISCV => "RISC-V".to_owned(),
        elf::EM_MIPS => "MIPS".to_owned(),
        elf::EM_PPC64 => "64-bit PowerPC".to_owned(),
        elf::EM_LOONGARCH => "LoongArch".to_owned(),
        other => format!("another machine (ELF number {other})"),
    }
}

//! Finds and opens the engine's library.

use super::table::{RELEASE, SYMBOL, Table, TableFn, VERSION};
use crate::guard::lock;
use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

const FILE_NAME: &str = "librkchat_runtime_engine.so";

/// The table of the engine's library, which is opened once and never closed.
pub fn table() -> Result<&'static Table, String> {
    static TABLE: Mutex<Option<&Table>> = Mutex::new(None);
    let mut table = lock(&TABLE);
    if let Some(table) = *table {
        return Ok(table);
    }
    // A failure is not kept: the user may put the file in its place and try again.
    Ok(*table.insert(open(&engine_path()?)?))
}

/// Beside the folder of this library: `../librkchat_runtime_engine.so`. Nothing else is searched,
/// so that no other file can take its place.
fn engine_path() -> Result<PathBuf, String> {
    let own = own_path()?;
    let folder = own
        .parent()
        .and_then(Path::parent)
        .unwrap_or(Path::new(".."));
    let path = folder.join(FILE_NAME);
    if path.is_file() {
        return Ok(path);
    }
    Err(format!(
        "{} is missing: the runtime's engine belongs beside the folder of {}; \
         install the whole runtime folder, not only the library",
        path.display(),
        own.display()
    ))
}

/// Where the library that this code is part of was loaded from. The dynamic linker has the path that it
/// was given; a program that gave a relative one and went elsewhere since gets an error.
fn own_path() -> Result<PathBuf, String> {
    // SAFETY: an all-zero Dl_info is a value of that struct of pointers.
    let mut info: libc::Dl_info = unsafe { std::mem::zeroed() };
    // SAFETY: the address is this function's, and `info` is writable.
    let found = unsafe { libc::dladdr(own_path as *const () as *const _, &mut info) };
    if found == 0 || info.dli_fname.is_null() {
        return Err("cannot find out where this runtime was loaded from (dladdr failed)".into());
    }
    // SAFETY: not NULL, and NUL-terminated by the dynamic linker.
    let name = unsafe { CStr::from_ptr(info.dli_fname) };
    let path = Path::new(OsStr::from_bytes(name.to_bytes()));
    path.canonicalize()
        .map_err(|error| format!("cannot resolve {}: {error}", path.display()))
}

fn open(path: &Path) -> Result<&'static Table, String> {
    // SAFETY: the file was built with this library; its initialisers are those of llama.cpp.
    let library = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) }
        .map_err(|error| format!("cannot load {}: {error}", path.display()))?;
    // SAFETY: the symbol has this type in every version of the engine's library.
    let table = unsafe {
        library
            .get::<TableFn>(SYMBOL.to_bytes_with_nul())
            .map(|function| &*function())
    };
    let table = table.map_err(|error| format!("{} is not the engine: {error}", path.display()))?;
    // SAFETY: the release is a static string in every version.
    if table.version != VERSION || unsafe { table.release.get() } != RELEASE.as_bytes() {
        return Err(format!(
            "{} belongs to another release of rkchat than this library ({RELEASE}); \
             install both from the same release",
            path.display()
        ));
    }
    std::mem::forget(library);
    Ok(table)
}

/// Refuses CPUs that lack what llama.cpp was built for.
#[cfg(target_arch = "x86_64")]
pub fn check_cpu() -> Result<(), String> {
    let features = [
        ("AVX2", std::is_x86_feature_detected!("avx2")),
        ("FMA", std::is_x86_feature_detected!("fma")),
        ("F16C", std::is_x86_feature_detected!("f16c")),
        ("BMI2", std::is_x86_feature_detected!("bmi2")),
    ];
    let lacking: Vec<_> = features
        .into_iter()
        .filter(|(_, there)| !there)
        .map(|(name, _)| name)
        .collect();
    match lacking.is_empty() {
        true => Ok(()),
        false => Err(format!(
            "this CPU lacks {}, which this build of the runtime needs",
            lacking.join(", ")
        )),
    }
}

/// Other architectures are built for their baseline.
#[cfg(not(target_arch = "x86_64"))]
pub fn check_cpu() -> Result<(), String> {
    Ok(())
}

//! A loaded `librkllmrt.so`.

use std::ffi::CStr;
use std::mem::ManuallyDrop;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

use super::abi::layout::Address;
use super::extension::Table;
use super::version::Version;
use super::word::Word;
use super::{Capabilities, Driver, detect};
use crate::surface::{Error, ErrorKind, Result, RuntimeInfo};

/// A library that was loaded and recognised. It is never unloaded: the vendor's threads and exit
/// handlers would outlive it.
pub(crate) struct Library {
    info: RuntimeInfo,
    capabilities: Capabilities,
    driver: Box<dyn Driver>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Library").field(&self.info.path).finish()
    }
}

impl Library {
    /// Loads the library at `path`; `word` is what the user says it is.
    pub fn open(path: &Path, word: Option<Word>) -> Result<Arc<Self>> {
        let path = path.canonicalize().map_err(|error| {
            let kind = match error.kind() {
                std::io::ErrorKind::NotFound => ErrorKind::RuntimeNotFound,
                _ => ErrorKind::Io,
            };
            Error::new(kind, format!("the runtime {}: {error}", path.display()))
        })?;
        if !path.is_file() {
            let message = format!(
                "the runtime {} is not a file; name the librkllmrt.so itself",
                path.display()
            );
            return Err(Error::new(ErrorKind::RuntimeInvalid, message));
        }
        // SAFETY: loading runs the library's initialisers; that is what the user asked for by naming it,
        // and an RKLLM runtime has none that depend on the caller.
        let handle = unsafe { Handle::open(Some(&path), RTLD_NOW | RTLD_LOCAL) };
        let handle =
            handle.map_err(|error| invalid(&path, &format!("it cannot be loaded: {error}")))?;
        Self::recognise(path, handle.into(), word)
    }

    fn recognise(
        path: PathBuf,
        library: libloading::Library,
        word: Option<Word>,
    ) -> Result<Arc<Self>> {
        // Never unloaded, see the type.
        let library = ManuallyDrop::new(library);
        let mut find = |symbol: &'static CStr| -> Result<Address, String> {
            // SAFETY: only the address is taken; its type is given by whoever calls it.
            let found = unsafe { library.get::<Address>(symbol.to_bytes()) };
            found
                .map(|address| *address)
                .map_err(|_| format!("it does not export {}", symbol.to_string_lossy()))
        };
        // SAFETY: as above, only whether the symbol is there is asked.
        let exports = |symbol: &str| unsafe { library.get::<Address>(symbol.as_bytes()) }.is_ok();
        for symbol in [
            "rkllm_createDefaultParam",
            "rkllm_init",
            "rkllm_run",
            "rkllm_destroy",
        ] {
            if !exports(symbol) {
                let message = format!("it is not an RKLLM runtime: it does not export {symbol}");
                return Err(invalid(&path, &message));
            }
        }
        let table = Table::of(&library);
        let own = table.map(Table::group);
        let shown = path.display().to_string();
        let verdict = detect::settle(
            &shown,
            exports,
            own.as_deref(),
            word.as_ref().map(|word| word.text.as_str()),
        )?;
        // SAFETY: the library stays loaded, and the evidence says that it is of this group.
        let driver = unsafe { verdict.group.driver(&mut find, table) };
        let driver = driver.map_err(|message| invalid(&path, &message))?;
        let release = verdict.release.as_deref().and_then(|release| release.parse::<Version>().ok());
        let capabilities = Capabilities::of(verdict.group, release, table.is_some());
        let info = RuntimeInfo {
            name: table.map_or_else(|| "rkllm".to_owned(), Table::name),
            release: table.map(Table::release).or(verdict.release),
            abi_group: verdict.group.name().to_owned(),
            platform: None,
            evidence: verdict.evidence,
            capabilities: capabilities.ids(),
            warnings: Vec::new(),
            path,
        };
        Ok(Arc::new(Self {
            info,
            capabilities,
            driver,
        }))
    }

    pub fn info(&self) -> &RuntimeInfo {
        &self.info
    }

    pub fn capabilities(&self) -> Capabilities {
        self.capabilities
    }

    /// The git blob SHA-1 of its file.
    pub fn sha1(&self) -> Option<&str> {
        None
    }

    /// What was measured of it on this board.
    pub fn measured(&self) -> Option<crate::surface::Json> {
        None
    }

    pub fn driver(&self) -> &dyn Driver {
        &*self.driver
    }
}

fn invalid(path: &Path, why: &str) -> Error {
    Error::new(
        ErrorKind::RuntimeInvalid,
        format!("{}: {why}", path.display()),
    )
}

//! A loaded `librkllmrt.so`.

use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use libloading::os::unix::{Library as Handle, RTLD_LOCAL, RTLD_NOW};

use super::abi::layout::Address;
use super::extension::Table;
use super::group::Group;
use super::recognise::facts::Facts;
use super::recognise::settle::Verdict;
use super::recognise::{self, Word, blob};
use super::version::Version;
use super::{Capabilities, Driver, choose, loaded, measured};
use crate::surface::{Error, ErrorKind, Json, Result, RuntimeInfo, Warning, WarningKind};

/// A library that was recognised and loaded. It is never unloaded: the vendor's threads and exit
/// handlers would outlive it.
pub(crate) struct Library {
    info: RuntimeInfo,
    capabilities: Capabilities,
    sha1: String,
    driver: Box<dyn Driver>,
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Library").field(&self.info.path).finish()
    }
}

/// What is known of a library besides what it is.
#[derive(Debug, Default)]
pub(super) struct Remarks {
    /// Why it was chosen.
    pub reason: Option<String>,
    /// What may be wrong with the pair of model and runtime.
    pub pair: Option<String>,
}

impl Library {
    /// Loads the library at `path`; `word` is what the user says it is.
    pub fn open(path: &Path, word: Option<Word>) -> Result<Arc<Self>> {
        Self::open_with(path, word, Remarks::default())
    }

    pub(super) fn open_with(
        path: &Path,
        word: Option<Word>,
        remarks: Remarks,
    ) -> Result<Arc<Self>> {
        let facts = Facts::of(path).map_err(|unfit| {
            let error = unfit.at(path);
            match error.kind() {
                ErrorKind::RuntimeNotFound => {
                    let advice = choose::what_to_get_here(None);
                    let message = format!("{}. {advice}", error.message());
                    error.reworded(message)
                }
                _ => error,
            }
        })?;
        let path = path.canonicalize().map_err(|error| {
            Error::new(
                ErrorKind::Io,
                format!("the runtime {}: {error}", path.display()),
            )
        })?;
        // A vendor's file is not loaded before it is known what it is.
        let verdict = match facts.own {
            true => None,
            false => Some(recognise::settle(&path, &facts, None, word.as_ref())?),
        };
        let library = loaded::load(&path, &facts, |path| {
            // SAFETY: loading runs the library's initialisers; that is what the user asked for by naming
            // it, and an RKLLM runtime has none that depend on the caller.
            let handle = unsafe { Handle::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
            let handle = handle.map_err(|error| cannot_load(path, &error))?;
            Ok(handle.into())
        })?;
        let table = Table::of(&library).filter(|_| facts.own);
        let verdict = match verdict {
            Some(verdict) => verdict,
            None => {
                let own = table.map(Table::group);
                recognise::settle(&path, &facts, own.as_deref(), word.as_ref())?
            }
        };
        Self::drive(path, &facts, &library, table, verdict, remarks)
    }

    fn drive(
        path: PathBuf,
        facts: &Facts,
        library: &libloading::Library,
        table: Option<Table>,
        verdict: Verdict,
        remarks: Remarks,
    ) -> Result<Arc<Self>> {
        let group = Group::named(verdict.group);
        let mut find = |symbol: &'static CStr| -> Result<Address, String> {
            // SAFETY: only the address is taken; its type is given by whoever calls it.
            let found = unsafe { library.get::<Address>(symbol.to_bytes()) };
            found
                .map(|address| *address)
                .map_err(|_| format!("it does not export {}", symbol.to_string_lossy()))
        };
        // SAFETY: the library stays loaded, it is the file that was looked at, and the evidence, or the user,
        // says that it is of this group.
        let driver = unsafe { group.driver(&mut find, table) }.map_err(|message| {
            let message = format!(
                "{}: it is not of ABI group {}: {message}",
                path.display(),
                verdict.group
            );
            Error::new(ErrorKind::RuntimeInvalid, message)
        })?;
        let release = verdict.release.as_deref();
        let release = release.and_then(|release| release.parse::<Version>().ok());
        let capabilities = Capabilities::of(group, release, table.is_some());
        let warning = |kind, message| Warning { kind, message };
        let unknown = verdict.warnings.into_iter();
        let unknown = unknown.map(|message| warning(WarningKind::UnknownRuntime, message));
        let pair = remarks.pair.into_iter();
        let pair = pair.map(|message| warning(WarningKind::VersionPair, message));
        let info = RuntimeInfo {
            name: table.map_or_else(|| "rkllm".to_owned(), Table::name),
            release: table.map(Table::release).or(verdict.release),
            abi_group: group.name().to_owned(),
            platform: verdict.official.map(|file| file.platform.to_owned()),
            evidence: verdict.evidence.into_iter().chain(remarks.reason).collect(),
            capabilities: capabilities.ids(),
            warnings: unknown.chain(pair).collect(),
            path,
        };
        Ok(Arc::new(Self {
            info,
            capabilities,
            sha1: blob::hex(&facts.blob),
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
    pub fn sha1(&self) -> &str {
        &self.sha1
    }

    /// What was measured of it on this board.
    pub fn measured(&self) -> Option<Json> {
        measured::load(&self.sha1)
    }

    pub fn driver(&self) -> &dyn Driver {
        &*self.driver
    }
}

fn cannot_load(path: &Path, error: &libloading::Error) -> Error {
    let said = error.to_string();
    // The vendor's README: some systems lack it.
    let hint = match said.contains("libomp") {
        true => {
            "; install libomp (Debian: libomp5), or put the libomp.so that belongs to the runtime beside it"
        }
        false => "",
    };
    Error::new(
        ErrorKind::RuntimeInvalid,
        format!(
            "the runtime {}: it cannot be loaded: {said}{hint}",
            path.display()
        ),
    )
}

//! Where a runtime and its licence come from.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Progress;
use crate::surface::{Error, ErrorKind, Result};
use crate::vendor::known::Official;
use crate::vendor::store::FILE_NAME;

/// No library is larger than this; the published ones have up to 8 MB.
const LIMIT: u64 = 64 << 20;

/// Something to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    File(PathBuf),
    Url(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Url(url) => f.write_str(url),
        }
    }
}

/// Why nothing could be read.
#[derive(Debug)]
pub(super) enum Failure {
    /// What did not come in its time.
    TimedOut(String),
    /// It goes on beyond what a runtime can have.
    TooLarge,
    /// It is no address at all.
    #[cfg(feature = "fetch")]
    NoAddress,
    /// What the server or the system said.
    Other(String),
    /// This build has no HTTP.
    #[cfg(not(feature = "fetch"))]
    NoHttp,
    /// The caller wants no more.
    Stopped(Error),
}

impl Failure {
    /// Says how much had come.
    fn after(self, count: usize) -> Self {
        match self {
            Self::TimedOut(what) => Self::TimedOut(format!("{what}, after {count} bytes")),
            Self::Other(what) => Self::Other(format!("{what}, after {count} bytes")),
            failure => failure,
        }
    }

    /// The error to give to the user.
    pub fn into_error(self, place: &Place, advice: impl Fn() -> String) -> Error {
        let (kind, what) = match self {
            Self::Stopped(error) => return error,
            Self::TimedOut(what) => (ErrorKind::Timeout, what),
            Self::TooLarge => {
                let what = format!("more than {} MB, so it is no runtime", LIMIT >> 20);
                (ErrorKind::RuntimeInvalid, what)
            }
            Self::Other(what) => (ErrorKind::Io, what),
            #[cfg(feature = "fetch")]
            Self::NoAddress => {
                let what = "this is not an address that can be fetched";
                (ErrorKind::InvalidArgument, what.to_owned())
            }
            #[cfg(not(feature = "fetch"))]
            Self::NoHttp => {
                let what = "this build of rkchat has no HTTP (the feature fetch is off)";
                (ErrorKind::Unsupported, what.to_owned())
            }
        };
        Error::new(kind, format!("{place}: {what}. {}", advice()))
    }
}

fn of_file(error: io::Error) -> Failure {
    Failure::Other(error.to_string())
}

impl Place {
    /// All the bytes.
    pub fn read(&self, stall: Duration, progress: Progress<'_>) -> Result<Vec<u8>, Failure> {
        match self {
            Self::File(path) => {
                let file = File::open(path).map_err(of_file)?;
                let length = file.metadata().map_err(of_file)?.len();
                read_all(file, Some(length), of_file, progress)
            }
            #[cfg(feature = "fetch")]
            Self::Url(url) => super::http::fetch(url, stall, progress),
            #[cfg(not(feature = "fetch"))]
            Self::Url(_) => {
                let _ = stall;
                Err(Failure::NoHttp)
            }
        }
    }
}

/// Reads to the end, within the limit; `failure` tells what an error of the reader means.
pub(super) fn read_all(
    mut from: impl Read,
    length: Option<u64>,
    failure: impl Fn(io::Error) -> Failure,
    progress: Progress<'_>,
) -> Result<Vec<u8>, Failure> {
    if length.is_some_and(|length| length > LIMIT) {
        return Err(Failure::TooLarge);
    }
    let mut bytes = Vec::new();
    let mut part = vec![0; 64 << 10];
    loop {
        progress(bytes.len() as u64, length).map_err(Failure::Stopped)?;
        match from.read(&mut part) {
            Ok(0) => return Ok(bytes),
            Ok(count) => bytes.extend_from_slice(&part[..count]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(failure(error).after(bytes.len())),
        }
        if bytes.len() as u64 > LIMIT {
            return Err(Failure::TooLarge);
        }
    }
}

/// Where the library is, and its licence where that is known.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Places {
    pub library: Place,
    pub licence: Option<Place>,
}

impl Places {
    /// Understands what the user named.
    pub fn new(from: Option<&str>, file: &Official, repository: &str) -> Result<Self> {
        let Some(from) = from else {
            return Ok(Self::in_repository(repository, file));
        };
        let scheme = from
            .split_once("://")
            .map(|(scheme, _)| scheme.to_ascii_lowercase());
        match scheme.as_deref() {
            Some("http" | "https") if is_library(from) => Ok(Self {
                library: Place::Url(from.to_owned()),
                licence: None,
            }),
            Some("http" | "https") => Ok(Self::in_repository(from, file)),
            Some(_) => Err(Error::invalid_argument(format!(
                "{from}: runtimes come from http:// and https:// addresses, files and folders"
            ))),
            None => Self::in_files(Path::new(from), file),
        }
    }

    fn in_repository(repository: &str, file: &Official) -> Self {
        Self {
            library: Place::Url(published(repository, file)),
            licence: Some(Place::Url(licence_of(repository, file))),
        }
    }

    fn in_files(from: &Path, file: &Official) -> Result<Self> {
        let expected = "a librkllmrt.so, or a folder with one or with the vendor's repository";
        let from = crate::model::files::existing(from, expected)?;
        let (library, folders) = if from.is_dir() {
            let candidates = [from.join(file.path), from.join(FILE_NAME)];
            let library = candidates.iter().find(|candidate| candidate.is_file());
            let library = library.cloned().ok_or_else(|| {
                let [full, flat] = candidates;
                let message = format!("neither {} nor {} exists", full.display(), flat.display());
                Error::new(ErrorKind::NotFound, message)
            })?;
            (library, vec![from])
        } else {
            (from, Vec::new())
        };
        let beside = library.parent().map(Path::to_owned);
        let licence = beside
            .into_iter()
            .chain(folders)
            .map(|folder| folder.join("LICENSE"))
            .find(|path| fs::metadata(path).is_ok_and(|metadata| metadata.is_file()));
        Ok(Self {
            library: Place::File(library),
            licence: licence.map(Place::File),
        })
    }
}

/// Whether an address names a library itself, whatever follows as query.
fn is_library(url: &str) -> bool {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    url[..end].ends_with(".so")
}

/// The address of a file in a repository.
pub(super) fn published(repository: &str, file: &Official) -> String {
    let repository = repository.trim_end_matches('/');
    format!("{repository}/{}/{}", file.commit, file.path)
}

/// The address of the licence of a file in a repository.
pub(super) fn licence_of(repository: &str, file: &Official) -> String {
    let repository = repository.trim_end_matches('/');
    format!("{repository}/{}/LICENSE", file.commit)
}

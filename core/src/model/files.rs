//! Reading the files of a model folder, with errors that name the file and the place in it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::surface::{Error, ErrorKind, Json, Result};

/// No configuration is larger than this; the largest tokenizer.json known has 35 MB.
const MAX_SIZE: u64 = 512 << 20;

/// The absolute path, if there is something at it.
pub(crate) fn existing(path: &Path, expected: &str) -> Result<PathBuf> {
    if path.as_os_str().is_empty() {
        let message = format!("the path is empty; expected {expected}");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    let absolute = std::path::absolute(path).map_err(|error| failed(path, &error))?;
    match fs::metadata(&absolute) {
        Ok(_) => Ok(absolute),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Error::new(
            ErrorKind::NotFound,
            format!("{} does not exist; expected {expected}", absolute.display()),
        )
        .with("path", absolute.to_string_lossy())),
        Err(error) => Err(failed(&absolute, &error)),
    }
}

/// A failure of the operating system on a file.
pub(crate) fn failed(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Io, format!("{}: {error}", path.display()))
        .with("path", path.to_string_lossy())
}

/// Puts the file in front of what was wrong in it.
pub(crate) fn in_file(error: Error, path: &Path) -> Error {
    let message = format!("{}: {}", path.display(), error.message());
    error.reworded(message).with("path", path.to_string_lossy())
}

/// The bytes of a file; `kind` is the error for one that is too large to be what it should be.
pub(crate) fn read(path: &Path, kind: ErrorKind) -> Result<Vec<u8>> {
    let metadata = fs::metadata(path).map_err(|error| failed(path, &error))?;
    let wrong = if !metadata.is_file() {
        Some("is not a file".to_owned())
    } else if metadata.len() > MAX_SIZE {
        Some(format!(
            "has {} bytes, too many for such a file",
            metadata.len()
        ))
    } else {
        None
    };
    if let Some(wrong) = wrong {
        return Err(Error::new(kind, format!("{} {wrong}", path.display()))
            .with("path", path.to_string_lossy()));
    }
    let bytes = fs::read(path).map_err(|error| failed(path, &error))?;
    match super::health::stand_in(&bytes) {
        None => Ok(bytes),
        Some(stand) => {
            let error = super::health::explain(path, metadata.len(), &stand);
            Err(Error::new(kind, error.message()).with("path", path.to_string_lossy()))
        }
    }
}

/// A file of UTF-8 text; a byte order mark is left out.
pub(crate) fn read_text(path: &Path, kind: ErrorKind) -> Result<String> {
    let text = String::from_utf8(read(path, kind)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        Error::new(
            kind,
            format!("{} is not UTF-8 text (byte {at})", path.display()),
        )
        .with("path", path.to_string_lossy())
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

/// A JSON file.
pub(crate) fn read_json(path: &Path, kind: ErrorKind) -> Result<Json> {
    let text = read_text(path, kind)?;
    if text.is_empty() {
        let message = format!("{} is empty; download it again", path.display());
        return Err(Error::new(kind, message).with("path", path.to_string_lossy()));
    }
    serde_json::from_str(&text).map_err(|error| {
        // serde_json ends its text with the place.
        Error::new(
            kind,
            format!("{} is not valid JSON: {error}", path.display()),
        )
        .with("path", path.to_string_lossy())
        .with("line", error.line())
        .with("column", error.column())
    })
}

/// Whether the file begins with these bytes.
pub(crate) fn starts_with(path: &Path, magic: &[u8]) -> Result<bool> {
    use io::Read;
    let mut start = Vec::with_capacity(magic.len());
    fs::File::open(path)
        .and_then(|file| file.take(magic.len() as u64).read_to_end(&mut start))
        .map_err(|error| failed(path, &error))?;
    Ok(start == magic)
}

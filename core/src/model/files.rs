//! Reading the files of a model folder, with errors that name the file and the place in it. Whatever lies
//! there comes from strangers: only regular files are opened, and only so much of them is read.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::surface::{Error, ErrorKind, Json, Result};

/// The largest `tokenizer.json` known has 35 MB.
pub(crate) const MAX_TOKENIZER: u64 = 128 << 20;

/// Of all other files the largest known is Gemma's `tokenizer_config.json` of 1 MB.
pub(crate) const MAX_FILE: u64 = 16 << 20;

/// A file of a few lines, such as what git and Hugging Face's tools keep.
const MAX_SMALL: u64 = 64 << 10;

/// What a JSON file may come to: a value takes some 70 bytes of memory, a list or an object a few times as
/// much, however little it has in the file. Gemma's `tokenizer_config.json` comes to 80 000.
const MAX_VALUES: usize = 1 << 20;

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

/// An error of what is at a path.
fn wrong(kind: ErrorKind, path: &Path, what: &str) -> Error {
    Error::new(kind, format!("{} {what}", path.display())).with("path", path.to_string_lossy())
}

/// Opens a regular file, and gives its size. Anything else is an error of that kind.
pub(crate) fn open(path: &Path, kind: ErrorKind) -> Result<(File, u64)> {
    let regular = |metadata: io::Result<fs::Metadata>| match metadata {
        Ok(metadata) if metadata.is_file() => Ok(metadata.len()),
        Ok(_) => Err(wrong(kind, path, "is not a file")),
        Err(error) => Err(failed(path, &error)),
    };
    // Opening alone may do something to a device, and waits at a pipe until somebody writes to it.
    regular(fs::metadata(path))?;
    let file = File::options()
        .read(true)
        // It may have become a pipe since.
        .custom_flags(libc::O_NONBLOCK)
        .open(path)
        .map_err(|error| failed(path, &error))?;
    let size = regular(file.metadata())?;
    Ok((file, size))
}

/// The first bytes of a file.
pub(crate) fn head(path: &Path, most: u64, kind: ErrorKind) -> Result<Vec<u8>> {
    let (file, _) = open(path, kind)?;
    let mut bytes = Vec::new();
    file.take(most)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(path, &error))?;
    Ok(bytes)
}

/// The bytes of a file; `kind` is the error for what is no file, or has more than `most` bytes.
pub(crate) fn read(path: &Path, most: u64, kind: ErrorKind) -> Result<Vec<u8>> {
    let (file, size) = open(path, kind)?;
    let too_large = |size: u64| {
        let what = format!(
            "has {size} bytes, too many for such a file: at most {most} are read. Download it again"
        );
        wrong(kind, path, &what)
    };
    if size > most {
        return Err(too_large(size));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    // It may have grown since.
    file.take(most + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(path, &error))?;
    let size = bytes.len() as u64;
    if size > most {
        return Err(too_large(size));
    }
    match super::health::stand_in(&bytes) {
        None => Ok(bytes),
        Some(stand) => {
            let error = super::health::explain(path, size, &stand);
            Err(Error::new(kind, error.message()).with("path", path.to_string_lossy()))
        }
    }
}

/// A small text beside the models, where there is one.
pub(super) fn read_small(path: &Path) -> Option<String> {
    String::from_utf8(read(path, MAX_SMALL, ErrorKind::Io).ok()?).ok()
}

/// A file of UTF-8 text; a byte order mark is left out.
pub(crate) fn read_text(path: &Path, kind: ErrorKind) -> Result<String> {
    let text = String::from_utf8(read(path, MAX_FILE, kind)?).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        wrong(kind, path, &format!("is not UTF-8 text (byte {at})"))
    })?;
    Ok(match text.strip_prefix('\u{feff}') {
        Some(text) => text.to_owned(),
        None => text,
    })
}

/// A JSON file.
pub(crate) fn read_json(path: &Path, kind: ErrorKind) -> Result<Json> {
    parse_json(&read_text(path, kind)?, path, kind)
}

/// The text of a JSON file.
pub(super) fn parse_json(text: &str, path: &Path, kind: ErrorKind) -> Result<Json> {
    if text.is_empty() {
        return Err(wrong(kind, path, "is empty; download it again"));
    }
    if values(text) > MAX_VALUES {
        let what = format!("has too many values for such a file: at most {MAX_VALUES} are read");
        return Err(wrong(kind, path, &what));
    }
    serde_json::from_str(text).map_err(|error| {
        // serde_json ends its text with the place.
        wrong(kind, path, &format!("is not valid JSON: {error}"))
            .with("line", error.line())
            .with("column", error.column())
    })
}

/// The most that a JSON text can come to: a value after each comma and colon that is in no string, and what
/// each list and object takes itself.
fn values(text: &str) -> usize {
    let (mut count, mut in_string, mut escaped) = (1, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b',' | b':' if !in_string => count += 1,
            b'[' | b'{' if !in_string => count += 4,
            _ => {}
        }
    }
    count
}

/// Whether the file begins with these bytes.
pub(super) fn starts_with(path: &Path, magic: &[u8]) -> Result<bool> {
    Ok(head(path, magic.len() as u64, ErrorKind::InvalidModel)? == magic)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_outside_of_strings() {
        for (text, count) in [
            ("", 1),
            ("1", 1),
            (r#"[1, {"a": 2}]"#, 11),
            (r#"{"a,[:\"[,": "[,:\\", "b": []}"#, 12),
        ] {
            assert_eq!(values(text), count, "{text}");
        }
    }
}

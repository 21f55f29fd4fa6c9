//! Files that are not what their name says: pointers in place of files, answers of a web server, what an
//! unfinished download left.

use std::fs;
use std::path::Path;

use super::{files, hub};
use crate::surface::{Error, ErrorKind, Result};

/// Enough to tell them apart.
const HEAD: u64 = 512;

/// What stands where a file should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stand {
    /// Git LFS keeps the file elsewhere; its size.
    LfsPointer(Option<u64>),
    /// What a server answered instead: a page, or a refusal in a few words.
    Refusal(String),
}

/// Looks at the first bytes of a file.
pub(super) fn stand_in(head: &[u8]) -> Option<Stand> {
    let text = String::from_utf8_lossy(&head[..head.len().min(HEAD as usize)]);
    if text.starts_with("version https://git-lfs.github.com/spec/") {
        let size = text.lines().find_map(|line| line.strip_prefix("size "));
        return Some(Stand::LfsPointer(
            size.and_then(|size| size.trim().parse().ok()),
        ));
    }
    let start = text.trim_start().to_ascii_lowercase();
    let pages = ["<!doctype html", "<html"];
    if pages.iter().any(|page| start.starts_with(page)) {
        return Some(Stand::Refusal("a web page".to_owned()));
    }
    let refusals = [
        "Entry not found",
        "Repository not found",
        "Invalid username or password",
        "Access to model",
        "Invalid credentials",
    ];
    let refusal = refusals
        .iter()
        .find(|refusal| text.starts_with(**refusal))?;
    Some(Stand::Refusal(format!("the Hub's answer “{refusal}”")))
}

/// Refuses a model file that is empty, unfinished, or something else in its place.
pub(super) fn check(path: &Path) -> Result<()> {
    let size = fs::metadata(path)
        .map_err(|error| missing(path, &error))?
        .len();
    if size == 0 {
        return Err(wrong(path, "is empty".to_owned(), &download_again(path)));
    }
    if let Some(part) = unfinished(path) {
        let what = format!("is not complete: {part} beside it is an unfinished download");
        return Err(wrong(path, what, &download_again(path)));
    }
    match stand_in(&files::head(path, HEAD, ErrorKind::InvalidModel)?) {
        None => Ok(()),
        Some(stand) => Err(explain(path, size, &stand)),
    }
}

/// The error for a file with something else in its place.
pub(super) fn explain(path: &Path, size: u64, stand: &Stand) -> Error {
    match stand {
        Stand::LfsPointer(whole) => {
            let whole = whole.map_or(String::new(), |whole| format!(" of {}", in_words(whole)));
            let what = format!("is a Git LFS pointer of {size} bytes, not the file{whole} itself");
            let folder = path.parent().unwrap_or(path).display();
            let in_git = path.ancestors().any(|folder| folder.join(".git").exists());
            let pull = match in_git {
                true => format!("git -C {folder} lfs pull"),
                false => format!(
                    "git lfs pull in the clone that it came from, or {}",
                    again(path)
                ),
            };
            wrong(path, what, &format!("run {pull}"))
        }
        Stand::Refusal(what) => wrong(
            path,
            format!("holds {what}, not the file"),
            &download_again(path),
        ),
    }
}

fn wrong(path: &Path, what: String, mend: &str) -> Error {
    Error::new(
        ErrorKind::InvalidModel,
        format!("{} {what}; {mend}", path.display()),
    )
    .with("path", path.to_string_lossy())
}

/// A link whose blob is gone is what an interrupted download or a cleaned cache leaves.
fn missing(path: &Path, error: &std::io::Error) -> Error {
    match fs::symlink_metadata(path) {
        Ok(link) if link.is_symlink() => {
            let what = "is a link to a file that is not there".to_owned();
            wrong(path, what, &download_again(path))
        }
        _ => files::failed(path, error),
    }
}

fn download_again(path: &Path) -> String {
    format!("download it again: {}", again(path))
}

/// The command for this file.
fn again(path: &Path) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    match hub::repository(path) {
        Some(id) => hub::download(&id, Some(&file)),
        None => {
            let folder = path.parent().unwrap_or(path).display();
            format!("hf download ORG/NAME {file} --local-dir {folder}")
        }
    }
}

/// What downloaders leave beside a file, or instead of it, until it is complete.
fn unfinished(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent()?;
    for ending in ["aria2", "part", "crdownload", "st"] {
        let part = format!("{name}.{ending}");
        if folder.join(&part).is_file() {
            return Some(part);
        }
    }
    // hf keeps its own in the blobs of its cache, or in a folder for each target.
    let target = path.canonicalize().ok()?;
    let blob = target.file_name()?.to_str()?;
    let blob = format!("{blob}.incomplete");
    if target != path && target.with_file_name(&blob).is_file() {
        return Some(blob);
    }
    None
}

/// The least that a model of so many parameters takes, where the file is smaller. Names round, and some
/// count parameters that are in another file, so that half of it passes.
pub(super) fn too_small(size: u64, parameters: f64, quantisation: &str) -> Option<u64> {
    let bits = match quantisation {
        q if q.starts_with("w4") => 4.0,
        q if q.starts_with("w8") => 8.0,
        "fp16" | "f16" | "bf16" => 16.0,
        _ => return None,
    };
    let least = parameters * bits / 8.0 * 0.5;
    ((size as f64) < least).then_some(least as u64)
}

/// A size as people read it.
pub(crate) fn in_words(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} bytes"),
        10_000..=9_999_999 => format!("{} kB", bytes / 1000),
        10_000_000..=9_999_999_999 => format!("{} MB", bytes / 1_000_000),
        _ => format!("{} GB", bytes / 1_000_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_is_told_by_its_first_bytes() {
        let pointer =
            b"version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9612345678\n";
        assert_eq!(
            stand_in(pointer),
            Some(Stand::LfsPointer(Some(9_612_345_678)))
        );
        let odd = b"version https://git-lfs.github.com/spec/v1\nsize many\n";
        assert_eq!(stand_in(odd), Some(Stand::LfsPointer(None)));
        for refusal in [
            "\n <!DOCTYPE html><html>",
            "<html lang=en>",
            "Entry not found",
        ] {
            let found = stand_in(refusal.as_bytes());
            assert!(matches!(found, Some(Stand::Refusal(_))), "{refusal}");
        }
        for fine in [
            &b""[..],
            b"GGUF",
            b"\xff\xfe<html",
            b"{}",
            b"weights",
            b"version 1",
        ] {
            assert_eq!(stand_in(fine), None);
        }
    }

    #[test]
    fn a_size_is_compared_with_what_the_name_says() {
        assert!(too_small(120_000_000, 9e9, "w8a8").is_some());
        assert!(too_small(10_500_000_000, 9e9, "w8a8").is_none());
        assert!(too_small(5_000_000_000, 9e9, "w4a16_g32").is_none());
        assert!(too_small(5_000_000_000, 9e9, "q4_0").is_none());
    }
}

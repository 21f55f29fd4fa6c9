//! Whether bytes are the published file, and what they are if not.

use super::place::Place;
use crate::surface::{Error, ErrorKind, Result};
use crate::vendor::known::Official;
use crate::vendor::recognise::blob;

/// Accepts the bytes if they are those of the file.
pub(super) fn check(
    bytes: &[u8],
    file: &Official,
    published: &[Official],
    place: &Place,
) -> Result<()> {
    let found = blob::of_bytes(bytes);
    if found == file.sha1 {
        return Ok(());
    }
    let (expected, found_hex) = (blob::hex(&file.sha1), blob::hex(&found));
    let message = format!(
        "{place} is not runtime {} for {}: its git blob SHA-1 is {found_hex} and should be {expected}; it has {} \
         bytes{}. Nothing was stored. Get the file that was published, or name your own with the option runtime",
        file.release,
        file.platform,
        bytes.len(),
        what_it_is(bytes, &found, published)
    );
    Err(Error::new(ErrorKind::RuntimeInvalid, message)
        .with("expected_sha1", expected)
        .with("found_sha1", found_hex)
        .with("size", bytes.len()))
}

fn what_it_is(bytes: &[u8], sha1: &[u8; 20], published: &[Official]) -> String {
    if let Some(other) = published.iter().find(|other| other.sha1 == *sha1) {
        return format!(" and is runtime {} for {}", other.release, other.platform);
    }
    let start = String::from_utf8_lossy(&bytes[..bytes.len().min(64)]).to_ascii_lowercase();
    let start = start.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    if bytes.is_empty() {
        " and is empty".to_owned()
    } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
        " and is an HTML page, such as a server's or a hotspot's own".to_owned()
    } else if start.starts_with("version https://git-lfs") {
        " and is a Git LFS pointer, which stands for a file that was not downloaded".to_owned()
    } else if !bytes.starts_with(b"\x7fELF") {
        " and is not a library at all".to_owned()
    } else {
        " and is a library, but another one or a damaged one".to_owned()
    }
}

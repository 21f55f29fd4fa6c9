//! The git blob SHA-1 of a file: what the vendor's repository calls it, whatever its name or date.

use std::fs::File;
use std::io::{self, Read, Seek};

use sha1::{Digest, Sha1};

/// How much of the file is in memory at a time.
const PIECE: usize = 256 * 1024;

/// The SHA-1 over `blob <length>\0` and the file's bytes, from its beginning. A file that becomes longer
/// or shorter meanwhile is an error.
pub fn git_blob_sha1(mut file: &File) -> io::Result<[u8; 20]> {
    file.rewind()?;
    let length = file.metadata()?.len();
    sha1_of(file, length)
}

/// As [`git_blob_sha1`], of `length` bytes that `source` has to hold.
fn sha1_of(source: impl Read, length: u64) -> io::Result<[u8; 20]> {
    let mut hash = Sha1::new_with_prefix(format!("blob {length}\0"));
    // One byte more than there should be tells that the file grew.
    let mut source = source.take(length.saturating_add(1));
    let mut piece = vec![0; PIECE];
    let mut read = 0;
    loop {
        let count = match source.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hash.update(&piece[..count]);
        read += count as u64;
    }
    if read == length {
        return Ok(hash.finalize().into());
    }
    let grown = if read > length { "grew" } else { "shrank" };
    Err(io::Error::other(format!(
        "the file {grown} while it was read; try again when it is complete"
    )))
}

/// The SHA-1 over `blob <length>\0` and these bytes.
pub fn of_bytes(bytes: &[u8]) -> [u8; 20] {
    let mut hash = Sha1::new_with_prefix(format!("blob {}\0", bytes.len()));
    hash.update(bytes);
    hash.finalize().into()
}

/// As git writes it.
pub fn hex(blob: &[u8]) -> String {
    blob.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::process::{Command, Stdio};

    /// What git says, or None where there is no git.
    fn git(path: &std::path::Path) -> Option<String> {
        let mut command = Command::new("git");
        command.args(["hash-object", "--no-filters"]).arg(path);
        match command.stderr(Stdio::inherit()).output() {
            Ok(output) => Some(String::from_utf8(output.stdout).unwrap().trim().to_owned()),
            Err(error) => {
                eprintln!("SKIPPED: git cannot be run: {error}");
                None
            }
        }
    }

    #[test]
    fn it_is_what_git_says() {
        let path = std::env::temp_dir().join(format!("rkchat-blob-{}", std::process::id()));
        for length in [0, 1, PIECE, PIECE + 1, 5_000_003] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7 + i / 251) as u8).collect();
            File::create(&path).unwrap().write_all(&bytes).unwrap();
            let ours = hex(&git_blob_sha1(&File::open(&path).unwrap()).unwrap());
            if let Some(theirs) = git(&path) {
                assert_eq!(ours, theirs, "{length} bytes");
            }
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_empty_blob_has_the_number_that_every_repository_knows() {
        let blob = hex(&sha1_of(&[][..], 0).unwrap());
        assert_eq!(blob, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    }

    #[test]
    fn a_file_that_changes_its_size_is_an_error() {
        let grown = sha1_of(&[1, 2, 3][..], 2).unwrap_err();
        assert!(grown.to_string().contains("grew"), "{grown}");
        let shrunk = sha1_of(&[1, 2, 3][..], 4).unwrap_err();
        assert!(shrunk.to_string().contains("shrank"), "{shrunk}");
    }
}

//! The git blob SHA-1 of a file: what the vendor's repository calls it, whatever its name or date.

use sha1::{Digest, Sha1};

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
        for length in [0, 1, 63, 64, 262_145, 5_000_003] {
            let bytes: Vec<u8> = (0..length).map(|i| (i * 7 + i / 251) as u8).collect();
            std::fs::write(&path, &bytes).unwrap();
            if let Some(theirs) = git(&path) {
                assert_eq!(hex(&of_bytes(&bytes)), theirs, "{length} bytes");
            }
        }
        std::fs::remove_file(path).unwrap();
    }

    #[test]
    fn an_empty_blob_has_the_number_that_every_repository_knows() {
        let blob = hex(&of_bytes(&[]));
        assert_eq!(blob, "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
    }
}

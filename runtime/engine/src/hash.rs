//! A hash that stays the same from release to release: it is written to files.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// FNV-1a over bytes, started with `START` or what an earlier call gave.
pub fn extend(hash: u64, bytes: impl IntoIterator<Item = u8>) -> u64 {
    bytes.into_iter().fold(hash, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Where a hash starts.
pub const START: u64 = 0xcbf2_9ce4_8422_2325;

/// FNV-1a over bytes.
pub fn of(bytes: impl IntoIterator<Item = u8>) -> u64 {
    extend(START, bytes)
}

/// Pieces of a file that count, and their size: enough to tell two models of the same shape apart,
/// few enough to be read in a moment.
const PIECES: u64 = 64;
const PIECE: u64 = 16 * 1024;

/// A hash of a file's length and of pieces spread over it.
pub fn of_file(path: &Path) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let len = file.metadata()?.len();
    let mut hash = of(len.to_le_bytes());
    let mut piece = Vec::new();
    for i in 0..PIECES {
        // From the first byte to the last.
        let start = len.saturating_sub(PIECE) * i / (PIECES - 1);
        file.seek(SeekFrom::Start(start))?;
        piece.clear();
        file.by_ref().take(PIECE).read_to_end(&mut piece)?;
        hash = extend(hash, piece.iter().copied());
    }
    Ok(hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_fnv_1a() {
        assert_eq!(of([]), START);
        assert_eq!(of(*b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(extend(of(*b"foo"), *b"bar"), of(*b"foobar"));
    }

    #[test]
    fn a_files_length_and_ends_count() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let hash = |bytes: &[u8]| {
            std::fs::write(&path, bytes).unwrap();
            of_file(&path).unwrap()
        };
        // Not a multiple of anything above.
        let mut bytes = vec![7; 3_000_001];
        let whole = hash(&bytes);
        assert_eq!(hash(&bytes), whole);
        assert_ne!(hash(&bytes[..3_000_000]), whole);
        for place in [0, 3_000_000] {
            bytes[place] = 8;
            assert_ne!(hash(&bytes), whole, "byte {place}");
            bytes[place] = 7;
        }
        assert_ne!(hash(b""), hash(b"\0"));
    }
}

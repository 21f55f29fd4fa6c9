//! The surface's fingerprint: FNV-1a over its files in the order of their names. Shared with the
//! generator and the build script.

/// Sixteen hexadecimal digits for the contents of the files.
pub fn of(files: impl Iterator<Item = Vec<u8>>) -> String {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for file in files {
        for byte in file.iter().chain(b"\0") {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    format!("{hash:016x}")
}

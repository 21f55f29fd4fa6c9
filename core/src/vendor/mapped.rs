//! What the kernel says about the files that are mapped into this process.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The file that an address belongs to. The name of one that is no longer there ends with ` (deleted)`.
pub(super) fn file_at(address: usize) -> Option<PathBuf> {
    let maps = fs::read("/proc/self/maps").ok()?;
    let mut lines = maps.split(|byte| *byte == b'\n');
    lines.find_map(|line| file_of(line, address))
}

/// The file of a line `begin-end flags offset device inode path` whose addresses hold this one.
fn file_of(line: &[u8], address: usize) -> Option<PathBuf> {
    let mut fields = line.splitn(6, |byte| *byte == b' ');
    let range = std::str::from_utf8(fields.next()?).ok()?;
    let (begin, end) = range.split_once('-')?;
    let number = |text| usize::from_str_radix(text, 16).ok();
    if !(number(begin)?..number(end)?).contains(&address) {
        return None;
    }
    let path = fields.nth(4)?.trim_ascii_start();
    path.starts_with(b"/")
        .then(|| PathBuf::from(OsStr::from_bytes(path)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_of_an_address_is_found() {
        let line = b"7f001000-7f002000 r-xp 00001000 08:01 42                  /a folder/x.so";
        let found = file_of(line, 0x7f00_1fff);
        assert_eq!(found.as_deref(), Some("/a folder/x.so".as_ref()));
        assert_eq!(file_of(line, 0x7f00_2000), None);
        for other in [
            &b""[..],
            b"1000-2000 rw-p 00000000 00:00 0",
            b"1000-2000 rw-p 0 00:00 0    [heap]",
        ] {
            assert_eq!(file_of(other, 0x1800), None);
        }
        let here = std::env::current_exe().unwrap().canonicalize().unwrap();
        let found = file_at(file_at as fn(usize) -> Option<PathBuf> as usize).unwrap();
        assert_eq!(found.canonicalize().unwrap(), here);
    }
}

//! How much of a file this process has read, by what the system shows of it: the pages of it that are
//! mapped and in memory, and the positions of the descriptors that it is open on. A library that maps
//! the file is seen by the one, a library that reads it by the other.

use std::fs;
use std::path::{Path, PathBuf};

/// How much of a file has been read since this began.
#[derive(Debug)]
pub(super) struct Reading {
    file: PathBuf,
    /// What was there before.
    before: Seen,
    pub total: u64,
    pub read: Option<u64>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Seen {
    mapped: u64,
    position: u64,
}

impl Reading {
    /// From now on.
    pub fn begin(file: &Path) -> Option<Self> {
        let file = file.canonicalize().ok()?;
        let total = fs::metadata(&file).ok()?.len();
        let before = Seen::of(&file);
        Some(Self {
            file,
            before,
            total,
            read: None,
        })
    }

    /// Looks again.
    pub fn look(&mut self) {
        let now = Seen::of(&self.file);
        let mapped = now.mapped.saturating_sub(self.before.mapped);
        let position = now.position.saturating_sub(self.before.position);
        // A file that was read and closed is not seen any more.
        let read = mapped.max(position).min(self.total);
        if read > self.read.unwrap_or(0) {
            self.read = Some(read);
        }
    }
}

impl Seen {
    fn of(file: &Path) -> Self {
        let maps = fs::read_to_string("/proc/self/smaps").unwrap_or_default();
        Self {
            mapped: mapped(&maps, &file.to_string_lossy()),
            position: positions(file),
        }
    }
}

/// The bytes of a file's mappings that are in memory, by the text of `/proc/PID/smaps`.
fn mapped(maps: &str, file: &str) -> u64 {
    let (mut inside, mut kilobytes) = (false, 0);
    for line in maps.lines() {
        let (first, rest) = line.split_once(' ').unwrap_or((line, ""));
        if !first.ends_with(':') {
            // Rights, offset, device and inode come before the name.
            let name = rest.splitn(5, ' ').nth(4).unwrap_or_default();
            inside = name.trim_start() == file;
        } else if inside && first == "Rss:" {
            let number = rest.trim().trim_end_matches("kB").trim_end();
            kilobytes += number.parse::<u64>().unwrap_or(0);
        }
    }
    kilobytes * 1024
}

/// The positions of the descriptors that a file is open on, together.
fn positions(file: &Path) -> u64 {
    let descriptors = fs::read_dir("/proc/self/fd").into_iter().flatten();
    let ours = descriptors
        .flatten()
        .filter(|descriptor| fs::read_link(descriptor.path()).is_ok_and(|link| link == file));
    ours.filter_map(|descriptor| position(&descriptor.file_name().to_string_lossy()))
        .sum()
}

fn position(descriptor: &str) -> Option<u64> {
    let info = fs::read_to_string(format!("/proc/self/fdinfo/{descriptor}")).ok()?;
    let position = info.lines().find_map(|line| line.strip_prefix("pos:"))?;
    position.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn mappings_of_a_file_are_counted_and_no_others() {
        let maps = "\
7f00-7f10 r--p 00000000 08:01 77                         /models/a b.gguf
Size:                 64 kB
Rss:                  40 kB
VmFlags: rd mr
7f10-7f20 r--p 00010000 08:01 77                         /models/a b.gguf
Rss:                   4 kB
7f20-7f30 rw-p 00000000 00:00 0
Rss:                 900 kB
7f30-7f40 r--p 00000000 08:01 78                         /models/a b.gguf.old
Rss:                 800 kB
";
        assert_eq!(mapped(maps, "/models/a b.gguf"), 44 * 1024);
        assert_eq!(mapped(maps, "/models"), 0);
        assert_eq!(mapped("", "/models/a b.gguf"), 0);
    }

    #[test]
    fn a_file_that_is_read_is_seen_until_it_is_closed() {
        let path = std::env::temp_dir().join(format!("rkchat-reading-{}", std::process::id()));
        let mut written = fs::File::create(&path).unwrap();
        written.write_all(&[1; 3000]).unwrap();
        drop(written);
        let mut reading = Reading::begin(&path).unwrap();
        reading.look();
        assert_eq!((reading.total, reading.read), (3000, None));
        let mut file = fs::File::open(&path).unwrap();
        file.read_exact(&mut [0; 1000]).unwrap();
        reading.look();
        assert_eq!(reading.read, Some(1000));
        drop(file);
        reading.look();
        assert_eq!(reading.read, Some(1000));
        // What was read before does not count.
        let mut file = fs::File::open(&path).unwrap();
        file.read_exact(&mut [0; 1000]).unwrap();
        let mut later = Reading::begin(&path).unwrap();
        file.read_exact(&mut [0; 500]).unwrap();
        later.look();
        assert_eq!(later.read, Some(500));
        fs::remove_file(&path).unwrap();
    }
}

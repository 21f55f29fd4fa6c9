use super::*;
use std::fs;
use std::path::PathBuf;

/// The bytes of the C library that this test runs with, and its path.
fn libc() -> (Vec<u8>, PathBuf) {
    let maps = fs::read_to_string("/proc/self/maps").unwrap();
    let path = maps
        .lines()
        .filter_map(|line| line.find('/').map(|at| &line[at..]))
        .find(|path| path.contains("/libc.so") || path.contains("/libc-2"));
    let path = PathBuf::from(path.expect("the C library is a shared one"));
    (fs::read(&path).unwrap(), path)
}

/// Where the dynamic segment begins and ends.
fn segment(data: &[u8]) -> (usize, usize) {
    let header = Header::parse(data).unwrap();
    let segments = header.program_headers(LittleEndian, data).unwrap();
    let dynamic = segments
        .iter()
        .find(|segment| segment.p_type(LittleEndian) == elf::PT_DYNAMIC);
    let (offset, size) = dynamic.unwrap().file_range(LittleEndian);
    (offset as usize, (offset + size) as usize)
}

/// Where the entries of the dynamic segment with this tag are.
fn entries(data: &[u8], tag: u32) -> Vec<usize> {
    let (start, end) = segment(data);
    let width = size_of::<usize>();
    let is = |at: &usize| data[*at..].starts_with(&tag.to_le_bytes());
    (start..end).step_by(2 * width).filter(is).collect()
}

fn all(data: &[u8]) -> Result<Elf, Unfit> {
    Elf::read(data, |_| true)
}

#[test]
fn a_real_library_is_read() {
    let (data, path) = libc();
    let elf = all(&data).unwrap();
    assert_eq!(
        elf.soname.as_deref(),
        Some("libc.so.6"),
        "{}",
        path.display()
    );
    assert!(elf.needed.iter().any(|name| name.starts_with("ld-linux")));
    for name in ["malloc", "printf", "pthread_create", "dlopen"] {
        assert!(elf.exports.contains(name), "{name}");
    }
    assert!(!elf.exports.contains("rkllm_init"));
    assert!(!elf.exports.contains("_rtld_global"), "it imports this one");
    let few = Elf::read(&data, |name| name == "malloc").unwrap();
    assert_eq!(few.exports.len(), 1);
}

#[test]
fn what_is_no_elf_file_is_named() {
    assert_eq!(all(b""), Err(Unfit::Empty));
    let pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n";
    assert_eq!(all(pointer), Err(Unfit::LfsPointer));
    assert_eq!(all(b"\xef\xbb\xbf\n<!DOCTYPE html>"), Err(Unfit::WebPage));
    assert_eq!(all(b"<HTML><body>404"), Err(Unfit::WebPage));
    let error = all(b"GGUF\x03\0\0\0").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"it is not a shared library (ELF): it begins with "GGUF\x03\x00\x00\x00""#
    );
    assert!(matches!(
        all(b"\x7fELF\x02"),
        Err(Unfit::Truncated { has: 5, .. })
    ));
}

#[test]
fn a_library_for_another_machine_is_named() {
    let (data, _) = libc();
    let changed = |at: usize, bytes: &[u8]| {
        let mut data = data.clone();
        data[at..at + bytes.len()].copy_from_slice(bytes);
        all(&data).unwrap_err()
    };
    assert_eq!(changed(5, &[2]), Unfit::BigEndian);
    assert_eq!(
        changed(18, &elf::EM_RISCV.to_le_bytes()),
        Unfit::Machine(elf::EM_RISCV)
    );
    if cfg!(target_arch = "x86_64") {
        let error = changed(18, &elf::EM_AARCH64.to_le_bytes());
        assert_eq!(
            error.to_string(),
            "it is built for AArch64 (64-bit Arm), and this program runs on x86-64: on this machine use a GGUF \
             model with rkchat's CPU runtime"
        );
        let mut small = data.clone();
        small[4] = 1;
        small[18..20].copy_from_slice(&elf::EM_386.to_le_bytes());
        assert_eq!(all(&small), Err(Unfit::Width(32)));
    }
    assert_eq!(
        changed(16, &elf::ET_REL.to_le_bytes()),
        Unfit::NotShared("an object file")
    );
    assert_eq!(
        changed(16, &elf::ET_EXEC.to_le_bytes()),
        Unfit::NotShared("a program")
    );
}

#[test]
fn a_program_is_not_a_library() {
    // Rust links programs to be loaded anywhere, which makes them look like libraries.
    let program = fs::read("/proc/self/exe").unwrap();
    assert_eq!(all(&program), Err(Unfit::NotShared("a program")));
}

#[test]
fn a_library_of_android_is_named() {
    let (mut data, _) = libc();
    // "libc.so.6" becomes "libc.so", and the library needs itself.
    let at = data
        .windows(10)
        .position(|bytes| bytes == b"libc.so.6\0")
        .unwrap();
    data[at + 7] = 0;
    let soname = entries(&data, elf::DT_SONAME)[0];
    data[soname] = elf::DT_NEEDED as u8;
    assert_eq!(all(&data), Err(Unfit::Android("libc.so".to_owned())));
}

#[test]
fn a_file_that_is_cut_off_is_named_at_any_length() {
    let (data, _) = libc();
    let whole = data.len();
    for length in (1..whole).step_by(whole / 3000).chain(whole - 64..whole) {
        let result = all(&data[..length]);
        let named = match &result {
            Err(Unfit::Truncated { needs, has }) => needs > has,
            Err(Unfit::NotElf(_)) => length < 4,
            _ => false,
        };
        assert!(named, "{length} of {whole} bytes: {result:?}");
    }
}

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % end
    }
}

#[test]
fn any_bytes_are_survived() {
    let (data, _) = libc();
    assert!(!entries(&data, elf::DT_GNU_HASH).is_empty());
    survive(data.clone(), elf::DT_HASH, 1);
    // Without the older table of hashes the other one is read.
    let mut newer = data;
    for at in entries(&newer, elf::DT_HASH) {
        newer[at] = elf::DT_DEBUG as u8;
    }
    survive(newer, elf::DT_GNU_HASH, 2);
}

/// Reads thousands of damaged versions of a library that has its hashes in `table`.
fn survive(mut data: Vec<u8>, table: u32, seed: u64) {
    let dynamic = segment(&data).0;
    let tables = Dynamic::read(
        segments(Header::parse(&*data).unwrap(), &data).unwrap(),
        &data,
    );
    let tables = tables.unwrap();
    let hash = if table == elf::DT_HASH {
        tables.hash
    } else {
        tables.gnu_hash
    };
    let Some(hash) = hash else {
        eprintln!("SKIPPED: the C library has no table {table}");
        return;
    };
    // Of a library's first segment, addresses are places in the file.
    let hash = hash as usize;
    let mut dice = Dice(seed);
    for _ in 0..4000 {
        let mut before = Vec::new();
        for _ in 0..=dice.below(4) {
            // Headers, the dynamic segment and the hash table are what steers the reading.
            let near = [0, 0, 64, dynamic, hash][dice.below(5)];
            let at = near + dice.below(if near == hash { 32 } else { 512 });
            let value = [0, 1, 0x7f, 0x80, 0xff, dice.below(256) as u8][dice.below(6)];
            // One byte, or a whole number of them.
            let bytes = at..at + [1, 8][dice.below(2)];
            before.push((at, data[bytes.clone()].to_vec()));
            data[bytes].fill(value);
        }
        let length = if dice.below(4) == 0 {
            dice.below(data.len())
        } else {
            data.len()
        };
        let _ = Elf::read(&data[..length], |name| name.starts_with("rkllm_"));
        for (at, bytes) in before.into_iter().rev() {
            data[at..at + bytes.len()].copy_from_slice(&bytes);
        }
    }
    all(&data).unwrap();
}

#[test]
fn noise_after_the_first_bytes_is_survived() {
    let (mut data, _) = libc();
    data.truncate(64 * 1024);
    let mut dice = Dice(2);
    for _ in 0..2000 {
        for byte in &mut data[20..1024] {
            *byte = dice.below(256) as u8;
        }
        assert!(all(&data).is_err());
    }
}

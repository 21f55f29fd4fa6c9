//! Reads a shared library's headers and exported names as the dynamic linker would, without loading it.
//!
//! Any bytes may come in. Section headers are only measured: the linker does not use them either.

use std::collections::BTreeSet;

use object::elf;
use object::read::elf::{Dyn as _, FileHeader as _, ProgramHeader as _, Sym as _};
use object::{LittleEndian, ReadRef as _};

use super::unfit::{HERE, Unfit};

#[cfg(target_pointer_width = "64")]
type Header = elf::FileHeader64<LittleEndian>;
#[cfg(target_pointer_width = "32")]
type Header = elf::FileHeader32<LittleEndian>;

type Segment = <Header as object::read::elf::FileHeader>::ProgramHeader;
type Symbol = <Header as object::read::elf::FileHeader>::Sym;
type Word = object::U32<LittleEndian>;

/// No name that matters is longer, and no table that makes sense has more of them.
const LONGEST_NAME: usize = 512;
const MOST_NEEDED: usize = 1024;
const MOST_SYMBOLS: u32 = 4_000_000;

/// What a shared library says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Elf {
    /// `DT_SONAME`.
    pub soname: Option<String>,
    /// `DT_NEEDED`.
    pub needed: Vec<String>,
    /// The names that were asked for among those it defines and exports.
    pub exports: BTreeSet<String>,
}

impl Elf {
    /// Reads a whole file; keeps the exported names that `keep` wants.
    pub fn read(data: &[u8], keep: impl Fn(&str) -> bool) -> Result<Self, Unfit> {
        identify(data)?;
        let header =
            Header::parse(data).map_err(|_| truncated(size_of::<Header>() as u64, data))?;
        let segments = segments(header, data)?;
        let dynamic = Dynamic::read(segments, data)?;
        let strings = dynamic.strings(segments, data)?;
        let name = |offset: &u64| name_at(strings, *offset).map(str::to_owned);
        let needed: Vec<_> = dynamic.needed.iter().filter_map(name).collect();
        if dynamic.program {
            return Err(Unfit::NotShared("a program"));
        }
        let android = |name: &&String| ["libc.so", "liblog.so"].contains(&name.as_str());
        if let Some(tell) = needed
            .iter()
            .find(android)
            .filter(|_| cfg!(target_env = "gnu"))
        {
            return Err(Unfit::Android(tell.clone()));
        }
        let exports = dynamic
            .symbols(segments, data)?
            .iter()
            .filter(|symbol| exported(symbol))
            .filter_map(|symbol| name_at(strings, symbol.st_name(LittleEndian).into()))
            .filter(|name| keep(name))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            soname: dynamic.soname.as_ref().and_then(name),
            needed,
            exports,
        })
    }
}

/// Refuses everything that is not a shared library for this machine, as far as the first bytes tell.
fn identify(data: &[u8]) -> Result<(), Unfit> {
    if data.is_empty() {
        return Err(Unfit::Empty);
    }
    if !data.starts_with(&elf::ELFMAG) {
        return Err(not_elf(data));
    }
    let Some(&[class, order]) = data.get(4..6) else {
        return Err(truncated(size_of::<Header>() as u64, data));
    };
    if order == elf::ELFDATA2MSB {
        return Err(Unfit::BigEndian);
    }
    let bits = match class {
        elf::ELFCLASS32 => 32,
        elf::ELFCLASS64 => 64,
        _ => return Err(Unfit::Damaged("it says neither 32 nor 64 bit")),
    };
    // These two are at the same place in both widths.
    let Some(&[type_low, type_high, machine_low, machine_high]) = data.get(16..20) else {
        return Err(truncated(size_of::<Header>() as u64, data));
    };
    let machine = u16::from_le_bytes([machine_low, machine_high]);
    const FAMILIES: [[u16; 2]; 2] = [
        [elf::EM_ARM, elf::EM_AARCH64],
        [elf::EM_386, elf::EM_X86_64],
    ];
    let family = |machines: &[u16; 2]| machines.contains(&machine) && machines.contains(&HERE);
    if machine != HERE && !FAMILIES.iter().any(family) {
        return Err(Unfit::Machine(machine));
    }
    if machine != HERE || bits != usize::BITS as u8 {
        return Err(Unfit::Width(bits));
    }
    match u16::from_le_bytes([type_low, type_high]) {
        elf::ET_DYN => Ok(()),
        elf::ET_EXEC => Err(Unfit::NotShared("a program")),
        elf::ET_REL => Err(Unfit::NotShared("an object file")),
        elf::ET_CORE => Err(Unfit::NotShared("a core dump")),
        _ => Err(Unfit::Damaged(
            "it does not say what kind of ELF file it is",
        )),
    }
}

fn not_elf(data: &[u8]) -> Unfit {
    let text = data
        .strip_prefix(b"\xef\xbb\xbf")
        .unwrap_or(data)
        .trim_ascii_start();
    let begins = |with: &[u8]| {
        let begin = text.get(..with.len());
        begin.is_some_and(|begin| begin.eq_ignore_ascii_case(with))
    };
    if begins(b"version https://git-lfs") {
        Unfit::LfsPointer
    } else if begins(b"<!doctype") || begins(b"<html") {
        Unfit::WebPage
    } else {
        Unfit::NotElf(data.iter().copied().take(16).collect())
    }
}

fn truncated(needs: u64, data: &[u8]) -> Unfit {
    Unfit::Truncated {
        needs,
        has: data.len() as u64,
    }
}

/// The program headers, all of which lie in the file, as do the section headers.
fn segments<'data>(header: &Header, data: &'data [u8]) -> Result<&'data [Segment], Unfit> {
    let e = LittleEndian;
    let within = |offset: u64, count: u16, size: u16| {
        let end = offset.saturating_add(u64::from(count) * u64::from(size));
        if end <= data.len() as u64 {
            Ok(())
        } else {
            Err(truncated(end, data))
        }
    };
    within(
        header.e_phoff(e).into(),
        header.e_phnum(e),
        header.e_phentsize(e),
    )?;
    within(
        header.e_shoff(e).into(),
        header.e_shnum(e),
        header.e_shentsize(e),
    )?;
    let segments = header.program_headers(e, data);
    let segments = segments.map_err(|_| Unfit::Damaged("its program headers cannot be read"))?;
    for segment in segments {
        let (offset, size) = segment.file_range(e);
        let end = offset.saturating_add(size);
        if size > 0 && end > data.len() as u64 {
            return Err(truncated(end, data));
        }
    }
    Ok(segments)
}

/// The file's bytes from the one that is loaded at `address` to the end of its segment.
fn loaded<'data>(segments: &[Segment], data: &'data [u8], address: u64) -> Option<&'data [u8]> {
    let e = LittleEndian;
    segments
        .iter()
        .filter(|segment| segment.p_type(e) == elf::PT_LOAD)
        .find_map(|segment| {
            let within = address.checked_sub(u64::from(segment.p_vaddr(e)))?;
            let rest = u64::from(segment.p_filesz(e))
                .checked_sub(within)
                .filter(|rest| *rest > 0)?;
            data.read_bytes_at(u64::from(segment.p_offset(e)).checked_add(within)?, rest)
                .ok()
        })
}

/// What the dynamic segment points to.
#[derive(Default)]
struct Dynamic {
    strings: Option<u64>,
    strings_size: Option<u64>,
    symbols: Option<u64>,
    hash: Option<u64>,
    gnu_hash: Option<u64>,
    soname: Option<u64>,
    needed: Vec<u64>,
    program: bool,
}

impl Dynamic {
    fn read(segments: &[Segment], data: &[u8]) -> Result<Self, Unfit> {
        let e = LittleEndian;
        let entries = segments
            .iter()
            .find_map(|segment| segment.dynamic(e, data).ok().flatten());
        let entries = entries.ok_or(Unfit::Damaged("it has nothing for the dynamic linker"))?;
        let mut dynamic = Self::default();
        for entry in entries {
            let value = u64::from(entry.d_val(e));
            match entry.tag32(e) {
                Some(elf::DT_NULL) => break,
                Some(elf::DT_STRTAB) => dynamic.strings = Some(value),
                Some(elf::DT_STRSZ) => dynamic.strings_size = Some(value),
                Some(elf::DT_SYMTAB) => dynamic.symbols = Some(value),
                Some(elf::DT_HASH) => dynamic.hash = Some(value),
                Some(elf::DT_GNU_HASH) => dynamic.gnu_hash = Some(value),
                Some(elf::DT_SONAME) => dynamic.soname = Some(value),
                Some(elf::DT_NEEDED) if dynamic.needed.len() < MOST_NEEDED => {
                    dynamic.needed.push(value)
                }
                Some(elf::DT_FLAGS_1) => dynamic.program = value & u64::from(elf::DF_1_PIE) != 0,
                _ => {}
            }
        }
        Ok(dynamic)
    }

    fn strings<'data>(
        &self,
        segments: &[Segment],
        data: &'data [u8],
    ) -> Result<&'data [u8], Unfit> {
        let found = self
            .strings
            .and_then(|address| loaded(segments, data, address));
        let strings = found.ok_or(Unfit::Damaged("its table of names is not in the file"))?;
        let size = self
            .strings_size
            .and_then(|size| usize::try_from(size).ok());
        Ok(&strings[..strings.len().min(size.unwrap_or(0))])
    }

    fn symbols<'data>(
        &self,
        segments: &[Segment],
        data: &'data [u8],
    ) -> Result<&'data [Symbol], Unfit> {
        const UNREADABLE: Unfit = Unfit::Damaged("its table of symbols is not in the file");
        let at = |address: Option<u64>| address.and_then(|address| loaded(segments, data, address));
        let count = match (at(self.hash), at(self.gnu_hash)) {
            (Some(hash), _) => hash
                .read_at::<Word>(4)
                .ok()
                .map(|count| count.get(LittleEndian)),
            (None, Some(hash)) => gnu_hash_symbols(hash),
            (None, None) => None,
        };
        let count = count
            .filter(|count| *count <= MOST_SYMBOLS)
            .ok_or(UNREADABLE)?;
        let symbols = at(self.symbols).ok_or(UNREADABLE)?;
        let symbols = symbols.read_slice_at::<Symbol>(0, count as usize);
        symbols.map_err(|()| UNREADABLE)
    }
}

/// How many symbols a GNU hash table covers: up to the end of the chain that begins last.
fn gnu_hash_symbols(table: &[u8]) -> Option<u32> {
    let number = |at: u64| Some(table.read_at::<Word>(at).ok()?.get(LittleEndian));
    let (buckets, first, bloom) = (number(0)?, number(4)?, number(8)?);
    let buckets_at = 16 + u64::from(bloom) * u64::from(usize::BITS / 8);
    let heads = table
        .read_slice_at::<Word>(buckets_at, buckets as usize)
        .ok()?;
    let last = heads
        .iter()
        .map(|head| head.get(LittleEndian))
        .max()
        .unwrap_or(0);
    if last < first {
        // Nothing is exported; what is before `first` is imported.
        return Some(first);
    }
    let chains_at = buckets_at + u64::from(buckets) * 4;
    for index in last..MOST_SYMBOLS {
        let hash = number(chains_at + u64::from(index - first) * 4)?;
        if hash & 1 != 0 {
            return Some(index + 1);
        }
    }
    None
}

/// Whether other modules can use the symbol, by the linker's rules.
fn exported(symbol: &Symbol) -> bool {
    symbol.st_shndx(LittleEndian) != elf::SHN_UNDEF
        && [elf::STB_GLOBAL, elf::STB_WEAK, elf::STB_GNU_UNIQUE].contains(&symbol.st_bind())
        && [elf::STV_DEFAULT, elf::STV_PROTECTED].contains(&symbol.st_visibility())
}

fn name_at(strings: &[u8], offset: u64) -> Option<&str> {
    let rest = strings.get(usize::try_from(offset).ok()?..)?;
    let rest = &rest[..rest.len().min(LONGEST_NAME)];
    let end = rest.iter().position(|byte| *byte == 0)?;
    std::str::from_utf8(&rest[..end]).ok()
}

#[cfg(test)]
mod tests;

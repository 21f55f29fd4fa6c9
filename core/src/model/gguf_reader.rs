//! The primitives of a GGUF file, bounds-checked against its length.

use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::files;
use crate::surface::{Error, ErrorKind, Result};

/// `gguf_type` STRING and ARRAY.
const TEXT: u32 = 8;
const ARRAY: u32 = 9;

/// The longest text that is read whole; chat templates have some 10 KB.
const MAX_TEXT: u64 = 1 << 20;

/// Texts that are kept, together: templates, and the spellings of control tokens.
const MAX_KEPT: u64 = 16 << 20;

/// The longest key that is read; those of llama.cpp have below 100 bytes.
const MAX_KEY: u64 = 1 << 10;

/// Metadata entries at the most; files have some 50.
const MAX_PAIRS: u64 = 1 << 12;

/// Tensors at the most.
const MAX_TENSORS: u64 = 1 << 16;

/// Everything in front of the tensors; for a vocabulary of 256k tokens it has some 15 MB.
const MAX_FRONT: u64 = 128 << 20;

/// Texts and arrays inside the arrays of a file, together. A vocabulary of 256k tokens has 512k merges.
const MAX_ELEMENTS: u64 = 1 << 22;

/// Arrays of arrays, at the deepest.
const MAX_NESTING: u32 = 4;

/// The counts in front.
pub(super) struct Header {
    pub tensors: u64,
    pub pairs: u64,
}

/// A value of the metadata.
pub(super) enum Entry {
    /// An unsigned integer; a negative one as its 64 bits.
    Number(u64),
    Text(String),
    Array(Array),
    /// A float, a boolean, or a text that is not needed.
    Other,
}

/// An array, left where it is.
pub(super) struct Array {
    pub kind: u32,
    pub count: u64,
    pub start: u64,
}

impl Array {
    pub fn is_text(&self) -> bool {
        self.kind == TEXT
    }
}

/// Where the bytes come from: a file, or memory.
trait Source: Read + Seek {}

impl<T: Read + Seek> Source for T {}

/// A position in a file.
pub(super) struct Reader<'a> {
    file: BufReader<Box<dyn Source + 'a>>,
    path: PathBuf,
    position: u64,
    length: u64,
    /// Elements of arrays that were passed one by one.
    elements: u64,
    /// Bytes of texts that were kept.
    kept: u64,
}

impl<'a> Reader<'a> {
    pub fn open(path: &Path) -> Result<Self> {
        let (file, length) = files::open(path, ErrorKind::InvalidModel)?;
        Ok(Self::new(Box::new(file), length, path))
    }

    /// Reads a file that is in memory.
    pub fn of_bytes(bytes: &'a [u8]) -> Self {
        let length = bytes.len() as u64;
        Self::new(Box::new(Cursor::new(bytes)), length, Path::new("memory"))
    }

    fn new(source: Box<dyn Source + 'a>, length: u64, path: &Path) -> Self {
        Self {
            file: BufReader::with_capacity(1 << 16, source),
            path: path.to_owned(),
            position: 0,
            length,
            elements: 0,
            kept: 0,
        }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    pub fn length(&self) -> u64 {
        self.length
    }

    /// An error about the file as a whole.
    pub fn invalid(&self, what: &str) -> Error {
        Error::new(
            ErrorKind::InvalidModel,
            format!("{} {what}", self.path.display()),
        )
        .with("path", self.path.to_string_lossy())
    }

    /// An error about what was read here.
    pub fn invalid_here(&self, what: &str) -> Error {
        self.invalid(&format!(
            "is not a usable GGUF file: at byte {}, {what}",
            self.position
        ))
        .with("offset", self.position)
    }

    fn truncated(&self, reading: &str) -> Error {
        self.invalid(&format!(
            "is truncated: it ends at byte {}, in the middle of {reading}; download it again",
            self.length
        ))
        .with("offset", self.position)
    }

    /// Checks that `bytes` more are there.
    fn need(&self, bytes: u64, reading: &str) -> Result<()> {
        if bytes > self.length - self.position {
            return Err(self.truncated(reading));
        }
        if self.position + bytes > MAX_FRONT {
            return Err(self.invalid_here(&format!(
                "{reading} goes beyond the {MAX_FRONT} bytes that metadata and tensor list may have"
            )));
        }
        Ok(())
    }

    fn bytes<const N: usize>(&mut self, reading: &str) -> Result<[u8; N]> {
        self.need(N as u64, reading)?;
        let mut bytes = [0; N];
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<()> {
        self.file
            .read_exact(bytes)
            .map_err(|error| files::failed(&self.path, &error))?;
        self.position += bytes.len() as u64;
        Ok(())
    }

    pub fn u32(&mut self, reading: &str) -> Result<u32> {
        self.bytes(reading).map(u32::from_le_bytes)
    }

    pub fn u64(&mut self, reading: &str) -> Result<u64> {
        self.bytes(reading).map(u64::from_le_bytes)
    }

    fn skip(&mut self, bytes: u64, reading: &str) -> Result<()> {
        self.need(bytes, reading)?;
        self.file
            .seek_relative(bytes as i64)
            .map_err(|error| files::failed(&self.path, &error))?;
        self.position += bytes;
        Ok(())
    }

    /// Goes back to something that was passed before.
    pub fn seek(&mut self, position: u64) -> Result<()> {
        self.file
            .seek(SeekFrom::Start(position))
            .map_err(|error| files::failed(&self.path, &error))?;
        self.position = position;
        Ok(())
    }

    pub fn header(&mut self) -> Result<Header> {
        if self.length == 0 {
            return Err(self.invalid("is empty"));
        }
        let magic: [u8; 4] = self.bytes("the first four bytes")?;
        if &magic != b"GGUF" {
            return Err(self.invalid(&format!(
                "is not a GGUF file: it begins with {:?} instead of \"GGUF\"",
                String::from_utf8_lossy(&magic)
            )));
        }
        match self.u32("the version")? {
            2 | 3 => {}
            version if version.swap_bytes() <= 3 => {
                return Err(self.invalid("is a big-endian GGUF file, for another kind of machine"));
            }
            version => {
                return Err(self.invalid(&format!(
                    "is a GGUF file of version {version}; versions 2 and 3 can be read"
                )));
            }
        }
        let tensors = self.u64("the number of tensors")?;
        let pairs = self.u64("the number of metadata entries")?;
        if pairs > MAX_PAIRS {
            return Err(self.invalid_here(&format!(
                "it claims to have {pairs} metadata entries; at most {MAX_PAIRS} are read"
            )));
        }
        if tensors > MAX_TENSORS {
            return Err(self.invalid_here(&format!(
                "it claims to have {tensors} tensors; at most {MAX_TENSORS} are read"
            )));
        }
        Ok(Header { tensors, pairs })
    }

    /// A text that is kept. Token texts may be any bytes; what is not UTF-8 is replaced.
    pub fn text(&mut self, reading: &str) -> Result<String> {
        let text = self.text_of(reading, MAX_TEXT)?;
        self.kept += text.len() as u64;
        if self.kept > MAX_KEPT {
            return Err(self.invalid_here(&format!(
                "its templates and special tokens have more than {MAX_KEPT} bytes"
            )));
        }
        Ok(text)
    }

    /// A key of the metadata, or a tensor's name.
    pub fn key(&mut self, reading: &str) -> Result<String> {
        self.text_of(reading, MAX_KEY)
    }

    fn text_of(&mut self, reading: &str, longest: u64) -> Result<String> {
        let length = self.u64(reading)?;
        self.need(length, reading)?;
        if length > longest {
            return Err(self.invalid_here(&format!(
                "{reading} has {length} bytes; at most {longest} are read"
            )));
        }
        let mut bytes = vec![0; length as usize];
        self.fill(&mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    pub fn skip_text(&mut self, reading: &str) -> Result<()> {
        let length = self.u64(reading)?;
        self.skip(length, reading)
    }

    /// A key and its value; a text is read only where `keep` says so of its key.
    pub fn pair(&mut self, keep: impl Fn(&str) -> bool) -> Result<(String, Entry)> {
        let key = self.key("a metadata key")?;
        let reading = format!("the value of {key}");
        let kind = self.u32(&reading)?;
        let entry = match kind {
            TEXT if keep(&key) => Entry::Text(self.text(&reading)?),
            TEXT => {
                self.skip_text(&reading)?;
                Entry::Other
            }
            ARRAY => Entry::Array(self.array(&reading, 0)?),
            kind => self
                .number_of(kind, &reading)?
                .map_or(Entry::Other, Entry::Number),
        };
        Ok((key, entry))
    }

    /// An element of an array of numbers.
    pub fn number(&mut self, kind: u32) -> Result<Option<u64>> {
        self.number_of(kind, "an array")
    }

    /// `None` for a float or a boolean.
    fn number_of(&mut self, kind: u32, reading: &str) -> Result<Option<u64>> {
        Ok(match kind {
            0 => Some(self.bytes::<1>(reading)?[0].into()),
            1 => Some(i64::from(self.bytes::<1>(reading)?[0] as i8) as u64),
            2 => Some(u16::from_le_bytes(self.bytes(reading)?).into()),
            3 => Some(i64::from(i16::from_le_bytes(self.bytes(reading)?)) as u64),
            4 => Some(self.u32(reading)?.into()),
            5 => Some(i64::from(self.u32(reading)? as i32) as u64),
            10 | 11 => Some(self.u64(reading)?),
            kind => {
                let size = self.element_size(kind, reading)?;
                self.skip(size, reading)?;
                None
            }
        })
    }

    fn element_size(&self, kind: u32, reading: &str) -> Result<u64> {
        match kind {
            0 | 1 | 7 => Ok(1),
            2 | 3 => Ok(2),
            4..=6 => Ok(4),
            10..=12 => Ok(8),
            _ => Err(self.invalid_here(&format!("{reading} has the unknown type {kind}"))),
        }
    }

    /// Passes over an array.
    fn array(&mut self, reading: &str, nesting: u32) -> Result<Array> {
        let kind = self.u32(reading)?;
        let count = self.u64(reading)?;
        let start = self.position;
        match kind {
            TEXT | ARRAY => {
                // The shortest text is a length, the shortest array a type and a length.
                self.need(count.saturating_mul(8), reading)?;
                if nesting == MAX_NESTING {
                    return Err(self.invalid_here(&format!("{reading} is nested too deep")));
                }
                self.elements = self.elements.saturating_add(count);
                if self.elements > MAX_ELEMENTS {
                    return Err(self.invalid_here(&format!(
                        "its arrays have more than {MAX_ELEMENTS} texts and arrays inside"
                    )));
                }
                for _ in 0..count {
                    if kind == TEXT {
                        self.skip_text(reading)?;
                    } else {
                        self.array(reading, nesting + 1)?;
                    }
                }
            }
            kind => {
                let size = self.element_size(kind, reading)?;
                self.skip(count.saturating_mul(size), reading)?;
            }
        }
        Ok(Array { kind, count, start })
    }
}

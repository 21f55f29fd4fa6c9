//! Prompt cache files: what a context holds of a prompt, to be used again.
//!
//! Numbers are little-endian: the magic, the model's hash, the adapter's mark, the number of cells,
//! the length of the state; the cells; llama.cpp's state; a hash of all that.

use crate::cell::Cell;
use crate::hash;
use std::fs::{self, File};
use std::io::{Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

/// The last byte is the version.
const MAGIC: [u8; 8] = *b"RKCHATP\x01";
const HEAD: usize = MAGIC.len() + 4 * 8;

/// A prompt cache.
#[derive(Debug, PartialEq)]
pub struct PromptCache {
    /// What is in it.
    pub cells: Vec<Cell>,
    /// The mark of the adapter that it was computed with, 0 without.
    pub mark: u64,
    /// llama.cpp's state.
    pub state: Vec<u8>,
}

impl PromptCache {
    /// Writes a file, whole or not at all.
    pub fn write(&self, path: &Path, model: u64) -> Result<(), String> {
        let failed = |error| format!("cannot write the prompt cache {}: {error}", path.display());
        let mut bytes = Vec::from(MAGIC);
        let lengths = [self.cells.len() as u64, self.state.len() as u64];
        for number in [model, self.mark].into_iter().chain(lengths) {
            bytes.extend(number.to_le_bytes());
        }
        for cell in &self.cells {
            bytes.extend(cell.number().to_le_bytes());
        }
        bytes.extend(&self.state);
        let check = hash::of(bytes.iter().copied());
        bytes.extend(check.to_le_bytes());

        let mut part = path.as_os_str().to_owned();
        // Another model may be writing to the same place.
        static WRITTEN: AtomicU32 = AtomicU32::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        part.push(format!(".{}-{number}.part", std::process::id()));
        let part = Path::new(&part);
        let mut file = File::create(part).map_err(failed)?;
        let written = file.write_all(&bytes).and_then(|()| fs::rename(part, path));
        written.map_err(|error| {
            // What went wrong is said below; a leftover is not worth a second message.
            let _ = fs::remove_file(part);
            failed(error)
        })
    }

    /// Reads a file that was written for a model.
    pub fn read(path: &Path, model: u64) -> Result<Self, String> {
        let shown = path.display();
        let failed = |error| format!("cannot read the prompt cache {shown}: {error}");
        let metadata = fs::metadata(path).map_err(failed)?;
        if !metadata.is_file() {
            return Err(format!("{shown} is not a file; a prompt cache is one"));
        }
        let mut file = File::open(path).map_err(failed)?;
        let mut bytes = Vec::new();
        // The head alone first: a foreign file may be of any size.
        let mut head = Read::by_ref(&mut file).take(HEAD as u64);
        head.read_to_end(&mut bytes).map_err(failed)?;
        if !bytes.starts_with(&MAGIC) {
            return Err(format!(
                "{shown} is not a prompt cache that this release of rkchat's CPU runtime wrote"
            ));
        }
        file.read_to_end(&mut bytes).map_err(failed)?;
        let damaged = || format!("the prompt cache {shown} is damaged; save it again");
        let (owner, cache) = parse(&bytes).ok_or_else(damaged)?;
        if owner != model {
            return Err(format!(
                "the prompt cache {shown} was saved with another model; \
                 each model needs its own"
            ));
        }
        Ok(cache)
    }
}

/// The model's hash and the cache; `None` if the bytes are not whole.
fn parse(bytes: &[u8]) -> Option<(u64, PromptCache)> {
    let (content, check) = bytes.split_last_chunk()?;
    if hash::of(content.iter().copied()) != u64::from_le_bytes(*check) {
        return None;
    }
    let mut rest = content.get(MAGIC.len()..)?;
    let mut number = || {
        let (first, others) = rest.split_first_chunk()?;
        rest = others;
        Some(u64::from_le_bytes(*first))
    };
    let (model, mark) = (number()?, number()?);
    let (n_cells, n_state) = (number()?, number()?);
    let cells = (0..n_cells).map(|_| number().map(Cell::from_number));
    let cells = cells.collect::<Option<Vec<_>>>()?;
    (rest.len() as u64 == n_state).then(|| {
        let state = rest.to_vec();
        (model, PromptCache { cells, mark, state })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Entry;

    fn cache() -> PromptCache {
        PromptCache {
            cells: vec![Entry::Token(5).into(), Entry::Row(&[1.0]).into()],
            mark: 3,
            state: vec![9; 100],
        }
    }

    #[test]
    fn comes_back_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.bin");
        cache().write(&path, 7).unwrap();
        assert_eq!(PromptCache::read(&path, 7).unwrap(), cache());
        let error = PromptCache::read(&path, 8).unwrap_err();
        assert!(error.contains("another model"), "{error}");
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            1,
            "no leftover"
        );
    }

    #[test]
    fn each_damage_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache.bin");
        cache().write(&path, 7).unwrap();
        let whole = fs::read(&path).unwrap();
        let refused = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            PromptCache::read(&path, 7).unwrap_err()
        };
        for place in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            refused(&bytes);
            refused(&whole[..place]);
        }
        assert!(refused(b"GGUF").contains("is not a prompt cache"));
        assert!(refused(&whole[..whole.len() - 1]).contains("damaged"));
        assert!(
            PromptCache::read(folder.path(), 7)
                .unwrap_err()
                .contains("is not a file")
        );
    }

    #[test]
    fn says_what_cannot_be_written_or_read() {
        let path = Path::new("/nowhere/cache.bin");
        assert!(
            cache()
                .write(path, 7)
                .unwrap_err()
                .contains("/nowhere/cache.bin")
        );
        assert!(
            PromptCache::read(path, 7)
                .unwrap_err()
                .contains("/nowhere/cache.bin")
        );
    }
}

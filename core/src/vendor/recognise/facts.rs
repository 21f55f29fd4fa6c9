//! What a file tells, read once for each version of it that is seen.

use std::collections::HashMap;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use super::defaults::Filled;
use super::elf::Elf;
use super::evidence::{Defaults, Evidence};
use super::probe::{Probe, probe};
use super::unfit::Unfit;
use super::{blob, symbols, version_text};
use crate::vendor::abi::layout::GroupLayout;
use crate::vendor::known::{self, Official};

/// The vendor's libraries have 5 to 15 MB.
const LARGEST: u64 = 512 << 20;

/// One version of one file; any write to the file changes the last number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Identity {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Identity {
    fn of(metadata: &Metadata) -> Self {
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

/// The files seen so far. Only ever locked if that needs no waiting: in a forked child it may be locked
/// for ever.
static SEEN: LazyLock<Mutex<HashMap<Identity, Arc<Facts>>>> = LazyLock::new(Mutex::default);

/// What a file tells.
pub struct Facts {
    /// Its git blob SHA-1.
    pub blob: [u8; 20],
    /// The official file that it is.
    pub official: Option<&'static Official>,
    /// Whether it is a runtime of rkchat's.
    pub own: bool,
    /// Its headers, and the exported functions that matter.
    pub elf: Elf,
    /// Releases whose numbers it has as texts.
    pub texts: Vec<String>,
    /// The groups that its exported functions allow.
    symbols: &'static [&'static GroupLayout],
    /// What came of the probe, once it was made.
    probed: Mutex<Option<Probe>>,
}

impl Facts {
    /// Reads the file at `path`, unless it was read before and has not changed.
    pub fn of(path: &Path) -> Result<Arc<Self>, Unfit> {
        let identity = Identity::of(&fs::metadata(path).map_err(unreadable)?);
        if let Some(known) = SEEN
            .try_lock()
            .ok()
            .and_then(|seen| seen.get(&identity).cloned())
        {
            return Ok(known);
        }
        // A pipe would wait for its other end.
        let mut options = OpenOptions::new();
        options.read(true).custom_flags(libc::O_NONBLOCK);
        let file = options.open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        let facts = Arc::new(Self::read(&file, &metadata)?);
        let identity = Identity::of(&metadata);
        if Identity::of(&file.metadata().map_err(unreadable)?) != identity {
            let why = "it changed while it was read; try again when it is complete";
            return Err(Unfit::Unreadable(why.to_owned()));
        }
        if let Ok(mut seen) = SEEN.try_lock() {
            let file = |known: &Identity| (known.device, known.inode);
            seen.retain(|known, _| file(known) != file(&identity));
            seen.insert(identity, facts.clone());
        }
        Ok(facts)
    }

    fn read(file: &File, metadata: &Metadata) -> Result<Self, Unfit> {
        if metadata.is_dir() {
            return Err(Unfit::Folder);
        }
        if !metadata.is_file() {
            return Err(Unfit::Special);
        }
        if metadata.len() > LARGEST {
            return Err(Unfit::Large(metadata.len()));
        }
        let mut data = Vec::new();
        let room = data.try_reserve_exact(metadata.len() as usize);
        room.map_err(|error| Unfit::Unreadable(error.to_string()))?;
        file.take(LARGEST)
            .read_to_end(&mut data)
            .map_err(unreadable)?;
        let elf = Elf::read(&data, symbols::matters)?;
        let symbols = symbols::groups(|name| elf.exports.contains(name))?;
        let blob = blob::of_bytes(&data);
        let official = known::official(&blob);
        let own = elf.exports.contains(symbols::EXTENSION);
        let texts = match official {
            None if !own => version_text::releases(&data),
            _ => Vec::new(),
        };
        Ok(Self {
            blob,
            official,
            own,
            elf,
            texts,
            symbols,
            probed: Mutex::new(None),
        })
    }

    /// The release, where the file is official or names one that its exported functions allow.
    pub fn release(&self) -> Option<&str> {
        let allowed = |text: &str| {
            let group = known::group_of(text);
            group.is_some_and(|group| self.symbols.iter().any(|symbols| symbols.name == group))
        };
        match (&self.official, &self.texts[..]) {
            (Some(file), _) => Some(file.release),
            (None, [text]) if allowed(text) => Some(text),
            _ => None,
        }
    }

    /// All that is known of the file, which is at `path`. With `probe` this includes what a call in a
    /// child process tells; `own` is what rkchat's own runtime says of itself.
    pub fn evidence(&self, path: &Path, own: Option<&str>, probe: bool) -> Evidence {
        let defaults = match probe.then(|| self.probe(path)) {
            None => Defaults::NotAsked,
            Some(Probe::Measured(filled)) => Defaults::Fit(self.fitting(&filled)),
            Some(other) => Defaults::Unknown(other.why_not().unwrap_or_default()),
        };
        Evidence {
            own: own.filter(|_| self.own).map(str::to_owned),
            official: self.official,
            symbols: self.symbols.iter().map(|group| group.name).collect(),
            defaults,
            texts: self.texts.clone(),
        }
    }

    fn fitting(&self, filled: &Filled) -> Vec<&'static str> {
        let fits = self.symbols.iter().filter(|group| filled.fits(group));
        fits.map(|group| group.name).collect()
    }

    /// Probes once; a worker that was missing may be there the next time.
    fn probe(&self, path: &Path) -> Probe {
        if let Some(known) = self.probed.try_lock().ok().and_then(|known| known.clone()) {
            return known;
        }
        let outcome = probe(path);
        if !matches!(outcome, Probe::NoWorker(_)) {
            if let Ok(mut known) = self.probed.try_lock() {
                *known = Some(outcome.clone());
            }
        }
        outcome
    }
}

fn unreadable(error: io::Error) -> Unfit {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => Unfit::Missing,
        io::ErrorKind::PermissionDenied => Unfit::Denied,
        _ => Unfit::Unreadable(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    #[test]
    fn what_is_no_file_is_named() {
        let folder = std::env::temp_dir().join(format!("rkchat-facts-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let of = |path: &Path| Facts::of(path).err().unwrap();
        assert_eq!(of(&folder), Unfit::Folder);
        assert_eq!(of(&folder.join("none.so")), Unfit::Missing);
        assert_eq!(of(Path::new("/dev/null/none.so")), Unfit::Missing);
        assert_eq!(of(Path::new("/dev/zero")), Unfit::Special);
        let file = folder.join("file.so");
        fs::write(&file, "").unwrap();
        assert_eq!(of(&file), Unfit::Empty);
        File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_len(LARGEST + 1)
            .unwrap();
        assert_eq!(of(&file), Unfit::Large(LARGEST + 1));
        let socket = folder.join("socket");
        let listener = UnixListener::bind(&socket).unwrap();
        assert!(matches!(of(&socket), Unfit::Unreadable(_)));
        drop(listener);
        fs::remove_dir_all(folder).unwrap();
    }
}

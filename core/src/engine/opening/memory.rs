//! Whether there is memory enough for a model, before it is loaded.

use std::fs;
use std::path::Path;

use crate::model::{Located, health};
use crate::surface::{Error, ErrorKind, MemoryCheck, Result, Warning, WarningKind};

/// What computing takes besides: a fixed part, and one that grows with the model, though by less than its
/// file. A process with SmolLM2 (98 MB) in 512 tokens (12 MB) on the CPU runtime was measured to have 137 MB.
const COMPUTING: u64 = 32 << 20;
const COMPUTING_SHARE: u64 = 32;

/// What a model needs, in bytes.
#[derive(Debug, Clone, Copy)]
pub(in crate::engine) struct Need {
    file: u64,
    /// Where it is known.
    cache: Option<u64>,
    window: u32,
}

impl Need {
    pub fn of(found: &Located, window: u32) -> Self {
        Self {
            file: fs::metadata(&found.weights).map_or(0, |metadata| metadata.len()),
            cache: found.cache_bytes(window),
            window,
        }
    }

    fn computing(self) -> u64 {
        COMPUTING + self.file / COMPUTING_SHARE
    }

    pub fn bytes(self) -> u64 {
        let parts = [self.cache.unwrap_or(0), self.computing()];
        parts.into_iter().fold(self.file, u64::saturating_add)
    }

    /// Compares with what there is; a warning where that is less, or an error where one is wanted. Where the
    /// system does not tell, nothing is compared.
    pub fn check(
        self,
        weights: &Path,
        available: Option<u64>,
        wanted: MemoryCheck,
    ) -> Result<Option<Warning>> {
        let short = available.filter(|available| *available < self.bytes());
        let (Some(available), true) = (short, wanted != MemoryCheck::Off) else {
            return Ok(None);
        };
        let words = health::in_words;
        let cache = match self.cache {
            Some(cache) => format!("its cache of {} tokens {}", self.window, words(cache)),
            None => "its cache is not counted".to_owned(),
        };
        let message = format!(
            "{} needs about {} of memory (its file {}, {cache}, computing {}), and {} are available; end other \
             programs, ask for a smaller max_context_len, or take a smaller model",
            weights.display(),
            words(self.bytes()),
            words(self.file),
            words(self.computing()),
            words(available),
        );
        match wanted {
            MemoryCheck::Error => Err(Error::new(
                ErrorKind::OutOfMemory,
                format!(
                    "{message}. With the option memory_check set to warn it is opened all the same"
                ),
            )
            .with("needed", self.bytes())
            .with("available", available)),
            _ => Ok(Some(Warning {
                kind: WarningKind::Memory,
                message,
            })),
        }
    }
}

/// The bytes that the system says are available to programs.
pub(in crate::engine) fn available() -> Option<u64> {
    line("/proc/meminfo", "MemAvailable:")
}

/// The bytes of this process that are in memory.
pub(in crate::engine) fn of_process() -> Option<u64> {
    line("/proc/self/status", "VmRSS:")
}

fn line(file: &str, name: &str) -> Option<u64> {
    kilobytes(&fs::read_to_string(file).ok()?, name)
}

fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    let number = line.trim().strip_suffix("kB")?.trim();
    number.parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEED: Need = Need {
        file: 1 << 30,
        cache: Some(1 << 29),
        window: 4096,
    };

    fn check(available: Option<u64>, wanted: MemoryCheck) -> Result<Option<Warning>> {
        NEED.check(Path::new("/m.rkllm"), available, wanted)
    }

    #[test]
    fn too_little_is_told_as_it_is_wanted() {
        let little = Some(1 << 30);
        let warning = check(little, MemoryCheck::Warn).unwrap().unwrap();
        assert_eq!(warning.kind, WarningKind::Memory);
        for said in ["/m.rkllm", "4096 tokens", "are available"] {
            assert!(warning.message.contains(said), "{}", warning.message);
        }
        let error = check(little, MemoryCheck::Error).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::OutOfMemory);
        assert_eq!(error.details()["needed"], NEED.bytes());
        assert_eq!(error.details()["available"], 1u64 << 30);
        assert_eq!(check(little, MemoryCheck::Off).unwrap(), None);
    }

    #[test]
    fn enough_or_unknown_is_fine() {
        for available in [Some(NEED.bytes()), None] {
            assert_eq!(check(available, MemoryCheck::Error).unwrap(), None);
        }
    }

    #[test]
    fn the_system_is_read() {
        let text = "MemTotal:  8 kB\nMemAvailable:       4 kB\n";
        assert_eq!(kilobytes(text, "MemAvailable:"), Some(4096));
        assert_eq!(kilobytes(text, "MemFree:"), None);
        assert!(available().is_some_and(|bytes| bytes > 0));
        assert!(of_process().is_some_and(|bytes| bytes > 0));
    }
}

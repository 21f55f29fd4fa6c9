//! Getting runtimes from a server on this machine, from files and from folders, with a table of
//! stand-ins for the published files.

#[path = "../common/mod.rs"]
mod common;
mod local;
#[cfg(feature = "fetch")]
mod remote;
#[cfg(feature = "fetch")]
mod server;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use common::Folder;
use rkchat::vendor::get::{Fetched, GetRequest, Setting, What, get_in};
use rkchat::vendor::known::Official;
use rkchat::vendor::recognise::blob;
use rkchat::vendor::store::Store;
use rkchat::{Error, Result};

const LICENCE: &str = "The licence of the stand-ins.\n";
const AARCH64: &str = "runtime/Linux/aarch64/librkllmrt.so";
const ARMHF: &str = "runtime/Linux/armhf/librkllmrt.so";

/// The stand-in for a file: like a library, and of a size that no buffer holds.
fn library(seed: u32) -> Vec<u8> {
    let mut state = seed;
    let noise = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    });
    b"\x7fELF"
        .iter()
        .copied()
        .chain(noise)
        .take(300_000)
        .collect()
}

/// The table: releases with the seeds of their files.
static PUBLISHED: LazyLock<Vec<Official>> = LazyLock::new(|| {
    let file = |release, platform, path, seed| Official {
        release,
        group: "1.2.1",
        platform,
        commit: release,
        path,
        sha1: blob::of_bytes(&library(seed)),
    };
    vec![
        file("1.1.2", "Linux/aarch64", AARCH64, 112),
        file("1.1.4", "Linux/aarch64", AARCH64, 114),
        file("1.2.1", "Linux/aarch64", AARCH64, 121),
        file("1.2.1", "Linux/armhf", ARMHF, 1210),
        file("1.3.0", "Linux/armhf", ARMHF, 1300),
    ]
});

/// Where a test gets from and puts to.
struct Place {
    folder: Folder,
    store: Store,
    repository: String,
    processor: &'static str,
    stall: Duration,
}

impl Place {
    fn new(repository: &str) -> Self {
        let folder = Folder::new();
        let store = Store::at(folder.path().join("store"));
        Self {
            folder,
            store,
            repository: repository.to_owned(),
            processor: "aarch64",
            stall: Duration::from_secs(30),
        }
    }

    fn get(&self, release: &str, from: Option<&str>) -> Result<Fetched> {
        self.request(GetRequest {
            what: What::Release(release.to_owned()),
            from: from.map(str::to_owned),
            platform: None,
            progress: None,
        })
    }

    fn request(&self, request: GetRequest<'_>) -> Result<Fetched> {
        get_in(
            request,
            &Setting {
                published: &PUBLISHED,
                store: &self.store,
                processor: self.processor,
                repository: &self.repository,
                stall: self.stall,
            },
        )
    }

    /// Where the runtime of a release belongs.
    fn target(&self, release: &str) -> PathBuf {
        self.folder
            .path()
            .join("store")
            .join(release)
            .join("librkllmrt.so")
    }

    /// Everything in the folder of a release.
    fn stored(&self, release: &str) -> Vec<String> {
        names(self.target(release).parent().expect("a folder"))
    }

    /// Writes a file below the test's folder and gives its path.
    fn file(&self, name: &str, bytes: &[u8]) -> String {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a writable folder");
        fs::write(&path, bytes).expect("a writable folder");
        path.to_str().expect("UTF-8").to_owned()
    }
}

/// The names in a folder, in order; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[track_caller]
fn says(error: &Error, parts: &[&str]) {
    for part in parts {
        assert!(
            error.message().contains(part),
            "{part:?} is missing: {error}"
        );
    }
}

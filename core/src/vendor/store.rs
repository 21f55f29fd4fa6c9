//! Where fetched runtimes are kept: `rkchat/runtimes/<release>/librkllmrt.so` in the user's data folder,
//! with the licence beside it.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::PathBuf;

use super::version::Version;
use crate::model::files::failed;
use crate::surface::{Error, ErrorKind, Result};

/// The name of every runtime's file.
pub(crate) const FILE_NAME: &str = "librkllmrt.so";

/// The folder of fetched runtimes. It need not exist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    root: PathBuf,
}

/// A fetched runtime for this machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its release, which is the name of its folder.
    pub release: Version,
    /// The library.
    pub path: PathBuf,
}

/// rkchat's folder in the user's data folder. It need not exist.
pub(super) fn data_folder() -> Result<PathBuf> {
    folder(env::var_os("XDG_DATA_HOME"), env::var_os("HOME"))
}

fn folder(data: Option<OsString>, home: Option<OsString>) -> Result<PathBuf> {
    // A relative path counts as unset, as the XDG specification says.
    let set = |value: Option<OsString>| value.map(PathBuf::from).filter(|path| path.is_absolute());
    let data = set(data).or_else(|| set(home).map(|home| home.join(".local/share")));
    let data = data.ok_or_else(|| {
        Error::new(
            ErrorKind::Io,
            "there is no folder to keep anything in: neither XDG_DATA_HOME nor HOME is set to an absolute path; set one \
             of them",
        )
    })?;
    Ok(data.join("rkchat"))
}

impl Store {
    /// The store of the user who runs this.
    pub fn of_user() -> Result<Self> {
        Self::from_variables(env::var_os("XDG_DATA_HOME"), env::var_os("HOME"))
    }

    /// A store in a folder.
    pub fn at(root: PathBuf) -> Self {
        Self { root }
    }

    fn from_variables(data: Option<OsString>, home: Option<OsString>) -> Result<Self> {
        Ok(Self::at(folder(data, home)?.join("runtimes")))
    }

    /// The folder of a release: for this machine, or for another platform.
    pub(crate) fn folder(&self, release: &str, other_platform: Option<&str>) -> PathBuf {
        let folder = self.root.join(release);
        match other_platform {
            Some(platform) => folder.join(platform.replace('/', "-")),
            None => folder,
        }
    }

    /// The runtimes for this machine, oldest first. Folders that are not named as a release, and those
    /// without a library, are not of the store's making.
    pub fn list(&self) -> Result<Vec<Stored>> {
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(&self.root, &error)),
        };
        let mut stored = Vec::new();
        for entry in entries {
            let name = entry
                .map_err(|error| failed(&self.root, &error))?
                .file_name();
            let Some(release) = name.to_str().and_then(|name| name.parse::<Version>().ok()) else {
                continue;
            };
            let path = self.root.join(&name).join(FILE_NAME);
            if name.to_str() == Some(&release.to_string()) && path.is_file() {
                stored.push(Stored { release, path });
            }
        }
        stored.sort_by_key(|stored| stored.release);
        Ok(stored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process;

    fn folder(name: &str) -> PathBuf {
        let folder = env::temp_dir().join(format!("rkchat-store-{}-{name}", process::id()));
        let _ = fs::remove_dir_all(&folder);
        folder
    }

    #[test]
    fn the_folder_is_that_of_the_user() {
        let store = |data: Option<&str>, home: Option<&str>| {
            Store::from_variables(data.map(OsString::from), home.map(OsString::from))
        };
        let root = |root: &str| Store::at(PathBuf::from(root));
        assert_eq!(
            store(Some("/d"), Some("/h")).unwrap(),
            root("/d/rkchat/runtimes")
        );
        for data in [None, Some(""), Some("relative")] {
            let expected = root("/h/.local/share/rkchat/runtimes");
            assert_eq!(store(data, Some("/h")).unwrap(), expected);
        }
        for home in [None, Some("")] {
            let error = store(None, home).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Io);
            assert!(
                error.message().contains("XDG_DATA_HOME") && error.message().contains("HOME is")
            );
        }
    }

    #[test]
    fn only_releases_are_listed() {
        let root = folder("list");
        let store = Store::at(root.clone());
        assert_eq!(store.list().unwrap(), []);
        for name in [
            "1.3.0",
            "1.2.1b1",
            "1.2.1",
            "v1.1.4",
            "1.0.2-beta",
            "mine",
            "1.1.4/Linux-armhf",
        ] {
            fs::create_dir_all(root.join(name)).unwrap();
            fs::write(root.join(name).join(FILE_NAME), "x").unwrap();
        }
        fs::create_dir_all(root.join("1.1.1")).unwrap();
        fs::write(root.join("1.1.2"), "a file").unwrap();
        let listed: Vec<_> = store.list().unwrap();
        let releases: Vec<_> = listed
            .iter()
            .map(|stored| stored.release.to_string())
            .collect();
        assert_eq!(releases, ["1.2.1b1", "1.2.1", "1.3.0"]);
        assert_eq!(listed[2].path, root.join("1.3.0/librkllmrt.so"));
        fs::remove_dir_all(root).unwrap();
    }
}

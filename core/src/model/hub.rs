//! The cache that Hugging Face's tools download into: `models--ORG--NAME/snapshots/HASH/FILE`, where each
//! file is a link into `blobs`, and `refs/main` holds the hash that counts.

use std::fs;
use std::path::{Path, PathBuf};

use super::files;
use crate::surface::{Error, ErrorKind, Result};

const PREFIX: &str = "models--";

/// The folder of a model's files, where the path is a Hub id, a repository's folder in the cache, or a file
/// in its `blobs`; otherwise the path itself.
pub(super) fn locate(path: &Path) -> Result<PathBuf> {
    if fs::symlink_metadata(path).is_err() {
        return match id_of(path) {
            Some(id) => in_cache(id, cache().as_deref()),
            None => Ok(path.to_owned()),
        };
    }
    // A relative path such as `.` shows its repository only as an absolute one.
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    if repository_name(absolute.file_name()).is_some() && absolute.join("snapshots").is_dir() {
        return snapshot(&absolute);
    }
    Ok(linked_from_snapshot(&absolute).unwrap_or_else(|| path.to_owned()))
}

/// The repository that a file came from, as `org/name`: by the cache or the clone that it lies in.
pub(super) fn repository(path: &Path) -> Option<String> {
    let mut folders = path.ancestors();
    folders.find_map(|folder| repository_name(folder.file_name()).or_else(|| origin(folder)))
}

/// The repository on the Hub that a folder is a clone of.
fn origin(folder: &Path) -> Option<String> {
    let config = files::read_small(&folder.join(".git/config"))?;
    config.lines().find_map(|line| {
        let (key, url) = line.split_once('=')?;
        let (_, id) = url
            .split_once("huggingface.co")
            .or_else(|| url.split_once("hf.co"))?;
        let id = id
            .trim()
            .trim_start_matches([':', '/'])
            .trim_end_matches('/');
        let id = id.strip_suffix(".git").unwrap_or(id);
        (key.trim() == "url").then(|| id_of(id.as_ref()).map(str::to_owned))?
    })
}

fn repository_name(name: Option<&std::ffi::OsStr>) -> Option<String> {
    let name = name?.to_str()?.strip_prefix(PREFIX)?;
    Some(name.replacen("--", "/", 1))
}

/// `org/name`, as the Hub allows it. File names with the endings of what comes with models are none.
fn id_of(path: &Path) -> Option<&str> {
    let text = path.to_str()?;
    let text = text.strip_suffix('/').unwrap_or(text);
    let (org, name) = text.split_once('/')?;
    let fits = |part: &str| {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !part.is_empty()
            && part.len() <= 96
            && part.chars().all(allowed)
            && !part.starts_with(['.', '-'])
            && !part.ends_with(['.', '-'])
            && !part.contains("..")
    };
    let is_file = [".rkllm", ".gguf", ".json", ".jinja", ".bin"]
        .iter()
        .any(|ending| name.to_ascii_lowercase().ends_with(ending));
    (fits(org) && fits(name) && !is_file).then_some(text)
}

/// Where the cache is, by the variables of Hugging Face's tools.
fn cache() -> Option<PathBuf> {
    let set = |name: &str| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty())?;
        Some(expand(PathBuf::from(value)))
    };
    set("HF_HUB_CACHE")
        .or_else(|| set("HUGGINGFACE_HUB_CACHE"))
        .or_else(|| Some(set("HF_HOME")?.join("hub")))
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("huggingface/hub")))
        .or_else(|| Some(set("HOME")?.join(".cache/huggingface/hub")))
}

/// A `~` at the start, which those tools expand too.
fn expand(path: PathBuf) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path,
    }
}

fn in_cache(id: &str, cache: Option<&Path>) -> Result<PathBuf> {
    let folder = cache.map(|cache| cache.join(format!("{PREFIX}{}", id.replace('/', "--"))));
    match folder
        .as_ref()
        .filter(|folder| folder.join("snapshots").is_dir())
    {
        Some(folder) => snapshot(folder),
        None => {
            let place = match cache {
                Some(cache) => format!("in the Hugging Face cache {}", cache.display()),
                None => "in a Hugging Face cache, for no home folder is known".to_owned(),
            };
            Err(Error::new(
                ErrorKind::NotFound,
                format!(
                    "{id} is neither a file or folder here nor a model {place}. Download it: {}",
                    download(id, None)
                ),
            )
            .with("path", id))
        }
    }
}

/// The command that downloads a repository, or a file of it, and what may stand in its way.
pub(super) fn download(id: &str, file: Option<&str>) -> String {
    let file = file.map(|file| format!(" {file}")).unwrap_or_default();
    format!(
        "hf download {id}{file} (where its licence has to be accepted first, as for Gemma and Llama: do that on \
         https://huggingface.co/{id}, then hf auth login)"
    )
}

/// The snapshot that counts: the one of `refs/main`, else the only one.
fn snapshot(folder: &Path) -> Result<PathBuf> {
    let snapshots = folder.join("snapshots");
    let id = repository_name(folder.file_name()).unwrap_or_default();
    let main = files::read_small(&folder.join("refs/main"));
    if let Some(hash) = main.as_deref().map(str::trim) {
        let is_name = !hash.is_empty() && hash.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if is_name && snapshots.join(hash).is_dir() {
            return Ok(snapshots.join(hash));
        }
    }
    let mut all: Vec<PathBuf> = fs::read_dir(&snapshots)
        .map(|entries| entries.flatten().map(|entry| entry.path()).collect())
        .unwrap_or_default();
    all.retain(|path| path.is_dir());
    all.sort();
    match all.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(Error::new(
            ErrorKind::NotFound,
            format!(
                "{} has no snapshot of {id}; finish the download: {}",
                folder.display(),
                download(&id, None)
            ),
        )
        .with("path", folder.to_string_lossy())),
        several => {
            let names: Vec<_> = several
                .iter()
                .map(|path| path.display().to_string())
                .collect();
            Err(Error::new(
                ErrorKind::InvalidArgument,
                format!(
                    "{} has several snapshots, and refs/main names none of them; name one: {}",
                    folder.display(),
                    names.join(", ")
                ),
            )
            .with("path", folder.to_string_lossy()))
        }
    }
}

/// The link in a snapshot that stands for a file in `blobs`: only there does it have its name.
fn linked_from_snapshot(path: &Path) -> Option<PathBuf> {
    let blobs = path.parent().filter(|parent| parent.ends_with("blobs"))?;
    let repository = blobs.parent()?;
    repository_name(repository.file_name())?;
    let blob = path.canonicalize().ok()?;
    let snapshots = fs::read_dir(repository.join("snapshots")).ok()?;
    let files = snapshots
        .flatten()
        .filter_map(|one| fs::read_dir(one.path()).ok());
    let mut files = files.flat_map(|entries| entries.flatten().map(|entry| entry.path()));
    files.find(|file| file.canonicalize().is_ok_and(|target| target == blob))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_org_and_name_make_an_id() {
        for (text, is) in [
            ("google/gemma-2-9b-it", true),
            ("c0zaut/gemma-2-9b-it-RK3588-1.1.2", true),
            ("gemma-2-9b-it", false),
            ("a/b/c", false),
            ("/a/b", false),
            ("./a", false),
            ("../a", false),
            ("~/models", false),
            ("models/x.rkllm", false),
            ("models/x.GGUF", false),
            ("templates/x.jinja", false),
            ("a/b/", true),
            ("a/", false),
            ("a b/c", false),
        ] {
            assert_eq!(id_of(text.as_ref()).is_some(), is, "{text}");
        }
    }

    #[test]
    fn the_repository_shows_in_the_path() {
        let path = Path::new("/c/hub/models--org--my--name/snapshots/ab12/model.rkllm");
        assert_eq!(repository(path).as_deref(), Some("org/my--name"));
        assert_eq!(repository("/c/models/m.rkllm".as_ref()), None);
    }
}

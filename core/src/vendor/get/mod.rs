//! Getting a runtime: Rockchip's library, from its public repository or from wherever the user has it,
//! into the user's store. Nothing is taken on trust but the table of hashes.

mod check;
#[cfg(feature = "fetch")]
mod http;
mod licence;
mod place;

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::choose::{best_published, what_to_get};
use super::known::{FILES, Official};
use super::recognise::blob;
use super::store::{FILE_NAME, Store};
use super::unfinished::Unfinished;
use super::version::Version;
use crate::surface::{Error, ErrorKind, Result};
use place::Places;

/// Hears how many bytes have come, and how many there will be where that is known. An error from it ends
/// the download and is what [`get`] returns.
pub type Progress<'a> = &'a mut dyn FnMut(u64, Option<u64>) -> Result<()>;

/// Which release to get.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// The release of this name, such as `1.1.4`.
    Release(String),
    /// The best one for a model of this version.
    ForModel(String),
}

/// What to get.
pub struct GetRequest<'a> {
    /// Which release.
    pub what: What,
    /// Where from: the URL of a `.so`, the URL of a copy of the vendor's repository to which
    /// `<commit>/<path>` is appended, a file, or a folder; the vendor's repository where it is unset.
    pub from: Option<String>,
    /// For another platform than this machine's: a name such as `Linux/armhf`.
    pub platform: Option<String>,
    /// Hears of the progress.
    pub progress: Option<Progress<'a>>,
}

/// A runtime that is in the store now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The library.
    pub path: PathBuf,
    /// Its release.
    pub release: &'static str,
    /// The platform it is for.
    pub platform: &'static str,
    /// Whether it was fetched; it may have been there.
    pub fetched: bool,
    /// What the user should know: sentences.
    pub notes: Vec<String>,
}

/// What [`get`] goes by; tests have their own.
pub struct Setting<'a> {
    /// What was published.
    pub published: &'static [Official],
    /// Where runtimes are kept.
    pub store: &'a Store,
    /// The processor of this machine, as in [`env::consts::ARCH`].
    pub processor: &'a str,
    /// The vendor's repository.
    pub repository: &'a str,
    /// How long a server may send nothing.
    pub stall: Duration,
}

/// Gets a runtime into the user's store, unless it is there.
pub fn get(request: GetRequest<'_>) -> Result<Fetched> {
    get_in(
        request,
        &Setting {
            published: FILES,
            store: &Store::of_user()?,
            processor: env::consts::ARCH,
            repository: "https://raw.githubusercontent.com/airockchip/rknn-llm",
            stall: Duration::from_secs(30),
        },
    )
}

/// Gets a runtime in a setting.
pub fn get_in(request: GetRequest<'_>, setting: &Setting<'_>) -> Result<Fetched> {
    let mut notes = Vec::new();
    let own = own_platform(setting.processor);
    let platform = request.platform.as_deref().unwrap_or(own);
    if request.platform.is_none() && !is_board(setting.processor) {
        notes.push(format!(
            "this machine ({}) cannot load Rockchip's library; the file is the one for boards with {own}",
            setting.processor
        ));
    }
    let file = match &request.what {
        What::Release(release) => published(release, platform, setting.published)?,
        What::ForModel(model) => {
            let (file, reason) = for_model(model, platform, setting.published)?;
            notes.push(reason);
            file
        }
    };
    let other_platform = (platform != own).then_some(platform);
    let folder = setting.store.folder(file.release, other_platform);
    let path = folder.join(FILE_NAME);
    let mut fetched = Fetched {
        path: path.clone(),
        release: file.release,
        platform: file.platform,
        fetched: false,
        notes,
    };
    if let Ok(bytes) = fs::read(&path) {
        if blob::of_bytes(&bytes) == file.sha1 {
            return Ok(fetched);
        }
        fetched.notes.push(format!(
            "{} was not the published file and has been replaced",
            path.display()
        ));
    }
    let places = Places::new(request.from.as_deref(), file, setting.repository)?;
    fetch(&places, file, &folder, setting, request.progress)?;
    fetched.fetched = true;
    Ok(fetched)
}

/// Fetches the file and its licence. The licence is stored first: there is no library without one.
fn fetch(
    places: &Places,
    file: &Official,
    folder: &Path,
    setting: &Setting<'_>,
    progress: Option<Progress<'_>>,
) -> Result<()> {
    // Begun before anything is downloaded, as the folder may be one that cannot be written.
    let library = Unfinished::begin(folder)?;
    let mut silent = |_, _| Ok(());
    let advice = || {
        let command = format!("rkchat runtime get {} --from FILE", file.release);
        let url = place::published(setting.repository, file);
        let path = folder.join(FILE_NAME);
        format!(
            "Nothing was stored. Where there is no way to the network, download {url} on another machine and give the \
             file to `{command}`, or put it at {}",
            path.display()
        )
    };
    let bytes = places
        .library
        .read(setting.stall, progress.unwrap_or(&mut silent))
        .map_err(|failure| failure.into_error(&places.library, advice))?;
    check::check(&bytes, file, setting.published, &places.library)?;
    licence::store(places, file, folder, setting)?;
    library.finish(FILE_NAME, &bytes)?;
    Ok(())
}

/// The platform of this machine.
pub(super) fn platform_here() -> &'static str {
    own_platform(env::consts::ARCH)
}

fn is_board(processor: &str) -> bool {
    matches!(processor, "aarch64" | "arm")
}

/// The platform whose file is for this machine, or for the usual board where the machine is none.
fn own_platform(processor: &str) -> &'static str {
    if processor == "arm" {
        "Linux/armhf"
    } else {
        "Linux/aarch64"
    }
}

/// The file of a release.
fn published(
    release: &str,
    platform: &str,
    published: &'static [Official],
) -> Result<&'static Official> {
    // `v1.1.4` and `1.0.2-beta` are accepted as well; what is no version at all is an unknown release.
    let name = release
        .parse::<Version>()
        .map_or_else(|_| release.to_owned(), |version| version.to_string());
    let of_release: Vec<&Official> = published
        .iter()
        .filter(|file| file.release == name)
        .collect();
    if of_release.is_empty() {
        let releases = names(published.iter().map(|file| file.release));
        return Err(Error::invalid_argument(format!(
            "{release:?} is not a release that rkchat knows; known are {releases}"
        )));
    }
    let file = of_release.iter().find(|file| file.platform == platform);
    file.copied().ok_or_else(|| {
        let platforms = names(of_release.iter().map(|file| file.platform));
        let on_platform = published.iter().filter(|file| file.platform == platform);
        let releases = names(on_platform.map(|file| file.release));
        let others = match releases.is_empty() {
            true => String::new(),
            false => format!("; for {platform} there are {releases}"),
        };
        Error::invalid_argument(format!(
            "runtime {name} was not published for {platform}, only for {platforms}{others}"
        ))
    })
}

/// The best file for a model, and why.
fn for_model(
    model: &str,
    platform: &str,
    published: &'static [Official],
) -> Result<(&'static Official, String)> {
    let model = model.parse::<Version>()?;
    if !published.iter().any(|file| file.platform == platform) {
        let platforms = names(published.iter().map(|file| file.platform));
        return Err(Error::invalid_argument(format!(
            "no runtime was published for {platform}, only for {platforms}"
        )));
    }
    let best = best_published(Some(model), published, platform);
    let (file, ranked) = best.ok_or_else(|| {
        let message = what_to_get(Some(model), published, platform);
        Error::new(ErrorKind::RuntimeMismatch, message)
    })?;
    Ok((file, ranked.to_string()))
}

/// Each name once, in the order given.
fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let mut seen: Vec<&str> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    seen.join(", ")
}

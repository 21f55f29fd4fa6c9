//! Which runtime a `.rkllm` model gets, among those on this machine.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::library::Remarks;
use super::recognise::Word;
use super::recognise::facts::Facts;
use super::store::{FILE_NAME, Store};
use super::version::Version;
use super::{Library, choose, pairs, search};
use crate::surface::{Error, ErrorKind, FindOptions, Result};

/// A library that could be taken.
struct Candidate {
    path: PathBuf,
    version: Option<Version>,
}

/// What was looked at.
#[derive(Default)]
struct Looked {
    candidates: Vec<Candidate>,
    /// Why others are none, in one clause each.
    passed_over: Vec<String>,
    /// Files that were seen, by device and inode.
    seen: Vec<(u64, u64)>,
}

/// The runtime that fits a model best. `word` says what the file is that is taken.
pub(crate) fn find(options: &FindOptions, word: Option<Word>) -> Result<Arc<Library>> {
    let model = version(options)?;
    if let Some(path) = search::named(None) {
        return named(&path, word, options);
    }
    let looked = look(options.model_folder.as_deref());
    let versions: Vec<_> = looked.candidates.iter().map(|one| one.version).collect();
    let choice =
        choose::choose_here(model, &versions, options.any_version).map_err(|error| match looked
            .passed_over
            .is_empty()
        {
            true => error,
            false => {
                let others = looked.passed_over.join("; ");
                let message = format!("{}. Passed over: {others}", error.message());
                error.reworded(message)
            }
        })?;
    let remarks = Remarks {
        reason: Some(choice.reason),
        pair: choice.warning,
    };
    Library::open_with(&looked.candidates[choice.index].path, word, remarks)
}

/// The runtime that is named by option or variable. A pair of versions that is known to fail is refused all
/// the same.
pub(crate) fn named(
    path: &Path,
    word: Option<Word>,
    options: &FindOptions,
) -> Result<Arc<Library>> {
    let library = Library::open(path, word)?;
    let release = library.info().release.as_deref();
    let runtime = release.and_then(|release| release.parse().ok());
    let (Some(model), Some(runtime)) = (version(options)?, runtime) else {
        return Ok(library);
    };
    if library.capabilities().own {
        return Ok(library);
    }
    let verdict = pairs::judge(model, runtime);
    if verdict.fits == pairs::Fits::Fails && !options.any_version {
        return Err(Error::new(
            ErrorKind::RuntimeMismatch,
            format!(
                "the runtime {} is {runtime}, and the model is of version {model}: {} (source: {}). {}. To try it all \
                 the same, set the option any_version.",
                path.display(),
                verdict.why,
                verdict.source,
                choose::what_to_get_here(Some(model)),
            ),
        ));
    }
    let remarks = Remarks {
        reason: None,
        pair: verdict.warn.then(|| {
            let why = &verdict.why;
            format!(
                "runtime {runtime} for a model of version {model}: {why} (source: {})",
                verdict.source
            )
        }),
    };
    Library::open_with(path, word, remarks)
}

fn version(options: &FindOptions) -> Result<Option<Version>> {
    let parse = |text: &String| {
        text.parse::<Version>().map_err(|error| {
            let message = format!("model_version: {}", error.message());
            error.reworded(message)
        })
    };
    options.model_version.as_ref().map(parse).transpose()
}

fn look(model_folder: Option<&Path>) -> Looked {
    let mut looked = Looked::default();
    // Without a data folder there is no store.
    let stored = Store::of_user().and_then(|store| store.list());
    for stored in stored.unwrap_or_default() {
        looked.at(stored.path);
    }
    for path in search::system_places() {
        looked.at(path);
    }
    if let Some(folder) = model_folder {
        looked.beside_a_model(folder.join(FILE_NAME));
    }
    looked
}

impl Looked {
    /// A file in a place where only its owner puts one.
    fn at(&mut self, path: PathBuf) {
        if let Some(facts) = self.read(&path) {
            let version = facts.release().and_then(|release| release.parse().ok());
            self.candidates.push(Candidate { path, version });
        }
    }

    /// A file that came with a download: only one of the vendor's is ever loaded.
    fn beside_a_model(&mut self, path: PathBuf) {
        let Some(facts) = self.read(&path) else {
            return;
        };
        match facts.official {
            Some(file) => self.candidates.push(Candidate {
                path,
                version: file.release.parse().ok(),
            }),
            None => self.passed_over.push(format!(
                "{}: it lies beside a model and is none of Rockchip's official files; name it with the option \
                 runtime if you trust it",
                path.display()
            )),
        }
    }

    /// Reads a file that is there, is new here, and can be loaded.
    fn read(&mut self, path: &Path) -> Option<Arc<Facts>> {
        let metadata = fs::metadata(path).ok()?;
        let identity = (metadata.dev(), metadata.ino());
        if self.seen.contains(&identity) {
            return None;
        }
        self.seen.push(identity);
        match Facts::of(path) {
            Ok(facts) if facts.own => {
                let why = "it is rkchat's CPU runtime, which reads GGUF";
                self.passed_over.push(format!("{}: {why}", path.display()));
                None
            }
            Ok(facts) => Some(facts),
            Err(unfit) => {
                self.passed_over
                    .push(format!("{}: {unfit}", path.display()));
                None
            }
        }
    }
}

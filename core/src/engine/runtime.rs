//! Which runtime a model is opened in.

use std::path::Path;
use std::sync::Arc;

use crate::model::{ModelFiles, ModelVersion, WeightsFormat};
use crate::surface::*;
use crate::vendor::{self, Library, Word, search};

/// Loads the runtime for a model, and refuses the pairs that cannot work.
pub(super) fn for_model(files: &ModelFiles, options: &ModelOptions) -> Result<Arc<Library>> {
    let word = Word::of(options.abi.as_deref(), options.abi_unchecked)?;
    let wanted = wanted(files, options);
    let library = match (search::named(options.runtime.as_deref()), files.format) {
        (Some(path), _) => {
            vendor::named(&path, word, &wanted).map_err(|error| explain(error, files))?
        }
        (None, WeightsFormat::Gguf) => Library::open(&search::own()?, word)?,
        (None, WeightsFormat::Rkllm) => {
            check_version(files)?;
            vendor::find(&wanted, word).map_err(|error| explain(error, files))?
        }
    };
    check_format(files.format, &files.weights, &library)?;
    Ok(library)
}

/// The version that the option says, or the one that was found.
fn wanted(files: &ModelFiles, options: &ModelOptions) -> FindOptions {
    let found = match &files.version {
        ModelVersion::Known { version, .. } => Some(version.clone()),
        ModelVersion::Unknown | ModelVersion::Contradiction(_) => None,
    };
    FindOptions {
        model_version: options.model_version.clone().or(found),
        model_folder: files.weights.parent().map(Path::to_owned),
        any_version: options.any_version,
    }
}

/// No runtime is chosen by one of several versions.
fn check_version(files: &ModelFiles) -> Result<()> {
    match &files.version {
        ModelVersion::Contradiction(why) => Err(Error::new(
            ErrorKind::ModelAmbiguous,
            format!(
                "{}: {why}, or name a runtime with the option runtime",
                files.weights.display()
            ),
        )
        .with("option", "model_version")),
        ModelVersion::Unknown | ModelVersion::Known { .. } => Ok(()),
    }
}

/// Says where the version comes from that a runtime was refused for.
fn explain(error: Error, files: &ModelFiles) -> Error {
    match &files.version {
        ModelVersion::Known { version, source } if error.kind() == ErrorKind::RuntimeMismatch => {
            Error::new(
                error.kind(),
                format!(
                    "{} That the model is of version {version}, {source} says; if that is wrong, set the option \
                 model_version.",
                    error.message()
                ),
            )
        }
        _ => error,
    }
}

fn check_format(format: WeightsFormat, weights: &Path, library: &Library) -> Result<()> {
    let (weights, runtime) = (weights.display(), library.info().path.display());
    let message = match (format, library.capabilities().own) {
        (WeightsFormat::Gguf, true) | (WeightsFormat::Rkllm, false) => return Ok(()),
        (WeightsFormat::Rkllm, true) => format!(
            "{weights} is made for Rockchip's library, and {runtime} is rkchat's CPU runtime, which reads GGUF; name \
             a librkllmrt.so of Rockchip's with the option runtime, or open the model's GGUF version"
        ),
        (WeightsFormat::Gguf, false) => format!(
            "{weights} is a GGUF file, and {runtime} is not rkchat's CPU runtime; leave the option runtime (and \
             RKCHAT_RUNTIME) out, or open the model's .rkllm version"
        ),
    };
    Err(Error::new(ErrorKind::RuntimeMismatch, message))
}

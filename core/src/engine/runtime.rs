//! Which runtime a model is opened in.

use std::path::Path;
use std::sync::Arc;

use crate::model::{Located, ModelVersion, WeightsFormat};
use crate::surface::*;
use crate::vendor::{self, Library, Word, search};

/// Loads the runtime for a model, and refuses the pairs that cannot work.
pub(super) fn for_model(found: &Located, options: &ModelOptions) -> Result<Arc<Library>> {
    let word = Word::of(options.abi.as_deref(), options.abi_unchecked)?;
    let wanted = wanted(found, options);
    let library = match (search::named(options.runtime.as_deref()), found.format) {
        (Some(path), _) => {
            vendor::named(&path, word, &wanted).map_err(|error| explain(error, found))?
        }
        (None, WeightsFormat::Gguf) => Library::open(&search::own()?, word)?,
        (None, WeightsFormat::Rkllm) => {
            check_version(found)?;
            vendor::find(&wanted, word).map_err(|error| explain(error, found))?
        }
    };
    check_format(found.format, &found.weights, &library)?;
    Ok(library)
}

/// The version that the option says, or the one that was found.
fn wanted(found: &Located, options: &ModelOptions) -> FindOptions {
    let version = match found.version() {
        ModelVersion::Known { version, .. } => Some(version.clone()),
        ModelVersion::Unknown | ModelVersion::Contradiction(_) => None,
    };
    FindOptions {
        model_version: options.model_version.clone().or(version),
        model_folder: found.weights.parent().map(Path::to_owned),
        any_version: options.any_version,
    }
}

/// No runtime is chosen by one of several versions.
fn check_version(found: &Located) -> Result<()> {
    match found.version() {
        ModelVersion::Contradiction(why) => Err(Error::new(
            ErrorKind::ModelAmbiguous,
            format!(
                "{}: {why}, or name a runtime with the option runtime",
                found.weights.display()
            ),
        )
        .with("option", "model_version")),
        ModelVersion::Unknown | ModelVersion::Known { .. } => Ok(()),
    }
}

/// Says where the version comes from that a runtime was refused for.
fn explain(error: Error, found: &Located) -> Error {
    match found.version() {
        ModelVersion::Known { version, source } if error.kind() == ErrorKind::RuntimeMismatch => {
            let message = format!(
                "{} That the model is of version {version}, {source} says; if that is wrong, set the option \
                 model_version.",
                error.message()
            );
            error.reworded(message)
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

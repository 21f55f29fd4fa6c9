//! Which runtime a model is opened in.

use std::path::Path;
use std::sync::Arc;

use crate::model::WeightsFormat;
use crate::surface::*;
use crate::vendor::{self, Library, Word, search};

/// Loads the runtime for a model, and refuses the pairs that cannot work.
pub(super) fn for_model(
    format: WeightsFormat,
    weights: &Path,
    options: &ModelOptions,
) -> Result<Arc<Library>> {
    let word = Word::of(options.abi.as_deref(), options.abi_unchecked)?;
    let wanted = wanted(weights, options);
    let library = match (search::named(options.runtime.as_deref()), format) {
        (Some(path), _) => vendor::named(&path, word, &wanted)?,
        (None, WeightsFormat::Gguf) => Library::open(&search::own()?, word)?,
        (None, WeightsFormat::Rkllm) => vendor::find(&wanted, word)?,
    };
    check_format(format, weights, &library)?;
    Ok(library)
}

fn wanted(weights: &Path, options: &ModelOptions) -> FindOptions {
    FindOptions {
        model_version: options.model_version.clone(),
        model_folder: weights.parent().map(Path::to_owned),
        any_version: options.any_version,
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

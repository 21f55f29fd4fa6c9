//! Which file is the model?

use std::fs;
use std::path::{Path, PathBuf};

use super::{WeightsFormat, files};
use crate::surface::{Error, ErrorKind, Result};

/// The model file, and the folder whose other files belong to it.
pub(super) struct Found {
    pub weights: PathBuf,
    pub format: WeightsFormat,
    pub folder: Option<PathBuf>,
}

pub(super) fn model(path: &Path) -> Result<Found> {
    let path = files::existing(path, "a .rkllm or .gguf file, or a folder with one")?;
    if path.is_dir() {
        return in_folder(path);
    }
    let format = format_of(&path)?;
    let folder = path.parent().map(Path::to_owned);
    let folder = match (format, folder) {
        (WeightsFormat::Rkllm, folder) => folder,
        // A folder that cannot be listed has nothing for us.
        (WeightsFormat::Gguf, folder) => {
            folder.filter(|folder| listing(folder).is_ok_and(|listing| listing.models.len() == 1))
        }
    };
    Ok(Found {
        weights: path,
        format,
        folder,
    })
}

fn in_folder(folder: PathBuf) -> Result<Found> {
    let listing = listing(&folder)?;
    let at = |error: Error| error.with("path", folder.to_string_lossy());
    match listing.models.as_slice() {
        [name] => {
            let weights = folder.join(name);
            Ok(Found {
                format: format_of(&weights)?,
                weights,
                folder: Some(folder),
            })
        }
        [] => Err(at(Error::new(
            ErrorKind::NotFound,
            format!(
                "no model in {}: looked for a .rkllm or .gguf file; {}",
                folder.display(),
                if listing.others.is_empty() {
                    "the folder is empty".to_owned()
                } else {
                    format!("the folder has {}", some_of(&listing.others))
                }
            ),
        ))),
        several => Err(at(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "{} holds {} models; name one of them: {}",
                folder.display(),
                several.len(),
                some_of(several)
            ),
        ))),
    }
}

/// The GGUF file that is the only model in a folder.
pub(crate) fn only_gguf(folder: &Path) -> Result<Option<PathBuf>> {
    if !folder.is_dir() {
        return Ok(None);
    }
    Ok(match listing(folder)?.models.as_slice() {
        [name] if extension(name) == Some(WeightsFormat::Gguf) => Some(folder.join(name)),
        _ => None,
    })
}

struct Listing {
    models: Vec<PathBuf>,
    others: Vec<PathBuf>,
}

/// File names in a folder, sorted. Of a GGUF model in several files only the first is listed.
fn listing(folder: &Path) -> Result<Listing> {
    let failed = |error| files::failed(folder, &error);
    let mut listing = Listing {
        models: Vec::new(),
        others: Vec::new(),
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let name = PathBuf::from(entry.map_err(failed)?.file_name());
        if extension(&name).is_some() && !folder.join(&name).is_dir() {
            if !is_later_part(&name) {
                listing.models.push(name);
            }
        } else {
            listing.others.push(name);
        }
    }
    listing.models.sort();
    listing.others.sort();
    Ok(listing)
}

fn some_of(names: &[PathBuf]) -> String {
    const SHOWN: usize = 8;
    let shown: Vec<String> = names
        .iter()
        .take(SHOWN)
        .map(|name| name.display().to_string())
        .collect();
    match names.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

fn extension(path: &Path) -> Option<WeightsFormat> {
    let extension = path.extension()?;
    if extension.eq_ignore_ascii_case("rkllm") {
        Some(WeightsFormat::Rkllm)
    } else if extension.eq_ignore_ascii_case("gguf") {
        Some(WeightsFormat::Gguf)
    } else {
        None
    }
}

/// llama.cpp names the parts of a split model `name-00001-of-00003.gguf`.
fn is_later_part(name: &Path) -> bool {
    let stem = name.file_stem().unwrap_or_default().to_string_lossy();
    let mut parts = stem.rsplitn(3, '-');
    let (Some(total), Some("of"), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let number = rest.rsplit('-').next().unwrap_or_default();
    let is_number = |text: &str| text.len() == 5 && text.bytes().all(|byte| byte.is_ascii_digit());
    is_number(total) && is_number(number) && number != "00001"
}

/// By the file's name, or by its first bytes where the name says nothing.
fn format_of(path: &Path) -> Result<WeightsFormat> {
    let invalid = |what: &str| {
        Error::new(
            ErrorKind::InvalidModel,
            format!("{} {what}", path.display()),
        )
        .with("path", path.to_string_lossy())
    };
    let metadata = fs::metadata(path).map_err(|error| files::failed(path, &error))?;
    if !metadata.is_file() {
        return Err(invalid("is neither a file nor a folder"));
    }
    if metadata.len() == 0 {
        return Err(invalid("is empty; download it again"));
    }
    if let Some(format) = extension(path) {
        return Ok(format);
    }
    if files::starts_with(path, b"GGUF")? {
        return Ok(WeightsFormat::Gguf);
    }
    Err(invalid("is neither a .rkllm nor a .gguf file"))
}

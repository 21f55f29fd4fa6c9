//! Which file is the model?

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::words::words;
use super::{WeightsFormat, files, health, hub};
use crate::surface::{Error, ErrorKind, Result};

/// The model file, and the folder whose other files belong to it.
pub(super) struct Found {
    pub weights: PathBuf,
    pub format: WeightsFormat,
    pub folder: Option<PathBuf>,
}

/// Finds the model at a path or Hub id; `file` names one of several in a folder.
pub(super) fn model(path: &Path, file: Option<&Path>) -> Result<Found> {
    let path = place(
        path,
        "a .rkllm or .gguf file, a folder with one, or a Hub id",
    )?;
    if path.is_dir() {
        return in_folder(path, file);
    }
    if let Some(file) = file {
        let message = format!(
            "file: {} names one of the models of a folder, and {} is a file",
            file.display(),
            path.display()
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message));
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

/// What a path or Hub id means, as an absolute path, if there is something at it.
pub(crate) fn place(path: &Path, expected: &str) -> Result<PathBuf> {
    let path = match path.as_os_str().is_empty() {
        true => path.to_owned(),
        false => hub::locate(path)?,
    };
    if is_broken_link(&path) {
        health::check(&path)?;
    }
    files::existing(&path, expected)
}

fn is_broken_link(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|link| link.is_symlink()) && !path.exists()
}

fn in_folder(folder: PathBuf, file: Option<&Path>) -> Result<Found> {
    let mut listing = listing(&folder)?;
    if listing.models.is_empty() {
        listing.models = in_subfolders(&folder, &listing.others);
    }
    let name = match file {
        Some(file) => named(&folder, file, &listing.models)?,
        None => only(&folder, &listing)?,
    };
    let weights = folder.join(&name);
    // A folder inside has its own files, or those of the folder around it.
    let own = weights
        .parent()
        .filter(|own| *own != folder && has_own_files(own));
    Ok(Found {
        format: format_of(&weights)?,
        folder: Some(own.map_or(folder.clone(), Path::to_owned)),
        weights,
    })
}

/// The model that the option `file` names.
fn named(folder: &Path, file: &Path, models: &[PathBuf]) -> Result<PathBuf> {
    let inside = |part| matches!(part, Component::Normal(_) | Component::CurDir);
    if !file.components().all(inside) || file.as_os_str().is_empty() {
        let message = format!(
            "file: {} is no name inside the folder {}",
            file.display(),
            folder.display()
        );
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    if fs::symlink_metadata(folder.join(file)).is_ok() {
        return Ok(file.to_owned());
    }
    let there = match models.is_empty() {
        true => "there is no model in it".to_owned(),
        false => format!("the models in it are {}", some_of(models)),
    };
    let message = format!(
        "file: {} has no {}; {there}",
        folder.display(),
        file.display()
    );
    Err(Error::new(ErrorKind::NotFound, message).with("path", folder.to_string_lossy()))
}

/// The only model of a folder.
fn only(folder: &Path, listing: &Listing) -> Result<PathBuf> {
    let at = |error: Error| error.with("path", folder.to_string_lossy());
    let whole: Vec<&PathBuf> = listing
        .models
        .iter()
        .filter(|name| !is_part(name))
        .collect();
    if let [name] = whole[..] {
        return Ok(name.clone());
    }
    match listing.models.as_slice() {
        [name] => Ok(name.clone()),
        [] => Err(at(Error::new(
            ErrorKind::NotFound,
            format!(
                "no model in {}: looked for a .rkllm or .gguf file; {}{}",
                folder.display(),
                if listing.others.is_empty() {
                    "the folder is empty".to_owned()
                } else {
                    format!("the folder has {}", some_of(&listing.others))
                },
                rest_of(folder)
            ),
        ))),
        several => Err(at(Error::new(
            ErrorKind::InvalidArgument,
            format!(
                "{} holds {} models; with the option file, name one of them: {}",
                folder.display(),
                several.len(),
                some_of(several)
            ),
        ))),
    }
}

/// Adapters, and what lets llama.cpp see pictures: they come beside the model that they are for.
fn is_part(name: &Path) -> bool {
    let words = words(&name.file_stem().unwrap_or_default().to_string_lossy());
    words
        .iter()
        .any(|word| ["lora", "mmproj"].contains(&&*word.text))
}

/// How to get what is missing in a folder.
pub(crate) fn rest_of(folder: &Path) -> String {
    if let Some(id) = hub::repository(folder) {
        return format!(". To get the rest of it: {}", hub::download(&id, None));
    }
    // Where hf keeps what is on its way to a folder.
    let parts = fs::read_dir(folder.join(".cache/huggingface/download"));
    let unfinished = parts.is_ok_and(|mut parts| {
        let is_part = |name: &Path| {
            name.extension()
                .is_some_and(|ending| ending == "incomplete")
        };
        parts.any(|part| part.is_ok_and(|part| is_part(part.file_name().as_ref())))
    });
    match unfinished {
        true => ". A download with hf is not finished: run hf download again".to_owned(),
        false => String::new(),
    }
}

/// Models one level below, by names from the folder.
fn in_subfolders(folder: &Path, names: &[PathBuf]) -> Vec<PathBuf> {
    let hidden = |name: &Path| name.to_string_lossy().starts_with('.');
    let inner = names
        .iter()
        .filter(|name| !hidden(name) && folder.join(name).is_dir());
    let models = inner.filter_map(|name| {
        let listing = listing(&folder.join(name)).ok()?;
        Some(
            listing
                .models
                .into_iter()
                .map(move |model| name.join(model)),
        )
    });
    models.flatten().collect()
}

fn has_own_files(folder: &Path) -> bool {
    let names = [
        "tokenizer.json",
        "tokenizer_config.json",
        "config.json",
        "chat_template.jinja",
    ];
    names.iter().any(|name| folder.join(name).is_file())
}

/// The file that a path names, or the only model in a folder, where it is a model by its ending.
pub(crate) fn only_model(path: &Path) -> Result<Option<(PathBuf, WeightsFormat)>> {
    if !path.is_dir() {
        return Ok(extension(path).map(|format| (path.to_owned(), format)));
    }
    let models = listing(path)?.models;
    let whole: Vec<&PathBuf> = models.iter().filter(|name| !is_part(name)).collect();
    Ok(match whole[..] {
        [name] => extension(name).map(|format| (path.join(name), format)),
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
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(invalid("is neither a file nor a folder"));
    }
    health::check(path)?;
    if let Some(format) = extension(path) {
        return Ok(format);
    }
    if files::starts_with(path, b"GGUF")? {
        return Ok(WeightsFormat::Gguf);
    }
    Err(invalid("is neither a .rkllm nor a .gguf file"))
}

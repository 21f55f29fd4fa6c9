//! Where a chat template is found.

use std::path::{Path, PathBuf};

use super::{SpecialTokens, Template};
use crate::model::{files, find, gguf};
use crate::surface::{Error, ErrorKind, Json, Result};

const JINJA: &str = "chat_template.jinja";
const CONFIG: &str = "tokenizer_config.json";
/// Where processors of multimodal models kept it before `chat_template.jinja`.
const PROCESSOR: &str = "chat_template.json";
const SPECIAL: &str = "special_tokens_map.json";

/// `Template::open`.
pub(super) fn open(path: &Path) -> Result<Template> {
    let path = files::existing(path, "a model folder, or a file with a chat template")?;
    if path.is_dir() {
        return of_model(&path, &path);
    }
    let extension = path.extension().unwrap_or_default();
    if extension.eq_ignore_ascii_case("gguf") {
        of_gguf(&path)?.ok_or_else(|| none(&path, "tokenizer.chat_template in its metadata"))
    } else if extension.eq_ignore_ascii_case("rkllm") {
        of_model(path.parent().unwrap_or(&path), &path)
    } else if extension.eq_ignore_ascii_case("json") {
        let config = read_config(&path)?;
        let source =
            source_in(&config, &path)?.ok_or_else(|| none(&path, "the key chat_template"))?;
        compile(&path, &source, &config)
    } else {
        let source = files::read_text(&path, ErrorKind::Template)?;
        compile(&path, &source, &Json::Null)
    }
}

/// The template of a folder's files, or of the GGUF file that is the folder's only model.
fn of_model(folder: &Path, path: &Path) -> Result<Template> {
    if let Some((template, _)) = in_folder(folder)? {
        return Ok(template);
    }
    let inside = match find::only_gguf(path)? {
        Some(gguf) => of_gguf(&gguf)?,
        None => None,
    };
    let wanted =
        format!("{JINJA}, chat_template in {CONFIG} or {PROCESSOR}, or a GGUF file with one");
    inside.ok_or_else(|| none(folder, &wanted))
}

fn of_gguf(path: &Path) -> Result<Option<Template>> {
    let info = gguf::read(path)?;
    let Some(source) = &info.chat_template else {
        return Ok(None);
    };
    Template::from_source(source, info.special)
        .map(Some)
        .map_err(|error| files::in_file(error, path))
}

fn none(path: &Path, wanted: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "no chat template in {}: looked for {wanted}",
            path.display()
        ),
    )
    .with("path", path.to_string_lossy())
}

/// The template of a model folder and the file it is in. transformers prefers the `.jinja` file too.
pub(crate) fn in_folder(folder: &Path) -> Result<Option<(Template, PathBuf)>> {
    let jinja = folder.join(JINJA);
    if jinja.is_file() {
        let source = files::read_text(&jinja, ErrorKind::Template)?;
        return Ok(Some((compile(&jinja, &source, &Json::Null)?, jinja)));
    }
    for path in [folder.join(CONFIG), folder.join(PROCESSOR)] {
        if path.is_file() {
            let config = read_config(&path)?;
            if let Some(source) = source_in(&config, &path)? {
                return Ok(Some((compile(&path, &source, &config)?, path)));
            }
        }
    }
    Ok(None)
}

/// The special tokens that the configuration files of a folder name. `tokenizer_config.json` wins.
pub(crate) fn special_in_folder(folder: &Path) -> Result<SpecialTokens> {
    let mut special = SpecialTokens::default();
    for path in [folder.join(SPECIAL), folder.join(CONFIG)] {
        if path.is_file() {
            let config = read_config(&path)?;
            for (name, text) in SpecialTokens::from_config(&config).iter() {
                special.set(name, text);
            }
        }
    }
    Ok(special)
}

fn compile(path: &Path, source: &str, config: &Json) -> Result<Template> {
    let mut special = match path.parent() {
        Some(folder) => special_in_folder(folder)?,
        None => SpecialTokens::default(),
    };
    for (name, text) in SpecialTokens::from_config(config).iter() {
        special.set(name, text);
    }
    Template::from_source(source, special).map_err(|error| files::in_file(error, path))
}

fn read_config(path: &Path) -> Result<Json> {
    files::read_json(path, ErrorKind::Template)
}

/// `chat_template` is the source, or a list of named ones, of which `default` or the only one counts.
fn source_in(config: &Json, path: &Path) -> Result<Option<String>> {
    let invalid = |what: &str| {
        Error::new(
            ErrorKind::Template,
            format!("{}: chat_template {what}", path.display()),
        )
        .with("path", path.to_string_lossy())
    };
    let named = match config.get("chat_template") {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::String(source)) => return Ok(Some(source.clone())),
        Some(Json::Array(named)) => named,
        Some(_) => return Err(invalid("must be a string or a list")),
    };
    let text = |entry: &Json, key: &str| Some(entry.get(key)?.as_str()?.to_owned());
    let default = named
        .iter()
        .find(|entry| text(entry, "name").as_deref() == Some("default"));
    let chosen = match (default, named.as_slice()) {
        (Some(entry), _) | (None, [entry]) => entry,
        (None, []) => return Ok(None),
        (None, _) => {
            let names: Vec<String> = named
                .iter()
                .filter_map(|entry| text(entry, "name"))
                .collect();
            return Err(invalid(&format!(
                "has no template named default, only {}; pass the source of one of them",
                names.join(", ")
            )));
        }
    };
    let source = text(chosen, "template");
    source
        .map(Some)
        .ok_or_else(|| invalid("has an entry without a template"))
}

//! Where chat templates are found.

use std::fs;
use std::path::{Path, PathBuf};

use super::named::DEFAULT;
use super::{SpecialTokens, Templates};
use crate::model::gguf::GgufInfo;
use crate::model::{files, find, gguf};
use crate::surface::{Error, ErrorKind, Json, Result};

const JINJA: &str = "chat_template.jinja";
const CONFIG: &str = "tokenizer_config.json";
/// Where processors of multimodal models kept it before `chat_template.jinja`.
const PROCESSOR: &str = "chat_template.json";
/// A folder of further ones, each in a file of its name.
const FURTHER: &str = "additional_chat_templates";
const SPECIAL: &str = "special_tokens_map.json";

/// Templates by name, each with its source.
type Sources = Vec<(String, String)>;

/// Takes the templates of a model folder or Hub id, or of one of the files that hold some.
pub(crate) fn open(path: &Path) -> Result<Templates> {
    let expected = "a model folder, a file with a chat template, or a Hub id";
    let path = find::place(path, expected)?;
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
        let sources = sources_in(&config, &path)?;
        if sources.is_empty() {
            return Err(none(&path, "the key chat_template"));
        }
        compile(&path, sources, &config)
    } else {
        let source = files::read_text(&path, ErrorKind::Template)?;
        compile(&path, vec![(DEFAULT.to_owned(), source)], &Json::Null)
    }
}

/// The templates of a folder's files, or of the GGUF file that is the folder's only model.
fn of_model(folder: &Path, path: &Path) -> Result<Templates> {
    if let Some((templates, _)) = in_folder(folder)? {
        return Ok(templates);
    }
    let inside = match find::only_gguf(path)? {
        Some(gguf) => of_gguf(&gguf)?,
        None => None,
    };
    let wanted = format!(
        "{JINJA}, chat_template in {CONFIG} or {PROCESSOR}, {FURTHER}, or a GGUF file with one"
    );
    inside.ok_or_else(|| none(folder, &wanted))
}

fn of_gguf(path: &Path) -> Result<Option<Templates>> {
    let info = gguf::read(path)?;
    in_gguf(&info, &info.special).map_err(|error| files::in_file(error, path))
}

/// The templates in a GGUF file's metadata.
pub(crate) fn in_gguf(info: &GgufInfo, special: &SpecialTokens) -> Result<Option<Templates>> {
    if info.chat_templates.is_empty() {
        return Ok(None);
    }
    Templates::compile(info.chat_templates.clone(), special).map(Some)
}

fn none(path: &Path, wanted: &str) -> Error {
    Error::new(
        ErrorKind::NotFound,
        format!(
            "no chat template in {}: looked for {wanted}{}",
            path.display(),
            find::rest_of(path)
        ),
    )
    .with("path", path.to_string_lossy())
}

/// The templates of a model folder and the file that the default is in. transformers prefers the
/// `.jinja` file too.
pub(crate) fn in_folder(folder: &Path) -> Result<Option<(Templates, PathBuf)>> {
    let further = further(&folder.join(FURTHER))?;
    let jinja = folder.join(JINJA);
    if jinja.is_file() {
        let source = files::read_text(&jinja, ErrorKind::Template)?;
        let mut sources = vec![(DEFAULT.to_owned(), source)];
        sources.extend(further);
        return Ok(Some((compile(&jinja, sources, &Json::Null)?, jinja)));
    }
    for path in [folder.join(CONFIG), folder.join(PROCESSOR)] {
        if path.is_file() {
            let config = read_config(&path)?;
            let mut sources = sources_in(&config, &path)?;
            if !sources.is_empty() {
                sources.extend(further);
                return Ok(Some((compile(&path, sources, &config)?, path)));
            }
        }
    }
    if further.is_empty() {
        return Ok(None);
    }
    let path = folder.join(FURTHER);
    Ok(Some((compile(&path, further, &Json::Null)?, path)))
}

/// The templates of the folder of further ones, by name.
fn further(folder: &Path) -> Result<Sources> {
    if !folder.is_dir() {
        return Ok(Sources::new());
    }
    let entries = fs::read_dir(folder).map_err(|error| files::failed(folder, &error))?;
    let mut sources = Sources::new();
    for entry in entries {
        let path = entry.map_err(|error| files::failed(folder, &error))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        if let Some(name) = name.and_then(|name| name.strip_suffix(".jinja")) {
            sources.push((
                name.to_owned(),
                files::read_text(&path, ErrorKind::Template)?,
            ));
        }
    }
    sources.sort();
    Ok(sources)
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

fn compile(path: &Path, sources: Sources, config: &Json) -> Result<Templates> {
    let mut special = match path.parent() {
        Some(folder) => special_in_folder(folder)?,
        None => SpecialTokens::default(),
    };
    for (name, text) in SpecialTokens::from_config(config).iter() {
        special.set(name, text);
    }
    Templates::compile(sources, &special).map_err(|error| files::in_file(error, path))
}

fn read_config(path: &Path) -> Result<Json> {
    files::read_json(path, ErrorKind::Template)
}

/// `chat_template` is the source, or a list of named ones.
fn sources_in(config: &Json, path: &Path) -> Result<Sources> {
    let invalid = |what: &str| {
        Error::new(
            ErrorKind::Template,
            format!("{}: chat_template {what}", path.display()),
        )
        .with("path", path.to_string_lossy())
    };
    let named = match config.get("chat_template") {
        None | Some(Json::Null) => return Ok(Sources::new()),
        Some(Json::String(source)) => return Ok(vec![(DEFAULT.to_owned(), source.clone())]),
        Some(Json::Array(named)) => named,
        Some(_) => return Err(invalid("must be a string or a list")),
    };
    let text = |entry: &Json, key: &str| Some(entry.get(key)?.as_str()?.to_owned());
    let entry = |entry| {
        let name = text(entry, "name").ok_or_else(|| invalid("has an entry without a name"))?;
        let source =
            text(entry, "template").ok_or_else(|| invalid("has an entry without a template"))?;
        Ok((name, source))
    };
    named.iter().map(entry).collect()
}

//! Where chat templates are found.

use std::fs;
use std::path::{Path, PathBuf};

use super::named::{DEFAULT, MAX_TEMPLATES};
use super::{SpecialTokens, Templates};
use crate::model::configs::{Config, Configs};
use crate::model::gguf::GgufInfo;
use crate::model::{self, WeightsFormat, files, find, gguf};
use crate::surface::{Error, ErrorKind, Json, Result};

const JINJA: &str = "chat_template.jinja";
const CONFIG: &str = Config::Tokenizer.file();
/// Where processors of multimodal models kept it before `chat_template.jinja`.
const PROCESSOR: &str = "chat_template.json";
/// A folder of further ones, each in a file of its name.
const FURTHER: &str = "additional_chat_templates";

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
        let configs = Configs::of(path.parent());
        let own;
        let config = match path.file_name().is_some_and(|name| name == CONFIG) {
            true => configs.get(Config::Tokenizer, ErrorKind::Template)?,
            false => {
                own = files::read_json(&path, ErrorKind::Template)?;
                &own
            }
        };
        let sources = sources_in(config, &path)?;
        if sources.is_empty() {
            return Err(none(&path, "the key chat_template"));
        }
        compile(&path, sources, config, &configs)
    } else {
        let source = files::read_text(&path, ErrorKind::Template)?;
        let sources = vec![(DEFAULT.to_owned(), source)];
        compile(&path, sources, &Json::Null, &Configs::of(path.parent()))
    }
}

/// The templates of a folder's files, or of its only model: inside a GGUF file, or rkchat's own for the family
/// of a `.rkllm` file.
fn of_model(folder: &Path, path: &Path) -> Result<Templates> {
    if let Some((templates, _)) = in_folder(&Configs::of(Some(folder)))? {
        return Ok(templates);
    }
    let inside = match find::only_model(path)? {
        Some((file, WeightsFormat::Gguf)) => of_gguf(&file)?,
        // The folder tells of it too.
        Some((_, WeightsFormat::Rkllm)) => return model::own_template(path),
        None => None,
    };
    let wanted = format!(
        "{JINJA}, chat_template in {CONFIG} or {PROCESSOR}, {FURTHER}, or a model that has one or is of a family \
         that rkchat knows"
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
pub(crate) fn in_folder(configs: &Configs) -> Result<Option<(Templates, PathBuf)>> {
    let Some(folder) = configs.folder() else {
        return Ok(None);
    };
    let further = further(&folder.join(FURTHER))?;
    let jinja = folder.join(JINJA);
    if jinja.is_file() {
        let source = files::read_text(&jinja, ErrorKind::Template)?;
        let mut sources = vec![(DEFAULT.to_owned(), source)];
        sources.extend(further);
        let templates = compile(&jinja, sources, &Json::Null, configs)?;
        return Ok(Some((templates, jinja)));
    }
    let with_further = |config: &Json, path: PathBuf| {
        let mut sources = sources_in(config, &path)?;
        if sources.is_empty() {
            return Ok(None);
        }
        sources.extend(further.iter().cloned());
        let templates = compile(&path, sources, config, configs)?;
        Ok(Some((templates, path)))
    };
    let config = configs.get(Config::Tokenizer, ErrorKind::Template)?;
    if let Some(found) = with_further(config, folder.join(CONFIG))? {
        return Ok(Some(found));
    }
    let processor = folder.join(PROCESSOR);
    if processor.is_file() {
        let config = files::read_json(&processor, ErrorKind::Template)?;
        if let Some(found) = with_further(&config, processor)? {
            return Ok(Some(found));
        }
    }
    if further.is_empty() {
        return Ok(None);
    }
    let path = folder.join(FURTHER);
    let templates = compile(&path, further, &Json::Null, configs)?;
    Ok(Some((templates, path)))
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
            if sources.len() == MAX_TEMPLATES {
                return Err(Error::new(
                    ErrorKind::Template,
                    format!(
                        "{} has more than {MAX_TEMPLATES} chat templates, which are too many",
                        folder.display()
                    ),
                )
                .with("path", folder.to_string_lossy()));
            }
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
pub(crate) fn special_in_folder(configs: &Configs) -> Result<SpecialTokens> {
    let mut special = SpecialTokens::default();
    for config in [Config::SpecialTokens, Config::Tokenizer] {
        special.add(configs.get(config, ErrorKind::Template)?);
    }
    Ok(special)
}

/// Compiles what is in the file `path`, with the special tokens of the folder and of the file.
fn compile(path: &Path, sources: Sources, config: &Json, configs: &Configs) -> Result<Templates> {
    let mut special = special_in_folder(configs)?;
    special.add(config);
    Templates::compile(sources, &special).map_err(|error| files::in_file(error, path))
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

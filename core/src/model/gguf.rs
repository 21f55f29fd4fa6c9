//! The metadata of a GGUF file, as the GGUF specification of ggml lays it out: version 2 and 3, little
//! endian. Only the header, the key/value pairs and the tensor list are read, never the tensors.
//! Each length is checked against the size of the file before anything of that length is read.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::cache_shape::CacheShape;
use super::gguf_reader::{Array, Entry, Reader};
use super::gguf_tensors;
use crate::surface::{Error, ErrorKind, Result};
use crate::template::SpecialTokens;

/// What is used of a GGUF file's metadata.
#[derive(Debug, Clone, Default)]
pub struct GgufInfo {
    /// The Jinja sources of its chat templates by name, the default first.
    pub chat_templates: Vec<(String, String)>,
    /// Texts of the special tokens that are named in the metadata.
    pub special: SpecialTokens,
    /// Tokens of the type CONTROL: text and id, by id.
    pub control: Vec<(String, u32)>,
    /// Tokens of the type USER_DEFINED, which are found in any text: text and id, by id.
    pub user_defined: Vec<(String, u32)>,
    /// The id of the token that begins a text.
    pub bos_id: Option<u32>,
    /// Ids of the tokens that end a text, a turn or a message.
    pub end_ids: BTreeSet<u32>,
    /// The shape of its cache.
    pub cache: Option<CacheShape>,
    /// How many numbers an embedding has.
    pub embedding_width: Option<u64>,
}

const CHAT_TEMPLATE: &str = "tokenizer.chat_template";
const DEFAULT_TEMPLATE: &str = "default";

/// Names in the metadata and in templates, after `tokenizer.ggml.` and before `_token_id`.
const SPECIAL: [(&str, &str); 7] = [
    ("bos", "bos_token"),
    ("eos", "eos_token"),
    ("unknown", "unk_token"),
    ("seperator", "sep_token"),
    ("padding", "pad_token"),
    ("cls", "cls_token"),
    ("mask", "mask_token"),
];

const ENDS: [&str; 3] = ["eos", "eot", "eom"];

/// Of `llama_token_type`.
const CONTROL: u64 = 3;
const USER_DEFINED: u64 = 4;

/// Gemma 3 has 262,144 tokens.
const MAX_TOKENS: u64 = 1 << 20;

/// Control and user-defined tokens at the most. Gemma 3 has 6400.
const MAX_ADDED: usize = 1 << 18;

/// Reads the metadata, and checks that the file is long enough for its tensors.
pub fn read(path: &Path) -> Result<GgufInfo> {
    parse(Reader::open(path)?)
}

/// As `read`, of a file that is in memory.
pub(super) fn read_bytes(bytes: &[u8]) -> Result<GgufInfo> {
    parse(Reader::of_bytes(bytes))
}

fn parse(mut reader: Reader<'_>) -> Result<GgufInfo> {
    let header = reader.header()?;
    let mut values: BTreeMap<String, Entry> = BTreeMap::new();
    for _ in 0..header.pairs {
        let (key, entry) = reader.pair(|key| template_name(key).is_some())?;
        values.insert(key, entry);
    }
    gguf_tensors::check(
        &mut reader,
        header.tensors,
        number(&values, "general.alignment"),
    )?;

    let mut info = GgufInfo {
        chat_templates: chat_templates(&mut values),
        cache: cache_shape(&values),
        ..GgufInfo::default()
    };
    let token_id = |name: &str| id(&values, &format!("tokenizer.ggml.{name}_token_id"));
    info.bos_id = token_id("bos");
    // `llama.embedding_length`, or another architecture's.
    let width = values.keys().find(|key| {
        let name = key.strip_suffix(".embedding_length");
        name.is_some_and(|name| !name.contains('.'))
    });
    info.embedding_width = width.and_then(|key| number(&values, key));
    info.end_ids = ENDS.into_iter().filter_map(token_id).collect();

    let (control, user_defined) = match array(&reader, &values, "tokenizer.ggml.token_type")? {
        Some(types) => added_ids(&mut reader, types)?,
        None => Default::default(),
    };
    let special: Vec<(u32, &str)> = SPECIAL
        .into_iter()
        .filter_map(|(name, variable)| Some((token_id(name)?, variable)))
        .collect();
    if let Some(tokens) = array(&reader, &values, "tokenizer.ggml.tokens")? {
        let wanted: BTreeSet<u32> = control
            .union(&user_defined)
            .copied()
            .chain(special.iter().map(|(id, _)| *id))
            .collect();
        let texts = texts(&mut reader, tokens, &wanted)?;
        for (id, variable) in special {
            if let Some(text) = texts.get(&id) {
                info.special.set(variable, text);
            }
        }
        let of = |ids: &BTreeSet<u32>| {
            let texts = texts.iter().filter(|(id, _)| ids.contains(id));
            texts.map(|(id, text)| (text.clone(), *id)).collect()
        };
        info.control = of(&control);
        info.user_defined = of(&user_defined);
    }
    Ok(info)
}

/// `tokenizer.chat_template` is the default, `tokenizer.chat_template.NAME` another.
fn template_name(key: &str) -> Option<&str> {
    match key.strip_prefix(CHAT_TEMPLATE)? {
        "" => Some(DEFAULT_TEMPLATE),
        further => further.strip_prefix('.'),
    }
}

fn chat_templates(values: &mut BTreeMap<String, Entry>) -> Vec<(String, String)> {
    let template = |(key, entry): (&String, &mut Entry)| match (template_name(key), entry) {
        (Some(name), Entry::Text(text)) => Some((name.to_owned(), std::mem::take(text))),
        _ => None,
    };
    values.iter_mut().filter_map(template).collect()
}

/// The keys that tell it begin with the name of the architecture.
fn cache_shape(values: &BTreeMap<String, Entry>) -> Option<CacheShape> {
    const LAYERS: &str = ".block_count";
    let architecture = values.keys().find_map(|key| key.strip_suffix(LAYERS))?;
    CacheShape::of_gguf(|name| number(values, &format!("{architecture}.{name}")))
}

fn number(values: &BTreeMap<String, Entry>, key: &str) -> Option<u64> {
    match values.get(key)? {
        Entry::Number(number) => Some(*number),
        _ => None,
    }
}

fn id(values: &BTreeMap<String, Entry>, key: &str) -> Option<u32> {
    // Some converters write -1 for a token that is not there.
    number(values, key)?
        .try_into()
        .ok()
        .filter(|id| *id != u32::MAX)
}

fn array<'a>(
    reader: &Reader<'_>,
    values: &'a BTreeMap<String, Entry>,
    key: &str,
) -> Result<Option<&'a Array>> {
    match values.get(key) {
        Some(Entry::Array(array)) if array.count <= MAX_TOKENS => Ok(Some(array)),
        Some(Entry::Array(array)) => Err(reader.invalid(&format!(
            "is not a usable GGUF file: {key} has {} entries; at most {MAX_TOKENS} are read",
            array.count
        ))),
        _ => Ok(None),
    }
}

/// The ids of the control tokens, and of those that are user-defined.
fn added_ids(reader: &mut Reader<'_>, types: &Array) -> Result<(BTreeSet<u32>, BTreeSet<u32>)> {
    let (mut control, mut user_defined) = (BTreeSet::new(), BTreeSet::new());
    reader.seek(types.start)?;
    for id in 0..types.count as u32 {
        match reader.number(types.kind)? {
            Some(CONTROL) => control.insert(id),
            Some(USER_DEFINED) => user_defined.insert(id),
            _ => false,
        };
        if control.len() + user_defined.len() > MAX_ADDED {
            return Err(reader.invalid(&format!(
                "is not a usable GGUF file: more than {MAX_ADDED} of its tokens are control tokens or user-defined"
            )));
        }
    }
    Ok((control, user_defined))
}

/// The texts of the wanted ids; the others are skipped.
fn texts(
    reader: &mut Reader<'_>,
    tokens: &Array,
    wanted: &BTreeSet<u32>,
) -> Result<BTreeMap<u32, String>> {
    let mut texts = BTreeMap::new();
    if !tokens.is_text() {
        return Err(Error::new(
            ErrorKind::InvalidModel,
            format!(
                "{}: tokenizer.ggml.tokens is not a list of texts",
                reader.path().display()
            ),
        )
        .with("path", reader.path().to_string_lossy()));
    }
    reader.seek(tokens.start)?;
    for id in 0..tokens.count as u32 {
        if wanted.contains(&id) {
            texts.insert(id, reader.text("a token")?);
        } else {
            reader.skip_text("a token")?;
        }
    }
    Ok(texts)
}

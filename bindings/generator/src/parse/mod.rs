//! Reads `core/src/surface`, strictly: what is not understood is an error that names file and line.

mod docs;
mod handles;
mod structs;
mod tables;
mod types;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use syn::spanned::Spanned;

use crate::model::{Surface, Type};

#[path = "../../../../core/src/surface_hash.rs"]
mod surface_hash;

/// One file of the surface.
pub struct Source {
    file: PathBuf,
    items: Vec<syn::Item>,
}

impl Source {
    fn read(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Self::new(Path::new("core/src/surface").join(name), &text)
    }

    fn new(file: PathBuf, text: &str) -> Result<Self> {
        let parsed = syn::parse_file(text).map_err(|error| {
            let line = error.span().start().line;
            anyhow::anyhow!("{}:{line}: {error}", file.display())
        })?;
        let items = parsed.items;
        Ok(Self { file, items })
    }

    /// An error at a place of this file.
    fn error(&self, at: &impl Spanned, message: impl std::fmt::Display) -> anyhow::Error {
        let line = at.span().start().line;
        anyhow::anyhow!("{}:{line}: {message}", self.file.display())
    }
}

/// The names that the surface itself defines.
#[derive(Default)]
pub struct Names(BTreeMap<String, Type>);

impl Names {
    fn get(&self, name: &str) -> Option<Type> {
        self.0.get(name).cloned()
    }

    fn add(&mut self, source: &Source, ident: &syn::Ident, make: fn(String) -> Type) -> Result<()> {
        let name = ident.to_string();
        match self.0.insert(name.clone(), make(name.clone())) {
            None => Ok(()),
            Some(_) => Err(source.error(ident, format!("{name} is defined twice"))),
        }
    }
}

/// The five files, read.
struct Files {
    errors: Source,
    enums: Source,
    options: Source,
    records: Source,
    handles: Source,
}

/// Reads the surface below the root of a checkout.
pub fn surface(root: &Path) -> Result<Surface> {
    let folder = root.join("core/src/surface");
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_>>()?;
    paths.sort();
    let known = [
        "enums.rs",
        "errors.rs",
        "handles.rs",
        "mod.rs",
        "options.rs",
        "records.rs",
        "tensor.rs",
    ];
    for path in &paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if !known.contains(&&*name) {
            bail!(
                "{}: the surface has only {}",
                path.display(),
                known.join(" ")
            );
        }
    }
    let texts: Vec<Vec<u8>> = paths.iter().map(fs::read).collect::<Result<_, _>>()?;
    parse(
        surface_hash::of(texts.into_iter()),
        &Files {
            errors: Source::read(&folder, "errors.rs")?,
            enums: Source::read(&folder, "enums.rs")?,
            options: Source::read(&folder, "options.rs")?,
            records: Source::read(&folder, "records.rs")?,
            handles: Source::read(&folder, "handles.rs")?,
        },
    )
}

fn parse(hash: String, files: &Files) -> Result<Surface> {
    let mut names = Names::default();
    for (source, make) in [
        (
            &files.enums,
            (|name| Type::Enum { name }) as fn(String) -> Type,
        ),
        (&files.options, |name| Type::Options { name }),
        (&files.records, |name| Type::Record { name }),
        (&files.handles, |name| Type::Handle { name }),
    ] {
        for item in &source.items {
            match item {
                syn::Item::Enum(item) => names.add(source, &item.ident, make)?,
                syn::Item::Struct(item) => names.add(source, &item.ident, make)?,
                _ => {}
            }
        }
    }
    let records = structs::records(&files.records, &names)?;
    Ok(Surface {
        hash,
        errors: tables::errors(&files.errors)?,
        enums: tables::enums(&files.enums)?,
        options: structs::options(&files.options, &names)?,
        handles: handles::handles(&files.handles, &names, &records)?,
        records,
    })
}

fn is_public(visibility: &syn::Visibility) -> bool {
    matches!(visibility, syn::Visibility::Public(_))
}

fn derives(attributes: &[syn::Attribute], name: &str) -> bool {
    attributes.iter().any(|attribute| {
        let mut found = false;
        if attribute.path().is_ident("derive") {
            // A derive that does not parse is rustc's business.
            let _ = attribute.parse_nested_meta(|meta| {
                found |= meta.path.is_ident(name);
                Ok(())
            });
        }
        found
    })
}

//! Reads `core/src/surface`, strictly: what is not understood is an error that names file and line.

mod docs;
mod files;
mod handles;
mod structs;
mod tables;
mod types;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};

use self::files::{Files, Source};
use crate::model::{Surface, Type};

#[path = "../../../../core/src/surface_hash.rs"]
mod surface_hash;

/// The names that the surface itself defines.
#[derive(Default)]
pub struct Names(BTreeMap<String, Type>);

impl Names {
    fn get(&self, name: &str) -> Option<Type> {
        self.0.get(name).cloned()
    }

    /// Adds what the files define.
    fn add_all<'a>(
        &mut self,
        sources: impl IntoIterator<Item = &'a Source>,
        make: fn(String) -> Type,
    ) -> Result<()> {
        for source in sources {
            for item in &source.items {
                match item {
                    syn::Item::Enum(item) => self.add(source, &item.ident, make)?,
                    syn::Item::Struct(item) => self.add(source, &item.ident, make)?,
                    _ => {}
                }
            }
        }
        Ok(())
    }

    fn add(&mut self, source: &Source, ident: &syn::Ident, make: fn(String) -> Type) -> Result<()> {
        let name = ident.to_string();
        match self.0.insert(name.clone(), make(name.clone())) {
            None => Ok(()),
            Some(_) => Err(source.error(ident, format!("{name} is defined twice"))),
        }
    }
}

/// Reads the surface below the root of a checkout.
pub fn surface(root: &Path) -> Result<Surface> {
    let folder = root.join("core/src/surface");
    let files = Files::read(&folder)?;
    let hash =
        surface_hash::of(&folder).with_context(|| format!("reading {}", folder.display()))?;
    parse(hash, &files)
}

fn parse(hash: String, files: &Files) -> Result<Surface> {
    let mut names = Names::default();
    names.add_all([&files.enums], |name| Type::Enum { name })?;
    names.add_all(&files.options, |name| Type::Options { name })?;
    names.add_all([&files.records], |name| Type::Record { name })?;
    names.add_all(&files.handles, |name| Type::Handle { name })?;
    let records = structs::records(&files.records, &names)?;
    let mut options = Vec::new();
    for source in &files.options {
        options.extend(structs::options(source, &names)?);
    }
    let mut handles = Vec::new();
    for source in &files.handles {
        handles.extend(handles::handles(source, &names, &records)?);
    }
    Ok(Surface {
        hash,
        errors: tables::errors(&files.errors)?,
        enums: tables::enums(&files.enums)?,
        options,
        handles,
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

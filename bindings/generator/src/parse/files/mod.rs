//! The files of the surface. Its folders have one kind of item each, and say in `mod.rs` in which order
//! their files count.

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use syn::spanned::Spanned;

/// One file of the surface.
pub struct Source {
    pub file: PathBuf,
    pub items: Vec<syn::Item>,
}

impl Source {
    fn read(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(name);
        let text =
            fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        Self::new(Path::new("core/src/surface").join(name), &text)
    }

    pub fn new(file: PathBuf, text: &str) -> Result<Self> {
        let parsed = syn::parse_file(text).map_err(|error| {
            let line = error.span().start().line;
            anyhow::anyhow!("{}:{line}: {error}", file.display())
        })?;
        let items = parsed.items;
        Ok(Self { file, items })
    }

    /// An error at a place of this file.
    pub fn error(&self, at: &impl Spanned, message: impl std::fmt::Display) -> anyhow::Error {
        let line = at.span().start().line;
        anyhow::anyhow!("{}:{line}: {message}", self.file.display())
    }
}

/// All that is read of the surface.
pub struct Files {
    pub errors: Source,
    pub enums: Source,
    pub options: Vec<Source>,
    pub records: Source,
    pub handles: Vec<Source>,
}

impl Files {
    /// Reads the folder of the surface.
    pub fn read(folder: &Path) -> Result<Self> {
        let known = [
            "enums.rs",
            "errors.rs",
            "handles",
            "mod.rs",
            "options",
            "records.rs",
            "tensor.rs",
        ];
        for name in names(folder)? {
            if !known.contains(&&*name) {
                bail!(
                    "{}: the surface has only {}",
                    folder.join(name).display(),
                    known.join(" ")
                );
            }
        }
        Ok(Self {
            errors: Source::read(folder, "errors.rs")?,
            enums: Source::read(folder, "enums.rs")?,
            options: sources(folder, "options")?,
            records: Source::read(folder, "records.rs")?,
            handles: sources(folder, "handles")?,
        })
    }
}

/// The files of one kind, in the order of the `mod` lines.
fn sources(surface: &Path, kind: &str) -> Result<Vec<Source>> {
    let list = Source::read(surface, &format!("{kind}/mod.rs"))?;
    let present = names(&surface.join(kind))?;
    let mut listed = vec!["mod.rs".to_string()];
    let mut all = Vec::new();
    for item in &list.items {
        match item {
            syn::Item::Use(_) => {}
            syn::Item::Mod(item) if item.content.is_none() && item.attrs.is_empty() => {
                let name = format!("{}.rs", item.ident);
                if !present.contains(&name) {
                    return Err(list.error(item, format!("there is no {kind}/{name}")));
                }
                all.push(Source::read(surface, &format!("{kind}/{name}"))?);
                listed.push(name);
            }
            other => {
                return Err(list.error(
                    other,
                    "a mod.rs in the surface only names the files of its folder, `mod name;`, and re-exports them",
                ));
            }
        }
    }
    if let Some(name) = present.iter().find(|name| !listed.contains(name)) {
        bail!(
            "{}: {kind}/mod.rs does not name it",
            surface.join(kind).join(name).display()
        );
    }
    Ok(all)
}

/// The names in a folder, sorted, so that the same error comes first everywhere.
fn names(folder: &Path) -> Result<Vec<String>> {
    let mut names: Vec<String> = fs::read_dir(folder)
        .with_context(|| format!("reading {}", folder.display()))?
        .map(|entry| Ok(entry?.file_name().to_string_lossy().into_owned()))
        .collect::<Result<_>>()?;
    names.sort();
    Ok(names)
}

//! Enums and the error table.

use std::collections::BTreeSet;

use anyhow::Result;

use super::docs::Docs;
use super::{Source, is_public};
use crate::model::{Enum, ErrorKind, Variant};

pub fn enums(source: &Source) -> Result<Vec<Enum>> {
    let mut enums = Vec::new();
    for item in &source.items {
        match item {
            syn::Item::Use(_) => {}
            syn::Item::Enum(item) => {
                let docs = Docs::read(source, &item.attrs, &item.ident)?;
                docs.allow(source, &item.ident, &["since"])?;
                let variants = variants(source, item)?
                    .into_iter()
                    .map(|(variant, number, docs)| {
                        docs.allow(source, variant, &["since"])?;
                        Ok(Variant {
                            name: variant.ident.to_string(),
                            number,
                            doc: docs.text,
                        })
                    })
                    .collect::<Result<_>>()?;
                enums.push(Enum {
                    name: item.ident.to_string(),
                    doc: docs.text,
                    variants,
                });
            }
            other => return Err(source.error(other, "enums.rs holds only enums")),
        }
    }
    Ok(enums)
}

/// The error table; the rest of `errors.rs` is written by hand and not read.
pub fn errors(source: &Source) -> Result<Vec<ErrorKind>> {
    let table = source.items.iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == "ErrorKind" => Some(item),
        _ => None,
    });
    let Some(table) = table else {
        anyhow::bail!("{}: there is no `enum ErrorKind`", source.file.display());
    };
    variants(source, table)?
        .into_iter()
        .map(|(variant, number, docs)| {
            docs.allow(source, variant, &["since", "python"])?;
            let python = docs.python.ok_or_else(|| {
                source.error(
                    variant,
                    "an error kind needs `@python CLASS`, the built-in it also is",
                )
            })?;
            Ok(ErrorKind {
                name: variant.ident.to_string(),
                number,
                python,
                doc: docs.text,
            })
        })
        .collect()
}

fn variants<'a>(
    source: &Source,
    item: &'a syn::ItemEnum,
) -> Result<Vec<(&'a syn::Variant, i32, Docs)>> {
    if !is_public(&item.vis) {
        return Err(source.error(&item.ident, "the surface is public: pub enum"));
    }
    let repr = item.attrs.iter().any(|attribute| {
        attribute.path().is_ident("repr")
            && attribute
                .parse_args::<syn::Ident>()
                .is_ok_and(|ident| ident == "i32")
    });
    if !repr {
        return Err(source.error(&item.ident, "an enum of the surface is #[repr(i32)]"));
    }
    let mut taken = BTreeSet::new();
    item.variants
        .iter()
        .map(|variant| {
            if !matches!(variant.fields, syn::Fields::Unit) {
                return Err(source.error(variant, "variants carry no data"));
            }
            let number = match &variant.discriminant {
                Some((
                    _,
                    syn::Expr::Lit(syn::ExprLit {
                        lit: syn::Lit::Int(number),
                        ..
                    }),
                )) => number.base10_parse::<i32>().ok(),
                _ => None,
            };
            let number = number.filter(|number| *number > 0).ok_or_else(|| {
                source.error(variant, "a variant needs a number of its own above 0")
            })?;
            if !taken.insert(number) {
                return Err(source.error(variant, format!("the number {number} is taken")));
            }
            Ok((
                variant,
                number,
                Docs::read(source, &variant.attrs, variant)?,
            ))
        })
        .collect()
}

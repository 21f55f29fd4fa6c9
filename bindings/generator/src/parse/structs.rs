//! Options and records.

use anyhow::Result;
use serde_json::Value;

use super::docs::Docs;
use super::{Names, Source, derives, is_public, types};
use crate::model::{Field, Struct, Type};
use crate::names::is_reserved;

pub fn options(source: &Source, names: &Names) -> Result<Vec<Struct>> {
    let by_hand: Vec<String> = source.items.iter().filter_map(default_impl).collect();
    let mut all = Vec::new();
    for item in &source.items {
        match item {
            syn::Item::Use(_) => {}
            syn::Item::Impl(_) if default_impl(item).is_some() => {}
            syn::Item::Struct(item) => {
                let name = item.ident.to_string();
                if !name.ends_with("Options") && !is_c_only(source, item)? {
                    return Err(
                        source.error(&item.ident, "the name of an options struct ends in Options")
                    );
                }
                if !derives(&item.attrs, "Default") && !by_hand.contains(&name) {
                    return Err(
                        source.error(&item.ident, "options need Default: derived or in this file")
                    );
                }
                let structure = structure(source, names, item, option_field)?;
                check_aliases(source, item, &structure)?;
                all.push(structure);
            }
            other => {
                return Err(source.error(
                    other,
                    "the files of options hold only structs and their Default",
                ));
            }
        }
    }
    Ok(all)
}

pub fn records(source: &Source, names: &Names) -> Result<Vec<Struct>> {
    let mut all = Vec::new();
    for item in &source.items {
        match item {
            syn::Item::Use(_) => {}
            syn::Item::Struct(item) => all.push(structure(source, names, item, record_field)?),
            other => return Err(source.error(other, "records.rs holds only structs")),
        }
    }
    Ok(all)
}

type Check = fn(&Source, &syn::Field, &Type, &Docs) -> Result<()>;

fn structure(
    source: &Source,
    names: &Names,
    item: &syn::ItemStruct,
    check: Check,
) -> Result<Struct> {
    if !is_public(&item.vis) || !item.generics.params.is_empty() {
        return Err(source.error(
            &item.ident,
            "the surface is public and not generic: pub struct Name",
        ));
    }
    let docs = Docs::read(source, &item.attrs, &item.ident)?;
    docs.allow(source, &item.ident, &["since", "c_only"])?;
    let syn::Fields::Named(named) = &item.fields else {
        return Err(source.error(&item.ident, "a struct of the surface has named fields"));
    };
    let mut fields = Vec::new();
    for field in &named.named {
        let name = field.ident.as_ref().expect("fields are named").to_string();
        if !is_public(&field.vis) {
            return Err(source.error(field, format!("field {name} is private: fields are pub")));
        }
        if is_reserved(&name) {
            return Err(source.error(
                field,
                format!("{name} is a keyword in one of the languages"),
            ));
        }
        let docs = Docs::read(source, &field.attrs, field)?;
        let ty = types::owned(source, names, &field.ty)?;
        check(source, field, &ty, &docs)?;
        fields.push(Field {
            name,
            ty,
            doc: docs.text,
            default: docs.default,
            range: docs.range,
            unit: docs.unit,
            since: docs.since,
            aliases: docs.aliases,
        });
    }
    if fields.is_empty() {
        return Err(source.error(
            &item.ident,
            "a struct of the surface has at least one field",
        ));
    }
    Ok(Struct {
        name: item.ident.to_string(),
        doc: docs.text,
        c_only: docs.c_only,
        fields,
    })
}

fn option_field(source: &Source, field: &syn::Field, ty: &Type, docs: &Docs) -> Result<()> {
    docs.allow(
        source,
        field,
        &["default", "range", "unit", "since", "alias"],
    )?;
    let bare = ty.bare();
    let list = ty.is_option()
        && matches!(bare, Type::List { of } if matches!(**of, Type::String | Type::U32));
    match bare {
        Type::List { .. } if list && docs.range.is_none() => {}
        Type::Tensor if ty.is_option() && docs.range.is_none() => {}
        Type::Bool
        | Type::String
        | Type::Path
        | Type::Duration
        | Type::Json
        | Type::Enum { .. } => {
            if docs.range.is_some() {
                return Err(source.error(field, "@range is for numbers"));
            }
        }
        number if number.is_integer() || number.is_float() => {
            let range = docs.range.as_ref().ok_or_else(|| {
                source.error(field, "a number among the options needs `@range A..=B`")
            })?;
            if number.is_integer() && !(range.min.is_i64() && range.max.is_i64()) {
                return Err(source.error(field, "the range of an integer has integer ends"));
            }
        }
        _ => {
            return Err(source.error(
                field,
                "options hold no lists but Option<Vec<String>> and Option<Vec<u32>>, no tensors but Option<Tensor>, and no records, options or handles",
            ));
        }
    }
    match &docs.default {
        None if ty.is_option() => Ok(()),
        None => Err(source.error(field, "an option that is not Option<T> needs `@default V`")),
        Some(value) => {
            let fits = match bare {
                Type::Bool => value.is_boolean(),
                Type::String | Type::Path | Type::Enum { .. } => value.is_string(),
                Type::Duration | Type::Json | Type::Tensor => false,
                _ => within(value, docs),
            };
            if fits {
                Ok(())
            } else {
                Err(source.error(field, format!("@default {value} does not fit the field")))
            }
        }
    }
}

fn within(value: &Value, docs: &Docs) -> bool {
    let Some(range) = &docs.range else {
        return false;
    };
    value.as_f64().is_some_and(|value| {
        range.min.as_f64().is_some_and(|min| min <= value)
            && range.max.as_f64().is_some_and(|max| value <= max)
    })
}

fn record_field(source: &Source, field: &syn::Field, ty: &Type, docs: &Docs) -> Result<()> {
    docs.allow(source, field, &["unit", "since"])?;
    match ty.bare() {
        Type::Options { .. } | Type::Handle { .. } | Type::Tensor => {
            Err(source.error(field, "records hold no options, handles or tensors"))
        }
        Type::List { of } if matches!(**of, Type::List { .. }) => {
            Err(source.error(field, "a list of lists is outside the grammar"))
        }
        _ => Ok(()),
    }
}

/// Whether the struct is for C alone, where an options struct may be an item of a list.
fn is_c_only(source: &Source, item: &syn::ItemStruct) -> Result<bool> {
    Ok(Docs::read(source, &item.attrs, &item.ident)?
        .c_only
        .is_some())
}

/// A name stands for one option.
fn check_aliases(source: &Source, item: &syn::ItemStruct, of: &Struct) -> Result<()> {
    let folded = |name: &str| name.replace('_', "").to_lowercase();
    let mut taken: Vec<String> = of.fields.iter().map(|field| folded(&field.name)).collect();
    for alias in of.fields.iter().flat_map(|field| &field.aliases) {
        let name = folded(alias);
        if taken.contains(&name) {
            return Err(source.error(
                &item.ident,
                format!("@alias {alias} stands for two options"),
            ));
        }
        taken.push(name);
    }
    Ok(())
}

/// The name of the struct for which the item implements `Default`.
fn default_impl(item: &syn::Item) -> Option<String> {
    let syn::Item::Impl(item) = item else {
        return None;
    };
    let (_, path, _) = item.trait_.as_ref()?;
    match &*item.self_ty {
        syn::Type::Path(ty) if path.is_ident("Default") => {
            ty.path.get_ident().map(ToString::to_string)
        }
        _ => None,
    }
}

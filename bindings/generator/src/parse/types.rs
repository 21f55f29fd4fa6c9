//! The closed type grammar.

use anyhow::Result;
use syn::spanned::Spanned;

use super::{Names, Source};
use crate::model::Type;

const GRAMMAR: &str = "the grammar has bool i32 u32 i64 u64 f32 f64 String/&str PathBuf/&Path \
    Duration Json Tensor Vec<T>/&[T] Option<T>, and the enums, records, options and handles of the surface";

/// The type of a field or a result: owned.
pub fn owned(source: &Source, names: &Names, ty: &syn::Type) -> Result<Type> {
    let syn::Type::Path(path) = ty else {
        return Err(unknown(source, ty));
    };
    let segment = match path.path.segments.last() {
        Some(segment) if path.qself.is_none() && path.path.segments.len() == 1 => segment,
        _ => return Err(unknown(source, ty)),
    };
    let name = segment.ident.to_string();
    if let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments {
        let of = match arguments.args.iter().collect::<Vec<_>>()[..] {
            [syn::GenericArgument::Type(of)] => Box::new(owned(source, names, of)?),
            _ => return Err(unknown(source, ty)),
        };
        return match (name.as_str(), &*of) {
            ("Vec", Type::Option { .. } | Type::Tensor)
            | ("Vec" | "Option", Type::Handle { .. }) => {
                Err(source.error(ty, format!("{name} of this is outside the grammar")))
            }
            ("Option", Type::Option { .. }) => {
                Err(source.error(ty, "Option<Option<T>> has no meaning outside Rust"))
            }
            ("Vec", _) => Ok(Type::List { of }),
            ("Option", _) => Ok(Type::Option { of }),
            _ => Err(unknown(source, ty)),
        };
    }
    Ok(match name.as_str() {
        "bool" => Type::Bool,
        "i32" => Type::I32,
        "u32" => Type::U32,
        "i64" => Type::I64,
        "u64" => Type::U64,
        "f32" => Type::F32,
        "f64" => Type::F64,
        "String" => Type::String,
        "PathBuf" => Type::Path,
        "Duration" => Type::Duration,
        "Json" => Type::Json,
        "Tensor" => Type::Tensor,
        _ => return names.get(&name).ok_or_else(|| unknown(source, ty)),
    })
}

/// The type of a parameter: text, paths, JSON, lists, options and handles are borrowed.
pub fn param(source: &Source, names: &Names, ty: &syn::Type) -> Result<Type> {
    let syn::Type::Reference(reference) = ty else {
        let owned = owned(source, names, ty)?;
        return match owned.bare() {
            Type::Bool | Type::Duration | Type::Enum { .. } => Ok(owned),
            number if number.is_integer() || number.is_float() => Ok(owned),
            _ => Err(source.error(ty, "a parameter of this type is borrowed: &T")),
        };
    };
    if reference.mutability.is_some() {
        return Err(source.error(ty, "parameters are never changed: & without mut"));
    }
    match &*reference.elem {
        syn::Type::Slice(slice) => Ok(Type::List {
            of: Box::new(owned(source, names, &slice.elem)?),
        }),
        syn::Type::Path(path) if path.path.is_ident("str") => Ok(Type::String),
        syn::Type::Path(path) if path.path.is_ident("Path") => Ok(Type::Path),
        inner => match owned(source, names, inner)? {
            ty @ (Type::Json | Type::Tensor | Type::Options { .. } | Type::Handle { .. }) => Ok(ty),
            _ => Err(source.error(
                ty,
                "borrowed parameters are &str &Path &Json &Tensor &[T] &Options &Handle",
            )),
        },
    }
}

fn unknown(source: &Source, ty: &impl Spanned) -> anyhow::Error {
    source.error(
        ty,
        format!("this type is outside the surface's grammar: {GRAMMAR}"),
    )
}

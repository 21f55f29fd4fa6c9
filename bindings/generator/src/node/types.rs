//! How the grammar's types are written in Rust and in TypeScript.

use crate::model::Type;

/// The owned Rust type that an argument is read into.
pub fn rust(ty: &Type) -> String {
    match ty {
        Type::Unit => "()".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::I32 => "i32".to_owned(),
        Type::U32 => "u32".to_owned(),
        Type::I64 => "i64".to_owned(),
        Type::U64 => "u64".to_owned(),
        Type::F32 => "f32".to_owned(),
        Type::F64 => "f64".to_owned(),
        Type::String => "String".to_owned(),
        Type::Path => "std::path::PathBuf".to_owned(),
        Type::Duration => "std::time::Duration".to_owned(),
        Type::Json => "rkchat::Json".to_owned(),
        Type::Tensor => "rkchat::Tensor".to_owned(),
        Type::List { of } => format!("Vec<{}>", rust(of)),
        Type::Option { of } => format!("Option<{}>", rust(of)),
        Type::Enum { name }
        | Type::Record { name }
        | Type::Options { name }
        | Type::Handle { name } => format!("rkchat::{name}"),
    }
}

/// The argument as the surface takes it: what is not a plain value is borrowed.
pub fn argument(name: &str, ty: &Type) -> String {
    match ty {
        Type::String
        | Type::Path
        | Type::Json
        | Type::Tensor
        | Type::List { .. }
        | Type::Options { .. }
        | Type::Handle { .. } => format!("&{name}"),
        _ => name.to_owned(),
    }
}

/// The TypeScript type of what a program passes.
pub fn input(ty: &Type) -> String {
    match ty {
        Type::Path => "string | URL".to_owned(),
        Type::List { of } if of.is_integer() || of.is_float() => {
            "readonly number[] | Uint32Array".to_owned()
        }
        Type::List { of } => format!("readonly ({})[]", input(of)),
        Type::Option { of } => format!("{} | undefined", input(of)),
        other => output(other),
    }
}

/// The TypeScript type of what a program gets.
pub fn output(ty: &Type) -> String {
    match ty {
        Type::Unit => "void".to_owned(),
        Type::Bool => "boolean".to_owned(),
        Type::Duration => "number".to_owned(),
        Type::String | Type::Path => "string".to_owned(),
        Type::Json => "Json".to_owned(),
        Type::Tensor => "Tensor".to_owned(),
        Type::List { of } => format!("{}[]", output(of)),
        Type::Option { of } => format!("{} | undefined", output(of)),
        Type::Enum { name }
        | Type::Record { name }
        | Type::Options { name }
        | Type::Handle { name } => name.clone(),
        number => {
            debug_assert!(number.is_integer() || number.is_float());
            "number".to_owned()
        }
    }
}

/// The names that a type mentions, for the imports of a file.
pub fn mentioned<'a>(ty: &'a Type, names: &mut Vec<&'a str>) {
    match ty {
        Type::Json => names.push("Json"),
        Type::Tensor => names.push("Tensor"),
        Type::List { of } | Type::Option { of } => mentioned(of, names),
        Type::Enum { name }
        | Type::Record { name }
        | Type::Options { name }
        | Type::Handle { name } => names.push(name),
        _ => {}
    }
}

//! The grammar in Python's words, and what Rust code reads and writes them.

use crate::model::{Field, Type};

/// Annotation of an argument.
pub fn input(ty: &Type) -> String {
    match ty {
        Type::Path => "str | os.PathLike[str]".to_owned(),
        Type::List { of } => format!("Sequence[{}]", input(of)),
        Type::Option { of } => format!("{} | None", input(of)),
        Type::Enum { name } => format!("{name} | str"),
        Type::Tensor => "TensorLike".to_owned(),
        other => output(other),
    }
}

/// Annotation of what a method returns.
pub fn output(ty: &Type) -> String {
    match ty {
        Type::Unit => "None".to_owned(),
        Type::Bool => "bool".to_owned(),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 => "int".to_owned(),
        Type::F32 | Type::F64 | Type::Duration => "float".to_owned(),
        Type::String => "str".to_owned(),
        Type::Path => "Path".to_owned(),
        Type::Json => "Json".to_owned(),
        Type::Tensor => "Tensor".to_owned(),
        Type::List { of } => format!("list[{}]", output(of)),
        Type::Option { of } => format!("{} | None", output(of)),
        Type::Enum { name }
        | Type::Record { name }
        | Type::Options { name }
        | Type::Handle { name } => name.clone(),
    }
}

/// Annotation of a record's field: lists are tuples there, for records do not change.
pub fn in_record(ty: &Type) -> String {
    match ty {
        Type::List { of } => format!("tuple[{}, ...]", output(of)),
        Type::Option { of } => format!("{} | None", in_record(of)),
        other => output(other),
    }
}

/// The Rust type that an argument is read into.
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
        Type::List { of } => format!("Vec<{}>", rust(of)),
        Type::Option { of } => format!("Option<{}>", rust(of)),
        Type::Json => "rkchat::Json".to_owned(),
        Type::Tensor => "rkchat::Tensor".to_owned(),
        Type::Enum { name }
        | Type::Record { name }
        | Type::Options { name }
        | Type::Handle { name } => format!("rkchat::{name}"),
    }
}

/// The Rust expression that makes the Python object for a record's field.
pub fn write(value: &str, ty: &Type) -> String {
    match ty {
        Type::List { .. } => format!("Frozen({value}).write(py)?"),
        Type::Option { of } if matches!(**of, Type::List { .. }) => {
            format!("{value}.map(Frozen).write(py)?")
        }
        _ => format!("{value}.write(py)?"),
    }
}

/// Whether parameters of this type are passed by reference.
pub fn is_borrowed(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String
            | Type::Path
            | Type::Json
            | Type::Tensor
            | Type::List { .. }
            | Type::Options { .. }
            | Type::Handle { .. }
    )
}

/// An option's default as Python writes it.
pub fn default(field: &Field) -> String {
    if field.ty.is_option() {
        return "None".to_owned();
    }
    match &field.default {
        Some(serde_json::Value::Bool(true)) => "True".to_owned(),
        Some(serde_json::Value::Bool(false)) => "False".to_owned(),
        Some(value) => value.to_string(),
        None => "None".to_owned(),
    }
}

//! Fields of options and records in C++.

use anyhow::{Result, bail};
use serde_json::Value;

use crate::c::type_name;
use crate::model::{Field, Type};
use crate::names::screaming;

/// The doc of a field, with its unit and range.
pub fn doc(field: &Field) -> String {
    let mut text = field.doc.clone();
    let mut facts = Vec::new();
    if let Some(unit) = &field.unit {
        facts.push(format!("In {unit}."));
    }
    if let Some(range) = &field.range {
        facts.push(format!("From {} to {}.", range.min, range.max));
    }
    if *field.ty.bare() == Type::Json {
        facts.push("JSON text.".into());
    }
    if let Some(since) = &field.since {
        facts.push(format!("Since {since}."));
    }
    if !facts.is_empty() {
        text.push('\n');
        text.push_str(&facts.join(" "));
    }
    text
}

/// Integers are wide here, so that one that is out of range is not another by accident.
pub fn option_type(field: &Field) -> Result<String> {
    let ty = match field.ty.bare() {
        ty if ty.is_integer() => "std::int64_t".into(),
        ty if ty.is_float() => "double".into(),
        ty if *ty == texts() => "Texts".into(),
        Type::List { of } => format!("std::vector<{}>", value_type(of)?),
        Type::Tensor => "Numbers".into(),
        ty => value_type(ty)?,
    };
    Ok(match field.ty.is_option() {
        true => format!("Optional<{ty}>"),
        false => ty,
    })
}

pub fn record_type(ty: &Type) -> Result<String> {
    Ok(match ty {
        Type::Option { of } => format!("Optional<{}>", value_type(of)?),
        Type::List { of } => format!("std::vector<{}>", value_type(of)?),
        ty => value_type(ty)?,
    })
}

pub fn value_type(ty: &Type) -> Result<String> {
    Ok(match ty {
        Type::Bool => "bool".into(),
        Type::I32 => "std::int32_t".into(),
        Type::U32 => "std::uint32_t".into(),
        Type::I64 => "std::int64_t".into(),
        Type::U64 => "std::uint64_t".into(),
        Type::F32 => "float".into(),
        Type::F64 => "double".into(),
        Type::String | Type::Path | Type::Json => "std::string".into(),
        Type::Tensor => "Tensor".into(),
        Type::Duration => "std::chrono::milliseconds".into(),
        Type::Enum { name } | Type::Record { name } => name.clone(),
        other => bail!("C++ has no type for {other:?}"),
    })
}

/// The record that a field holds.
pub fn inner_record(ty: &Type) -> Option<&str> {
    match ty {
        Type::Record { name } => Some(name),
        Type::Option { of } | Type::List { of } => inner_record(of),
        _ => None,
    }
}

/// A list of texts.
fn texts() -> Type {
    Type::List {
        of: Box::new(Type::String),
    }
}

/// The initializer of an option.
pub fn default(field: &Field) -> Result<Option<String>> {
    Ok(match (&field.ty, &field.default) {
        (Type::Option { .. }, _) => None,
        (Type::Enum { name }, Some(Value::String(variant))) => Some(format!("{name}::{variant}")),
        (_, Some(value)) => Some(value.to_string()),
        (_, None) => bail!("no default"),
    })
}

/// The initializer that a member needs so that it is never garbage.
pub fn zero(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::Bool => Some("false"),
        Type::Enum { .. } => None,
        ty if ty.is_integer() || ty.is_float() => Some("0"),
        _ => None,
    }
}

/// Statements that put an option into the C struct `c`.
pub fn write(field: &Field) -> Result<Vec<String>> {
    let name = &field.name;
    let value = match field.ty.is_option() {
        true => format!("(*{name})"),
        false => name.clone(),
    };
    let lines = match field.ty.bare() {
        Type::Bool => vec![format!("c.{name} = {value} ? 1 : 0;")],
        Type::Enum { .. } => vec![format!("c.{name} = static_cast<std::int32_t>({value});")],
        Type::Duration => vec![format!("c.{name}_ms = {value}.count();")],
        Type::String | Type::Path | Type::Json => vec![
            format!("c.{name} = {value}.c_str();"),
            format!("c.{name}_len = {value}.size();"),
        ],
        Type::Tensor => vec![
            // Never NULL, which would be unset.
            format!("c.{name} = detail::present({value}.data);"),
            format!("c.{name}_len = {value}.data.size();"),
            format!("c.{name}_shape = detail::present({value}.shape);"),
            format!("c.{name}_shape_len = {value}.shape.size();"),
        ],
        ty if ty.is_integer() || ty.is_float() => vec![format!("c.{name} = {value};")],
        ty if *ty == texts() => vec![
            format!("c.{name} = {value}.c();"),
            format!("c.{name}_len = {value}.size();"),
        ],
        Type::List { .. } => vec![
            // Never NULL, which would be unset.
            format!("c.{name} = detail::present({value});"),
            format!("c.{name}_len = {value}.size();"),
        ],
        other => bail!("C++ options do not hold {other:?}"),
    };
    Ok(match field.ty.is_option() {
        true => vec![format!("if ({name}) {{ {} }}", lines.join(" "))],
        false => lines,
    })
}

/// The statement that takes a field of the record out of the C struct `c`.
pub fn read(field: &Field) -> Result<String> {
    let name = &field.name;
    let optional = field.ty.is_option();
    let bare = field.ty.bare();
    let ty = match bare {
        Type::List { of } => value_type(of)?,
        ty => value_type(ty)?,
    };
    let value = match bare {
        Type::String | Type::Path | Type::Json => format!("std::string(c.{name}, c.{name}_len)"),
        Type::Record { name: record } => format!(
            "{ty}(detail::known<{}>(c.{name}, c.{name}_size, RKCHAT_{}_INIT))",
            type_name(record),
            screaming(record)
        ),
        Type::Bool => format!("c.{name} == 1"),
        Type::List { of } => match &**of {
            Type::String | Type::Path => format!("detail::texts(c.{name}, c.{name}_len)"),
            Type::Record { name: record } => format!(
                "detail::records<{ty}, {}>(c.{name}, c.{name}_len, RKCHAT_{}_INIT)",
                type_name(record),
                screaming(record)
            ),
            of if of.is_integer() || of.is_float() => {
                format!("detail::list(c.{name}, c.{name}_len)")
            }
            other => bail!("C++ has no list of {other:?}"),
        },
        _ => format!("static_cast<{ty}>(c.{name})"),
    };
    let is_set = match bare {
        ty if ty.is_integer() => format!("c.{name} != RKCHAT_UNSET_INT"),
        ty if ty.is_float() => format!("c.{name} == c.{name}"),
        Type::Bool | Type::Enum { .. } => format!("c.{name} != RKCHAT_UNSET"),
        _ => format!("c.{name} != nullptr"),
    };
    Ok(match optional {
        true => format!("if ({is_set}) {{ {name} = {value}; }}"),
        false => format!("{name} = {value};"),
    })
}

//! Methods in C++.

use anyhow::{Result, bail};
use serde_json::{Value, json};

use super::fields::value_type;
use crate::c::{function_name, is_shared, type_name};
use crate::model::{Handle, Method, Type};
use crate::names::screaming;

pub fn method(handle: &Handle, method: &Method) -> Result<Value> {
    let mut params = Vec::new();
    let mut arguments = Vec::new();
    if !method.is_static {
        arguments.push("handle_.get()".to_owned());
    }
    for param in &method.params {
        let name = &param.name;
        let (declared, given) = match &param.ty {
            Type::String | Type::Json => (
                format!("const std::string &{name}"),
                format!("{name}.data(), {name}.size()"),
            ),
            Type::Tensor => (
                format!("const Numbers &{name}"),
                format!(
                    "{name}.data.data(), {name}.data.size(), {name}.shape.data(), {name}.shape.size()"
                ),
            ),
            Type::Path => (
                format!("const std::string &{name}"),
                format!("detail::path(\"{name}\", {name})"),
            ),
            Type::List { of } if **of == Type::String => (
                format!("const Texts &{name}"),
                format!("{name}.c(), {name}.size()"),
            ),
            Type::List { of } => match &**of {
                Type::Options { name: item } => (
                    format!("const std::vector<{item}> &{name}"),
                    format!(
                        "detail::structs<{}>({name}).data(), {name}.size()",
                        type_name(item)
                    ),
                ),
                of => (
                    format!("const std::vector<{}> &{name}", value_type(of)?),
                    format!("{name}.data(), {name}.size()"),
                ),
            },
            Type::Options { name: ty } => (
                format!("const {ty} &{name} = {ty}()"),
                format!("detail::address({name}.c())"),
            ),
            Type::Handle { name: ty } => (format!("const {ty} &{name}"), format!("{name}.c()")),
            Type::Option { of } if **of == Type::Duration => (
                format!("Optional<std::chrono::milliseconds> {name} = {{}}"),
                format!("detail::limit({name})"),
            ),
            ty if ty.is_integer() || ty.is_float() => {
                (format!("{} {name}", value_type(ty)?), name.clone())
            }
            other => bail!("C++ has no parameter for {other:?} yet ({name})"),
        };
        params.push(declared);
        arguments.push(given);
    }
    let (returns, declare, give) = result(method)?;
    if declare.is_some() {
        arguments.push("&out".into());
    }
    let mut doc = method.doc.clone();
    if method.blocking {
        doc.push_str("\nBlocking.");
    }
    Ok(json!({
        "name": method.name,
        "doc": doc,
        "is_static": method.is_static,
        "constant": is_shared(handle, method),
        "returns": returns,
        "definition": params.iter().map(|param| without_default(param)).collect::<Vec<_>>(),
        "params": params,
        "function": function_name(&handle.name, method),
        "arguments": arguments,
        "declare": declare,
        "give": give,
    }))
}

/// A parameter as it stands in a definition.
fn without_default(param: &str) -> &str {
    param.split(" = ").next().unwrap_or(param)
}

/// The type that is returned, the declaration of `out`, and what becomes of it.
fn result(method: &Method) -> Result<(String, Option<String>, Option<String>)> {
    let text = |returns: String, declare: &str, give: &str| {
        Ok((returns, Some(declare.to_owned()), Some(give.to_owned())))
    };
    match &method.returns {
        Type::Unit => Ok(("void".into(), None, None)),
        Type::Handle { name } => text(
            name.clone(),
            &format!("{} *out = nullptr;", type_name(name)),
            &format!("{name}(out)"),
        ),
        Type::String | Type::Path | Type::Json => text(
            "std::string".into(),
            "rkchat_text *out = nullptr;",
            "detail::take(out)",
        ),
        Type::List { of } if **of == Type::U32 => text(
            "std::vector<std::uint32_t>".into(),
            "rkchat_ids *out = nullptr;",
            "detail::take(out)",
        ),
        Type::List { of } => match &**of {
            Type::Record { name } => text(
                format!("std::vector<{name}>"),
                &format!("{}_list *out = nullptr;", type_name(name)),
                "detail::take(out)",
            ),
            other => bail!("C++ has no result for lists of {other:?} yet"),
        },
        Type::Tensor => text(
            "Tensor".into(),
            "rkchat_tensor *out = nullptr;",
            "Tensor(out)",
        ),
        Type::Record { name } => text(
            name.clone(),
            &format!("{} out = RKCHAT_{}_INIT;", type_name(name), screaming(name)),
            &format!("{name}(out)"),
        ),
        Type::Bool => text("bool".into(), "std::int32_t out = 0;", "out == 1"),
        Type::Enum { name } => text(
            name.clone(),
            "std::int32_t out = 0;",
            &format!("static_cast<{name}>(out)"),
        ),
        Type::Option { of } => match &**of {
            Type::Enum { name } => text(
                format!("Optional<{name}>"),
                "std::int32_t out = RKCHAT_UNSET;",
                &format!(
                    "out == RKCHAT_UNSET ? Optional<{name}>() : Optional<{name}>(static_cast<{name}>(out))"
                ),
            ),
            Type::F32 | Type::F64 => text(
                "Optional<double>".into(),
                "double out = RKCHAT_UNSET_FLOAT;",
                "out == out ? Optional<double>(out) : Optional<double>()",
            ),
            other => bail!("C++ has no result for Option of {other:?} yet"),
        },
        ty if ty.is_integer() || ty.is_float() => {
            let ty = value_type(ty)?;
            text(ty.clone(), &format!("{ty} out = 0;"), "out")
        }
        other => bail!("C++ has no result for {other:?} yet"),
    }
}

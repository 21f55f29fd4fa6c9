//! Handles: the structs and their `pub fn`s.

use anyhow::Result;
use syn::spanned::Spanned;

use super::docs::Docs;
use super::{Names, Source, derives, is_public, types};
use crate::model::{Handle, Method, Param, Struct, Type};
use crate::names::is_reserved;

pub fn handles(source: &Source, names: &Names, records: &[Struct]) -> Result<Vec<Handle>> {
    let mut handles = Vec::new();
    for item in &source.items {
        match item {
            syn::Item::Use(_) | syn::Item::Impl(_) => {}
            syn::Item::Struct(item) => {
                let docs = Docs::read(source, &item.attrs, &item.ident)?;
                docs.allow(source, &item.ident, &["since"])?;
                if let Some(field) = item.fields.iter().find(|field| is_public(&field.vis)) {
                    return Err(source.error(field, "a handle is opaque: its fields are private"));
                }
                handles.push(Handle {
                    name: item.ident.to_string(),
                    doc: docs.text,
                    shared: derives(&item.attrs, "Clone"),
                    methods: Vec::new(),
                });
            }
            other => {
                return Err(source.error(other, "the files of handles hold only structs and impls"));
            }
        }
    }
    for item in &source.items {
        let syn::Item::Impl(item) = item else {
            continue;
        };
        if item.trait_.is_some() {
            continue; // Rust's own conveniences.
        }
        let handle = handles
            .iter_mut()
            .find(|handle| matches!(&*item.self_ty, syn::Type::Path(ty) if ty.path.is_ident(&handle.name)))
            .ok_or_else(|| source.error(&item.self_ty, "this impl is for no handle of the file"))?;
        for item in &item.items {
            match item {
                syn::ImplItem::Fn(item) if is_public(&item.vis) => {
                    let method = method(source, names, records, handle, item)?;
                    if handle.methods.iter().any(|other| other.name == method.name) {
                        return Err(source.error(&item.sig.ident, "the method is defined twice"));
                    }
                    handle.methods.push(method);
                }
                syn::ImplItem::Fn(_) => {}
                other => return Err(source.error(other, "handles have methods only")),
            }
        }
    }
    Ok(handles)
}

fn method(
    source: &Source,
    names: &Names,
    records: &[Struct],
    handle: &Handle,
    item: &syn::ImplItemFn,
) -> Result<Method> {
    let signature = &item.sig;
    let docs = Docs::read(source, &item.attrs, &signature.ident)?;
    docs.allow(
        source,
        &signature.ident,
        &[
            "blocking",
            "constant",
            "since",
            "handwritten",
            "c_only",
            "property",
        ],
    )?;
    let is_static = signature.receiver().is_none();
    let mut method = Method {
        name: signature.ident.to_string(),
        doc: docs.text,
        is_static,
        params: Vec::new(),
        returns: Type::Unit,
        fallible: false,
        blocking: docs.blocking,
        constant: docs.constant,
        property: docs.property,
        handwritten: docs.handwritten,
        c_only: docs.c_only,
        since: docs.since,
        signature: source_text(signature),
    };
    if method.handwritten.is_some() {
        return Ok(method);
    }
    if !signature.generics.params.is_empty() || signature.asyncness.is_some() {
        return Err(source.error(&signature.ident, "methods are neither generic nor async"));
    }
    for input in &signature.inputs {
        match input {
            syn::FnArg::Receiver(receiver) => {
                if receiver.reference.is_none() || receiver.mutability.is_some() {
                    return Err(source.error(receiver, "methods take &self"));
                }
            }
            syn::FnArg::Typed(input) => method.params.push(param(source, names, input)?),
        }
    }
    let options = method
        .params
        .iter()
        .position(|param| matches!(param.ty, Type::Options { .. }));
    if options.is_some_and(|index| index + 1 != method.params.len()) {
        return Err(source.error(&signature.ident, "options come last"));
    }
    if let syn::ReturnType::Type(_, ty) = &signature.output {
        (method.returns, method.fallible) = result(source, names, handle, ty)?;
    }
    check_result(source, records, handle, &method, &signature.ident)?;
    Ok(method)
}

fn param(source: &Source, names: &Names, input: &syn::PatType) -> Result<Param> {
    let syn::Pat::Ident(pattern) = &*input.pat else {
        return Err(source.error(input, "a parameter is a plain name"));
    };
    let name = pattern.ident.to_string();
    if is_reserved(&name) {
        return Err(source.error(
            input,
            format!("{name} is a keyword in one of the languages"),
        ));
    }
    let ty = types::param(source, names, &input.ty)?;
    if let Type::List { of } = &ty {
        let structs = matches!(**of, Type::Options { .. });
        if !(of.is_integer() || of.is_float() || **of == Type::String || structs) {
            return Err(source.error(
                input,
                "a list among the parameters has numbers, texts or structs of options/",
            ));
        }
    }
    if matches!(ty, Type::Options { .. }) && name != "options" {
        return Err(source.error(input, "the parameter that is options is named options"));
    }
    Ok(Param { name, ty })
}

/// The type inside `Result<T>`, with `Self` resolved, and whether there was a `Result`.
fn result(source: &Source, names: &Names, handle: &Handle, ty: &syn::Type) -> Result<(Type, bool)> {
    if let syn::Type::Path(path) = ty {
        if path.path.is_ident("Self") {
            return Ok((
                Type::Handle {
                    name: handle.name.clone(),
                },
                false,
            ));
        }
        if let Some(segment) = path
            .path
            .segments
            .last()
            .filter(|segment| segment.ident == "Result")
        {
            if let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments {
                if let [syn::GenericArgument::Type(inner)] =
                    arguments.args.iter().collect::<Vec<_>>()[..]
                {
                    let (inner, nested) = result(source, names, handle, inner)?;
                    if !nested {
                        return Ok((inner, true));
                    }
                }
            }
            return Err(source.error(ty, "a result is Result<T>"));
        }
    }
    if matches!(ty, syn::Type::Tuple(tuple) if tuple.elems.is_empty()) {
        return Ok((Type::Unit, false));
    }
    Ok((types::owned(source, names, ty)?, false))
}

/// Whether a record points at nothing: it has numbers, flags and enumerations only.
fn is_plain(records: &[Struct], name: &str) -> bool {
    let record = records.iter().find(|record| record.name == name);
    record.is_some_and(|record| {
        record.fields.iter().all(|field| {
            let ty = field.ty.bare();
            ty.is_integer() || ty.is_float() || matches!(ty, Type::Bool | Type::Enum { .. })
        })
    })
}

fn check_result(
    source: &Source,
    records: &[Struct],
    handle: &Handle,
    method: &Method,
    at: &syn::Ident,
) -> Result<()> {
    let own = matches!(&method.returns, Type::Handle { name } if *name == handle.name);
    if method.property && (method.is_static || !method.params.is_empty()) {
        return Err(source.error(at, "@property is for methods that take only &self"));
    }
    let structs = method.params.iter().any(
        |param| matches!(&param.ty, Type::List { of } if matches!(**of, Type::Options { .. })),
    );
    if structs && method.c_only.is_none() {
        return Err(source.error(
            at,
            "a list of structs is for C alone: @c_only and the reason",
        ));
    }
    if method.is_static && !method.fallible {
        return Err(source.error(at, "a function without &self returns a Result"));
    }
    if method.is_static && method.constant {
        return Err(source.error(at, "@constant means nothing without &self"));
    }
    if method.is_static && !own && !matches!(method.returns, Type::String | Type::Path) {
        return Err(source.error(
            at,
            "a function without &self makes a handle, Result<Self>, or gives a text or path",
        ));
    }
    match method.returns.bare() {
        Type::Options { .. } => Err(source.error(at, "options are never returned")),
        // Its text has to live somewhere: in the handle, for good or until the next call.
        Type::Record { name } if handle.shared && !method.constant && !is_plain(records, name) => {
            Err(source.error(
                at,
                "a record from a handle that is shared needs @constant, or only numbers in it: its text is kept in the \
                 handle",
            ))
        }
        _ => Ok(()),
    }
}

/// The signature as written, on one line.
fn source_text(signature: &syn::Signature) -> String {
    let text = signature.span().source_text().unwrap_or_default();
    text.split_ascii_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .replace("( ", "(")
        .replace(", )", ")")
}

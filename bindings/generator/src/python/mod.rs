//! The Python binding: pyo3 classes for the handles, and in Python itself the records, the enums,
//! the exceptions, their names and the stub of the native module.

mod classes;
mod docs;
mod types;

use anyhow::Result;
use minijinja::Environment;
use serde::Serialize;

use crate::model::{Surface, Type};
use crate::output::Output;
use crate::render;
use classes::{Class, class};
use docs::Docs;

const RUST: &str = "bindings/python/src/generated";
const PACKAGE: &str = "bindings/python/python/rkchat";

/// What the templates read.
#[derive(Serialize)]
struct Context<'a> {
    surface: &'a Surface,
    /// The assertion that core has this surface.
    check: String,
    /// Names of the enums that are read from Python.
    input_enums: Vec<&'a str>,
    errors: Vec<Documented>,
    enums: Vec<Enum>,
    records: Vec<Record>,
    handles: Vec<Class>,
}

/// A name and its docs, with one thing more that depends on what it is.
#[derive(Serialize)]
struct Documented {
    name: String,
    /// The kind behind an exception class, or the value of a variant.
    of: String,
    /// An exception's built-in base.
    base: String,
    doc: String,
}

#[derive(Serialize)]
struct Enum {
    name: String,
    doc: String,
    variants: Vec<Documented>,
}

#[derive(Serialize)]
struct Record {
    name: String,
    doc: String,
    fields: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    name: String,
    annotation: String,
    /// The expression that makes the Python object.
    write: String,
    doc: String,
}

pub fn render(surface: &Surface) -> Result<Vec<Output>> {
    let environment = render::environment()?;
    let surface = &surface.beyond_c();
    let context = context(surface);
    [
        (
            format!("{RUST}/mod.rs"),
            "mod.rs",
            include_str!("../../templates/python/mod.rs.j2"),
        ),
        (
            format!("{RUST}/tables.rs"),
            "tables.rs",
            include_str!("../../templates/python/tables.rs.j2"),
        ),
        (
            format!("{RUST}/handles.rs"),
            "handles.rs",
            include_str!("../../templates/python/handles.rs.j2"),
        ),
        (
            format!("{PACKAGE}/_errors.py"),
            "_errors.py",
            include_str!("../../templates/python/errors.py.j2"),
        ),
        (
            format!("{PACKAGE}/_types.py"),
            "_types.py",
            include_str!("../../templates/python/types.py.j2"),
        ),
        (
            format!("{PACKAGE}/_surface.py"),
            "_surface.py",
            include_str!("../../templates/python/surface.py.j2"),
        ),
        (
            format!("{PACKAGE}/_native.pyi"),
            "_native.pyi",
            include_str!("../../templates/python/native.pyi.j2"),
        ),
    ]
    .into_iter()
    .map(|(path, name, template)| file(&environment, path, name, template, &context))
    .collect()
}

fn file(
    environment: &Environment,
    path: String,
    name: &str,
    template: &str,
    context: &Context,
) -> Result<Output> {
    let text = render::render(environment, &format!("python/{name}"), template, context)?;
    Ok(Output::new(path, text))
}

/// The exception class of an error kind: its name, with `Error` behind it where the bare name is
/// that of a handle, or of a part of one.
pub fn exception(kind: &str, surface: &Surface) -> String {
    if surface
        .handles
        .iter()
        .any(|handle| handle.name.ends_with(kind))
    {
        format!("{kind}Error")
    } else {
        kind.to_owned()
    }
}

fn context(surface: &Surface) -> Context<'_> {
    let docs = Docs::new(surface);
    let documented = |name: &str, of: String, base: &str, doc: &str| Documented {
        name: name.to_owned(),
        of,
        base: base.to_owned(),
        doc: docs.text(doc),
    };
    let options = surface.options.iter().flat_map(|options| &options.fields);
    let params = surface
        .handles
        .iter()
        .flat_map(|handle| &handle.methods)
        .flat_map(|method| &method.params);
    let read: Vec<&Type> = options
        .map(|field| field.ty.bare())
        .chain(params.map(|param| param.ty.bare()))
        .collect();
    Context {
        surface,
        check: render::surface_check(surface, "rkchat"),
        input_enums: surface
            .enums
            .iter()
            .map(|item| item.name.as_str())
            .filter(|name| {
                read.iter()
                    .any(|ty| matches!(ty, Type::Enum { name: read } if read == name))
            })
            .collect(),
        errors: surface
            .errors
            .iter()
            .map(|kind| {
                let class = exception(&kind.name, surface);
                documented(&class, kind.name.clone(), &kind.python, &kind.doc)
            })
            .collect(),
        enums: surface
            .enums
            .iter()
            .map(|item| Enum {
                name: item.name.clone(),
                doc: docs.text(&item.doc),
                variants: item
                    .variants
                    .iter()
                    .map(|variant| {
                        let value = crate::names::snake(&variant.name);
                        documented(&variant.name, value, "", &variant.doc)
                    })
                    .collect(),
            })
            .collect(),
        records: surface
            .records
            .iter()
            .map(|record| Record {
                name: record.name.clone(),
                doc: docs.text(&record.doc),
                fields: record
                    .fields
                    .iter()
                    .map(|field| Member {
                        name: field.name.clone(),
                        annotation: types::in_record(&field.ty),
                        write: types::write(&format!("self.{}", field.name), &field.ty),
                        doc: docs.field(field),
                    })
                    .collect(),
            })
            .collect(),
        handles: surface
            .handles
            .iter()
            .map(|handle| class(surface, &docs, handle))
            .collect(),
    }
}

//! `docs/reference.md`: the API for people, in all languages at once.

use anyhow::Result;
use serde_json::{Value, json};

use crate::c::{function_name, type_name};
use crate::model::{Field, Struct, Surface, Type};
use crate::names::camel;
use crate::output::Output;
use crate::python::exception;
use crate::render::{environment, render as render_template};

pub fn render(surface: &Surface) -> Result<Vec<Output>> {
    let errors: Vec<Value> = surface
        .errors
        .iter()
        .map(|error| {
            json!({
                "name": error.name,
                "number": error.number,
                "python": exception(&error.name, surface),
                "python_base": error.python,
                "doc": cell(&error.doc),
            })
        })
        .collect();
    let handles: Vec<Value> = surface
        .handles
        .iter()
        .map(|handle| {
            let methods = handle.methods.iter().map(|method| {
                json!({
                    "name": method.name,
                    "c_name": function_name(&handle.name, method),
                    "camel": camel(&method.name),
                    "signature": method.signature,
                    "doc": method.doc,
                    "blocking": method.blocking,
                    "handwritten": method.handwritten,
                    "property": method.property,
                    "c_only": method.c_only,
                })
            });
            json!({ "name": handle.name, "doc": handle.doc, "methods": methods.collect::<Vec<_>>() })
        })
        .collect();
    let context = json!({
        "handles": handles,
        "options": surface.options.iter().map(structure).collect::<Vec<_>>(),
        "records": surface.records.iter().map(structure).collect::<Vec<_>>(),
        "enums": surface.enums,
        "errors": errors,
    });
    let mut environment = environment()?;
    environment.add_filter("cell", cell);
    let template = include_str!("../templates/reference/reference.md.j2");
    let text = render_template(&environment, "reference.md", template, context)?;
    Ok(vec![Output::new("docs/reference.md", text)])
}

fn structure(item: &Struct) -> Value {
    let fields = item.fields.iter().map(|field| {
        json!({
            "name": field.name,
            "type": type_text(&field.ty),
            "values": values(field),
            "doc": cell(&meaning(field)),
        })
    });
    json!({
        "name": item.name,
        "c_name": type_name(&item.name),
        "doc": item.doc,
        "c_only": item.c_only,
        "fields": fields.collect::<Vec<_>>(),
    })
}

/// The doc, and what other libraries call it.
fn meaning(field: &Field) -> String {
    let aliases: Vec<_> = field
        .aliases
        .iter()
        .map(|name| format!("`{name}`"))
        .collect();
    match aliases.is_empty() {
        true => field.doc.clone(),
        false => format!("{}\n\nElsewhere: {}.", field.doc, aliases.join(", ")),
    }
}

/// Default, range and unit.
fn values(field: &Field) -> String {
    let mut facts = Vec::new();
    if let Some(default) = &field.default {
        facts.push(format!("default {default}"));
    }
    if let Some(range) = &field.range {
        facts.push(format!("{} to {}", range.min, range.max));
    }
    facts.extend(field.unit.clone());
    facts.join("; ")
}

fn type_text(ty: &Type) -> String {
    match ty {
        Type::Unit => "nothing".into(),
        Type::Bool => "flag".into(),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 => "integer".into(),
        Type::F32 | Type::F64 => "number".into(),
        Type::String => "text".into(),
        Type::Path => "path".into(),
        Type::Duration => "duration".into(),
        Type::Json => "JSON".into(),
        Type::Tensor => "tensor".into(),
        Type::List { of } => format!("list of {}", type_text(of)),
        Type::Option { of } => format!("{}, or unset", type_text(of)),
        Type::Enum { name }
        | Type::Record { name }
        | Type::Options { name }
        | Type::Handle { name } => {
            format!("[{name}](#{})", name.to_lowercase())
        }
    }
}

/// Text for a cell of a table.
fn cell(text: &str) -> String {
    text.replace("\n\n", "<br>")
        .replace('\n', " ")
        .replace('|', "\\|")
}

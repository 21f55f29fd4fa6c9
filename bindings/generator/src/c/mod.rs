//! The C binding: shims in `ffi/src/generated`, `include/rkchat.h` from them, `include/surface.lock`,
//! and a C program that asserts the layouts.

mod docs;
mod fields;
mod header;
mod methods;
mod slots;

use anyhow::{Context, Result, bail};
use minijinja::Environment;
use serde::Serialize;
use serde_json::json;

pub use docs::translate;
pub use header::header;
pub use methods::{is_shared, name as function_name};
pub use slots::type_name;

use crate::model::{Struct, Surface, Type};
use crate::names::snake;
use crate::output::Output;
use crate::render::{self, environment, surface_check};

/// What is rendered into a struct of either kind.
#[derive(Serialize)]
struct View<'a> {
    name: &'a str,
    c_name: String,
    doc: String,
    slots: Vec<slots::Slot>,
    /// Statements of the conversion, and its members.
    lines: Vec<String>,
    members: Vec<String>,
    /// Whether a member follows a pointer of the program.
    uses_pointers: bool,
    /// Whether a member falls back to `defaults`.
    uses_defaults: bool,
    wide: slots::Layout,
    narrow: slots::Layout,
}

pub fn render(surface: &Surface) -> Result<Vec<Output>> {
    check_names(surface)?;
    let environment = environment()?;
    let options = views(surface, &surface.options, true)?;
    let records = views(surface, &surface.records, false)?;
    let context = json!({
        "surface_check": surface_check(surface, "rkchat"),
        "errors": surface.errors.iter().map(|error| json!({
            "name": error.name,
            "number": error.number,
            "doc": translate(surface, &error.doc),
        })).collect::<Vec<_>>(),
        "enums": surface.enums,
        "options": options,
        "records": records,
        "handles": handles(surface)?,
        "lists": lists(surface),
    });
    let one =
        |name: &str, path: &str, template: &str| one(&environment, name, path, template, &context);
    Ok(vec![
        one(
            "mod.rs",
            "ffi/src/generated/mod.rs",
            include_str!("../../templates/c/mod.rs.j2"),
        )?,
        one(
            "constants.rs",
            "ffi/src/generated/constants.rs",
            include_str!("../../templates/c/constants.rs.j2"),
        )?,
        one(
            "options.rs",
            "ffi/src/generated/options.rs",
            include_str!("../../templates/c/options.rs.j2"),
        )?,
        one(
            "records.rs",
            "ffi/src/generated/records.rs",
            include_str!("../../templates/c/records.rs.j2"),
        )?,
        one(
            "handles.rs",
            "ffi/src/generated/handles.rs",
            include_str!("../../templates/c/handles.rs.j2"),
        )?,
        one(
            "layout.rs",
            "ffi/src/generated/layout.rs",
            include_str!("../../templates/c/layout.rs.j2"),
        )?,
        one(
            "layout.c",
            "tests/conformance/c/layout.c",
            include_str!("../../templates/c/layout.c.j2"),
        )?,
        lock(surface)?,
    ])
}

fn one(
    environment: &Environment,
    name: &str,
    path: &str,
    template: &str,
    context: &serde_json::Value,
) -> Result<Output> {
    Ok(Output::new(
        path,
        render::render(environment, name, template, context)?,
    ))
}

fn views<'a>(surface: &Surface, structs: &'a [Struct], input: bool) -> Result<Vec<View<'a>>> {
    structs
        .iter()
        .map(|structure| {
            view(surface, structure, input).with_context(|| format!("{} in C", structure.name))
        })
        .collect()
}

fn view<'a>(surface: &Surface, structure: &'a Struct, input: bool) -> Result<View<'a>> {
    let mut view = View {
        name: &structure.name,
        c_name: type_name(&structure.name),
        doc: translate(surface, &structure.doc),
        slots: Vec::new(),
        lines: Vec::new(),
        members: Vec::new(),
        uses_pointers: structure.fields.iter().any(|field| {
            matches!(
                field.ty.bare(),
                Type::String | Type::Path | Type::Json | Type::Tensor | Type::List { .. }
            )
        }),
        uses_defaults: structure.fields.iter().any(|field| !field.ty.is_option()),
        wide: slots::layout(structure, 8)?,
        narrow: slots::layout(structure, 4)?,
    };
    for field in &structure.fields {
        let mut slots = slots::of(field)?;
        slots[0].doc = docs::field(surface, field, input);
        view.slots.extend(slots);
        if input {
            view.members.push(fields::read(surface, field)?);
        } else {
            let (line, members) = fields::write(field)?;
            view.lines.extend(line);
            view.members.extend(members);
        }
    }
    Ok(view)
}

/// Handles with their functions, the records they keep, and whether a part is written by hand.
fn handles(surface: &Surface) -> Result<serde_json::Value> {
    let mut all = Vec::new();
    for handle in &surface.handles {
        let generated = || {
            handle
                .methods
                .iter()
                .filter(|method| method.handwritten.is_none())
        };
        let functions = generated()
            .map(|method| {
                methods::function(surface, handle, method)
                    .with_context(|| format!("{}.{} in C", handle.name, method.name))
            })
            .collect::<Result<Vec<_>>>()?;
        let kept: Vec<_> = generated()
            .filter_map(|method| match method.returns.bare() {
                Type::Record { name } => Some(json!({
                    "name": method.name,
                    "constant": method.constant,
                    "record": type_name(name),
                })),
                _ => None,
            })
            .collect();
        all.push(json!({
            "name": handle.name,
            "c_name": type_name(&handle.name),
            "snake": snake(&handle.name),
            "doc": translate(surface, &handle.doc),
            "by_hand": generated().count() != handle.methods.len(),
            "kept": kept,
            "functions": functions,
        }));
    }
    Ok(all.into())
}

/// The lists of records that methods give.
fn lists(surface: &Surface) -> serde_json::Value {
    let listed = surface.listed_records();
    let view = listed.into_iter().map(|record| {
        json!({
            "name": record,
            "record": type_name(record),
            "c_name": format!("{}_list", type_name(record)),
        })
    });
    view.collect()
}

/// C has one space of names for types and functions.
fn check_names(surface: &Surface) -> Result<()> {
    let mut taken = std::collections::BTreeSet::new();
    let structs = surface
        .options
        .iter()
        .chain(&surface.records)
        .map(|item| &item.name);
    let others = surface.enums.iter().map(|item| &item.name);
    let handles = surface.handles.iter().map(|item| &item.name);
    let types = structs
        .chain(others)
        .chain(handles)
        .map(|name| type_name(name));
    let functions = surface.handles.iter().flat_map(|handle| {
        handle
            .methods
            .iter()
            .map(|method| function_name(&handle.name, method))
    });
    let frees = surface
        .handles
        .iter()
        .map(|handle| format!("{}_free", type_name(&handle.name)));
    let lists = surface
        .listed_records()
        .into_iter()
        .map(|record| format!("{}_list", type_name(record)));
    for name in types.chain(functions).chain(frees).chain(lists) {
        if !taken.insert(name.clone()) {
            bail!("{name} would be two things in C: rename one in core/src/surface");
        }
    }
    Ok(())
}

/// The model and the layouts, for readers of the history and for other tools.
fn lock(surface: &Surface) -> Result<Output> {
    let mut layouts = serde_json::Map::new();
    for structure in surface.options.iter().chain(&surface.records) {
        layouts.insert(
            type_name(&structure.name),
            json!({
                "64": slots::layout(structure, 8)?,
                "32": slots::layout(structure, 4)?,
            }),
        );
    }
    let lock = json!({
        "note": render::BANNER,
        "surface": surface,
        "c_layouts": layouts,
    });
    let text = serde_json::to_string_pretty(&lock)? + "\n";
    Ok(Output::new("include/surface.lock", text))
}

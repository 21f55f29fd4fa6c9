//! `include/rkchat.hpp`: the C interface as C++ classes.

mod fields;
mod methods;

use anyhow::{Context, Result};
use serde_json::{Value, json};

use crate::c::type_name;
use crate::model::{Field, Handle, Struct, Surface};
use crate::names::{screaming, snake};
use crate::output::Output;
use crate::render::{self, environment};

pub fn render(surface: &Surface) -> Result<Vec<Output>> {
    let options = surface
        .options
        .iter()
        .map(options)
        .collect::<Result<Vec<_>>>()?;
    // A struct comes after those it holds.
    let mut records: Vec<&Struct> = Vec::new();
    for record in &surface.records {
        add(surface, record, &mut records);
    }
    let records = records
        .into_iter()
        .map(self::records)
        .collect::<Result<Vec<_>>>()?;
    let handles = surface
        .handles
        .iter()
        .map(handle)
        .collect::<Result<Vec<_>>>()?;
    let context = json!({
        "errors": surface.errors,
        "enums": surface.enums,
        "options": options,
        "records": records,
        "handles": handles,
        "lists": surface.listed_records().into_iter().map(|record| json!({
            "name": record,
            "c_name": format!("{}_list", type_name(record)),
            "init": format!("RKCHAT_{}_INIT", screaming(record)),
        })).collect::<Vec<_>>(),
    });
    let template = include_str!("../../templates/cpp/rkchat.hpp.j2");
    let text = render::render(&environment()?, "rkchat.hpp", template, context)?;
    Ok(vec![Output::new("include/rkchat.hpp", text)])
}

fn add<'a>(surface: &'a Surface, record: &'a Struct, order: &mut Vec<&'a Struct>) {
    if order.iter().any(|other| other.name == record.name) {
        return;
    }
    for field in &record.fields {
        if let Some(inner) = fields::inner_record(&field.ty) {
            let inner = surface.records.iter().find(|other| other.name == inner);
            inner
                .into_iter()
                .for_each(|inner| add(surface, inner, order));
        }
    }
    order.push(record);
}

fn structure(item: &Struct, convert: fn(&Field) -> Result<Value>) -> Result<Value> {
    let fields = item
        .fields
        .iter()
        .map(|field| convert(field).with_context(|| format!("{}.{} in C++", item.name, field.name)))
        .collect::<Result<Vec<_>>>()?;
    Ok(json!({
        "name": item.name,
        "c_name": type_name(&item.name),
        "init": format!("RKCHAT_{}_INIT", screaming(&item.name)),
        "doc": item.doc,
        "fields": fields,
    }))
}

fn options(item: &Struct) -> Result<Value> {
    structure(item, |field| {
        Ok(json!({
            "name": field.name,
            "doc": fields::doc(field),
            "type": fields::option_type(field)?,
            "default": fields::default(field)?,
            "lines": fields::write(field)?,
        }))
    })
}

fn records(item: &Struct) -> Result<Value> {
    structure(item, |field| {
        let ty = fields::record_type(&field.ty)?;
        Ok(json!({
            "name": field.name,
            "doc": fields::doc(field),
            "zero": fields::zero(&field.ty),
            "type": ty,
            "line": fields::read(field)?,
        }))
    })
}

fn handle(item: &Handle) -> Result<Value> {
    let methods = item
        .methods
        .iter()
        .filter(|method| method.handwritten.is_none())
        .map(|method| {
            methods::method(item, method)
                .with_context(|| format!("{}.{} in C++", item.name, method.name))
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(json!({
        "name": item.name,
        "c_name": type_name(&item.name),
        "snake": snake(&item.name),
        "doc": item.doc,
        "methods": methods,
    }))
}

//! `core/src/ranges.rs`: the ranges of the options, in Rust.

use anyhow::{Result, bail};
use serde_json::{Number, Value, json};

use crate::model::{Field, Surface, Type};
use crate::output::Output;
use crate::render::{environment, render, surface_check};

pub fn render_ranges(surface: &Surface) -> Result<Vec<Output>> {
    let options = surface
        .options
        .iter()
        .map(|options| {
            let ranged: Vec<Value> = options.fields.iter().filter_map(ranged).collect();
            let fields = options
                .fields
                .iter()
                .map(|field| Ok(json!({ "name": field.name, "default": default(field)? })))
                .collect::<Result<Vec<_>>>()?;
            Ok(json!({ "name": options.name, "ranged": ranged, "fields": fields }))
        })
        .collect::<Result<Vec<_>>>()?;
    let context = json!({ "options": options, "surface_check": surface_check(surface, "crate") });
    let template = include_str!("../templates/core/ranges.rs.j2");
    let text = render(&environment()?, "ranges.rs", template, context)?;
    Ok(vec![Output::new("core/src/ranges.rs", text)])
}

fn ranged(field: &Field) -> Option<Value> {
    let range = field.range.as_ref()?;
    let literal = |number: &Number| match field.ty.bare().is_float() && number.is_i64() {
        true => format!("{number}.0"),
        false => number.to_string(),
    };
    Some(json!({
        "name": field.name,
        "optional": field.ty.is_option(),
        "min": literal(&range.min),
        "max": literal(&range.max),
    }))
}

/// What `Default` must give, as a Rust expression.
fn default(field: &Field) -> Result<String> {
    Ok(match (&field.ty, &field.default) {
        (Type::Option { .. }, _) => "None".into(),
        (Type::String | Type::Path, Some(text)) => format!("{text}.into()"),
        (Type::Enum { name }, Some(Value::String(variant))) => format!("{name}::{variant}"),
        (ty, Some(Value::Number(number))) if ty.is_float() => format!("{number} as _"),
        (_, Some(value)) => value.to_string(),
        (_, None) => bail!("{} has no default", field.name),
    })
}

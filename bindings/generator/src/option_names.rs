//! `core/src/option_names/table.rs`: what options are called here and elsewhere.

use anyhow::Result;
use serde_json::{Value, json};

use crate::model::{Field, Surface};
use crate::names::{camel, screaming};
use crate::output::Output;
use crate::render::{environment, render as render_template, surface_check};

pub fn render(surface: &Surface) -> Result<Vec<Output>> {
    let name = |field: &Field| json!({ "snake": field.name, "camel": camel(&field.name), "aliases": field.aliases });
    let options: Vec<Value> = surface
        .beyond_c()
        .options
        .iter()
        .map(|item| {
            let names: Vec<Value> = item.fields.iter().map(name).collect();
            json!({ "of": item.name, "constant": screaming(&item.name), "names": names })
        })
        .collect();
    let context = json!({ "options": options, "surface_check": surface_check(surface, "crate") });
    let template = include_str!("../templates/core/option_names.rs.j2");
    let text = render_template(&environment()?, "option_names.rs", template, context)?;
    Ok(vec![Output::new("core/src/option_names/table.rs", text)])
}

//! The Node binding: napi classes in Rust, and the TypeScript classes over them.
//!
//! Two rules of its own. A method `m_ids` beside a method `m` that takes text is not a method in
//! JavaScript: `m` takes both. Options of methods that return a generation have a field `signal`.

mod docs;
mod types;
mod views;

use anyhow::Result;

use crate::model::Surface;
use crate::names;
use crate::output::Output;
use crate::render::{environment, render as template};

macro_rules! embedded {
    ($name:literal) => {
        (
            concat!("node/", $name),
            include_str!(concat!("../../templates/node/", $name)),
        )
    };
}

const RUST: [(&str, (&str, &str)); 5] = [
    ("mod.rs", embedded!("mod.rs.j2")),
    ("enums.rs", embedded!("enums.rs.j2")),
    ("options.rs", embedded!("options.rs.j2")),
    ("records.rs", embedded!("records.rs.j2")),
    ("handles.rs", embedded!("handles.rs.j2")),
];
const TYPESCRIPT: [(&str, (&str, &str)); 2] = [
    ("index.ts", embedded!("index.ts.j2")),
    ("types.ts", embedded!("types.ts.j2")),
];
const HANDLE: (&str, &str) = embedded!("handle.ts.j2");

/// `bindings/node/src/generated/*.rs` and `bindings/node/ts/generated/*.ts`.
pub fn render(surface: &Surface) -> Result<Vec<Output>> {
    let environment = environment()?;
    let surface = &surface.beyond_c();
    views::check(surface)?;
    let api = views::Api::of(surface);
    let mut outputs = Vec::new();
    for (folder, files) in [("src", &RUST[..]), ("ts", &TYPESCRIPT[..])] {
        for (file, (name, text)) in files {
            let path = format!("bindings/node/{folder}/generated/{file}");
            outputs.push(Output::new(path, template(&environment, name, text, &api)?));
        }
    }
    let (name, text) = HANDLE;
    for handle in &api.handles {
        let path = format!(
            "bindings/node/ts/generated/{}.ts",
            names::camel(&handle.name)
        );
        outputs.push(Output::new(
            path,
            template(&environment, name, text, handle)?,
        ));
    }
    Ok(outputs)
}

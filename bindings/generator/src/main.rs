//! Reads `core/src/surface` and writes everything that is generated from it.

mod c;
mod cpp;
mod model;
mod names;
mod node;
mod option_names;
mod output;
mod parse;
mod python;
mod ranges;
mod reference;
mod render;
mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use crate::model::Surface;
use crate::output::Output;

const USAGE: &str = "usage: rkchat-generator generate [--check] [--root DIR]

Reads DIR/core/src/surface and writes the bindings' generated files below DIR.
  --check     write nothing; fail when a file differs
  --root DIR  the checkout; without it the one that this program was built from";

/// What renders files from the surface. All write below the root; paths are relative to it.
type Backend = fn(&Surface) -> Result<Vec<Output>>;

const BACKENDS: [Backend; 7] = [
    ranges::render_ranges,
    option_names::render,
    c::render,
    cpp::render,
    python::render,
    node::render,
    reference::render,
];

fn main() -> ExitCode {
    match arguments().and_then(|(root, check)| run(root, check)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("rkchat-generator: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(root: PathBuf, check: bool) -> Result<()> {
    let surface = parse::surface(&root)?;
    let mut outputs = Vec::new();
    for backend in BACKENDS {
        outputs.extend(backend(&surface)?);
    }
    outputs.extend(support::render(&root)?);
    let mut tree = output::Tree::new(root, check);
    tree.place(outputs)?;
    // Last, from the generated Rust and the written Rust together.
    let header = c::header(&surface, &tree)?;
    tree.place(vec![header])?;
    tree.finish()
}

fn arguments() -> Result<(PathBuf, bool)> {
    let mut root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut check = false;
    let mut arguments = std::env::args_os().skip(1);
    if arguments.next().is_none_or(|command| command != "generate") {
        bail!("{USAGE}");
    }
    while let Some(argument) = arguments.next() {
        match (argument.to_str(), arguments.len()) {
            (Some("--check"), _) => check = true,
            (Some("--root"), 1..) => root = arguments.next().map(PathBuf::from).unwrap_or(root),
            _ => bail!("{}: not understood\n{USAGE}", argument.to_string_lossy()),
        }
    }
    Ok((root, check))
}

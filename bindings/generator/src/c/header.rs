//! `include/rkchat.h`: what cbindgen finds in `ffi/src`, after an introduction and the INIT macros.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cbindgen::{Builder, Config, DocumentationStyle, ItemType, Language, SortKey, Style};
use serde_json::json;

use crate::model::{Struct, Surface};
use crate::names::screaming;
use crate::output::{Output, Tree};
use crate::render::{self, BANNER, environment};

use super::{slots, translate};

/// Hand-written files of `ffi/src` that declare something, in the header's order; the generated ones
/// follow them.
const WRITTEN: [&str; 4] = ["version.rs", "error.rs", "arena.rs", "owned.rs"];
const GENERATED: [&str; 4] = ["constants.rs", "options.rs", "records.rs", "handles.rs"];

/// Renders the header from the files below the tree's root, which must have been placed before.
pub fn header(surface: &Surface, tree: &Tree) -> Result<Output> {
    let sources = tree.root().join("ffi/src");
    let written = WRITTEN.iter().map(|name| sources.join(name));
    let generated = GENERATED
        .iter()
        .map(|name| sources.join("generated").join(name));
    let last = std::iter::once(sources.join("generation.rs"));
    let files: Vec<PathBuf> = written.chain(generated).chain(last).collect();

    let mut environment = environment()?;
    environment.add_filter("c_comment", comment);
    let translated = |doc: &str| translate(surface, doc);
    let mut enums = surface.enums.clone();
    for item in &mut enums {
        item.doc = translated(&item.doc);
        item.variants
            .iter_mut()
            .for_each(|variant| variant.doc = translated(&variant.doc));
    }
    let mut errors = surface.errors.clone();
    errors
        .iter_mut()
        .for_each(|error| error.doc = translated(&error.doc));
    let context = json!({ "enums": enums, "errors": errors });

    let mut config = Config {
        language: Language::C,
        header: Some(format!("/* {BANNER} */\n")),
        include_guard: Some("RKCHAT_H".into()),
        cpp_compat: true,
        no_includes: true,
        documentation_style: DocumentationStyle::Doxy,
        style: Style::Both,
        usize_is_size_t: true,
        after_includes: Some(
            render::render(
                &environment,
                "preamble.h",
                include_str!("../../templates/c/preamble.h.j2"),
                context,
            )? + &inits(surface)?,
        ),
        ..Config::default()
    };
    config.line_length = 100;
    config.function.sort_by = Some(SortKey::None);
    config.constant.sort_by = Some(SortKey::None);
    let in_preamble = surface
        .enums
        .iter()
        .map(|item| slots::type_name(&item.name));
    config.export.exclude = in_preamble.chain(["rkchat_status".to_owned()]).collect();
    config.export.item_types = vec![
        ItemType::Constants,
        ItemType::Structs,
        ItemType::OpaqueItems,
        ItemType::Functions,
        ItemType::Typedefs,
    ];
    let builder = files.iter().fold(
        Builder::new().with_config(config),
        |builder, file: &PathBuf| builder.with_src(file),
    );
    let bindings = builder
        .generate()
        .map_err(|error| anyhow::anyhow!("{error}"))
        .context("cbindgen over ffi/src")?;
    let mut text = Vec::new();
    bindings.write(&mut text);
    Ok(Output::new(
        Path::new("include").join("rkchat.h").to_string_lossy(),
        String::from_utf8(text)?,
    ))
}

/// A comment above a declaration, on one line where it fits.
fn comment(text: &str) -> String {
    match text.contains('\n') {
        true => format!("/**\n{}\n */", render::comment(text, " * ")),
        false => format!("/** {text} */"),
    }
}

/// One `RKCHAT_X_INIT` for each struct.
fn inits(surface: &Surface) -> Result<String> {
    // Macros may stand before the structs that they name.
    let mut text = String::from("\n/* Structs with everything unset. */\n");
    for structure in surface.options.iter().chain(&surface.records) {
        text.push_str(&init(structure)?);
    }
    Ok(text)
}

fn init(structure: &Struct) -> Result<String> {
    let mut values = vec![
        format!("(uint32_t)sizeof({})", slots::type_name(&structure.name)),
        "0".into(),
    ];
    for field in &structure.fields {
        values.extend(
            slots::of(field)?
                .into_iter()
                .map(|slot| slot.init.to_owned()),
        );
    }
    let mut text = format!(
        "#define RKCHAT_{}_INIT \\\n    {{",
        screaming(&structure.name)
    );
    let mut width = 5;
    for (index, value) in values.iter().enumerate() {
        let piece = format!(
            "{value}{}",
            if index + 1 == values.len() { "}" } else { "," }
        );
        if width + piece.len() > 94 {
            text.push_str(" \\\n    ");
            width = 4;
        } else if index > 0 {
            text.push(' ');
            width += 1;
        }
        width += piece.len();
        text.push_str(&piece);
    }
    text.push('\n');
    Ok(text)
}

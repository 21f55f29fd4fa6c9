//! The README's support table, from the list in `core/src/vendor/capabilities.rs`.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use syn::parse::{Parse, ParseStream};
use syn::{Ident, LitStr, Token};

use crate::output::Output;

const SOURCE: &str = "core/src/vendor/capabilities.rs";
const README: &str = "README.md";
const BEGIN: &str = "<!-- support table, written by `make surface` -->\n";
const END: &str = "<!-- end of the support table -->";

/// One line of the list: `NAME: "id" "since" to "until", "what", "source";`.
struct Line {
    id: LitStr,
    since: LitStr,
    until: Option<LitStr>,
    can: LitStr,
    source: LitStr,
}

impl Parse for Line {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        input.parse::<Ident>()?;
        input.parse::<Token![:]>()?;
        let (id, since) = (input.parse()?, input.parse()?);
        let mut until = None;
        if input.peek(syn::Ident) {
            input.parse::<Ident>()?;
            until = Some(input.parse()?);
        }
        input.parse::<Token![,]>()?;
        let can = input.parse()?;
        input.parse::<Token![,]>()?;
        let source = input.parse()?;
        input.parse::<Token![;]>()?;
        Ok(Self {
            id,
            since,
            until,
            can,
            source,
        })
    }
}

struct Lines(Vec<Line>);

impl Parse for Lines {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut lines = Vec::new();
        while !input.is_empty() {
            lines.push(input.parse()?);
        }
        Ok(Self(lines))
    }
}

/// The README with its table; nothing where a checkout has none of the two files.
pub fn render(root: &Path) -> Result<Vec<Output>> {
    let (Ok(source), Ok(readme)) = (
        fs::read_to_string(root.join(SOURCE)),
        fs::read_to_string(root.join(README)),
    ) else {
        return Ok(Vec::new());
    };
    let lines = list(&source).with_context(|| format!("reading {SOURCE}"))?;
    let (before, rest) = readme
        .split_once(BEGIN)
        .with_context(|| format!("{README} has no line {BEGIN}"))?;
    let (_, after) = rest
        .split_once(END)
        .with_context(|| format!("{README} has no line {END}"))?;
    let text = format!("{before}{BEGIN}{}{END}{after}", table(&lines)?);
    Ok(vec![Output::new(README, text)])
}

fn list(source: &str) -> Result<Vec<Line>> {
    let file = syn::parse_file(source)?;
    let list = file.items.iter().find_map(|item| match item {
        syn::Item::Macro(item) if item.mac.path.is_ident("capabilities") => Some(&item.mac),
        _ => None,
    });
    let list = list.context("there is no list `capabilities!`")?;
    Ok(list.parse_body::<Lines>()?.0)
}

fn table(lines: &[Line]) -> Result<String> {
    let mut text =
        String::from("| a runtime can | name | releases | source |\n|---|---|---|---|\n");
    for line in lines {
        let releases = match &line.until {
            Some(until) => format!("{} to {}", line.since.value(), until.value()),
            None => format!("{} and later", line.since.value()),
        };
        let (can, id, source) = (line.can.value(), line.id.value(), line.source.value());
        writeln!(text, "| {can} | `{id}` | {releases} | {source} |")?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_rows() {
        let lines = list(
            r#"capabilities! { A: "a" "1.0.1" to "1.0.2", "do a", "H"; B: "b" "1.2.0", "do b", "M"; }"#,
        )
        .unwrap();
        let table = table(&lines).unwrap();
        assert!(table.ends_with(
            "| do a | `a` | 1.0.1 to 1.0.2 | H |\n| do b | `b` | 1.2.0 and later | M |\n"
        ));
        assert!(list("fn main() {}").is_err());
        assert!(list("capabilities! { A: 1; }").is_err());
    }
}

//! Docstrings: the surface's docs in Python's words, filled to the width of a line.

use crate::model::{Field, Surface, Type};
use crate::names::snake;

/// Leaves room for the indentation, which the templates add.
const WIDTH: usize = 88;

/// Names that read differently in Python.
pub struct Docs {
    renamed: Vec<(String, String)>,
}

impl Docs {
    /// There are no options structs in Python: `ModelOptions` is what `Model.open` takes.
    pub fn new(surface: &Surface) -> Self {
        let takes = |options: &str| {
            surface.handles.iter().find_map(|handle| {
                let method = handle.methods.iter().find(|method| {
                    method
                        .params
                        .iter()
                        .any(|param| matches!(&param.ty, Type::Options { name } if name == options))
                })?;
                Some(format!("{}.{}", handle.name, method.name))
            })
        };
        let mut renamed = Vec::new();
        for options in &surface.options {
            let Some(method) = takes(&options.name) else {
                continue;
            };
            for field in &options.fields {
                let old = format!("`{}.{}`", options.name, field.name);
                renamed.push((old, format!("`{}` of `{method}`", field.name)));
            }
            renamed.push((format!("`{}`", options.name), format!("`{method}`")));
        }
        for kind in &surface.errors {
            let class = super::exception(&kind.name, surface);
            if class != kind.name {
                renamed.push((format!("a `{}` error", kind.name), format!("`{class}`")));
            }
        }
        Self { renamed }
    }

    /// A text.
    pub fn text(&self, doc: &str) -> String {
        let mut doc = doc.to_owned();
        for (old, new) in &self.renamed {
            doc = doc.replace(old, new);
        }
        let paragraphs: Vec<_> = doc
            .split("\n\n")
            .map(|paragraph| fill(paragraph, 0, 0))
            .collect();
        paragraphs.join("\n\n")
    }

    /// The docs of a field, its unit behind them.
    pub fn field(&self, field: &Field) -> String {
        let mut doc = field.doc.clone();
        if let Some(unit) = &field.unit {
            doc.push_str(&format!(" In {unit}."));
        }
        if let Some(range) = &field.range {
            doc.push_str(&format!(" From {} to {}.", range.min, range.max));
        }
        if field.ty.bare() == &Type::Duration {
            doc.push_str(" In seconds.");
        }
        self.text(&doc)
    }

    /// The docs of a function, its keyword arguments listed below.
    pub fn function(&self, doc: &str, fields: &[Field]) -> String {
        let mut text = self.text(doc);
        if fields.is_empty() {
            return text;
        }
        text.push_str("\n\nArgs:\n");
        for field in fields {
            let item = format!("{}: {}", snake(&field.name), self.field(field));
            text.push_str(&fill(&item, 4, 8));
            text.push('\n');
        }
        text
    }
}

/// For a sentence that goes on in the middle of another.
pub fn lower_first(text: &str) -> String {
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}

/// Breaks a paragraph into lines.
fn fill(text: &str, first: usize, rest: usize) -> String {
    let mut lines = vec![" ".repeat(first)];
    for word in text.split_whitespace() {
        let full = lines.last().is_some_and(|line| {
            line.trim_start() != "" && line.chars().count() + 1 + word.chars().count() > WIDTH
        });
        if full {
            lines.push(" ".repeat(rest));
        }
        if let Some(line) = lines.last_mut() {
            if line.trim_start() != "" {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_filled_and_indented() {
        let text = "word ".repeat(30);
        let filled = fill(&text, 2, 4);
        let lines: Vec<_> = filled.lines().collect();
        assert!(
            lines.len() == 2 && lines[0].starts_with("  word") && lines[1].starts_with("    word")
        );
        assert!(lines.iter().all(|line| line.len() <= WIDTH));
        assert_eq!(filled.split_whitespace().count(), 30);
    }
}

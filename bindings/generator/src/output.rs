//! Files that come out: written, or compared with what is there.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

/// A generated file. Rust goes through rustfmt before it is placed.
pub struct Output {
    /// Relative to the root of the checkout.
    pub path: String,
    pub text: String,
}

impl Output {
    pub fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            text: text.into(),
        }
    }
}

/// The checkout that is written to, or with `check` only compared with.
pub struct Tree {
    root: PathBuf,
    check: bool,
    stale: Vec<String>,
}

impl Tree {
    pub fn new(root: PathBuf, check: bool) -> Self {
        Self {
            root,
            check,
            stale: Vec::new(),
        }
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn place(&mut self, outputs: Vec<Output>) -> Result<()> {
        for Output { path, mut text } in outputs {
            if path.ends_with(".rs") {
                text = rustfmt(&text).with_context(|| format!("formatting {path}"))?;
            }
            let target = self.root.join(&path);
            let same = match fs::read(&target) {
                Ok(old) => old == text.as_bytes(),
                Err(error) if error.kind() == ErrorKind::NotFound => false,
                Err(error) => return Err(error).with_context(|| format!("reading {path}")),
            };
            if same {
                continue;
            }
            if !self.check {
                let folder = target.parent().unwrap_or(&self.root);
                fs::create_dir_all(folder)
                    .and_then(|()| fs::write(&target, &text))
                    .with_context(|| format!("writing {path}"))?;
                println!("wrote {path}");
            }
            self.stale.push(path);
        }
        Ok(())
    }

    pub fn finish(self) -> Result<()> {
        if self.check && !self.stale.is_empty() {
            bail!(
                "not what core/src/surface gives, run `make surface`: {}",
                self.stale.join(" ")
            );
        }
        Ok(())
    }
}

fn rustfmt(text: &str) -> Result<String> {
    let mut child = Command::new("rustfmt")
        .args(["--edition", "2024"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("starting rustfmt (a component of the Rust toolchain)")?;
    // rustfmt reads everything before it writes, so this cannot block.
    child
        .stdin
        .take()
        .context("rustfmt's stdin")?
        .write_all(text.as_bytes())?;
    let output = child.wait_with_output()?;
    if !output.status.success() {
        bail!("rustfmt refused it:\n{text}");
    }
    Ok(String::from_utf8(output.stdout)?)
}

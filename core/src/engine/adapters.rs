//! LoRA adapters.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::control::Deadlines;
use super::model::Model;
use crate::model::files::failed;
use crate::surface::*;
use crate::vendor::capabilities;

impl Model {
    pub fn load_adapter(&self, path: &Path, options: &AdapterOptions) -> Result<()> {
        options.check()?;
        let instead = "Use a model that the adapter was merged into.";
        self.require(capabilities::LORA, instead)?;
        let adapter = AdapterInfo {
            name: name(path, options)?,
            path: self.adapter_file(path)?,
            scale: options.scale,
        };
        let loaded = self.loaded.clone();
        self.errand(Deadlines::default(), move |desk| {
            // Here, where no other request is under way.
            if loaded.adapter(Some(&adapter.name)).is_ok() {
                return Err(Error::invalid_argument(format!(
                    "an adapter of the name {:?} is loaded already; give this one another with the option name",
                    adapter.name
                )));
            }
            desk.with(|session| {
                match session.load_adapter(&adapter.name, &adapter.path, adapter.scale) {
                    0 => Ok(()),
                    status => Err(refused(&adapter, status, session.last_error())),
                }
            })?;
            loaded.add_adapter(adapter);
            Ok(())
        })
    }

    pub fn adapters(&self) -> Vec<AdapterInfo> {
        self.loaded.adapters()
    }

    /// The adapter's file, which has to be of the kind that the runtime reads.
    fn adapter_file(&self, path: &Path) -> Result<PathBuf> {
        if !path.is_file() {
            let message = format!(
                "{}: there is no such file; an adapter is one",
                path.display()
            );
            return Err(Error::new(ErrorKind::NotFound, message));
        }
        let mut magic = Vec::new();
        let read = File::open(path).and_then(|file| file.take(4).read_to_end(&mut magic));
        read.map_err(|error| failed(path, &error))?;
        let is_gguf = magic == *b"GGUF";
        if is_gguf != self.capabilities.own {
            let (is, needs) = match is_gguf {
                true => (
                    "a GGUF file, which only rkchat's CPU runtime takes",
                    "convert the adapter with RKLLM-Toolkit (model_lora)",
                ),
                false => (
                    "not a GGUF file, which is what rkchat's CPU runtime takes",
                    "convert the adapter with llama.cpp (convert_lora_to_gguf.py)",
                ),
            };
            return Err(Error::new(
                ErrorKind::RuntimeMismatch,
                format!("the adapter {} is {is}; {needs}", path.display()),
            ));
        }
        std::path::absolute(path).map_err(|error| failed(path, &error))
    }
}

fn name(path: &Path, options: &AdapterOptions) -> Result<String> {
    let name = match &options.name {
        Some(name) => name.clone(),
        None => path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default(),
    };
    match name.is_empty() || name.contains('\0') {
        true => Err(Error::invalid_argument(
            "`name`: an adapter's name is neither empty nor has a NUL character",
        )),
        false => Ok(name),
    }
}

/// The runtime did not take an adapter.
pub(super) fn refused(adapter: &AdapterInfo, status: i32, said: Option<String>) -> Error {
    let said =
        said.unwrap_or_else(|| "it gave no reason; its log on stderr may have one".to_owned());
    Error::new(
        ErrorKind::RuntimeFailed,
        format!(
            "the runtime did not load the adapter {} (rkllm_load_lora returned {status}): {said}",
            adapter.path.display()
        ),
    )
    .with("vendor_status", status)
}

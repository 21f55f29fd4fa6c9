//! LoRA adapters from GGUF files.

use crate::context::raw_model;
use crate::{hash, logs};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_sys_2 as sys;
use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::NonNull;
use std::sync::Arc;

/// A loaded adapter.
pub struct Adapter {
    pub name: String,
    pub raw: NonNull<sys::llama_adapter_lora>,
    pub scale: f32,
    /// Tells what was computed with this adapter at this scale.
    pub mark: u64,
    /// Freed after the adapter, which is part of it.
    _model: Arc<LlamaModel>,
}

// SAFETY: an adapter is only read after it is loaded.
unsafe impl Send for Adapter {}

impl Adapter {
    /// Loads an adapter for a model.
    pub fn load(
        model: Arc<LlamaModel>,
        name: &str,
        path: &Path,
        scale: f32,
    ) -> Result<Self, String> {
        let shown = path.display();
        logs::clear();
        let c_path =
            CString::new(path.as_os_str().as_bytes()).map_err(|error| error.to_string())?;
        check(&c_path).map_err(|reason| format!("{shown} is not a LoRA adapter: {reason}"))?;
        // SAFETY: the model is loaded, and stays so as long as this adapter holds the `Arc`.
        let raw = unsafe { sys::llama_adapter_lora_init(raw_model(&model), c_path.as_ptr()) };
        let raw = NonNull::new(raw)
            .ok_or_else(|| format!("cannot load the adapter {shown}: {}", logs::reason()))?;
        let file = hash::of_file(path);
        let mut adapter = Adapter {
            name: name.to_owned(),
            raw,
            scale,
            mark: 0,
            _model: model,
        };
        let file = file.map_err(|error| format!("cannot read the adapter {shown}: {error}"))?;
        adapter.mark = hash::extend(file, scale.to_le_bytes());
        Ok(adapter)
    }
}

impl Drop for Adapter {
    fn drop(&mut self) {
        // SAFETY: made by `load` and freed once; the state takes it out of the context before.
        unsafe { sys::llama_adapter_lora_free(self.raw.as_ptr()) }
    }
}

/// Refuses what llama.cpp would end the process for: values of another type than it reads, and
/// tensors that it cannot multiply with.
fn check(path: &CStr) -> Result<(), String> {
    let params = sys::gguf_init_params {
        no_alloc: true,
        ctx: std::ptr::null_mut(),
    };
    // SAFETY: the path is NUL-terminated.
    let file = unsafe { sys::gguf_init_from_file(path.as_ptr(), params) };
    let file = Gguf(NonNull::new(file).ok_or_else(logs::reason)?);
    for (key, kind) in [
        (c"general.type", sys::GGUF_TYPE_STRING),
        (c"general.architecture", sys::GGUF_TYPE_STRING),
        (c"adapter.type", sys::GGUF_TYPE_STRING),
        (c"adapter.lora.alpha", sys::GGUF_TYPE_FLOAT32),
    ] {
        match file.kind(key) {
            Some(found) if found == kind => {}
            Some(_) => return Err(format!("{key:?} has another type than it should")),
            None => return Err(format!("it has no {key:?}")),
        }
    }
    let n_tensors = file.n_tensors();
    if n_tensors == 0 {
        return Err("it has no tensor".into());
    }
    match (0..n_tensors).find(|tensor| !file.is_number(*tensor)) {
        None => Ok(()),
        Some(tensor) => Err(format!(
            "its tensor number {tensor} does not hold real numbers"
        )),
    }
}

/// An open GGUF file.
struct Gguf(NonNull<sys::gguf_context>);

impl Gguf {
    fn kind(&self, key: &CStr) -> Option<sys::gguf_type> {
        // SAFETY: the file is open, and the id is one that it gave.
        unsafe {
            let id = sys::gguf_find_key(self.0.as_ptr(), key.as_ptr());
            (id >= 0).then(|| sys::gguf_get_kv_type(self.0.as_ptr(), id))
        }
    }

    fn n_tensors(&self) -> i64 {
        // SAFETY: the file is open.
        unsafe { sys::gguf_get_n_tensors(self.0.as_ptr()) }
    }

    /// Whether a tensor, one of `n_tensors`, can be multiplied with.
    fn is_number(&self, tensor: i64) -> bool {
        // SAFETY: the file is open, the tensor is one of its own.
        unsafe {
            let kind = sys::gguf_get_tensor_type(self.0.as_ptr(), tensor);
            let floats = [sys::GGML_TYPE_F32, sys::GGML_TYPE_F16, sys::GGML_TYPE_BF16];
            floats.contains(&kind) || sys::ggml_is_quantized(kind)
        }
    }
}

impl Drop for Gguf {
    fn drop(&mut self) {
        // SAFETY: opened by `check` and freed once.
        unsafe { sys::gguf_free(self.0.as_ptr()) }
    }
}

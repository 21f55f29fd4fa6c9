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

/// The types of weights that llama.cpp multiplies with on every CPU; it has others for its own use.
const REAL: [sys::ggml_type; 13] = [
    sys::GGML_TYPE_F32,
    sys::GGML_TYPE_F16,
    sys::GGML_TYPE_BF16,
    sys::GGML_TYPE_Q4_0,
    sys::GGML_TYPE_Q4_1,
    sys::GGML_TYPE_Q5_0,
    sys::GGML_TYPE_Q5_1,
    sys::GGML_TYPE_Q8_0,
    sys::GGML_TYPE_Q2_K,
    sys::GGML_TYPE_Q3_K,
    sys::GGML_TYPE_Q4_K,
    sys::GGML_TYPE_Q5_K,
    sys::GGML_TYPE_Q6_K,
];

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
    /// Loads an adapter for a model, whose file is looked at too.
    pub fn load(
        model: Arc<LlamaModel>,
        model_path: &Path,
        name: &str,
        path: &Path,
        scale: f32,
    ) -> Result<Self, String> {
        let shown = path.display();
        let checked =
            Gguf::open(path).and_then(|adapter| check(&adapter, &Gguf::open(model_path)?));
        checked.map_err(|reason| format!("{shown} is not a LoRA adapter: {reason}"))?;
        let c_path = c_path(path)?;
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
fn check(adapter: &Gguf, model: &Gguf) -> Result<(), String> {
    for (key, kind, needed) in [
        (c"general.type", sys::GGUF_TYPE_STRING, true),
        (c"general.architecture", sys::GGUF_TYPE_STRING, true),
        (c"adapter.type", sys::GGUF_TYPE_STRING, true),
        (c"adapter.lora.alpha", sys::GGUF_TYPE_FLOAT32, false),
    ] {
        match adapter.kind(key) {
            Some(found) if found == kind => {}
            Some(_) => return Err(format!("its {key:?} is not of the type that it should be")),
            None if needed => return Err(format!("it has no {key:?}")),
            None => {}
        }
    }
    let tensors = adapter.tensors();
    if tensors.is_empty() {
        return Err("it has no tensor".into());
    }
    let own = model.tensors();
    for tensor in &tensors {
        let name = &tensor.name;
        if !tensor.real || tensor.dims.contains(&0) {
            return Err(format!("its tensor {name:?} does not hold weights"));
        }
        let base = [".lora_a", ".lora_b"]
            .iter()
            .find_map(|end| name.strip_suffix(end));
        let Some(base) = base else {
            // llama.cpp says what it thinks of it.
            continue;
        };
        let Some(of) = own.iter().find(|own| own.name == base) else {
            return Err(format!("its tensor {name:?} changes none of the model's"));
        };
        // llama.cpp checks the first two dimensions; the others are the experts of a mixture.
        if tensor.dims[2..] != of.dims[2..] {
            return Err(format!(
                "its tensor {name:?} has another shape than the model's"
            ));
        }
    }
    check_embeddings(&tensors, &own)
}

/// Changes of the token embeddings lie the other way round, which llama.cpp knows where it looks up rows,
/// but neither when it checks their ranks nor where a model without an output of its own computes with
/// the same tensor.
fn check_embeddings(tensors: &[Tensor], own: &[Tensor]) -> Result<(), String> {
    const EMBEDDINGS: &str = "token_embd.weight";
    let rank = |end: &str| {
        let tensor = tensors
            .iter()
            .find(|tensor| tensor.name.strip_prefix(EMBEDDINGS) == Some(end));
        tensor.map(|tensor| tensor.dims[0])
    };
    let (a, b) = (rank(".lora_a"), rank(".lora_b"));
    if a.is_none() && b.is_none() {
        return Ok(());
    }
    if !own.iter().any(|own| own.name == "output.weight") {
        return Err(format!(
            "it changes {EMBEDDINGS}, which this model also computes its output with; llama.cpp cannot do that"
        ));
    }
    match a == b {
        true => Ok(()),
        false => Err(format!(
            "its two tensors for {EMBEDDINGS} do not fit together"
        )),
    }
}

/// An open GGUF file.
struct Gguf(NonNull<sys::gguf_context>);

/// A tensor of a file.
struct Tensor {
    name: String,
    /// Can be multiplied with.
    real: bool,
    /// 1 for those that it does not have.
    dims: [i64; 4],
}

impl Gguf {
    fn open(path: &Path) -> Result<Self, String> {
        let path = c_path(path)?;
        let params = sys::gguf_init_params {
            no_alloc: true,
            ctx: std::ptr::null_mut(),
        };
        // SAFETY: the path is NUL-terminated.
        let file = unsafe { sys::gguf_init_from_file(path.as_ptr(), params) };
        NonNull::new(file).map(Gguf).ok_or_else(logs::reason)
    }

    fn kind(&self, key: &CStr) -> Option<sys::gguf_type> {
        // SAFETY: the file is open, and the id is one that it gave.
        unsafe {
            let id = sys::gguf_find_key(self.0.as_ptr(), key.as_ptr());
            (id >= 0).then(|| sys::gguf_get_kv_type(self.0.as_ptr(), id))
        }
    }

    fn tensors(&self) -> Vec<Tensor> {
        let file = self.0.as_ptr();
        // SAFETY: the file is open.
        let n_tensors = unsafe { sys::gguf_get_n_tensors(file) };
        // SAFETY: the file is open and each tensor one of its own; a name is NUL-terminated, and
        // there are always four dimensions.
        let tensor = |id| unsafe {
            let name = CStr::from_ptr(sys::gguf_get_tensor_name(file, id));
            let kind = sys::gguf_get_tensor_type(file, id);
            Tensor {
                name: name.to_string_lossy().into_owned(),
                real: REAL.contains(&kind),
                dims: sys::gguf_get_tensor_ne(file, id).cast::<[i64; 4]>().read(),
            }
        };
        (0..n_tensors).map(tensor).collect()
    }
}

impl Drop for Gguf {
    fn drop(&mut self) {
        // SAFETY: opened by `open` and freed once.
        unsafe { sys::gguf_free(self.0.as_ptr()) }
    }
}

fn c_path(path: &Path) -> Result<CString, String> {
    CString::new(path.as_os_str().as_bytes())
        .map_err(|_| format!("there is a NUL in the path {}", path.display()))
}

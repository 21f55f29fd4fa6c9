//! Where the built libraries and the model are, and one open model of group 1.3.0.

use libloading::os::unix::Library;
use rkchat_runtime_front::abi::extension::{Counts, Extension, ExtensionFn};
use rkchat_runtime_front::abi::v1_3_0::*;
use std::ffi::{CStr, CString, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A question in the model's own template.
pub const CHAT: &str =
    "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";

/// One test computes at a time: more threads than cores would only make all of them slow.
pub fn one_at_a_time() -> MutexGuard<'static, ()> {
    static LOCK: Mutex<()> = Mutex::new(());
    LOCK.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The folder that `runtime/install.sh` filled, and the model; `None`, loudly, without them.
pub fn installed() -> Option<(PathBuf, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let runtime = std::env::var_os("RKCHAT_TEST_RUNTIME")
        .map_or_else(|| root.join("target/release/runtime"), PathBuf::from);
    let model = std::env::var_os("RKCHAT_TEST_MODEL").map_or_else(
        || root.join(".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"),
        PathBuf::from,
    );
    for path in [&runtime.join("1.3.0/librkllmrt.so"), &model] {
        if !path.exists() {
            eprintln!(
                "SKIPPED: {} is missing (make test provides it)",
                path.display()
            );
            return None;
        }
    }
    Some((runtime, model))
}

pub fn library(path: &Path) -> &'static Library {
    // SAFETY: one of our libraries; it has no initialisers of its own.
    Box::leak(Box::new(unsafe { Library::new(path) }.unwrap()))
}

pub fn find(library: &Library, symbol: &CStr) -> Result<*mut c_void, libloading::Error> {
    // SAFETY: only the address is taken.
    unsafe {
        library
            .get::<*mut c_void>(symbol.to_bytes_with_nul())
            .map(|symbol| symbol.into_raw())
    }
}

pub fn extension(library: &Library) -> &'static Extension {
    let address = find(library, rkchat_runtime_front::abi::extension::SYMBOL).unwrap();
    // SAFETY: the symbol has this type and returns a static table.
    unsafe { &*std::mem::transmute::<*mut c_void, ExtensionFn>(address)() }
}

pub fn functions(library: &Library) -> Functions {
    // SAFETY: the library belongs to group 1.3.0 and is never unloaded.
    unsafe { Functions::load(|symbol| find(library, symbol)) }.unwrap()
}

/// What a run brought.
#[derive(Default, Debug)]
pub struct Heard {
    pub text: String,
    pub ids: Vec<i32>,
    pub waiting: usize,
    pub finished: usize,
    pub errors: usize,
    /// Called with the number of tokens so far.
    pub on_token: Option<fn(usize, LLMHandle)>,
    pub handle: usize,
    pub generated: c_int,
    /// Pauses the run after this many tokens.
    pub pause_at: Option<usize>,
    /// The logits of each call that brought some.
    pub logits: Vec<Table>,
    /// The hidden states of each call that brought some.
    pub hidden_states: Vec<Table>,
}

/// Rows of numbers, copied out of a callback.
#[derive(Default, Debug)]
pub struct Table {
    pub values: Vec<f32>,
    pub columns: usize,
}

impl Table {
    /// # Safety
    /// `values` has `columns * rows` numbers.
    unsafe fn copy(values: *const f32, columns: c_int, rows: c_int) -> Table {
        let len = usize::try_from(columns * rows).unwrap();
        Table {
            // SAFETY: the caller vouches for it.
            values: unsafe { std::slice::from_raw_parts(values, len) }.to_vec(),
            columns: columns as usize,
        }
    }

    pub fn rows(&self) -> usize {
        self.values.len() / self.columns
    }

    pub fn last(&self) -> &[f32] {
        &self.values[self.values.len() - self.columns..]
    }
}

/// Where the largest number is.
pub fn argmax(values: &[f32]) -> i32 {
    let best = (0..values.len()).max_by(|a, b| values[*a].total_cmp(&values[*b]));
    best.unwrap() as i32
}

unsafe extern "C" fn on_result(result: *mut RKLLMResult, data: *mut c_void, state: u32) -> c_int {
    // SAFETY: the runtime passes a valid result, and every run of these tests a `Heard`.
    let (result, heard) = unsafe { (&*result, &mut *data.cast::<Heard>()) };
    match state {
        RKLLM_RUN_NORMAL if !result.last_hidden_layer.hidden_states.is_null() => {
            let states = &result.last_hidden_layer;
            // SAFETY: as the struct says.
            let states =
                unsafe { Table::copy(states.hidden_states, states.embd_size, states.num_tokens) };
            heard.hidden_states.push(states);
        }
        RKLLM_RUN_NORMAL | RKLLM_RUN_WAITING => {
            let logits = &result.logits;
            if !logits.logits.is_null() {
                // SAFETY: as the struct says.
                let logits =
                    unsafe { Table::copy(logits.logits, logits.vocab_size, logits.num_tokens) };
                heard.logits.push(logits);
            }
            heard.ids.push(result.token_id);
            heard.waiting += usize::from(state == RKLLM_RUN_WAITING);
            // SAFETY: text is set in these states.
            heard
                .text
                .push_str(unsafe { CStr::from_ptr(result.text) }.to_str().unwrap());
            if let Some(on_token) = heard.on_token {
                on_token(heard.ids.len(), heard.handle as LLMHandle);
            }
            return (heard.pause_at == Some(heard.ids.len())).into();
        }
        RKLLM_RUN_FINISH => {
            assert!(result.text.is_null());
            heard.generated = result.perf.generate_tokens;
            heard.finished += 1;
        }
        _ => heard.errors += 1,
    }
    0
}

/// An open model of group 1.3.0, greedy.
pub struct Model {
    pub functions: Functions,
    pub extension: &'static Extension,
    pub handle: LLMHandle,
}

// SAFETY: the library's functions may be called from any thread.
unsafe impl Send for Model {}
// SAFETY: as above.
unsafe impl Sync for Model {}

impl Model {
    /// Opens a model, or returns the runtime's last error line.
    pub fn open(
        runtime: &Path,
        path: &Path,
        change: impl Fn(&mut RKLLMParam),
    ) -> Result<Model, String> {
        let library = library(&runtime.join("1.3.0/librkllmrt.so"));
        let (functions, extension) = (functions(library), extension(library));
        let path = CString::new(path.to_str().unwrap()).unwrap();
        let mut handle = null_mut();
        // SAFETY: valid pointers for the duration of the calls.
        let status = unsafe {
            let mut param = (functions.rkllm_createDefaultParam)();
            param.model_path = path.as_ptr();
            param.max_context_len = 1024;
            param.top_k = 1;
            param.repeat_penalty = 1.0;
            param.skip_special_token = 1;
            change(&mut param);
            let mut callback = RKLLMCallback::zeroed();
            callback.result_callback = Some(on_result);
            (functions.rkllm_init)(&mut handle, &mut param, &mut callback)
        };
        match status {
            0 => Ok(Model {
                functions,
                extension,
                handle,
            }),
            _ => {
                assert!(handle.is_null());
                Err(last_error(extension))
            }
        }
    }

    pub fn text(&self, text: &str, infer: RKLLMInferParam, heard: &mut Heard) -> c_int {
        let text = CString::new(text).unwrap();
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = text.as_ptr();
        self.run(input, infer, heard)
    }

    pub fn tokens(&self, ids: &mut [i32], infer: RKLLMInferParam, heard: &mut Heard) -> c_int {
        let mut input = RKLLMInput::zeroed();
        input.input_type = RKLLM_INPUT_TOKEN;
        input.input.token_input = RKLLMTokenInput {
            input_ids: ids.as_mut_ptr(),
            n_tokens: ids.len(),
        };
        self.run(input, infer, heard)
    }

    pub fn embeddings(
        &self,
        values: &mut [f32],
        n_tokens: usize,
        infer: RKLLMInferParam,
        heard: &mut Heard,
    ) -> c_int {
        let mut input = RKLLMInput::zeroed();
        input.input_type = RKLLM_INPUT_EMBED;
        input.input.embed_input = RKLLMEmbedInput {
            embed: values.as_mut_ptr(),
            n_tokens,
        };
        self.run(input, infer, heard)
    }

    pub fn run(
        &self,
        mut input: RKLLMInput,
        mut infer: RKLLMInferParam,
        heard: &mut Heard,
    ) -> c_int {
        heard.handle = self.handle as usize;
        // SAFETY: valid pointers for the duration of the call.
        unsafe {
            (self.functions.rkllm_run)(
                self.handle,
                &mut input,
                &mut infer,
                (&raw mut *heard).cast(),
            )
        }
    }

    pub fn tokenize(&self, text: &str) -> Vec<i32> {
        let mut ids = vec![0; text.len()];
        // SAFETY: valid arrays with their lengths.
        let n = unsafe {
            let (text, len) = (text.as_ptr(), text.len());
            (self.extension.tokenize)(self.handle, text, len, 0, 1, ids.as_mut_ptr(), ids.len())
        };
        ids.truncate(n.try_into().unwrap());
        ids
    }

    /// Loads an adapter; the error line if that fails.
    pub fn load_lora(&self, name: &CStr, path: &Path, scale: f32) -> Result<(), String> {
        let path = CString::new(path.to_str().unwrap()).unwrap();
        let mut adapter = RKLLMLoraAdapter::zeroed();
        adapter.lora_adapter_path = path.as_ptr();
        adapter.lora_adapter_name = name.as_ptr();
        adapter.scale = scale;
        // SAFETY: the handle is open, the adapter's strings are valid during the call.
        self.done(unsafe { (self.functions.rkllm_load_lora)(self.handle, &mut adapter) })
    }

    /// Loads a prompt cache; the error line if that fails.
    pub fn load_prompt_cache(&self, path: &Path) -> Result<(), String> {
        let path = CString::new(path.to_str().unwrap()).unwrap();
        // SAFETY: the handle is open, the string is valid during the call.
        self.done(unsafe { (self.functions.rkllm_load_prompt_cache)(self.handle, path.as_ptr()) })
    }

    /// Sets the template; text is then put between these.
    pub fn set_template(&self, [system, prefix, postfix]: [&CStr; 3]) {
        let [system, prefix, postfix] = [system, prefix, postfix].map(CStr::as_ptr);
        // SAFETY: the handle is open, the strings are valid during the call.
        let status = unsafe {
            (self.functions.rkllm_set_chat_template)(self.handle, system, prefix, postfix)
        };
        assert_eq!(status, 0);
    }

    /// Clears all of the cache, or a range of it.
    pub fn clear(&self, range: Option<(c_int, c_int)>) -> Result<(), String> {
        let (mut start, mut end) = range.unwrap_or_default();
        let pointer = |place: &mut c_int| match range {
            Some(_) => &raw mut *place,
            None => null_mut(),
        };
        let (start, end) = (pointer(&mut start), pointer(&mut end));
        // SAFETY: the handle is open, the pointers are NULL or valid during the call.
        self.done(unsafe { (self.functions.rkllm_clear_kv_cache)(self.handle, 0, start, end) })
    }

    pub fn done(&self, status: c_int) -> Result<(), String> {
        match status {
            0 => Ok(()),
            _ => Err(last_error(self.extension)),
        }
    }

    pub fn counts(&self) -> Counts {
        let mut counts = Counts {
            struct_size: size_of::<Counts>() as u32,
            ..Counts::default()
        };
        // SAFETY: the handle is open and the struct as large as it says.
        let status = unsafe { (self.extension.counts)(self.handle, &mut counts) };
        assert_eq!(status, 0);
        counts
    }

    pub fn cached(&self) -> c_int {
        let mut size = -1;
        // SAFETY: the handle is open and one number is writable.
        let status = unsafe { (self.functions.rkllm_get_kv_cache_size)(self.handle, &mut size) };
        assert_eq!(status, 0);
        size
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: any value may be passed as a handle.
        unsafe { (self.functions.rkllm_destroy)(self.handle) };
    }
}

pub fn last_error(extension: &Extension) -> String {
    let mut text = vec![0; 4096];
    // SAFETY: a valid array with its length.
    let n = unsafe { (extension.last_error)(text.as_mut_ptr(), text.len()) };
    text.truncate(n.try_into().unwrap());
    String::from_utf8(text).unwrap()
}

/// Parameters of a run, all defaults.
pub fn infer() -> RKLLMInferParam {
    RKLLMInferParam::zeroed()
}

/// Parameters of a run with a limit.
pub fn at_most(tokens: i32) -> RKLLMInferParam {
    RKLLMInferParam {
        max_new_tokens: tokens,
        ..infer()
    }
}

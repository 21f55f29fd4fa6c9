//! The CPU engine as the groups' libraries see it: calls the engine's library.

use super::table::{self, Array, Facts, Out, Rows, RunParams, RunSink, Table};
use super::{file, locate};
use crate::engine::{
    Cache, Counts, Drawn, Ending, Engine, Event, Flow, InitParams, Message, Mode, ModelInfo, Part,
    Prepared, Request, Sink,
};
use std::ffi::c_void;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// A model in the engine's library.
pub struct Cpu {
    table: &'static Table,
    model: *mut c_void,
    facts: Facts,
    dtype: String,
}

// SAFETY: the table says that models are used from any thread; what is for one thread at a time
// (runs, the cache) the front serialises, and `prepare` takes `&mut self`.
unsafe impl Send for Cpu {}
// SAFETY: as above.
unsafe impl Sync for Cpu {}

impl Engine for Cpu {
    const NAME: &'static str = "rkchat's CPU runtime";
    const SUFFIX: &'static str = concat!(" (rkchat-cpu ", env!("CARGO_PKG_VERSION"), ")");
    const DRIVER: &'static str = "none";
    const PLATFORM: &'static str = "CPU";

    fn load(params: &InitParams) -> Result<Option<Self>, String> {
        // Before the engine's library is loaded: it may not run on this CPU at all.
        locate::check_cpu()?;
        file::check("model", &params.model_path)?;
        let table = locate::table()?;
        let path = params
            .model_path
            .to_str()
            .ok_or("model_path is not valid UTF-8")?;
        let mut facts = Facts::default();
        let mut dtype = Vec::new();
        let mut model = std::ptr::null_mut();
        call(|error| {
            // SAFETY: the arguments are valid during the call.
            model = unsafe {
                (table.load)(
                    Array::of(path.as_bytes()),
                    &mut facts,
                    &out(&mut dtype),
                    error,
                )
            };
            u8::from(!model.is_null())
        })?;
        let dtype = String::from_utf8_lossy(&dtype).into_owned();
        Ok(Some(Cpu {
            table,
            model,
            facts,
            dtype,
        }))
    }

    fn model(&self) -> ModelInfo {
        ModelInfo {
            n_ctx_train: self.facts.n_ctx_train,
            n_embd: self.facts.n_embd,
            thinks: self.facts.thinks != 0,
            toolkit: "gguf".into(),
            npu_cores: 0,
            platform: "CPU".into(),
            dtype: self.dtype.clone(),
        }
    }

    fn prepare(&mut self, n_ctx: u32, lanes: u32) -> Result<Prepared, String> {
        let mut prepared = Prepared::default();
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe {
            (self.table.prepare)(self.model, n_ctx, lanes, &mut prepared, error)
        })?;
        Ok(prepared)
    }

    fn tokenize(&self, text: &str, add: bool, parse: bool) -> Result<Vec<i32>, String> {
        let mut bytes = Vec::new();
        let ids = out(&mut bytes);
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe {
            let text = Array::of(text.as_bytes());
            (self.table.tokenize)(self.model, text, add.into(), parse.into(), &ids, error)
        })?;
        let id = |bytes: &[u8]| {
            bytes
                .try_into()
                .map(i32::from_ne_bytes)
                .map_err(|_| String::new())
        };
        bytes.chunks(size_of::<i32>()).map(id).collect()
    }

    fn detokenize(&self, ids: &[i32], skip_special: bool) -> Result<Vec<u8>, String> {
        let mut bytes = Vec::new();
        let text = out(&mut bytes);
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe {
            (self.table.detokenize)(
                self.model,
                Array::of(ids),
                skip_special.into(),
                &text,
                error,
            )
        })?;
        Ok(bytes)
    }

    fn is_stop(&self, id: i32) -> Result<bool, String> {
        let mut answer = 0;
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.is_stop)(self.model, id, &mut answer, error) })?;
        Ok(answer != 0)
    }

    fn is_special(&self, id: i32) -> Result<bool, String> {
        let mut answer = 0;
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.is_special)(self.model, id, &mut answer, error) })?;
        Ok(answer != 0)
    }

    fn bos(&self) -> Option<i32> {
        // SAFETY: the model is open.
        let bos = unsafe { (self.table.bos)(self.model) };
        (bos >= 0).then_some(bos)
    }

    fn chat_template(&self, messages: &[Message<'_>], answer: bool) -> Result<String, String> {
        let messages: Vec<_> = messages
            .iter()
            .map(|message| table::Message {
                role: Array::of(message.role.as_bytes()),
                text: Array::of(message.text.as_bytes()),
            })
            .collect();
        let mut bytes = Vec::new();
        let prompt = out(&mut bytes);
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe {
            let messages = Array::of(&messages);
            (self.table.chat_template)(self.model, messages, answer.into(), &prompt, error)
        })?;
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }

    fn cached(&self, lane: usize) -> usize {
        // SAFETY: the model is open.
        unsafe { (self.table.cached)(self.model, lane) }
    }

    fn truncate_cache(&self, keep: usize) -> Result<(), String> {
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.truncate_cache)(self.model, keep, error) })
    }

    fn cut_cache(&self, lane: usize, start: usize, end: usize) -> Result<(), String> {
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.cut_cache)(self.model, lane, start, end, error) })
    }

    fn load_lora(&self, name: &str, path: &Path, scale: f32) -> Result<(), String> {
        file::check("adapter", path)?;
        let (name, path) = (Array::of(name.as_bytes()), bytes_of(path));
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.load_lora)(self.model, name, path, scale, error) })
    }

    fn save_prompt_cache(&self, path: &Path) -> Result<(), String> {
        let path = bytes_of(path);
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.save_prompt_cache)(self.model, path, error) })
    }

    fn load_prompt_cache(&self, path: &Path) -> Result<(), String> {
        let path = bytes_of(path);
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.load_prompt_cache)(self.model, path, error) })
    }

    fn release_prompt_cache(&self) -> Result<(), String> {
        // SAFETY: the model is open.
        call(|error| unsafe { (self.table.release_prompt_cache)(self.model, error) })
    }

    fn run(&self, request: &Request, sink: &mut dyn Sink) -> Result<Ending, String> {
        let parts: Vec<Vec<_>> = request
            .prompts
            .iter()
            .map(|prompt| prompt.parts.iter().map(part).collect())
            .collect();
        let prompts: Vec<_> = parts.iter().map(|parts| Array::of(parts)).collect();
        let params = RunParams {
            prompts: Array::of(&prompts),
            lora: Array::of(request.lora.as_deref().unwrap_or_default().as_bytes()),
            sampling: request.sampling,
            max_new_tokens: request.max_new_tokens,
            n_keep: request.n_keep,
            top_logprobs: request.top_logprobs.map_or(-1, i64::from),
            ignore_eos_token: request.ignore_eos_token.into(),
            skip_special_token: request.skip_special_token.into(),
            cache: match request.cache {
                Cache::Fresh => 0,
                Cache::Prefix => 1,
                Cache::Append => 2,
                Cache::Resume => 3,
            },
            mode: match request.mode {
                Mode::Generate => 0,
                Mode::HiddenStates => 1,
                Mode::Logits => 2,
            },
        };
        let mut sink = sink;
        let sink = RunSink {
            context: (&raw mut sink).cast(),
            tokens,
            hidden_states,
            aborted,
        };
        let mut counts = Counts::default();
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.run)(self.model, &params, &sink, &mut counts, error) })?;
        Ok(Ending::Finish(counts))
    }
}

fn part(part: &Part) -> table::Part {
    let (tokens, embeddings) = match part {
        Part::Tokens(ids) => (ids.as_slice(), [].as_slice()),
        Part::Embeddings(values) => ([].as_slice(), &**values),
    };
    table::Part {
        tokens: Array::of(tokens),
        embeddings: Array::of(embeddings),
    }
}

fn bytes_of(path: &Path) -> Array<u8> {
    Array::of(path.as_os_str().as_bytes())
}

impl Drop for Cpu {
    fn drop(&mut self) {
        // SAFETY: the model is open, and nothing uses it after this.
        unsafe { (self.table.free)(self.model) }
    }
}

/// Makes a call that returns 1, or 0 and an error text.
fn call(function: impl FnOnce(*const Out) -> u8) -> Result<(), String> {
    let mut error = Vec::new();
    match function(&out(&mut error)) {
        0 => Err(String::from_utf8_lossy(&error).into_owned()),
        _ => Ok(()),
    }
}

/// An output that appends to `bytes`, which must outlive the call.
fn out(bytes: &mut Vec<u8>) -> Out {
    unsafe extern "C" fn append(bytes: *mut c_void, data: *const u8, len: usize) {
        // SAFETY: `out` made the context of a vector that the call borrows, and the engine passes
        // `len` readable bytes.
        unsafe {
            (*bytes.cast::<Vec<u8>>()).extend_from_slice(std::slice::from_raw_parts(data, len))
        }
    }
    Out {
        context: (&raw mut *bytes).cast(),
        write: append,
    }
}

/// # Safety
/// `sink` is the context that `run` made, and the run has not ended.
unsafe fn event(sink: *mut c_void, event: Event<'_>) -> u8 {
    // SAFETY: the caller vouches for it.
    let flow = unsafe { (*sink.cast::<&mut dyn Sink>()).event(event) };
    (flow == Flow::Stop).into()
}

unsafe extern "C" fn tokens(sink: *mut c_void, tokens: Array<table::Token>) -> u8 {
    // SAFETY: `run` made the context of its sink and lives until the run ends; the arrays are valid
    // during this call.
    unsafe {
        let tokens: Vec<_> = tokens
            .get()
            .iter()
            .map(|token| Drawn {
                id: token.id,
                bytes: token.bytes.get(),
                logits: token.logits.get(),
                logprobs: token.logprobs.get(),
            })
            .collect();
        event(sink, Event::Tokens(&tokens))
    }
}

unsafe extern "C" fn hidden_states(sink: *mut c_void, states: Rows) -> u8 {
    // SAFETY: as for `tokens`.
    unsafe {
        match states.get() {
            Some(states) => event(sink, Event::HiddenStates(states)),
            None => 0,
        }
    }
}

unsafe extern "C" fn aborted(sink: *mut c_void) -> u8 {
    // SAFETY: `run` made the context of its sink and lives until the run ends.
    unsafe { (*sink.cast::<&mut dyn Sink>()).aborted().into() }
}

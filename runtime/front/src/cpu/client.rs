//! The CPU engine as the groups' libraries see it: calls the engine's library.

use super::table::{Array, Facts, Out, RunParams, RunSink, Table};
use super::{file, locate};
use crate::engine::{
    Cache, Counts, Ending, Engine, Event, Flow, InitParams, ModelInfo, Prepared, Request, Sink,
};
use std::ffi::c_void;

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
        file::check(&params.model_path)?;
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
            toolkit: "gguf".into(),
            npu_cores: 0,
            platform: "CPU".into(),
            dtype: self.dtype.clone(),
        }
    }

    fn prepare(&mut self, n_ctx: u32) -> Result<Prepared, String> {
        let mut prepared = Prepared::default();
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.prepare)(self.model, n_ctx, &mut prepared, error) })?;
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

    fn chat_template(&self, role: &str, text: &str) -> Result<String, String> {
        let mut bytes = Vec::new();
        let prompt = out(&mut bytes);
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe {
            let (role, text) = (Array::of(role.as_bytes()), Array::of(text.as_bytes()));
            (self.table.chat_template)(self.model, role, text, &prompt, error)
        })?;
        String::from_utf8(bytes).map_err(|error| error.to_string())
    }

    fn cached(&self) -> usize {
        // SAFETY: the model is open.
        unsafe { (self.table.cached)(self.model) }
    }

    fn truncate_cache(&self, keep: usize) -> Result<(), String> {
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.truncate_cache)(self.model, keep, error) })
    }

    fn run(&self, request: &Request, sink: &mut dyn Sink) -> Result<Ending, String> {
        let params = RunParams {
            tokens: Array::of(&request.tokens),
            sampling: request.sampling,
            max_new_tokens: request.max_new_tokens,
            ignore_eos_token: request.ignore_eos_token.into(),
            skip_special_token: request.skip_special_token.into(),
            cache: match request.cache {
                Cache::Fresh => 0,
                Cache::Prefix => 1,
                Cache::Append => 2,
            },
        };
        let mut sink = sink;
        let sink = RunSink {
            context: (&raw mut sink).cast(),
            token,
            aborted,
        };
        let mut counts = Counts::default();
        // SAFETY: the model is open and the arguments are valid during the call.
        call(|error| unsafe { (self.table.run)(self.model, &params, &sink, &mut counts, error) })?;
        Ok(Ending::Finish(counts))
    }
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

unsafe extern "C" fn token(sink: *mut c_void, id: i32, bytes: Array<u8>) -> u8 {
    // SAFETY: `run` made the context of its sink and lives until the run ends; the bytes are valid
    // during this call.
    let flow = unsafe {
        (*sink.cast::<&mut dyn Sink>()).event(Event::Token {
            id,
            bytes: bytes.get(),
        })
    };
    (flow == Flow::Stop).into()
}

unsafe extern "C" fn aborted(sink: *mut c_void) -> u8 {
    // SAFETY: `run` made the context of its sink and lives until the run ends.
    unsafe { (*sink.cast::<&mut dyn Sink>()).aborted().into() }
}

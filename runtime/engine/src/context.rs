//! A llama.cpp context: the cache of one sequence, and the computation over it.
//!
//! llama-cpp-2's own type cannot be told to stop: it does not pass on llama.cpp's abort callback,
//! and a piece of a prompt takes seconds on a slow CPU. So this one calls the C functions.

use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use llama_cpp_2::token::data::LlamaTokenData;
use llama_cpp_2::token::data_array::LlamaTokenDataArray;
use llama_cpp_sys_2 as sys;
use rkchat_runtime_front::engine::Sink;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// The context's only sequence.
const SEQUENCE: i32 = 0;

/// What became of a computation.
pub enum Computed {
    /// The tokens are in the cache, and the last one's logits can be sampled.
    Done,
    /// It was told to stop; the cache is as before.
    Stopped,
}

/// A context of one model.
pub struct Context {
    raw: NonNull<sys::llama_context>,
    n_vocab: i32,
    /// Freed after the context, which refers to it.
    _model: Arc<LlamaModel>,
}

// SAFETY: llama.cpp does not bind a context to a thread; `&mut self` keeps its use to one at a time.
unsafe impl Send for Context {}

impl Context {
    /// Makes a context; `None` if llama.cpp cannot, which it explains in its log.
    pub fn new(model: Arc<LlamaModel>, n_ctx: u32, n_batch: u32, n_threads: i32) -> Option<Self> {
        // SAFETY: `LlamaModel` is a transparent wrapper of llama.cpp's non-null pointer.
        let raw_model = unsafe { *Arc::as_ptr(&model).cast::<*mut sys::llama_model>() };
        // SAFETY: the model is loaded, and stays so as long as this context holds the `Arc`.
        let raw = unsafe {
            let mut params = sys::llama_context_default_params();
            params.n_ctx = n_ctx;
            params.n_batch = n_batch;
            params.n_ubatch = n_batch;
            params.n_threads = n_threads;
            params.n_threads_batch = n_threads;
            params.no_perf = true;
            sys::llama_init_from_model(raw_model, params)
        };
        let n_vocab = model.n_vocab();
        Some(Context {
            raw: NonNull::new(raw)?,
            n_vocab,
            _model: model,
        })
    }

    /// Processes tokens after those in the cache, as many as a batch holds; `sink` is asked now
    /// and then whether to stop. `Err` is llama.cpp's status; the cache is then undefined.
    pub fn compute(&mut self, tokens: &[i32], sink: &dyn Sink) -> Result<Computed, i32> {
        unsafe extern "C" fn aborted(sink: *mut c_void) -> bool {
            // SAFETY: `compute` passes its own reference, which outlives the computation.
            unsafe { (*sink.cast::<&dyn Sink>()).aborted() }
        }
        let mut sink = sink;
        let mut tokens = tokens.to_vec();
        let n = i32::try_from(tokens.len()).unwrap_or(i32::MAX);
        // SAFETY: the batch borrows `tokens` and the callback `sink`; both live until the callback
        // is taken out again.
        let status = unsafe {
            let batch = sys::llama_batch_get_one(tokens.as_mut_ptr(), n);
            let context = self.raw.as_ptr();
            sys::llama_set_abort_callback(context, Some(aborted), (&raw mut sink).cast());
            let status = sys::llama_decode(context, batch);
            sys::llama_set_abort_callback(context, None, null_mut());
            status
        };
        match status {
            0 => Ok(Computed::Done),
            // llama.cpp forgets the part that it was working on; a batch is one part.
            2 => Ok(Computed::Stopped),
            status => Err(status),
        }
    }

    /// The logits of the last token, ready for a sampler; `None` if there are none.
    pub fn candidates(&mut self) -> Option<LlamaTokenDataArray> {
        // SAFETY: the context is open; NULL is checked, and a row has one float per token.
        let logits = unsafe {
            let logits = sys::llama_get_logits_ith(self.raw.as_ptr(), -1);
            std::slice::from_raw_parts(NonNull::new(logits)?.as_ptr(), self.n_vocab as usize)
        };
        let candidates = (0..)
            .zip(logits)
            .map(|(id, logit)| LlamaTokenData::new(LlamaToken::new(id), *logit, 0.0));
        Some(LlamaTokenDataArray::from_iter(candidates, false))
    }

    /// Forgets the tokens from a position on; `false` if the model cannot forget a part.
    pub fn forget_from(&mut self, position: usize) -> bool {
        let position = i32::try_from(position).unwrap_or(i32::MAX);
        // SAFETY: the context is open.
        unsafe {
            let memory = sys::llama_get_memory(self.raw.as_ptr());
            sys::llama_memory_seq_rm(memory, SEQUENCE, position, -1)
        }
    }

    /// Forgets all tokens.
    pub fn clear(&mut self) {
        // SAFETY: the context is open.
        unsafe { sys::llama_memory_clear(sys::llama_get_memory(self.raw.as_ptr()), true) }
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by `new` and freed once.
        unsafe { sys::llama_free(self.raw.as_ptr()) }
    }
}

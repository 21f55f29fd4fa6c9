//! A llama.cpp context: the cache of each lane, and the computation over it.
//!
//! llama-cpp-2's own type cannot be told to stop: it does not pass on llama.cpp's abort callback,
//! and a piece of a prompt takes seconds on a slow CPU. So this one calls the C functions.

use crate::cell::Entry;
use crate::logs;
use crate::lora::Adapter;
use llama_cpp_2::model::LlamaModel;
use llama_cpp_sys_2 as sys;
use rkchat_runtime_front::engine::Sink;
use std::ffi::c_void;
use std::ptr::{NonNull, null_mut};
use std::sync::Arc;

/// What became of a computation.
pub enum Computed {
    /// The items are in the cache, and there are logits.
    Done,
    /// It was told to stop; the cache is as before.
    Stopped,
}

/// Something to put into the cache.
#[derive(Clone, Copy)]
pub struct Item<'a> {
    /// Where: which lane.
    pub lane: usize,
    /// Where: at which position, the first free one.
    pub position: usize,
    /// What.
    pub entry: Entry<'a>,
}

/// Which items get logits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outputs {
    /// The last one.
    Last,
    /// All of them.
    All,
}

/// A context of one model.
pub struct Context {
    raw: NonNull<sys::llama_context>,
    n_vocab: usize,
    n_embd_out: usize,
    /// Freed after the context, which refers to it.
    _model: Arc<LlamaModel>,
}

// SAFETY: llama.cpp does not bind a context to a thread; `&mut self` keeps its use to one at a time.
unsafe impl Send for Context {}

/// llama.cpp's pointer of a model.
pub fn raw_model(model: &LlamaModel) -> *mut sys::llama_model {
    // SAFETY: `LlamaModel` is a transparent wrapper of llama.cpp's non-null pointer.
    unsafe { *(&raw const *model).cast::<*mut sys::llama_model>() }
}

impl Context {
    /// Makes a context; `None` if llama.cpp cannot, which it explains in its log.
    pub fn new(
        model: Arc<LlamaModel>,
        n_ctx: u32,
        lanes: u32,
        n_batch: u32,
        n_threads: i32,
    ) -> Option<Self> {
        let raw_model = raw_model(&model);
        // SAFETY: the model is loaded, and stays so as long as this context holds the `Arc`.
        let (raw, n_embd_out) = unsafe {
            let mut params = sys::llama_context_default_params();
            // Each lane gets an equal share, rounded up by llama.cpp.
            params.n_ctx = n_ctx.checked_mul(lanes)?;
            params.n_seq_max = lanes;
            params.n_batch = n_batch;
            params.n_ubatch = n_batch;
            params.n_threads = n_threads;
            params.n_threads_batch = n_threads;
            // Hidden states are asked for token by token, whatever the model's file says.
            params.pooling_type = sys::LLAMA_POOLING_TYPE_NONE;
            params.no_perf = true;
            let raw = sys::llama_init_from_model(raw_model, params);
            (raw, sys::llama_model_n_embd_out(raw_model))
        };
        let n_vocab = usize::try_from(model.n_vocab()).ok()?;
        Some(Context {
            raw: NonNull::new(raw)?,
            n_vocab,
            n_embd_out: usize::try_from(n_embd_out).ok()?,
            _model: model,
        })
    }

    /// Most items that are computed at once.
    pub fn n_batch(&self) -> usize {
        // SAFETY: the context is open.
        unsafe { sys::llama_n_batch(self.raw.as_ptr()) as usize }
    }

    /// Numbers in a row of logits.
    pub fn n_vocab(&self) -> usize {
        self.n_vocab
    }

    /// Numbers in a row of hidden states.
    pub fn n_embd_out(&self) -> usize {
        self.n_embd_out
    }

    /// Processes at most [`Context::n_batch`] items, all tokens or all embeddings of the model's
    /// width; `sink` is asked now and then whether to stop. `Err` says why llama.cpp failed; the
    /// cache is then undefined.
    pub fn compute(
        &mut self,
        items: &[Item<'_>],
        outputs: Outputs,
        sink: &dyn Sink,
    ) -> Result<Computed, String> {
        unsafe extern "C" fn aborted(sink: *mut c_void) -> bool {
            // SAFETY: `compute` passes its own reference, which outlives the computation.
            unsafe { (*sink.cast::<&dyn Sink>()).aborted() }
        }
        let number = |n: usize| i32::try_from(n).unwrap_or(i32::MAX);
        let (mut tokens, mut rows) = (Vec::new(), Vec::new());
        for item in items {
            match item.entry {
                Entry::Token(id) => tokens.push(id),
                Entry::Row(values) => rows.extend_from_slice(values),
            }
        }
        let mut positions: Vec<i32> = items.iter().map(|item| number(item.position)).collect();
        let mut lanes: Vec<i32> = items.iter().map(|item| number(item.lane)).collect();
        let mut lane_of: Vec<*mut i32> = lanes.iter_mut().map(|lane| &raw mut *lane).collect();
        let mut lane_counts = vec![1; items.len()];
        let mut wanted = vec![i8::from(outputs == Outputs::All); items.len()];
        if let Some(last) = wanted.last_mut() {
            *last = 1;
        }
        let batch = sys::llama_batch {
            n_tokens: number(items.len()),
            token: if rows.is_empty() {
                tokens.as_mut_ptr()
            } else {
                null_mut()
            },
            embd: if rows.is_empty() {
                null_mut()
            } else {
                rows.as_mut_ptr()
            },
            pos: positions.as_mut_ptr(),
            n_seq_id: lane_counts.as_mut_ptr(),
            seq_id: lane_of.as_mut_ptr(),
            logits: wanted.as_mut_ptr(),
        };
        let mut sink = sink;
        let context = self.raw.as_ptr();
        // SAFETY: the batch borrows the arrays above and the callback `sink`; all live until the
        // callback is taken out again. Every array has one element for each item, `rows` a row.
        let status = unsafe {
            sys::llama_set_abort_callback(context, Some(aborted), (&raw mut sink).cast());
            let status = sys::llama_decode(context, batch);
            sys::llama_set_abort_callback(context, None, null_mut());
            status
        };
        match status {
            0 => Ok(Computed::Done),
            // llama.cpp forgets the part that it was working on; a batch is one part.
            2 => Ok(Computed::Stopped),
            status => Err(format!(
                "llama.cpp failed at position {} with status {status}: {}",
                items.first().map_or(0, |item| item.position),
                logs::reason()
            )),
        }
    }

    /// The logits of an item of the last computation that was to have some.
    pub fn logits(&mut self, item: usize) -> Result<&[f32], String> {
        // SAFETY: the context is open; llama.cpp checks the number.
        let row = unsafe { sys::llama_get_logits_ith(self.raw.as_ptr(), item as i32) };
        let row = NonNull::new(row).ok_or("llama.cpp computed no logits")?;
        // SAFETY: a row has one float per token, and stays until the next computation.
        Ok(unsafe { std::slice::from_raw_parts(row.as_ptr(), self.n_vocab) })
    }

    /// Whether computations bring hidden states, for all items.
    pub fn set_hidden_states(&mut self, wanted: bool) {
        // SAFETY: the context is open.
        unsafe { sys::llama_set_embeddings(self.raw.as_ptr(), wanted) }
    }

    /// The hidden state of an item of the last computation.
    pub fn hidden_state(&mut self, item: usize) -> Result<&[f32], String> {
        // SAFETY: the context is open; llama.cpp checks the number.
        let row = unsafe { sys::llama_get_embeddings_ith(self.raw.as_ptr(), item as i32) };
        let row = NonNull::new(row).ok_or("llama.cpp computed no hidden states for this model")?;
        // SAFETY: a row has this many floats, and stays until the next computation.
        Ok(unsafe { std::slice::from_raw_parts(row.as_ptr(), self.n_embd_out) })
    }

    /// Computations from now on are those of an adapter, or of the model alone.
    pub fn set_adapter(&mut self, adapter: Option<&Adapter>) {
        let (mut adapters, mut scales) = (Vec::new(), Vec::new());
        if let Some(adapter) = adapter {
            adapters.push(adapter.raw.as_ptr());
            scales.push(adapter.scale);
        }
        // SAFETY: the context is open, the adapter is of its model, and both arrays have as many
        // elements as said. llama.cpp always returns 0.
        unsafe {
            sys::llama_set_adapters_lora(
                self.raw.as_ptr(),
                adapters.as_mut_ptr(),
                adapters.len(),
                scales.as_mut_ptr(),
            );
        }
    }

    fn memory(&self) -> sys::llama_memory_t {
        // SAFETY: the context is open.
        unsafe { sys::llama_get_memory(self.raw.as_ptr()) }
    }

    /// Forgets a lane's positions from one on; `false` if the model cannot forget a part.
    pub fn forget_from(&mut self, lane: usize, position: usize) -> bool {
        // SAFETY: the context is open; llama.cpp checks the lane.
        unsafe { sys::llama_memory_seq_rm(self.memory(), lane as i32, position as i32, -1) }
    }

    /// Takes positions out of a lane and moves the later ones up; `false` if the model cannot.
    pub fn cut(&mut self, lane: usize, start: usize, end: usize) -> bool {
        let (lane, start, end) = (lane as i32, start as i32, end as i32);
        // SAFETY: the context is open, and the lane is one of its own; positions are only moved
        // where llama.cpp says that it can.
        unsafe {
            let memory = self.memory();
            if !sys::llama_memory_can_shift(memory)
                || !sys::llama_memory_seq_rm(memory, lane, start, end)
            {
                return false;
            }
            sys::llama_memory_seq_add(memory, lane, end, -1, start - end);
        }
        true
    }

    /// A lane's cache as bytes, for [`Context::restore`].
    pub fn state(&mut self, lane: usize) -> Vec<u8> {
        let (context, lane) = (self.raw.as_ptr(), lane as i32);
        // SAFETY: the context is open, and the buffer as large as llama.cpp says.
        unsafe {
            let mut state = vec![0; sys::llama_state_seq_get_size(context, lane)];
            let written =
                sys::llama_state_seq_get_data(context, state.as_mut_ptr(), state.len(), lane);
            state.truncate(written);
            state
        }
    }

    /// Replaces a lane's cache; `false` if the bytes are not one of `cells` positions that fits this
    /// context, and it is then empty.
    pub fn restore(&mut self, lane: usize, state: &[u8], cells: usize) -> bool {
        let context = self.raw.as_ptr();
        // SAFETY: the context is open, and llama.cpp reads no more than there is.
        let read = unsafe {
            sys::llama_state_seq_set_data(context, state.as_ptr(), state.len(), lane as i32)
        };
        // llama.cpp takes any positions, and fails in the runs after them.
        let whole = read > 0 && self.reach(lane) == cells as i32;
        if !whole {
            self.clear(lane);
        }
        whole
    }

    /// How many positions a lane's cache reaches over.
    fn reach(&self, lane: usize) -> i32 {
        // SAFETY: the context is open; llama.cpp checks the lane, and says -1 for an empty one.
        unsafe { sys::llama_memory_seq_pos_max(self.memory(), lane as i32) + 1 }
    }

    /// Forgets all of a lane, whatever is believed to be in it.
    pub fn clear(&mut self, lane: usize) {
        // Negative: from the beginning to the end, also of positions that should not be there.
        // SAFETY: the context is open; llama.cpp checks the lane.
        unsafe { sys::llama_memory_seq_rm(self.memory(), lane as i32, -1, -1) };
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: made by `new` and freed once.
        unsafe { sys::llama_free(self.raw.as_ptr()) }
    }
}

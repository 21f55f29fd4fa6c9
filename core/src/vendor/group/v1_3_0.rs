//! Driver for group 1.3.0: sampling and token limit per run, a template on text input, cache reuse.

use std::ffi::{CStr, CString, c_int, c_void};

use super::{Handle, c_path};
use crate::vendor::abi::layout::Address;
use crate::vendor::abi::v1_3_0::*;
use crate::vendor::extension::{ModelTable, Table};
use crate::vendor::{
    Capabilities, Driver, EventSink, InitFailure, InitParams, Input, Opened, Perf, RunCounts,
    RunEvent, RunRequest, Sampling, Session, Vocabulary, callback,
};

/// A loaded library of this group.
pub(super) struct Library {
    functions: Functions,
    table: Option<Table>,
}

impl Library {
    /// # Safety
    /// As for [`super::Group::driver`].
    pub unsafe fn load(
        find: impl FnMut(&'static CStr) -> Result<Address, String>,
        table: Option<Table>,
    ) -> Result<Self, String> {
        // SAFETY: handed on from the caller.
        let functions = unsafe { Functions::load(find) }?;
        Ok(Self { functions, table })
    }

    fn param(&self, params: &InitParams, model_path: &CStr) -> RKLLMParam {
        // SAFETY: no preconditions.
        let mut param = unsafe { (self.functions.rkllm_createDefaultParam)() };
        param.model_path = model_path.as_ptr();
        param.max_context_len = i32::try_from(params.max_context_len).unwrap_or(i32::MAX);
        // rkchat counts and stops; the runtime's limit must not come first.
        param.max_new_tokens = param.max_context_len;
        set_sampling!(param, params.sampling);
        param.skip_special_token = 0;
        param.is_async = 0;
        // 0 is refused when the model is opened (`QUIRKS.md`, "Structs/params").
        param.extend_param.n_batch = param.extend_param.n_batch.max(1);
        param.extend_param.embed_flash = 1;
        param
    }
}

impl Driver for Library {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            run_sampling: true,
            text_template: true,
            extension: self.table.is_some(),
        }
    }

    fn init(&self, params: &InitParams) -> Result<Opened, InitFailure> {
        let model_path = c_path(&params.model_path)?;
        let mut param = self.param(params, &model_path);
        let callbacks = Callbacks::new();
        let sampling = sampling_of(&param);
        let functions = self.functions;
        let given = callbacks.0;
        super::init(
            params,
            self.table,
            // SAFETY: all pointers live during the call; path and callbacks as long as the model.
            |handle| unsafe { (functions.rkllm_init)(handle, &mut param, given) },
            |handle| {
                Box::new(Model {
                    functions,
                    handle,
                    table: self.table.map(|table| ModelTable::new(table, handle.0)),
                    sampling,
                    _model_path: model_path,
                    _callbacks: callbacks,
                })
            },
        )
    }
}

/// The settings the model was opened with, as one run takes them.
fn sampling_of(param: &RKLLMParam) -> RKLLMSamplingParam {
    RKLLMSamplingParam {
        top_k: param.top_k,
        top_p: param.top_p,
        temperature: param.temperature,
        repeat_penalty: param.repeat_penalty,
        frequency_penalty: param.frequency_penalty,
        presence_penalty: param.presence_penalty,
        mirostat: param.mirostat,
        mirostat_tau: param.mirostat_tau,
        mirostat_eta: param.mirostat_eta,
    }
}

/// The callbacks of a model. Whether the library copies them is not documented, so they stay where they
/// are as long as the model.
struct Callbacks(*mut RKLLMCallback);

// SAFETY: nothing but the library looks behind the pointer, its userdata pointers are NULL, and its
// function may be called from any thread.
unsafe impl Send for Callbacks {}
// SAFETY: as above.
unsafe impl Sync for Callbacks {}

impl Callbacks {
    fn new() -> Self {
        let mut callbacks = RKLLMCallback::zeroed();
        callbacks.result_callback = Some(on_result);
        Self(Box::into_raw(Box::new(callbacks)))
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        // SAFETY: made by `new`; the model that used it has been freed, for fields are dropped after it.
        drop(unsafe { Box::from_raw(self.0) });
    }
}

struct Model {
    functions: Functions,
    handle: Handle,
    table: Option<ModelTable>,
    sampling: RKLLMSamplingParam,
    _model_path: CString,
    _callbacks: Callbacks,
}

impl Model {
    fn sampling(&self, asked: &Sampling) -> RKLLMSamplingParam {
        let mut sampling = self.sampling;
        set_sampling!(sampling, asked);
        sampling
    }
}

impl Session for Model {
    fn run(&self, request: &RunRequest, sink: EventSink<'_>) -> i32 {
        let mut ids;
        let text;
        let mut input = RKLLMInput::zeroed();
        input.role = c"user".as_ptr();
        match &request.input {
            Input::Tokens(tokens) => {
                ids = tokens.clone();
                input.input_type = RKLLM_INPUT_TOKEN;
                input.input.token_input = RKLLMTokenInput {
                    input_ids: ids.as_mut_ptr(),
                    n_tokens: ids.len(),
                };
            }
            Input::Text(prompt) => {
                text = super::c_text(prompt);
                input.input_type = RKLLM_INPUT_PROMPT;
                input.input.prompt_input = text.as_ptr();
            }
        }
        let mut sampling = self.sampling(&request.sampling);
        let mut infer = RKLLMInferParam::zeroed();
        infer.mode = RKLLM_INFER_GENERATE;
        infer.sampling_params = &mut sampling;
        infer.max_new_tokens = i32::try_from(request.max_new_tokens).unwrap_or(i32::MAX);
        callback::with_sink(sink, |userdata| {
            // SAFETY: the handle is open; the inputs live until the call returns.
            unsafe { (self.functions.rkllm_run)(self.handle.0, &mut input, &mut infer, userdata) }
        })
    }

    fn abort(&self) -> i32 {
        // SAFETY: the handle is open; abort may come from another thread than run.
        unsafe { (self.functions.rkllm_abort)(self.handle.0) }
    }

    fn vocabulary(&self) -> Option<&dyn Vocabulary> {
        self.table.as_ref().map(|table| table as _)
    }

    fn last_error(&self) -> Option<String> {
        self.table.as_ref()?.last_error()
    }

    fn counts(&self) -> Option<RunCounts> {
        self.table.as_ref()?.counts()
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: the handle is open and no run is in progress, by the trait's contract.
        unsafe { (self.functions.rkllm_destroy)(self.handle.0) };
    }
}

/// Always returns 0, which is to go on: 1 would pause the run.
unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    userdata: *mut c_void,
    state: LLMCallState,
) -> c_int {
    // SAFETY: the library hands over NULL or a result that lives during the call.
    let result = unsafe { result.as_ref() };
    let event = match (state, result) {
        (RKLLM_RUN_NORMAL | RKLLM_RUN_WAITING, Some(result)) => RunEvent::Token {
            id: u32::try_from(result.token_id).ok(),
            // SAFETY: NULL or a NUL-terminated string that lives during the call.
            text: unsafe { callback::bytes(result.text) },
        },
        (RKLLM_RUN_FINISH, result) => RunEvent::Finish {
            perf: result.map(|result| perf_of(&result.perf)),
        },
        (RKLLM_RUN_ERROR, _) => RunEvent::Error,
        // States that the header does not have.
        _ => return 0,
    };
    callback::deliver(userdata, event);
    0
}

fn perf_of(perf: &RKLLMPerfStat) -> Perf {
    Perf {
        prefill_ms: perf.prefill_time_ms,
        prefill_tokens: u32::try_from(perf.prefill_tokens).unwrap_or(0),
        decode_ms: perf.generate_time_ms,
        decode_tokens: u32::try_from(perf.generate_tokens).unwrap_or(0),
    }
}

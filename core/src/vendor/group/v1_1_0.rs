//! Driver for group 1.1.0. Sampling is fixed when the model is opened, there is no template, and every
//! run stands alone.

use std::ffi::{CStr, CString, c_void};

use super::{Handle, c_path};
use crate::vendor::abi::layout::Address;
use crate::vendor::abi::v1_1_0::*;
use crate::vendor::extension::{ModelTable, Table};
use crate::vendor::{
    Capabilities, Driver, EventSink, InitFailure, InitParams, Input, Opened, RunCounts, RunEvent,
    RunRequest, Session, Vocabulary, callback,
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
        // Read without a test for NULL by some releases (`QUIRKS.md`, "Structs/params").
        param.img_start = c"".as_ptr();
        param.img_end = c"".as_ptr();
        param.img_content = c"".as_ptr();
        param
    }
}

impl Driver for Library {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            run_sampling: false,
            text_template: false,
            extension: self.table.is_some(),
        }
    }

    fn init(&self, params: &InitParams) -> Result<Opened, InitFailure> {
        let model_path = c_path(&params.model_path)?;
        let mut param = self.param(params, &model_path);
        let functions = self.functions;
        super::init(
            params,
            self.table,
            // SAFETY: all pointers live during the call; the path lives as long as the model.
            |handle| unsafe { (functions.rkllm_init)(handle, &mut param, Some(on_result)) },
            |handle| {
                Box::new(Model {
                    functions,
                    handle,
                    table: self.table.map(|table| ModelTable::new(table, handle.0)),
                    _model_path: model_path,
                })
            },
        )
    }
}

struct Model {
    functions: Functions,
    handle: Handle,
    table: Option<ModelTable>,
    /// Whether the library copies it is not documented.
    _model_path: CString,
}

impl Session for Model {
    fn run(&self, request: &RunRequest, sink: EventSink<'_>) -> i32 {
        let mut ids;
        let text;
        let mut input = RKLLMInput::zeroed();
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
        let mut infer = RKLLMInferParam::zeroed();
        infer.mode = RKLLM_INFER_GENERATE;
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

unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    userdata: *mut c_void,
    state: LLMCallState,
) {
    // SAFETY: the library hands over NULL or a result that lives during the call.
    let result = unsafe { result.as_ref() };
    let event = match (state, result) {
        (RKLLM_RUN_NORMAL | RKLLM_RUN_WAITING, Some(result)) => RunEvent::Token {
            id: u32::try_from(result.token_id).ok(),
            // SAFETY: NULL or a NUL-terminated string that lives during the call.
            text: unsafe { callback::bytes(result.text) },
        },
        (RKLLM_RUN_FINISH, _) => RunEvent::Finish { perf: None },
        (RKLLM_RUN_ERROR, _) => RunEvent::Error,
        // Hidden states, and states that the header does not have.
        _ => return,
    };
    callback::deliver(userdata, event);
}

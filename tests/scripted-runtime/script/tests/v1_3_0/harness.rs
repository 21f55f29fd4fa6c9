//! The functions of the group over the scripted engine, and one open model.

use crate::support::{Heard, ScriptFile, client};
use rkchat_runtime_front::abi::v1_3_0::*;
use std::ffi::{CString, c_int, c_void};
use std::ptr::null_mut;

pub mod library {
    rkchat_runtime_front::export_v1_3_0!(rkchat_scripted::Scripted);
}

use library::*;

pub unsafe extern "C" fn on_result(
    result: *mut RKLLMResult,
    data: *mut c_void,
    state: u32,
) -> c_int {
    // SAFETY: the runtime passes a valid result, and every run of these tests a `Heard`.
    unsafe {
        let result = &*result;
        Heard::add(data, result.text, |text| {
            client::v1_3_0::call(text, result.token_id, state)
        });
    }
    0
}

/// An open model.
pub struct Model {
    pub handle: LLMHandle,
    pub file: ScriptFile,
    pub heard: Heard,
}

// SAFETY: the library's functions may be called from any thread.
unsafe impl Sync for Model {}

impl Model {
    pub fn open(script: serde_json::Value) -> Model {
        Model::open_with(script, |_| {}).unwrap()
    }

    pub fn open_with(
        script: serde_json::Value,
        change: impl Fn(&mut RKLLMParam),
    ) -> Result<Model, c_int> {
        let file = ScriptFile::new(script);
        let path = file.path();
        let mut handle = null_mut();
        // SAFETY: valid pointers for the duration of the calls.
        let status = unsafe {
            let mut param = rkllm_createDefaultParam();
            param.model_path = path.as_ptr();
            change(&mut param);
            let mut callback = RKLLMCallback::zeroed();
            callback.result_callback = Some(on_result);
            rkllm_init(&mut handle, &mut param, &mut callback)
        };
        match status {
            0 => Ok(Model {
                handle,
                file,
                heard: Heard::default(),
            }),
            status => Err(status),
        }
    }

    pub fn text(&self, text: &str, infer: RKLLMInferParam) -> c_int {
        let text = CString::new(text).unwrap();
        let mut input = RKLLMInput::zeroed();
        input.role = c"user".as_ptr();
        input.input.prompt_input = text.as_ptr();
        self.input(input, infer)
    }

    pub fn tokens(&self, ids: &mut [i32], infer: RKLLMInferParam) -> c_int {
        let mut input = RKLLMInput::zeroed();
        input.input_type = RKLLM_INPUT_TOKEN;
        input.input.token_input = RKLLMTokenInput {
            input_ids: ids.as_mut_ptr(),
            n_tokens: ids.len(),
        };
        self.input(input, infer)
    }

    pub fn input(&self, mut input: RKLLMInput, mut infer: RKLLMInferParam) -> c_int {
        // SAFETY: valid pointers for the duration of the call; the userdata outlives the run.
        unsafe { rkllm_run(self.handle, &mut input, &mut infer, self.heard.userdata()) }
    }

    pub fn run(&self) -> c_int {
        self.text("hello there", infer())
    }

    pub fn cached(&self) -> c_int {
        let mut size = -1;
        // SAFETY: the handle is open and one number is writable.
        let status = unsafe { rkllm_get_kv_cache_size(self.handle, &mut size) };
        assert_eq!(status, 0);
        size
    }
}

impl Drop for Model {
    fn drop(&mut self) {
        // SAFETY: any value may be passed as a handle.
        unsafe { rkllm_destroy(self.handle) };
    }
}

pub fn infer() -> RKLLMInferParam {
    RKLLMInferParam::zeroed()
}

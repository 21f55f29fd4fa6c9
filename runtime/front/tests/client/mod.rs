//! One way for tests to use a library of any ABI group; implemented by the groups' tables of
//! functions.

// Each test program uses a part.
#![allow(dead_code)]

mod heard;

pub use heard::{Call, Heard};
use rkchat_runtime_front::abi::layout::GroupLayout;
use std::ffi::{CStr, c_int, c_void};

/// What a model is opened with; the rest is the library's default, but for greedy sampling and text
/// without control tokens.
#[derive(Clone, Copy)]
pub struct Settings<'a> {
    pub model: &'a CStr,
    pub max_context_len: i32,
    pub max_new_tokens: i32,
    /// Nucleus sampling threshold: a number that no default has.
    pub top_p: f32,
    /// Leaves the pointers for image markers NULL, in groups that have them.
    pub no_markers: bool,
}

impl<'a> Settings<'a> {
    pub fn new(model: &'a CStr) -> Self {
        Settings {
            model,
            max_context_len: 512,
            max_new_tokens: -1,
            top_p: 0.75,
            no_markers: false,
        }
    }
}

/// A library's functions. `None`: the group has no such function.
pub trait Client: Sync {
    const GROUP: &'static GroupLayout;
    /// Whether the callback gets token ids, and whole characters.
    const IDS: bool;
    /// Whether text gets a template.
    const TEMPLATED: bool;

    /// Opens a model whose runs write to a `Heard`.
    fn open(&self, settings: Settings<'_>) -> (c_int, *mut c_void);
    fn run(&self, handle: *mut c_void, prompt: &CStr, heard: &Heard) -> c_int;
    fn destroy(&self, handle: *mut c_void) -> c_int;

    /// The heard must live until the run has ended.
    fn run_async(&self, _: *mut c_void, _: &CStr, _: &Heard) -> Option<c_int> {
        None
    }
    /// A run that saves its prompt cache, to the file that the library picks.
    fn run_saving(&self, _: *mut c_void, _: &CStr, _: &Heard) -> Option<c_int> {
        None
    }
    fn abort(&self, _: *mut c_void) -> Option<c_int> {
        None
    }
    fn is_running(&self, _: *mut c_void) -> Option<c_int> {
        None
    }
    /// Turns the template off.
    fn no_template(&self, _: *mut c_void) -> Option<c_int> {
        None
    }
    fn clear_cache(&self, _: *mut c_void, _keep_system: c_int) -> Option<c_int> {
        None
    }
}

/// The callback: `text` gets the text, `result` a struct, `answering` a struct and returns 0.
macro_rules! callback {
    (text) => {
        unsafe extern "C" fn on_result(text: *const c_char, data: *mut c_void, state: u32) {
            // SAFETY: the runtime passes NULL or a text, and every run the address of a `Heard`.
            unsafe { Heard::add(data, text, |text| call(text, -1, state)) };
        }
    };
    (tokens) => {
        unsafe extern "C" fn on_result(result: *mut RKLLMResult, data: *mut c_void, state: u32) {
            // SAFETY: the runtime passes a valid result, and every run the address of a `Heard`.
            unsafe { Heard::add(data, (*result).text, |text| call(text, -1, state)) };
        }
    };
    (result) => {
        unsafe extern "C" fn on_result(result: *mut RKLLMResult, data: *mut c_void, state: u32) {
            // SAFETY: the runtime passes a valid result, and every run the address of a `Heard`.
            unsafe {
                let id = (*result).token_id;
                Heard::add(data, (*result).text, |text| call(text, id, state));
            }
        }
    };
    (answering) => {
        unsafe extern "C" fn on_result(
            result: *mut RKLLMResult,
            data: *mut c_void,
            state: u32,
        ) -> c_int {
            // SAFETY: the runtime passes a valid result, and every run the address of a `Heard`.
            unsafe {
                let id = (*result).token_id;
                Heard::add(data, (*result).text, |text| call(text, id, state));
            }
            0
        }
    };
}

/// Names the call states.
macro_rules! states {
    (LLM) => {
        pub fn call(text: Option<String>, id: i32, state: u32) -> Call {
            match state {
                LLM_RUN_NORMAL => Call::Normal(text, id),
                LLM_RUN_FINISH => Call::Finish(text),
                LLM_RUN_ERROR => Call::Error,
                other => panic!("unknown state {other}"),
            }
        }
    };
    (RKLLM) => {
        pub fn call(text: Option<String>, id: i32, state: u32) -> Call {
            match state {
                RKLLM_RUN_NORMAL => Call::Normal(text, id),
                RKLLM_RUN_WAITING => Call::Waiting(text, id),
                RKLLM_RUN_FINISH => Call::Finish(text),
                RKLLM_RUN_ERROR => Call::Error,
                other => panic!("unknown state {other}"),
            }
        }
    };
}

/// `rkllm_init` in the group's way; in an unsafe block.
macro_rules! init {
    (by_value, $this:ident, $handle:ident, $param:ident) => {
        ($this.rkllm_init)(&mut $handle, $param, Some(on_result))
    };
    (by_pointer, $this:ident, $handle:ident, $param:ident) => {
        ($this.rkllm_init)(&mut $handle, &mut $param, Some(on_result))
    };
    (in_struct, $this:ident, $handle:ident, $param:ident) => {{
        let mut callbacks = RKLLMCallback::zeroed();
        callbacks.result_callback = Some(on_result);
        ($this.rkllm_init)(&mut $handle, &mut $param, &mut callbacks)
    }};
}

/// The pointers to image markers, in groups that have them there.
macro_rules! markers {
    (none, $settings:ident, $param:ident) => {};
    (some, $settings:ident, $param:ident) => {
        if $settings.no_markers {
            $param.img_start = std::ptr::null();
            $param.img_end = std::ptr::null();
            $param.img_content = std::ptr::null();
        }
    };
}

/// Methods that some groups have. The handle may be any value.
macro_rules! methods {
    ($($name:ident)*) => { $(methods!(@ $name);)* };
    (@ prompt) => {
        const IDS: bool = false;

        fn run(&self, handle: *mut c_void, prompt: &CStr, heard: &Heard) -> c_int {
            // SAFETY: the prompt lives during the call, and so does the heard.
            unsafe { (self.rkllm_run)(handle, prompt.as_ptr(), heard.userdata()) }
        }
    };
    (@ input) => {
        const IDS: bool = true;

        fn run(&self, handle: *mut c_void, prompt: &CStr, heard: &Heard) -> c_int {
            let (mut input, mut infer) = (input(prompt), RKLLMInferParam::zeroed());
            // SAFETY: everything lives during the call.
            unsafe { (self.rkllm_run)(handle, &mut input, &mut infer, heard.userdata()) }
        }

        fn run_async(&self, handle: *mut c_void, prompt: &CStr, heard: &Heard) -> Option<c_int> {
            let (mut input, mut infer) = (input(prompt), RKLLMInferParam::zeroed());
            let userdata = heard.userdata();
            // SAFETY: the inputs are copied during the call; the caller vouches for the heard.
            Some(unsafe { (self.rkllm_run_async)(handle, &mut input, &mut infer, userdata) })
        }

        fn run_saving(&self, handle: *mut c_void, prompt: &CStr, heard: &Heard) -> Option<c_int> {
            let (mut input, mut infer) = (input(prompt), RKLLMInferParam::zeroed());
            let mut cache = RKLLMPromptCacheParam::zeroed();
            cache.save_prompt_cache = 1;
            infer.prompt_cache_params = &mut cache;
            // SAFETY: everything lives during the call.
            Some(unsafe { (self.rkllm_run)(handle, &mut input, &mut infer, heard.userdata()) })
        }

        fn is_running(&self, handle: *mut c_void) -> Option<c_int> {
            // SAFETY: any value may be passed as a handle.
            Some(unsafe { (self.rkllm_is_running)(handle) })
        }
    };
    (@ abort) => {
        fn abort(&self, handle: *mut c_void) -> Option<c_int> {
            // SAFETY: any value may be passed as a handle.
            Some(unsafe { (self.rkllm_abort)(handle) })
        }
    };
    (@ plain) => { const TEMPLATED: bool = false; };
    (@ templated) => {
        const TEMPLATED: bool = true;

        fn no_template(&self, handle: *mut c_void) -> Option<c_int> {
            let nothing = c"".as_ptr();
            // SAFETY: any value may be passed as a handle; the strings are constants.
            Some(unsafe { (self.rkllm_set_chat_template)(handle, nothing, nothing, nothing) })
        }
    };
    (@ clear_whole) => {
        fn clear_cache(&self, handle: *mut c_void, keep_system: c_int) -> Option<c_int> {
            // SAFETY: any value may be passed as a handle.
            Some(unsafe { (self.rkllm_clear_kv_cache)(handle, keep_system) })
        }
    };
    (@ clear_ranges) => {
        fn clear_cache(&self, handle: *mut c_void, keep_system: c_int) -> Option<c_int> {
            let all = std::ptr::null_mut();
            // SAFETY: any value may be passed as a handle; NULL is all of the cache.
            Some(unsafe { (self.rkllm_clear_kv_cache)(handle, keep_system, all, all) })
        }
    };
}

/// Leaves control tokens out of the text, where the library does not do so anyway.
macro_rules! skip_special {
    (prompt, $param:ident) => {};
    (input, $param:ident) => {
        $param.skip_special_token = 1
    };
}

/// Text input in groups that take structs.
macro_rules! input {
    (prompt) => {};
    (input) => {
        fn input(prompt: &CStr) -> RKLLMInput {
            let mut input = RKLLMInput::zeroed();
            input.input_type = RKLLM_INPUT_PROMPT;
            input.input.prompt_input = prompt.as_ptr();
            input
        }
    };
}

macro_rules! client {
    (
        $group:ident, path $path:ident, callback $callback:ident, states $states:ident,
        init $init:ident, markers $markers:ident, run $run:ident, $($method:ident)*
    ) => {
        pub mod $group {
            use super::*;
            use rkchat_runtime_front::abi::$group::*;
            #[allow(unused_imports, reason = "only the group without a result struct needs it")]
            use std::ffi::c_char;

            callback!($callback);
            states!($states);
            input!($run);

            impl Client for Functions {
                const GROUP: &'static GroupLayout = &GROUP;

                #[allow(unused_mut, reason = "by value nothing changes")]
                fn open(&self, settings: Settings<'_>) -> (c_int, *mut c_void) {
                    let mut handle = std::ptr::null_mut();
                    // SAFETY: valid pointers for the duration of the calls; these libraries copy
                    // what they keep.
                    let status = unsafe {
                        let mut param = (self.rkllm_createDefaultParam)();
                        param.$path = settings.model.as_ptr();
                        param.max_context_len = settings.max_context_len;
                        param.max_new_tokens = settings.max_new_tokens;
                        param.top_k = 1;
                        param.top_p = settings.top_p;
                        param.repeat_penalty = 1.0;
                        skip_special!($run, param);
                        markers!($markers, settings, param);
                        init!($init, self, handle, param)
                    };
                    (status, handle)
                }

                fn destroy(&self, handle: *mut c_void) -> c_int {
                    // SAFETY: any value may be passed as a handle.
                    unsafe { (self.rkllm_destroy)(handle) }
                }

                methods!($run $($method)*);
            }
        }
    };
}

client!(v1_0_0, path modelPath, callback text, states LLM, init by_value, markers none, run prompt,
    plain);
client!(v1_0_1, path model_path, callback tokens, states LLM, init by_value, markers none,
    run prompt, plain abort);
client!(v1_1_0, path model_path, callback result, states RKLLM, init by_pointer, markers some,
    run input, plain abort);
client!(v1_2_0, path model_path, callback result, states RKLLM, init by_pointer, markers some,
    run input, templated abort clear_whole);
client!(v1_2_1b1, path model_path, callback result, states RKLLM, init by_pointer, markers some,
    run input, templated abort clear_whole);
client!(v1_2_1, path model_path, callback answering, states RKLLM, init by_pointer, markers some,
    run input, templated abort clear_ranges);
client!(v1_3_0, path model_path, callback answering, states RKLLM, init in_struct, markers none,
    run input, templated abort clear_ranges);

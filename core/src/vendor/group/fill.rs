//! Fields and calls that several groups have under the same name.

/// Calls that differ in nothing but the table of functions.
macro_rules! calls {
    ($($call:ident)*) => { $(calls!(@ $call);)* };
    (@ load) => {
        unsafe fn load(find: Find<'_>) -> Result<Self, String> {
            // SAFETY: handed on from the caller.
            unsafe { Functions::load(find) }
        }
    };
    (@ destroy) => {
        unsafe fn destroy(&self, handle: *mut c_void) {
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_destroy)(handle) };
        }
    };
    (@ abort) => {
        unsafe fn abort(&self, handle: *mut c_void) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_abort)(handle) }
        }
    };
    (@ clear_whole_cache) => {
        unsafe fn clear_cache(&self, handle: *mut c_void) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_clear_kv_cache)(handle, 0) }
        }
    };
    (@ clear_cache) => {
        unsafe fn clear_cache(&self, handle: *mut c_void) -> c_int {
            // SAFETY: handed on from the caller; without positions all of the cache is meant.
            unsafe {
                (self.rkllm_clear_kv_cache)(handle, 0, std::ptr::null_mut(), std::ptr::null_mut())
            }
        }
    };
    (@ cache_size) => {
        unsafe fn cache_size(&self, handle: *mut c_void) -> Option<u32> {
            // Room for more batches than any model is opened with.
            let mut sizes = [0; 128];
            // SAFETY: handed on from the caller.
            let status = unsafe { (self.rkllm_get_kv_cache_size)(handle, sizes.as_mut_ptr()) };
            (status == 0).then(|| u32::try_from(sizes[0]).unwrap_or(0))
        }
    };
    // The text goes in as it is; there are no settings of a run.
    (@ run_prompt) => {
        unsafe fn run(
            &self,
            handle: *mut c_void,
            _: &Kept,
            _: &RunRequest,
            buffers: &mut Buffers,
            userdata: *mut c_void,
        ) -> c_int {
            // SAFETY: handed on from the caller; the text lives until the call returns.
            unsafe { (self.rkllm_run)(handle, buffers.text().as_ptr(), userdata) }
        }
    };
}

/// `Kept` of a group whose library gets a copy of the parameters or looks at them where they are.
macro_rules! kept {
    () => {
        /// What `rkllm_init` gets.
        pub(super) struct Kept(RKLLMParam);

        // SAFETY: nothing but the library looks behind the pointers, which are to constants and to the
        // model's path.
        unsafe impl Send for Kept {}
        // SAFETY: as above.
        unsafe impl Sync for Kept {}
    };
}

/// Puts the sampling settings that are set into a struct of a group.
macro_rules! set_sampling {
    ($fields:expr, $sampling:expr) => {
        set_sampling!($fields, $sampling, top_k top_p temperature repeat_penalty frequency_penalty presence_penalty
                      mirostat mirostat_tau mirostat_eta)
    };
    ($fields:expr, $sampling:expr, $($name:ident)*) => {
        $(if let Some(value) = $sampling.$name {
            $fields.$name = value;
        })*
    };
}

/// Puts what every group has into its `RKLLMParam`.
macro_rules! set_param {
    ($param:expr, $params:expr) => {
        $param.max_context_len = i32::try_from($params.max_context_len).unwrap_or(i32::MAX);
        // rkchat counts and stops; the runtime's limit must not come first.
        $param.max_new_tokens = match $params.unlimited {
            true => -1,
            false => $param.max_context_len,
        };
        set_sampling!($param, $params.sampling);
    };
}

/// Puts a request's input into a zeroed `RKLLMInput` of the groups since 1.1.0.
macro_rules! set_input {
    ($input:expr, $buffers:expr) => {
        match $buffers {
            Buffers::Tokens(ids) => {
                $input.input_type = RKLLM_INPUT_TOKEN;
                $input.input.token_input = RKLLMTokenInput {
                    input_ids: ids.as_mut_ptr(),
                    n_tokens: ids.len(),
                };
            }
            Buffers::Text(prompt) => {
                $input.input_type = RKLLM_INPUT_PROMPT;
                $input.input.prompt_input = prompt.as_ptr();
            }
        }
    };
}

//! Calls that several groups have under the same name.

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
    (@ is_running) => {
        unsafe fn is_running(&self, handle: *mut c_void) -> Option<bool> {
            // SAFETY: handed on from the caller.
            Some(unsafe { (self.rkllm_is_running)(handle) } != 0)
        }
    };
    (@ clear_whole_cache) => {
        unsafe fn clear_cache(
            &self,
            handle: *mut c_void,
            keep_system: bool,
            ranges: &[(c_int, c_int)],
        ) -> c_int {
            if !ranges.is_empty() {
                return super::table::IMPOSSIBLE;
            }
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_clear_kv_cache)(handle, keep_system.into()) }
        }
    };
    (@ clear_cache) => {
        unsafe fn clear_cache(
            &self,
            handle: *mut c_void,
            keep_system: bool,
            ranges: &[(c_int, c_int)],
        ) -> c_int {
            let (mut starts, mut ends): (Vec<_>, Vec<_>) = ranges.iter().copied().unzip();
            let (starts, ends) = match ranges {
                // Without positions all of the cache is meant.
                [] => (std::ptr::null_mut(), std::ptr::null_mut()),
                _ => (starts.as_mut_ptr(), ends.as_mut_ptr()),
            };
            // SAFETY: handed on from the caller; there are no positions or one for each input, and they
            // live until the call returns.
            unsafe { (self.rkllm_clear_kv_cache)(handle, keep_system.into(), starts, ends) }
        }
    };
    (@ cache_size) => {
        unsafe fn cache_size(&self, handle: *mut c_void) -> Option<u32> {
            // One for each input of a run, of which there are as many as a byte can say.
            let mut sizes = [0; u8::MAX as usize];
            // SAFETY: handed on from the caller.
            let status = unsafe { (self.rkllm_get_kv_cache_size)(handle, sizes.as_mut_ptr()) };
            (status == 0).then(|| u32::try_from(sizes[0]).unwrap_or(0))
        }
    };
    (@ load_lora) => {
        unsafe fn load_lora(&self, handle: *mut c_void, adapter: *mut RKLLMLoraAdapter) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_load_lora)(handle, adapter) }
        }
    };
    (@ prompt_cache) => {
        unsafe fn load_prompt_cache(&self, handle: *mut c_void, path: &CStr) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_load_prompt_cache)(handle, path.as_ptr()) }
        }
        unsafe fn release_prompt_cache(&self, handle: *mut c_void) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_release_prompt_cache)(handle) }
        }
    };
    (@ set_chat_template) => {
        unsafe fn set_chat_template(&self, handle: *mut c_void, texts: &[CString; 3]) -> c_int {
            let [system, prefix, postfix] = texts.each_ref().map(|text| text.as_ptr());
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_set_chat_template)(handle, system, prefix, postfix) }
        }
    };
    (@ set_function_tools) => {
        unsafe fn set_function_tools(&self, handle: *mut c_void, texts: &[CString; 3]) -> c_int {
            let [system, tools, response] = texts.each_ref().map(|text| text.as_ptr());
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_set_function_tools)(handle, system, tools, response) }
        }
    };
    (@ set_cross_attn) => {
        unsafe fn set_cross_attn(
            &self,
            handle: *mut c_void,
            params: *mut RKLLMCrossAttnParam,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { (self.rkllm_set_cross_attn_params)(handle, params) }
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

        // SAFETY: nothing but the library looks behind the pointers, which are to what the driver keeps
        // as long as the model.
        unsafe impl Send for Kept {}
        // SAFETY: as above.
        unsafe impl Sync for Kept {}
    };
}

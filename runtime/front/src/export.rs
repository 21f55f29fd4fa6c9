//! The macros that export a group's functions.

/// Exports the functions of a group over an engine type: the list names each, and after a colon its
/// form where groups differ.
#[doc(hidden)]
#[macro_export]
macro_rules! export_group {
    ($engine:ty, $group:ident { $($function:ident $(: $form:ident)?),* $(,)? }) => {
        use core::ffi::{c_char, c_int, c_void};
        use $crate::abi::$group as group;
        use group::{Functions as Group, LLMHandle};

        static REGISTRY: $crate::Registry<$engine> = $crate::Registry::new();

        $($crate::export_function!($function $($form)?);)*

        /// What is exported. Does not compile if a function is missing or differs from the group's.
        pub const FUNCTIONS: Group = Group { $($function),* };
    };
}

/// Exports one function. `# Safety` of all that ask for it: as the vendor's header says.
#[doc(hidden)]
#[macro_export]
macro_rules! export_function {
    (rkllm_createDefaultParam) => {
        /// Parameters with the defaults filled in.
        #[unsafe(no_mangle)]
        #[allow(non_snake_case)]
        pub unsafe extern "C" fn rkllm_createDefaultParam() -> group::RKLLMParam {
            <Group as $crate::Group>::default_param()
        }
    };
    (rkllm_init by_value) => {
        /// Loads a model.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_init(
            handle: *mut LLMHandle,
            param: group::RKLLMParam,
            callback: <Group as $crate::Group>::Callback,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::init::<Group, _>(&REGISTRY, handle, &param, callback) }
        }
    };
    (rkllm_init by_pointer) => {
        /// Loads a model.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_init(
            handle: *mut LLMHandle,
            param: *mut group::RKLLMParam,
            callback: <Group as $crate::Group>::Callback,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::init::<Group, _>(&REGISTRY, handle, param, callback) }
        }
    };
    (rkllm_destroy) => {
        /// Frees a model.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_destroy(handle: LLMHandle) -> c_int {
            $crate::calls::destroy(&REGISTRY, handle)
        }
    };
    (rkllm_run prompt) => {
        /// Runs a finished prompt and returns when the run is over.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_run(
            handle: LLMHandle,
            prompt: *const c_char,
            userdata: *mut c_void,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::run_prompt(&REGISTRY, handle, prompt, userdata) }
        }
    };
    (rkllm_run input) => {
        /// Runs and returns when the run is over.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_run(
            handle: LLMHandle,
            input: *mut group::RKLLMInput,
            infer: *mut group::RKLLMInferParam,
            userdata: *mut c_void,
        ) -> c_int {
            let (registry, detached) = (&REGISTRY, false);
            // SAFETY: handed on from the caller.
            unsafe {
                $crate::calls::run::<Group, _>(registry, detached, handle, input, infer, userdata)
            }
        }
    };
    (rkllm_run_async) => {
        /// Runs on a thread of its own.
        ///
        /// # Safety
        /// As the vendor's header says. What `input` points to is copied before this returns.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_run_async(
            handle: LLMHandle,
            input: *mut group::RKLLMInput,
            infer: *mut group::RKLLMInferParam,
            userdata: *mut c_void,
        ) -> c_int {
            let (registry, detached) = (&REGISTRY, true);
            // SAFETY: handed on from the caller.
            unsafe {
                $crate::calls::run::<Group, _>(registry, detached, handle, input, infer, userdata)
            }
        }
    };
    (rkllm_abort) => {
        /// Ends the run in progress.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_abort(handle: LLMHandle) -> c_int {
            $crate::calls::abort(&REGISTRY, handle)
        }
    };
    (rkllm_is_running) => {
        /// Whether a run is in progress.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_is_running(handle: LLMHandle) -> c_int {
            $crate::calls::is_running(&REGISTRY, handle)
        }
    };
    (rkllm_load_lora) => {
        /// Loads an adapter.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_load_lora(
            handle: LLMHandle,
            adapter: *mut group::RKLLMLoraAdapter,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::load_lora(&REGISTRY, handle, adapter) }
        }
    };
    (rkllm_load_prompt_cache) => {
        /// Reads a prompt cache file.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_load_prompt_cache(
            handle: LLMHandle,
            path: *const c_char,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::load_prompt_cache(&REGISTRY, handle, path) }
        }
    };
    (rkllm_release_prompt_cache) => {
        /// Forgets the prompt cache file that was read.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_release_prompt_cache(handle: LLMHandle) -> c_int {
            $crate::calls::release_prompt_cache(&REGISTRY, handle)
        }
    };
    (rkllm_clear_kv_cache whole) => {
        /// Empties the cache.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_clear_kv_cache(handle: LLMHandle, keep: c_int) -> c_int {
            let all = core::ptr::null();
            // SAFETY: NULL is all of the cache.
            unsafe { $crate::calls::clear_kv_cache(&REGISTRY, handle, keep, all, all) }
        }
    };
    (rkllm_clear_kv_cache ranges) => {
        /// Empties the cache or clears ranges of it.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_clear_kv_cache(
            handle: LLMHandle,
            keep: c_int,
            start: *mut c_int,
            end: *mut c_int,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::clear_kv_cache(&REGISTRY, handle, keep, start, end) }
        }
    };
    (rkllm_get_kv_cache_size) => {
        /// Writes the number of tokens in the cache.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_get_kv_cache_size(
            handle: LLMHandle,
            sizes: *mut c_int,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::get_kv_cache_size(&REGISTRY, handle, sizes) }
        }
    };
    (rkllm_set_chat_template) => {
        /// Replaces the chat template.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_chat_template(
            handle: LLMHandle,
            system: *const c_char,
            prefix: *const c_char,
            postfix: *const c_char,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::set_chat_template(&REGISTRY, handle, system, prefix, postfix) }
        }
    };
    (rkllm_set_function_tools) => {
        /// Sets the functions that the model may call.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_function_tools(
            handle: LLMHandle,
            system: *const c_char,
            tools: *const c_char,
            response: *const c_char,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::set_function_tools(&REGISTRY, handle, system, tools, response) }
        }
    };
    (rkllm_set_cross_attn_params) => {
        /// Sets what cross attention attends to.
        ///
        /// # Safety
        /// As the vendor's header says.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn rkllm_set_cross_attn_params(
            handle: LLMHandle,
            params: *mut group::RKLLMCrossAttnParam,
        ) -> c_int {
            // SAFETY: handed on from the caller.
            unsafe { $crate::calls::set_cross_attn_params(&REGISTRY, handle, params) }
        }
    };
}

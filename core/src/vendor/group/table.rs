//! What each group's table of functions has to offer the driver.

use std::ffi::{CStr, CString, c_int, c_void};

use super::Find;
use super::buffers::Buffers;
use super::driver::Given;
use crate::vendor::abi::v1_1_0::RKLLMLoraAdapter;
use crate::vendor::abi::v1_2_1::RKLLMCrossAttnParam;
use crate::vendor::{InitParams, RunRequest};

/// The status where the library was not even asked.
pub(super) const IMPOSSIBLE: c_int = -1;

/// The calls of one group, in its layout. Implemented by the group's table of functions.
///
/// What a group has no call for keeps the body given here.
///
/// # Safety, of every call that takes a handle
/// The handle is open, and, but for `abort` and `is_running`, no run is in progress on it. What pointers
/// and references lead to lives as long as the model, or until a later call of the same function
/// succeeded.
pub(super) trait Abi: Copy + Send + Sync + Sized + 'static {
    /// What the library may look at as long as the model is open, and what runs need again.
    type Kept: Send + Sync;

    /// Whether a run can be paused by its callback.
    const PAUSES: bool = false;
    /// Whether a run can have several inputs.
    const BATCHES: bool = false;

    /// # Safety
    /// As for [`super::Group::driver`].
    unsafe fn load(find: Find<'_>) -> Result<Self, String>;

    /// What `rkllm_init` is given.
    fn prepare(&self, params: &InitParams, given: &Given) -> Self::Kept;

    /// `rkllm_init`.
    ///
    /// # Safety
    /// `kept` and what it was made with live as long as the handle.
    unsafe fn init(&self, handle: *mut *mut c_void, kept: &mut Self::Kept) -> c_int;

    /// `rkllm_run`; returns when the run is over.
    ///
    /// # Safety
    /// As above; there are as many inputs as the model was opened for, and embeddings are as wide as the
    /// model's.
    unsafe fn run(
        &self,
        handle: *mut c_void,
        kept: &Self::Kept,
        request: &RunRequest,
        buffers: &mut Buffers,
        userdata: *mut c_void,
    ) -> c_int;

    /// `rkllm_abort`.
    ///
    /// # Safety
    /// As above.
    unsafe fn abort(&self, _handle: *mut c_void) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_is_running`.
    ///
    /// # Safety
    /// As above.
    unsafe fn is_running(&self, _handle: *mut c_void) -> Option<bool> {
        None
    }

    /// `rkllm_clear_kv_cache`.
    ///
    /// # Safety
    /// As above; `ranges` is empty or has one for each input.
    unsafe fn clear_cache(
        &self,
        _handle: *mut c_void,
        _keep_system: bool,
        _ranges: &[(c_int, c_int)],
    ) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_get_kv_cache_size`, of the first input.
    ///
    /// # Safety
    /// As above.
    unsafe fn cache_size(&self, _handle: *mut c_void) -> Option<u32> {
        None
    }

    /// `rkllm_load_lora`.
    ///
    /// # Safety
    /// As above.
    unsafe fn load_lora(&self, _handle: *mut c_void, _adapter: *mut RKLLMLoraAdapter) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_load_prompt_cache`.
    ///
    /// # Safety
    /// As above.
    unsafe fn load_prompt_cache(&self, _handle: *mut c_void, _path: &CStr) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_release_prompt_cache`.
    ///
    /// # Safety
    /// As above.
    unsafe fn release_prompt_cache(&self, _handle: *mut c_void) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_set_chat_template`: system prompt, prefix, postfix.
    ///
    /// # Safety
    /// As above.
    unsafe fn set_chat_template(&self, _handle: *mut c_void, _texts: &[CString; 3]) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_set_function_tools`: system prompt, tools, mark of their results.
    ///
    /// # Safety
    /// As above.
    unsafe fn set_function_tools(&self, _handle: *mut c_void, _texts: &[CString; 3]) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_set_cross_attn_params`.
    ///
    /// # Safety
    /// As above; the sizes are those of the model.
    unsafe fn set_cross_attn(
        &self,
        _handle: *mut c_void,
        _params: *mut RKLLMCrossAttnParam,
    ) -> c_int {
        IMPOSSIBLE
    }

    /// `rkllm_destroy`.
    ///
    /// # Safety
    /// The handle is open, no run is in progress on it, and it is not used again.
    unsafe fn destroy(&self, handle: *mut c_void);
}

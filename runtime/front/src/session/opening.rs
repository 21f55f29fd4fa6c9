//! From `rkllm_init`'s parameters to an open model.

use super::{Deliver, Session};
use crate::engine::{Engine, InitParams, unsupported};
use crate::log;
use crate::registry::Registry;
use std::ffi::c_void;

/// What a group can and how its `rkllm_init` behaves.
pub struct Opening {
    /// Newest release of the group.
    pub release: &'static str,
    /// Whether text input gets the model's own template.
    pub templated: bool,
    /// Whether text comes in whole characters, with [`State::Waiting`](crate::engine::State)
    /// until one is complete; if not, a token's bytes come as they are.
    pub whole_characters: bool,
    /// What becomes of a `max_context_len` above the model's limit.
    pub context_limit: ContextLimit,
}

/// What becomes of a `max_context_len` above the model's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ContextLimit {
    /// `rkllm_init` fails.
    Strict,
    /// The limit takes its place, with a warning.
    Clamped,
}

/// Loads a model and registers it; the handle, or NULL where the engine imitates that.
pub fn open<E: Engine>(
    registry: &Registry<E>,
    opening: &'static Opening,
    params: InitParams,
    deliver: Deliver,
) -> Result<*mut c_void, String> {
    E::opening(&params);
    check::<E>(&params)?;
    log::info(&format!(
        "rkllm-runtime version: {}{}, rknpu driver version: {}, platform: {}",
        opening.release,
        E::SUFFIX,
        E::DRIVER,
        E::PLATFORM
    ));
    if log::level() >= 2 {
        log::info(&format!("{params:?}"));
    }
    let Some(mut engine) = E::load(&params)? else {
        return Ok(std::ptr::null_mut());
    };
    let model = engine.model();
    log::info(&format!(
        "rkllm-toolkit version: {}, max_context_limit: {}, npu_core_num: {}, \
         target_platform: {}, model_dtype: {}",
        model.toolkit, model.n_ctx_train, model.npu_cores, model.platform, model.dtype
    ));
    let n_ctx = window(
        params.max_context_len,
        model.n_ctx_train,
        engine.context_limit(opening.context_limit),
    )?;
    let prepared = engine.prepare(n_ctx, params.n_batch.into())?;
    let session = Session::new(engine, params, model, prepared, deliver, opening);
    Ok(registry.insert(session))
}

fn check<E: Engine>(params: &InitParams) -> Result<(), String> {
    params.sampling.check()?;
    if !(1..=100).contains(&params.n_batch) {
        return Err(format!(
            "n_batch must be between 1 and 100, but got {}",
            params.n_batch
        ));
    }
    if params.use_cross_attn != 0 && !E::CROSS_ATTENTION {
        return Err(unsupported::<E>("cross attention"));
    }
    Ok(())
}

fn window(asked: i32, n_ctx_train: u32, limit: ContextLimit) -> Result<u32, String> {
    let n_ctx = u32::try_from(asked).unwrap_or(0);
    if n_ctx == 0 {
        return Err(format!(
            "max_context_len must be at least 1, but got {asked}"
        ));
    }
    if n_ctx <= n_ctx_train {
        return Ok(n_ctx);
    }
    let message = format!(
        "max_context[{n_ctx}] must be less than the model's max_context_limit[{n_ctx_train}]"
    );
    match limit {
        ContextLimit::Strict => Err(message),
        ContextLimit::Clamped => {
            log::warning(&format!("{message}; the limit is used"));
            Ok(n_ctx_train)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_that_is_too_large_fails_or_is_clamped() {
        use ContextLimit::{Clamped, Strict};
        assert_eq!(window(4096, 4096, Strict), Ok(4096));
        assert_eq!(
            window(4097, 4096, Strict).unwrap_err(),
            "max_context[4097] must be less than the model's max_context_limit[4096]"
        );
        assert_eq!(window(4097, 4096, Clamped), Ok(4096));
        for asked in [0, -1, i32::MIN] {
            let error = window(asked, 4096, Clamped).unwrap_err();
            assert!(error.contains(&asked.to_string()), "{error}");
        }
    }
}

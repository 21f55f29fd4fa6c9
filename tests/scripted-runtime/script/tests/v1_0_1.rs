//! The functions of group 1.0.1 over scripts.

mod groups;
mod support;

use rkchat_runtime_front::abi::v1_0_1::*;
use serde_json::json;
use std::ffi::c_void;

mod library {
    rkchat_runtime_front::export_v1_0_1!(rkchat_scripted::Scripted);
}

groups::group_tests!(crate::library::FUNCTIONS);

/// Ids and log probabilities of each call with text.
type Tokens = Vec<Vec<(i32, f32)>>;

unsafe extern "C" fn on_result(result: *mut RKLLMResult, data: *mut c_void, _: u32) {
    // SAFETY: the runtime passes a valid result with `num` tokens, the test its `Tokens`.
    unsafe {
        let (result, heard) = (&*result, &mut *data.cast::<Tokens>());
        if !result.text.is_null() {
            let n = usize::try_from(result.num).unwrap();
            let tokens = (0..n).map(|i| *result.tokens.add(i));
            heard.push(tokens.map(|token| (token.id, token.logprob)).collect());
        }
    }
}

#[test]
fn log_probabilities_come_if_asked_for() {
    let file = support::ScriptFile::new(json!({"pieces": [["x", 5], ["y", 6]]}));
    let path = file.path();
    for (logprobs, expected) in [
        (0, [vec![], vec![]]),
        (1, [vec![(5, -0.5), (5, -1.0)], vec![(6, -0.5), (6, -1.0)]]),
    ] {
        let mut heard = Tokens::new();
        let mut handle = std::ptr::null_mut();
        // SAFETY: valid pointers for the duration of the calls.
        unsafe {
            let mut param = library::rkllm_createDefaultParam();
            param.model_path = path.as_ptr();
            (param.logprobs, param.top_logprobs) = (logprobs, 1);
            assert_eq!(library::rkllm_init(&mut handle, param, Some(on_result)), 0);
            let userdata = (&raw mut heard).cast();
            assert_eq!(library::rkllm_run(handle, c"hi".as_ptr(), userdata), 0);
            assert_eq!(library::rkllm_destroy(handle), 0);
        }
        assert_eq!(heard, expected);
    }
    assert!(file.recorded("init")[0]["top_logprobs"].is_null());
}

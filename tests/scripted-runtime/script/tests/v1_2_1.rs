//! The functions of group 1.2.1 over scripts.

mod groups;
mod support;

use library::*;
use rkchat_runtime_front::abi::v1_2_1::*;
use serde_json::json;
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

mod library {
    rkchat_runtime_front::export_v1_2_1!(rkchat_scripted::Scripted);
}

groups::group_tests!(crate::library::FUNCTIONS);

/// What the callback does and hears.
#[derive(Default)]
struct Talk {
    answer: c_int,
    states: Vec<u32>,
    generated: c_int,
}

unsafe extern "C" fn on_result(result: *mut RKLLMResult, data: *mut c_void, state: u32) -> c_int {
    // SAFETY: the runtime passes a valid result, the test its `Talk`.
    let (result, talk) = unsafe { (&*result, &mut *data.cast::<Talk>()) };
    talk.states.push(state);
    talk.generated = result.perf.generate_tokens;
    talk.answer
}

#[test]
fn roles_pauses_ranges_and_measurements() {
    let file = support::ScriptFile::new(json!({"pieces": ["x", "y"], "thinks": true}));
    let path = file.path();
    let (mut handle, mut talk) = (null_mut(), Talk::default());
    // SAFETY: valid pointers for the duration of the calls.
    unsafe {
        let mut param = rkllm_createDefaultParam();
        param.model_path = path.as_ptr();
        param.extend_param.n_batch = 0;
        assert_eq!(rkllm_init(&mut handle, &mut param, Some(on_result)), -1);
        param.extend_param.n_batch = 1;
        assert_eq!(rkllm_init(&mut handle, &mut param, Some(on_result)), 0);

        let mut input = RKLLMInput::zeroed();
        input.role = c"user".as_ptr();
        input.enable_thinking = 1;
        input.input.prompt_input = c"one two three".as_ptr();
        let userdata = (&raw mut talk).cast();
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), userdata), 0);
        let whole = [RKLLM_RUN_NORMAL, RKLLM_RUN_NORMAL, RKLLM_RUN_FINISH];
        assert_eq!((talk.states.as_slice(), talk.generated), (&whole[..], 2));

        let (mut start, mut end, mut size) = (1, 2, -1);
        let cut = rkllm_clear_kv_cache(handle, 0, &mut start, &mut end);
        assert_eq!(cut, -1, "no run is paused");
        talk = Talk {
            answer: 1,
            ..Talk::default()
        };
        assert_eq!(rkllm_run(handle, &mut input, null_mut(), userdata), 0);
        assert_eq!(talk.states, [RKLLM_RUN_NORMAL]);
        assert_eq!(rkllm_get_kv_cache_size(handle, &mut size), 0);
        assert_eq!(size, 4);
        assert_eq!(rkllm_clear_kv_cache(handle, 0, &mut start, &mut end), 0);
        assert_eq!(rkllm_get_kv_cache_size(handle, &mut size), 0);
        assert_eq!(size, 3);
        assert_eq!(rkllm_set_cross_attn_params(handle, null_mut()), -1);
        assert_eq!(rkllm_destroy(handle), 0);
    }
    let run = &file.recorded("run")[0];
    assert_eq!(
        (&run["role"], &run["enable_thinking"], &run["prompt"]),
        (&json!("user"), &json!(true), &json!("one two three"))
    );
    assert_eq!(
        file.recorded("cut_cache"),
        [json!({"call": "cut_cache", "start": 1, "end": 2})]
    );
}

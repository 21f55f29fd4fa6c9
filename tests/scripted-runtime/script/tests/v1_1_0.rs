//! The functions of group 1.1.0 over scripts.

mod groups;
mod support;

use rkchat_runtime_front::abi::v1_1_0::*;
use serde_json::json;
use std::ffi::c_void;
use std::ptr::null_mut;
use support::{Call, Heard, ScriptFile, client};

mod library {
    rkchat_runtime_front::export_v1_1_0!(rkchat_scripted::Scripted);
}

use library::*;

groups::group_tests!(crate::library::FUNCTIONS);

unsafe extern "C" fn on_result(result: *mut RKLLMResult, data: *mut c_void, state: u32) {
    // SAFETY: the runtime passes a valid result, and every run of these tests a `Heard`.
    unsafe {
        let result = &*result;
        let states = &result.last_hidden_layer;
        Heard::add(data, result.text, |text| match state {
            RKLLM_RUN_GET_LAST_HIDDEN_LAYER => {
                Call::HiddenStates(states.num_tokens, states.embd_size)
            }
            _ => client::v1_1_0::call(text, result.token_id, state),
        });
    }
}

#[test]
fn text_is_taken_as_it_is_and_each_run_starts_empty() {
    let template = json!({"prefix": "<u>", "postfix": "</u>"});
    let file = ScriptFile::new(
        json!({"pieces": ["a", {"hex": "f09f"}, {"hex": "9880"}], "template": template}),
    );
    let (path, heard) = (file.path(), Heard::default());
    let userdata = heard.userdata();
    let mut handle = null_mut();
    // SAFETY: valid pointers for the duration of the calls.
    unsafe {
        let mut param = rkllm_createDefaultParam();
        param.model_path = path.as_ptr();
        param.top_k = 9;
        param.is_async = 0;
        param.img_start = c"<img>".as_ptr();
        param.extend_param.base_domain_id = 2;
        assert_eq!(rkllm_init(&mut handle, &mut param, Some(on_result)), 0);
        let mut input = RKLLMInput::zeroed();
        input.input.prompt_input = c"hello there".as_ptr();
        let mut infer = RKLLMInferParam::zeroed();
        for _ in 0..2 {
            assert_eq!(rkllm_run(handle, &mut input, &mut infer, userdata), 0);
            let expected = [
                Call::normal("a", 1000),
                Call::waiting(1001),
                Call::normal("\u{1F600}", 1002),
                Call::FINISH,
            ];
            assert_eq!(heard.take(), expected);
        }
        assert_eq!(rkllm_run_async(handle, &mut input, &mut infer, userdata), 0);
        heard.wait_for(|call| *call == Call::FINISH);
        assert_eq!(heard.text(), "a\u{1F600}");
        heard.take();
        infer.mode = RKLLM_INFER_GET_LAST_HIDDEN_LAYER;
        assert_eq!(rkllm_run(handle, &mut input, &mut infer, userdata), 0);
        assert_eq!(heard.take(), [Call::HiddenStates(2, 4), Call::FINISH]);
        // This group has no logits.
        infer.mode = 2;
        assert_eq!(rkllm_run(handle, &mut input, &mut infer, userdata), -1);
        assert_eq!(rkllm_destroy(handle), 0);
        assert_eq!(rkllm_init(&mut handle, &mut param, None), -1);
    }
    let init = &file.recorded("init")[0];
    assert_eq!(
        (&init["sampling"]["top_k"], &init["base_domain_id"]),
        (&json!(9), &json!(2))
    );
    assert_eq!(init["image_markers"], json!(["<img>", "", ""]));
    let runs = file.recorded("run");
    assert_eq!(runs.len(), 4);
    assert_eq!(
        (&runs[1]["prompt"], &runs[1]["keep_history"]),
        (&json!("hello there"), &json!(false))
    );
}

#[test]
fn defaults_are_those_of_the_manual() {
    // SAFETY: the function takes nothing.
    let param = unsafe { rkllm_createDefaultParam() };
    assert_eq!(
        (param.top_k, param.top_p, param.temperature),
        (40, 0.9, 0.8)
    );
    assert_eq!((param.repeat_penalty, param.frequency_penalty), (1.1, 0.0));
    assert_eq!(
        (param.mirostat, param.mirostat_tau, param.mirostat_eta),
        (0, 5.0, 0.1)
    );
    assert_eq!(param.extend_param.base_domain_id, 0);
    assert!(!param.img_start.is_null() && !param.img_end.is_null() && !param.img_content.is_null());
}

//! Several prompts in one run.

use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use std::ffi::{CStr, CString, c_int, c_void};
use std::ptr::null_mut;

/// What each prompt of a run brought.
#[derive(Default)]
struct Lanes {
    texts: Vec<String>,
    /// Calls after which a prompt's answer had ended.
    ended: Vec<usize>,
    finished: usize,
}

unsafe extern "C" fn on_results(results: *mut RKLLMResult, data: *mut c_void, state: u32) -> c_int {
    // SAFETY: the runtime passes as many results as there are prompts, the test its `Lanes`.
    let (results, lanes) = unsafe {
        let lanes = &mut *data.cast::<Lanes>();
        (
            std::slice::from_raw_parts(results, lanes.texts.len()),
            lanes,
        )
    };
    match state {
        RKLLM_RUN_FINISH => {
            assert!(results.iter().all(|result| result.text.is_null()));
            lanes.finished += 1;
        }
        RKLLM_RUN_NORMAL | RKLLM_RUN_WAITING => {
            for (lane, result) in results.iter().enumerate() {
                if result.token_id < 0 {
                    assert!(result.text.is_null());
                    lanes.ended[lane] += 1;
                } else {
                    assert_eq!(lanes.ended[lane], 0, "an answer that ended stays ended");
                    // SAFETY: text is set for a token.
                    let text = unsafe { CStr::from_ptr(result.text) };
                    lanes.texts[lane].push_str(text.to_str().unwrap());
                }
            }
        }
        _ => {}
    }
    0
}

#[test]
fn each_prompt_of_a_run_gets_its_own_answer() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let questions = [
        "What is the capital of France?",
        "Write one sentence about the sea and one about the mountains.",
        "Say yes.",
    ];
    let alone: Vec<_> = {
        let model = Model::open(&runtime, &path, |_| {}).unwrap();
        let ask = |question: &&str| {
            let mut heard = Heard::default();
            assert_eq!(model.text(question, at_most(30), &mut heard), 0);
            heard.text
        };
        questions.iter().map(ask).collect()
    };

    let functions = functions(library(&runtime.join("1.3.0/librkllmrt.so")));
    let path = CString::new(path.to_str().unwrap()).unwrap();
    let texts = questions.map(|question| CString::new(question).unwrap());
    let mut handle = null_mut();
    // SAFETY: valid pointers for the duration of the calls; as many inputs as `n_batch`.
    unsafe {
        let mut param = (functions.rkllm_createDefaultParam)();
        param.model_path = path.as_ptr();
        param.max_context_len = 512;
        param.top_k = 1;
        param.repeat_penalty = 1.0;
        param.skip_special_token = 1;
        param.extend_param.n_batch = 3;
        let mut callback = RKLLMCallback::zeroed();
        callback.result_callback = Some(on_results);
        assert_eq!(
            (functions.rkllm_init)(&mut handle, &mut param, &mut callback),
            0
        );
        let mut inputs = texts.each_ref().map(|text| {
            let mut input = RKLLMInput::zeroed();
            input.input.prompt_input = text.as_ptr();
            input
        });
        let mut infer = at_most(30);
        for _ in 0..2 {
            let mut lanes = Lanes {
                texts: vec![String::new(); 3],
                ended: vec![0; 3],
                finished: 0,
            };
            let data = (&raw mut lanes).cast();
            let run = functions.rkllm_run;
            assert_eq!(run(handle, inputs.as_mut_ptr(), &mut infer, data), 0);
            assert_eq!(lanes.texts, alone);
            assert_eq!(lanes.finished, 1);
            assert!(
                lanes.ended[0] > 0 && lanes.ended[1] == 0,
                "{:?}",
                lanes.ended
            );
        }
        let mut sizes = [-1; 3];
        let size = functions.rkllm_get_kv_cache_size;
        assert_eq!(size(handle, sizes.as_mut_ptr()), 0);
        assert!(sizes.iter().all(|size| *size > 8), "{sizes:?}");
        let clear = functions.rkllm_clear_kv_cache;
        assert_eq!(clear(handle, 0, null_mut(), null_mut()), 0);
        assert_eq!(size(handle, sizes.as_mut_ptr()), 0);
        assert_eq!(sizes, [0; 3]);
        // What is not there for several prompts at once.
        infer.mode = RKLLM_INFER_GET_LOGITS;
        let run = functions.rkllm_run;
        assert_eq!(run(handle, inputs.as_mut_ptr(), &mut infer, null_mut()), -1);
        assert_eq!((functions.rkllm_destroy)(handle), 0);
    }
}

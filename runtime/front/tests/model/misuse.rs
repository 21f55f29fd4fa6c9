//! Calls in any order, from several threads, with anything.

use crate::gguf::Lora;
use crate::support::*;
use rkchat_runtime_front::abi::v1_3_0::*;
use std::ffi::{CString, c_int};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

/// As many as any model of this test takes at once.
const PROMPTS: usize = 3;

/// Numbers that look random and are the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (self.0 >> 33) % n
    }

    fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

unsafe extern "C" fn answer_anything(
    result: *mut RKLLMResult,
    _: *mut std::ffi::c_void,
    _: u32,
) -> c_int {
    // SAFETY: the runtime passes a valid result.
    let result = unsafe { &*result };
    // Mostly goes on; sometimes pauses, frees the buffer, or says what no document knows.
    match result.token_id % 16 {
        3 => 1,
        5 => 2,
        7 => -9,
        _ => 0,
    }
}

/// One call that may be good or bad; whether it was a run that was accepted.
///
/// # Safety
/// The handle belongs to the functions' library, and the files are named by valid strings.
unsafe fn call(
    functions: &Functions,
    handle: LLMHandle,
    numbers: &mut Numbers,
    files: &[CString],
) -> bool {
    let mut good = false;
    let files: Vec<_> = files
        .iter()
        .map(|file| file.as_ptr())
        .chain([null()])
        .collect();
    let texts = [
        c"hi".as_ptr(),
        c"".as_ptr(),
        c"<image>".as_ptr(),
        c"[1]".as_ptr(),
        null(),
    ];
    let mut ids: Vec<i32> = (0..numbers.below(40))
        .map(|_| numbers.of(&[1, 2, 300, 49151, 300, 1, 300]))
        .collect();
    if numbers.below(8) == 0 {
        ids.push(numbers.of(&[-1, 49152, i32::MIN, i32::MAX]));
    }
    let mut rows = vec![0.25f32; 576 * 3];
    // SAFETY: every pointer is NULL or valid during the call.
    unsafe {
        match numbers.below(12) {
            0 => drop((functions.rkllm_abort)(handle)),
            1 => drop((functions.rkllm_clear_kv_cache)(
                handle,
                numbers.below(2) as c_int,
                null_mut(),
                null_mut(),
            )),
            2 => {
                let mut start = [(); PROMPTS].map(|()| numbers.of(&[0, 1, 5, -1, i32::MAX]));
                let mut end = [(); PROMPTS].map(|()| numbers.of(&[0, 2, 9, -1, i32::MAX]));
                let (start, end) = (start.as_mut_ptr(), end.as_mut_ptr());
                (functions.rkllm_clear_kv_cache)(handle, 0, start, end);
            }
            3 => {
                let mut adapter = RKLLMLoraAdapter::zeroed();
                adapter.lora_adapter_path = numbers.of(&files);
                adapter.lora_adapter_name = numbers.of(&texts);
                adapter.scale = numbers.of(&[0.0, 1.0, f32::NAN]);
                (functions.rkllm_load_lora)(handle, &mut adapter);
            }
            4 => drop((functions.rkllm_load_prompt_cache)(
                handle,
                numbers.of(&files),
            )),
            5 => drop((functions.rkllm_release_prompt_cache)(handle)),
            6 => {
                let [a, b, c] = [(); 3].map(|()| numbers.of(&texts));
                match numbers.below(2) {
                    0 => (functions.rkllm_set_chat_template)(handle, a, b, c),
                    _ => (functions.rkllm_set_function_tools)(handle, a, b, c),
                };
            }
            _ => {
                let mut input = RKLLMInput::zeroed();
                input.role = numbers.of(&[c"user".as_ptr(), c"tool".as_ptr(), null()]);
                input.input_type = numbers.below(5) as u32;
                match input.input_type {
                    RKLLM_INPUT_PROMPT => input.input.prompt_input = numbers.of(&texts),
                    RKLLM_INPUT_TOKEN => {
                        input.input.token_input = RKLLMTokenInput {
                            input_ids: ids.as_mut_ptr(),
                            n_tokens: ids.len(),
                        }
                    }
                    RKLLM_INPUT_EMBED => {
                        input.input.embed_input = RKLLMEmbedInput {
                            embed: numbers.of(&[rows.as_mut_ptr(), null_mut()]),
                            n_tokens: numbers.of(&[0, 1, 3]),
                        }
                    }
                    _ => {
                        let mut images = RKLLMMultiModalInput::zeroed();
                        images.prompt = numbers.of(&texts).cast_mut();
                        images.image.image_embed = rows.as_mut_ptr();
                        images.image.n_image = numbers.of(&[0, 1, 3]);
                        images.image.n_image_tokens = numbers.of(&[0, 1]);
                        input.input.multimodal_input = images;
                    }
                }
                let mut lora = RKLLMLoraParam {
                    lora_adapter_name: numbers.of(&texts),
                };
                let mut cache = RKLLMPromptCacheParam {
                    save_prompt_cache: 1,
                    prompt_cache_path: files[1],
                };
                let mut infer = RKLLMInferParam {
                    mode: numbers.of(&[0, 0, 0, 0, 1, 2, 9]),
                    lora_params: numbers.of(&[null_mut(), null_mut(), null_mut(), &raw mut lora]),
                    prompt_cache_params: numbers.of(&[
                        null_mut(),
                        null_mut(),
                        null_mut(),
                        &raw mut cache,
                    ]),
                    keep_history: numbers.below(2) as c_int,
                    ..at_most(numbers.of(&[1, 4, 6]))
                };
                let (run, run_async) = (functions.rkllm_run, functions.rkllm_run_async);
                let run = numbers.of(&[run, run, run, run_async]);
                let mut inputs = [input; PROMPTS];
                good = run(handle, inputs.as_mut_ptr(), &mut infer, null_mut()) == 0;
            }
        }
        // Often enough nothing runs when the next call comes.
        while numbers.below(3) > 0 && (functions.rkllm_is_running)(handle) == 1 {
            std::thread::yield_now();
        }
        let mut sizes = [0; PROMPTS];
        (functions.rkllm_get_kv_cache_size)(handle, sizes.as_mut_ptr());
        assert!(
            sizes.iter().all(|size| (0..=96).contains(size)),
            "{sizes:?}"
        );
    }
    good
}

#[test]
fn nothing_that_is_called_ends_the_process() {
    let Some((runtime, path)) = installed() else {
        return;
    };
    let _guard = one_at_a_time();
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| folder.path().join(name);
    Lora::new(1, 0.1).write(&file("lora"));
    std::fs::write(file("noise"), [7; 999]).unwrap();
    let files = [file("lora"), file("cache"), file("noise"), path.clone()];
    let files = files.map(|path: std::path::PathBuf| c_string(&path));
    let functions = functions(library(&runtime.join("1.3.0/librkllmrt.so")));
    let path = c_string(&path);
    for (threads, n_keep, n_batch) in [(1, -1, 1), (3, 4, 1), (1, 2, PROMPTS as u8)] {
        let mut handle = null_mut();
        // SAFETY: valid pointers for the duration of the calls.
        unsafe {
            let mut param = (functions.rkllm_createDefaultParam)();
            param.model_path = path.as_ptr();
            param.max_context_len = 96;
            param.n_keep = n_keep;
            param.extend_param.n_batch = n_batch;
            let mut callback = RKLLMCallback::zeroed();
            callback.result_callback = Some(answer_anything);
            let opened = (functions.rkllm_init)(&mut handle, &mut param, &mut callback);
            assert_eq!(opened, 0);
        }
        let handle = handle as usize;
        let good = AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for thread in 0..threads {
                let (functions, files, good) = (&functions, &files, &good);
                scope.spawn(move || {
                    let mut numbers = Numbers(thread);
                    for _ in 0..150 {
                        // SAFETY: as `call` asks; the handle is destroyed only after the threads.
                        let run =
                            unsafe { call(functions, handle as LLMHandle, &mut numbers, files) };
                        good.fetch_add(run.into(), Ordering::Relaxed);
                    }
                });
            }
        });
        let good = good.into_inner();
        assert!(good >= 3, "only {good} runs were accepted");
        // SAFETY: the handle is open, a run in the background may be too.
        assert_eq!(unsafe { (functions.rkllm_destroy)(handle as LLMHandle) }, 0);
    }
}

fn c_string(path: &Path) -> CString {
    CString::new(path.to_str().unwrap()).unwrap()
}

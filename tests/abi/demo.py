"""A program as written for Rockchip's library, in Python with ctypes: a question, and a long answer that
another thread ends.

Arguments: the library, the release as a number (10203 for 1.2.3), the model. The module `rkllm` holds the
structs of that release.
"""

import ctypes
import sys
import threading

import rkllm

LIBRARY, VERSION, MODEL = sys.argv[1], int(sys.argv[2]), sys.argv[3].encode()
PREFIX, POSTFIX = b"<|im_start|>user\n", b"<|im_end|>\n<|im_start|>assistant\n"
FINISH = rkllm.RKLLM_RUN_FINISH if VERSION >= 10100 else rkllm.LLM_RUN_FINISH

library = rkllm.load(LIBRARY)
pieces = []
finished = threading.Event()
enough = threading.Event()


@rkllm.LLMResultCallback
def on_result(result, _userdata, state):
    text = result if VERSION < 10001 else result.contents.text
    if state == FINISH:
        finished.set()
    elif text:
        pieces.append(text)
        if len(pieces) >= 5:
            enough.set()
    return 0 if VERSION >= 10201 else None


def open_model():
    param = library.rkllm_createDefaultParam()
    setattr(param, "modelPath" if VERSION < 10001 else "model_path", MODEL)
    param.max_context_len = 512
    param.max_new_tokens = 160
    param.top_k = 1
    param.repeat_penalty = 1.0
    if VERSION >= 10100:
        param.skip_special_token = True
    handle = rkllm.LLMHandle()
    if VERSION < 10100:
        status = library.rkllm_init(ctypes.byref(handle), param, on_result)
    elif VERSION < 10300:
        status = library.rkllm_init(ctypes.byref(handle), ctypes.byref(param), on_result)
    else:
        callback = rkllm.RKLLMCallback()
        callback.result_callback = on_result
        status = library.rkllm_init(ctypes.byref(handle), ctypes.byref(param), ctypes.byref(callback))
    assert status == 0 and handle, "cannot open the model"
    return handle


def ask(handle, question):
    pieces.clear()
    finished.clear()
    if VERSION < 10100:
        status = library.rkllm_run(handle, PREFIX + question + POSTFIX, None)
    else:
        given = rkllm.RKLLMInput()
        if VERSION >= 10201:
            given.role = b"user"
        given.input_type = rkllm.RKLLM_INPUT_PROMPT
        given.prompt_input = question if VERSION >= 10200 else PREFIX + question + POSTFIX
        infer = rkllm.RKLLMInferParam()
        infer.mode = rkllm.RKLLM_INFER_GENERATE
        status = library.rkllm_run(handle, ctypes.byref(given), ctypes.byref(infer), None)
    assert status == 0 and finished.is_set()
    return b"".join(pieces).decode()


handle = open_model()
if VERSION >= 10200:
    assert library.rkllm_set_chat_template(handle, b"", PREFIX, POSTFIX) == 0
print("answer:", ask(handle, b"What is the capital of France?"))
if VERSION >= 10001:

    def abort():
        enough.wait()
        library.rkllm_abort(handle)

    enough.clear()
    thread = threading.Thread(target=abort)
    thread.start()
    ask(handle, b"Write a long story about a river.")
    thread.join()
    print("aborted:", len(pieces))
assert library.rkllm_destroy(handle) == 0

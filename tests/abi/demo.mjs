// A program as written for Rockchip's library, in JavaScript with koffi: a question, and a long answer that
// is ended while it comes.
//
// Arguments: the module with the release's structs, the library, the release as a number (10203 for 1.2.3),
// the model.

import koffi from "koffi";
import { promisify } from "node:util";

const [, , structs, path, release, model] = process.argv;
const VERSION = Number(release);
const rkllm = await import(structs);
const library = rkllm.declare(koffi, path);
const [PREFIX, POSTFIX] = ["<|im_start|>user\n", "<|im_end|>\n<|im_start|>assistant\n"];
const FINISH = VERSION >= 10100 ? rkllm.RKLLM_RUN_FINISH : rkllm.LLM_RUN_FINISH;

let pieces = [];
let finished = false;
let heard = () => {};

const callback = koffi.register((result, _userdata, state) => {
  const text = VERSION < 10001 ? result : koffi.decode(result, "RKLLMResult").text;
  if (state === FINISH) finished = true;
  else if (text) pieces.push(text);
  heard();
  return VERSION >= 10201 ? 0 : undefined;
}, "LLMResultCallback *");

function open() {
  const param = library.rkllm_createDefaultParam();
  param[VERSION < 10001 ? "modelPath" : "model_path"] = model;
  Object.assign(param, { max_context_len: 512, max_new_tokens: 160, top_k: 1, repeat_penalty: 1 });
  if (VERSION >= 10100) param.skip_special_token = true;
  const handle = [null];
  const last = VERSION >= 10300 ? { result_callback: callback } : callback;
  const status = library.rkllm_init(handle, param, last);
  if (status !== 0 || !handle[0]) throw new Error("cannot open the model");
  return handle[0];
}

async function ask(handle, question) {
  pieces = [];
  finished = false;
  const run = promisify(library.rkllm_run.async);
  let status;
  if (VERSION < 10100) {
    status = await run(handle, PREFIX + question + POSTFIX, null);
  } else {
    const prompt = VERSION >= 10200 ? question : PREFIX + question + POSTFIX;
    const input = { input_type: rkllm.RKLLM_INPUT_PROMPT, union: { prompt_input: prompt } };
    if (VERSION >= 10201) input.role = "user";
    status = await run(handle, input, { mode: rkllm.RKLLM_INFER_GENERATE }, null);
  }
  if (status !== 0 || !finished) throw new Error(`the run returned ${status}`);
  return pieces.join("");
}

const handle = open();
if (VERSION >= 10200 && library.rkllm_set_chat_template(handle, "", PREFIX, POSTFIX) !== 0) {
  throw new Error("rkllm_set_chat_template");
}
console.log("answer:", await ask(handle, "What is the capital of France?"));
if (VERSION >= 10001) {
  heard = () => {
    if (pieces.length === 5) library.rkllm_abort(handle);
  };
  await ask(handle, "Write a long story about a river.");
  console.log("aborted:", pieces.length);
}
if (library.rkllm_destroy(handle) !== 0) throw new Error("rkllm_destroy");
koffi.unregister(callback);

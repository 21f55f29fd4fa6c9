// A program as written for Rockchip's library, in C++: what a release offers beyond a question and its
// answer. RKLLM_VERSION is the release it is for, 10203 for 1.2.3.
// Arguments: the model's path and a folder to write to.

#include "rkllm.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#if RKLLM_VERSION < 10100
constexpr LLMCallState FINISH = LLM_RUN_FINISH;
#else
constexpr LLMCallState FINISH = RKLLM_RUN_FINISH;
#endif

namespace {

struct Heard {
    std::string text;
    int finished = 0;
    int log_probabilities = 0;
    int hidden_rows = 0;
    int hidden_size = 0;
    std::vector<int> logit_rows;
    int vocabulary = 0;
    int generated = 0;
    // What the callback returns.
    int answer = 0;
};

#if RKLLM_VERSION < 10001
void on_result(const char *text, void *userdata, LLMCallState state)
{
    auto *heard = static_cast<Heard *>(userdata);
    heard->finished += state == FINISH;
    if (text)
        heard->text += text;
}
#else
void take(const RKLLMResult &result, Heard &heard, LLMCallState state)
{
    heard.finished += state == FINISH;
    if (result.text)
        heard.text += result.text;
#if RKLLM_VERSION < 10100
    for (int i = 0; i < result.num; i++)
        heard.log_probabilities += std::isfinite(result.tokens[i].logprob) && result.tokens[i].logprob <= 0;
#else
    if (result.last_hidden_layer.hidden_states) {
        heard.hidden_rows = result.last_hidden_layer.num_tokens;
        heard.hidden_size = result.last_hidden_layer.embd_size;
    }
#endif
#if RKLLM_VERSION >= 10200
    if (result.logits.logits) {
        heard.logit_rows.push_back(result.logits.num_tokens);
        heard.vocabulary = result.logits.vocab_size;
    }
#endif
#if RKLLM_VERSION >= 10201
    if (state == FINISH)
        heard.generated = result.perf.generate_tokens;
#endif
}

#if RKLLM_VERSION < 10201
void on_result(RKLLMResult *result, void *userdata, LLMCallState state)
{
    take(*result, *static_cast<Heard *>(userdata), state);
}
#else
int on_result(RKLLMResult *result, void *userdata, LLMCallState state)
{
    take(*result, *static_cast<Heard *>(userdata), state);
    return static_cast<Heard *>(userdata)->answer;
}
#endif
#endif

void check(bool good, const char *what)
{
    if (good)
        return;
    std::fprintf(stderr, "not as it should be: %s\n", what);
    std::exit(1);
}

LLMHandle open_model(const char *path)
{
    RKLLMParam param = rkllm_createDefaultParam();
#if RKLLM_VERSION < 10001
    param.modelPath = path;
#else
    param.model_path = path;
#endif
    param.max_context_len = 512;
    param.max_new_tokens = 16;
    param.top_k = 1;
    param.repeat_penalty = 1.0f;
    LLMHandle llm = nullptr;
#if RKLLM_VERSION < 10001
    int status = rkllm_init(&llm, param, on_result);
#elif RKLLM_VERSION < 10100
    param.logprobs = true;
    param.top_logprobs = 2;
    int status = rkllm_init(&llm, param, on_result);
#elif RKLLM_VERSION < 10300
    param.skip_special_token = true;
    param.extend_param.base_domain_id = 0;
    int status = rkllm_init(&llm, &param, on_result);
#else
    param.skip_special_token = true;
    RKLLMCallback callback{};
    callback.result_callback = on_result;
    int status = rkllm_init(&llm, &param, &callback);
#endif
    check(status == 0 && llm, "rkllm_init");
    return llm;
}

#if RKLLM_VERSION >= 10100
Heard run(LLMHandle llm, RKLLMInput input, RKLLMInferParam infer, int answer = 0)
{
    Heard heard;
    heard.answer = answer;
#if RKLLM_VERSION >= 10201
    input.role = "user";
#endif
    check(rkllm_run(llm, &input, &infer, &heard) == 0, "rkllm_run");
    return heard;
}

RKLLMInput text(const char *prompt)
{
    RKLLMInput input{};
    input.input_type = RKLLM_INPUT_PROMPT;
    input.prompt_input = prompt;
    return input;
}

// Tokens that any model has.
RKLLMInput tokens(std::vector<int32_t> &ids)
{
    RKLLMInput input{};
    input.input_type = RKLLM_INPUT_TOKEN;
    input.token_input.input_ids = ids.data();
    input.token_input.n_tokens = ids.size();
    return input;
}

void prompt_caches(LLMHandle llm, const std::string &folder)
{
    std::string path = folder + "/prompt.cache";
    RKLLMPromptCacheParam cache{};
    cache.save_prompt_cache = 1;
    cache.prompt_cache_path = path.c_str();
    RKLLMInferParam infer{};
    infer.prompt_cache_params = &cache;
    Heard first = run(llm, text("The quick brown fox jumps over"), infer);
    check(rkllm_load_prompt_cache(llm, path.c_str()) == 0, "rkllm_load_prompt_cache");
    Heard again = run(llm, text("The quick brown fox jumps over"), RKLLMInferParam{});
    check(again.text == first.text, "the answer with a prompt cache");
    check(rkllm_release_prompt_cache(llm) == 0, "rkllm_release_prompt_cache");
    check(rkllm_load_prompt_cache(llm, "/nowhere") != 0, "a prompt cache that is not there");
}

void numbers(LLMHandle llm)
{
    std::vector<int32_t> ids{504, 2365, 6354};
    RKLLMInferParam infer{};
    infer.mode = RKLLM_INFER_GET_LAST_HIDDEN_LAYER;
    Heard heard = run(llm, tokens(ids), infer);
    check(heard.hidden_rows == 3 && heard.hidden_size > 0 && heard.finished == 1, "hidden states");
#if RKLLM_VERSION >= 10200
    infer.mode = RKLLM_INFER_GET_LOGITS;
    heard = run(llm, tokens(ids), infer);
    check(heard.vocabulary > 0 && heard.logit_rows.at(0) == 3 && heard.logit_rows.at(1) == 1, "logits");
#endif
    RKLLMLoraAdapter adapter{};
    adapter.lora_adapter_path = "/nowhere";
    adapter.lora_adapter_name = "nobody";
    adapter.scale = 1.0f;
    check(rkllm_load_lora(llm, &adapter) != 0, "an adapter that is not there");
}
#endif

#if RKLLM_VERSION >= 10200
void conversation(LLMHandle llm)
{
    RKLLMInferParam infer{};
    infer.keep_history = 1;
    run(llm, text("My name is Alice."), infer);
    Heard heard = run(llm, text("What is my name?"), infer);
    check(!heard.text.empty(), "a second turn");
#if RKLLM_VERSION < 10201
    check(rkllm_clear_kv_cache(llm, 0) == 0, "rkllm_clear_kv_cache");
#else
    int size = -1;
    check(rkllm_get_kv_cache_size(llm, &size) == 0 && size > 20, "rkllm_get_kv_cache_size");
    check(rkllm_clear_kv_cache(llm, 0, nullptr, nullptr) == 0, "rkllm_clear_kv_cache");
    check(rkllm_get_kv_cache_size(llm, &size) == 0 && size == 0, "an empty cache");
    check(heard.generated > 0, "measurements");
#endif
}
#endif

#if RKLLM_VERSION >= 10201
void pause_and_tools(LLMHandle llm)
{
    std::vector<int32_t> ids{504, 2365, 6354}, none;
    Heard whole = run(llm, tokens(ids), RKLLMInferParam{});
    Heard part = run(llm, tokens(ids), RKLLMInferParam{}, 1);
    check(part.finished == 0, "a paused run");
    Heard rest = run(llm, tokens(none), RKLLMInferParam{});
    check((part.text + rest.text).compare(0, whole.text.size(), whole.text) == 0, "a resumed run");
    check(rkllm_set_function_tools(llm, "Be brief.", "[{\"name\": \"now\"}]", "tool_response") == 0,
          "rkllm_set_function_tools");
    check(run(llm, text("What time is it?"), RKLLMInferParam{}).finished == 1, "a run with tools");
    RKLLMCrossAttnParam cross{};
    check(rkllm_set_cross_attn_params(llm, &cross) != 0, "cross attention of a model without it");
}
#endif

} // namespace

int main(int argc, char **argv)
{
    check(argc == 3, "the arguments");
    LLMHandle llm = open_model(argv[1]);
#if RKLLM_VERSION < 10100
    Heard heard;
    check(rkllm_run(llm, "The quick brown fox", &heard) == 0 && heard.finished == 1, "rkllm_run");
    check(!heard.text.empty(), "the answer");
#if RKLLM_VERSION >= 10001
    // Each of the 16 tokens, and the two likeliest.
    check(heard.log_probabilities == 3 * 16, "log probabilities");
#endif
#else
    prompt_caches(llm, argv[2]);
    numbers(llm);
#if RKLLM_VERSION >= 10200
    conversation(llm);
#endif
#if RKLLM_VERSION >= 10201
    pause_and_tools(llm);
#endif
#endif
    check(rkllm_destroy(llm) == 0, "rkllm_destroy");
    std::puts("done");
    return 0;
}

/* Which group a runtime is of, what older ones cannot, and what is taken for granted about them. */

#include "models.h"

enum { BAD = RKCHAT_ERR_INVALID_ARGUMENT };

static rkchat_runtime *open_runtime(const char *path, const char *abi) {
  rkchat_runtime *runtime = NULL;
  rkchat_runtime_options options = RKCHAT_RUNTIME_OPTIONS_INIT;
  options.abi = abi;
  OK(rkchat_runtime_open(path, &options, &runtime, &error));
  return runtime;
}

static int has(const rkchat_str *texts, size_t len, const char *text) {
  for (size_t i = 0; i < len; i++) {
    if (strcmp(texts[i].data, text) == 0) return 1;
  }
  return 0;
}

static void runtimes_are_recognised(void) {
  for (int i = 0; i < GROUPS_LEN; i++) {
    rkchat_runtime_info info = RKCHAT_RUNTIME_INFO_INIT;
    rkchat_runtime *runtime = open_runtime(cpu_runtime(GROUPS[i]), NULL);
    OK(rkchat_runtime_get_info(runtime, &info, &error));
    CHECK(strcmp(info.name, "rkchat-cpu") == 0 && strcmp(info.abi_group, GROUPS[i]) == 0);
    CHECK(info.warnings_len == 0);
    rkchat_runtime_free(runtime);

    /* A vendor's that nobody has published; nothing tells 1.2.0 and 1.2.1b1 apart but a text in the file. */
    runtime = open_runtime(scripted_runtime(GROUPS[i]), NULL);
    OK(rkchat_runtime_get_info(runtime, &info, &error));
    const char *group = strcmp(GROUPS[i], "1.2.0") == 0 ? "1.2.1b1" : GROUPS[i];
    CHECK(strcmp(info.name, "rkllm") == 0 && strcmp(info.abi_group, group) == 0);
    CHECK(info.release == NULL && info.platform == NULL && info.evidence_len == 2);
    CHECK(strstr(info.evidence[0].data, "exported functions") != NULL);
    CHECK(strstr(info.evidence[1].data, "rkllm_createDefaultParam") != NULL);
    CHECK(info.warnings_len == 1 && info.warnings[0]->kind == RKCHAT_WARNING_KIND_UNKNOWN_RUNTIME);
    CHECK(strstr(info.warnings[0]->message, "RKCHAT_ABI") != NULL);
    rkchat_runtime_free(runtime);
  }
}

static void capabilities_differ(void) {
  /* What a group can, and what it cannot, though a neighbour can. */
  static const char *const EXPECTED[GROUPS_LEN][2] = {
      {NULL, "abort"},
      {"log_probabilities", "token_input"},
      {"token_input", "log_probabilities"},
      {"chat_template", "several_images"},
      {"several_images", "function_tools"},
      {"function_tools", "several_models"},
      {"run_sampling", "log_probabilities"},
  };
  for (int i = 0; i < GROUPS_LEN; i++) {
    rkchat_runtime *runtime = open_runtime(scripted_runtime(GROUPS[i]), GROUPS[i]);
    rkchat_runtime_info info = RKCHAT_RUNTIME_INFO_INIT;
    OK(rkchat_runtime_get_info(runtime, &info, &error));
    CHECK(strcmp(info.release, GROUPS[i]) == 0);
    const char *can = EXPECTED[i][0];
    CHECK(can == NULL || has(info.capabilities, info.capabilities_len, can));
    CHECK(!has(info.capabilities, info.capabilities_len, EXPECTED[i][1]));
    rkchat_runtime_free(runtime);
  }
}

static void a_wrong_abi(void) {
  const char *scripted = scripted_runtime("1.3.0");
  rkchat_runtime *runtime = NULL;
  rkchat_runtime_info info = RKCHAT_RUNTIME_INFO_INIT;
  rkchat_runtime_options options = RKCHAT_RUNTIME_OPTIONS_INIT;
  options.abi = "1.2.1";
  FAILS(RKCHAT_ERR_RUNTIME_AMBIGUOUS, "abi = \"1.2.1!\" or RKCHAT_ABI=1.2.1!",
        rkchat_runtime_open(scripted, &options, &runtime, &error));
  FAILS(RKCHAT_ERR_RUNTIME_AMBIGUOUS, "rkchat's own runtime",
        rkchat_runtime_open(cpu_runtime("1.3.0"), &options, &runtime, &error));
  options.abi_unchecked = 1;
  OK(rkchat_runtime_open(scripted, &options, &runtime, &error));
  OK(rkchat_runtime_get_info(runtime, &info, &error));
  CHECK(strcmp(info.abi_group, "1.2.1") == 0);
  CHECK(has(info.evidence, info.evidence_len, "abi says 1.2.1, unchecked"));
  rkchat_runtime_free(runtime);
  options.abi = NULL;
  FAILS(BAD, "abi_unchecked", rkchat_runtime_open(scripted, &options, &runtime, &error));

  /* The file tells without being asked that it is not this. */
  runtime = open_runtime(scripted, "1.1.0!");
  OK(rkchat_runtime_get_info(runtime, &info, &error));
  CHECK(strcmp(info.abi_group, "1.1.0") == 0 && info.warnings_len == 1);
  CHECK(strstr(info.warnings[0]->message, "because abi says so") != NULL);
  rkchat_runtime_free(runtime);
}

static void the_abi_variable_is_not_for_the_cpu_runtime(void) {
  setenv("RKCHAT_ABI", "1.1.0", 1);
  unsetenv("RKCHAT_RUNTIME");
  rkchat_model *model = NULL;
  rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
  rkchat_model_options options = RKCHAT_MODEL_OPTIONS_INIT;
  options.max_context_len = 64;
  OK(rkchat_model_open(in_root(".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"), &options, &model, &error));
  OK(rkchat_model_get_info(model, &info, &error));
  CHECK(strcmp(info.runtime->abi_group, "1.3.0") == 0);
  rkchat_model_free(model);
  rkchat_runtime *runtime = NULL;
  FAILS(RKCHAT_ERR_RUNTIME_AMBIGUOUS, "abi says 1.1.0",
        rkchat_runtime_open(scripted_runtime("1.3.0"), NULL, &runtime, &error));
  unsetenv("RKCHAT_ABI");
}

/* The text of an answer must be this. */
static void answers(const rkchat_model *model, int64_t max_new_tokens, const char *wanted) {
  rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
  rkchat_generation *generation = NULL;
  options.max_new_tokens = max_new_tokens;
  OK(rkchat_model_complete(model, "one two", 7, &options, &generation, &error));
  char *text = read_all(generation);
  if (strcmp(text, wanted) != 0) fail(__FILE__, __LINE__, "'%s' is not '%s'", text, wanted);
  free(text);
  rkchat_completion answer = RKCHAT_COMPLETION_INIT;
  OK(rkchat_generation_completion(generation, &answer, &error));
  CHECK(answer.token_ids_len == 0);
  rkchat_generation_free(generation);
}

static void text_alone(void) {
  for (int i = 0; i < TEXT_GROUPS; i++) {
    rkchat_model *model = open_script(GROUPS[i], SHORT);
    rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
    OK(rkchat_model_get_info(model, &info, &error));
    CHECK(info.input == RKCHAT_INPUT_KIND_TEXT);
    answers(model, RKCHAT_UNSET_INT, "one two three");
    rkchat_generation *generation = NULL;
    CHECK(rkchat_model_complete_ids(model, IDS, 3, NULL, &generation, &error) == RKCHAT_ERR_UNSUPPORTED);
    CHECK(strstr(rkchat_error_message(error, NULL), "take token ids; the first release that can is 1.1.0") != NULL);
    CHECK(strstr(rkchat_error_details(error, NULL), "\"since\":\"1.1.0\"") != NULL);
    rkchat_error_free(error);
    error = NULL;
    rkchat_model_free(model);
  }
}

/* The caller is free at once; the run goes on to its end, and the next request waits for that. */
static void cancel_without_abort(void) {
  rkchat_model *model = open_script("1.0.0", "{\"pieces\": [\"la \"], \"repeat\": 10, \"delay_ms\": 10}");
  rkchat_generation *generation = NULL;
  OK(rkchat_model_complete(model, "x", 1, NULL, &generation, &error));
  begun(generation);
  OK(rkchat_generation_cancel(generation, &error));
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  GIVES(RKCHAT_END, rkchat_generation_next(generation, 0, &chunk, &error));
  rkchat_generation_free(generation);
  answers(model, 2, "la la ");
  answers(model, RKCHAT_UNSET_INT, "la la la la la la la la la la ");
  rkchat_model_free(model);
}

static void sampling_per_request(void) {
  for (int i = 0; i < GROUPS_LEN; i++) {
    rkchat_model *model = open_script(GROUPS[i], SHORT);
    rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
    rkchat_generation *generation = NULL;
    rkchat_completion completion = RKCHAT_COMPLETION_INIT;
    options.top_k = 1;
    if (i < TEXT_GROUPS) {
      OK(rkchat_model_complete(model, "x", 1, &options, &generation, &error));
    } else {
      OK(rkchat_model_complete_ids(model, IDS, 3, &options, &generation, &error));
    }
    OK(rkchat_generation_completion(generation, &completion, &error));
    int fixed = strcmp(GROUPS[i], "1.3.0") != 0;
    CHECK(completion.warnings_len == (size_t)fixed);
    if (fixed) CHECK(completion.warnings[0]->kind == RKCHAT_WARNING_KIND_FIXED_SAMPLING);
    rkchat_generation_free(generation);
    rkchat_model_free(model);
    if (!fixed) continue;
    rkchat_model_options strict = scripted(GROUPS[i]);
    strict.fixed_sampling = RKCHAT_FIXED_SAMPLING_ERROR;
    model = open_with(SHORT, &strict);
    FAILS(RKCHAT_ERR_UNSUPPORTED, "`top_k` is 40 and not 1",
          i < TEXT_GROUPS ? rkchat_model_complete(model, "x", 1, &options, &generation, &error)
                          : rkchat_model_complete_ids(model, IDS, 3, &options, &generation, &error));
    rkchat_model_free(model);
  }
}

static void one_model_in_a_process(void) {
  /* 1.2.1 and 1.3.0 have releases that hold several. */
  for (int i = 0; i < GROUPS_LEN - 2; i++) {
    rkchat_model *first = open_script(GROUPS[i], SHORT), *second = NULL;
    rkchat_model_options options = scripted(GROUPS[i]);
    const char *path = text_file("second.rkllm", SHORT);
    /* Also the second time: a refusal leaves the first model where it is. */
    for (int time = 0; time < 2; time++) {
      FAILS(RKCHAT_ERR_UNSUPPORTED, "the first release that can is 1.2.2",
            rkchat_model_open(path, &options, &second, &error));
      CHECK(second == NULL);
    }
    options.assume = "{\"instances\": \"many\"}";
    OK(rkchat_model_open(path, &options, &second, &error));
    rkchat_model_free(second);
    rkchat_model_free(first);
    options.assume = NULL;
    OK(rkchat_model_open(path, &options, &second, &error));
    rkchat_model_free(second);
  }
  rkchat_model *one = open_script("1.3.0", SHORT), *other = open_script("1.3.0", SHORT);
  rkchat_model_free(one);
  rkchat_model_free(other);
}

static void what_is_assumed(void) {
  static const char *const WRONG[][2] = {
      {"{\"bo\": \"keep\"}", "there is no \"bo\"; known are bos, input"},
      {"{\"bos\": \"maybe\"}", "bos is keep or strip, but got \"maybe\""},
      {"{\"instances\": true}", "instances is auto or many, but got true"},
      {"[]", "a JSON object is needed"},
      {"{", "`assume` is not JSON"},
  };
  rkchat_model *model = NULL;
  rkchat_model_options options = scripted("1.3.0");
  const char *path = text_file("script.rkllm", SHORT);
  for (size_t i = 0; i < sizeof WRONG / sizeof *WRONG; i++) {
    options.assume = WRONG[i][0];
    FAILS(BAD, WRONG[i][1], rkchat_model_open(path, &options, &model, &error));
  }
  options.assume = "{\"bos\": \"strip\", \"prefix_reuse\": \"off\"}";
  OK(rkchat_model_open(path, &options, &model, &error));
  rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
  OK(rkchat_model_get_info(model, &info, &error));
  CHECK(info.assumed_len == 6 && has(info.assumed, 6, "bos=strip (option)"));
  CHECK(has(info.assumed, 6, "prefix_reuse=off (option)") && has(info.assumed, 6, "input=tokens (default)"));
  rkchat_model_free(model);
}

RUN(TEST(runtimes_are_recognised), TEST(capabilities_differ), TEST(a_wrong_abi),
    TEST(the_abi_variable_is_not_for_the_cpu_runtime), TEST(text_alone), TEST(cancel_without_abort),
    TEST(sampling_per_request), TEST(one_model_in_a_process), TEST(what_is_assumed))

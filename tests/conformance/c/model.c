/* A real model, SmolLM2, in the CPU runtime. */

#include <pthread.h>

#include "models.h"

/* With the system message that its template puts in by itself, this model tells of L'Etoile. */
static const char QUESTION[] =
    "[{\"role\": \"system\", \"content\": \"You are a helpful assistant.\"},"
    " {\"role\": \"user\", \"content\": \"What is the capital of France?\"}]";
enum { QUESTION_LEN = sizeof QUESTION - 1 };

static const char *path_of_model(void) {
  return in_root(".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf");
}

static rkchat_model_options cpu(const char *group) {
  rkchat_model_options options = RKCHAT_MODEL_OPTIONS_INIT;
  options.runtime = cpu_runtime(group);
  options.top_k = 1;
  options.repeat_penalty = 1.0;
  options.max_context_len = 512;
  return options;
}

static rkchat_model *open_model(const char *group, uint32_t window) {
  rkchat_model_options options = cpu(group);
  options.max_context_len = window;
  rkchat_model *model = NULL;
  OK(rkchat_model_open(path_of_model(), &options, &model, &error));
  return model;
}

static rkchat_generation *question(const rkchat_model *model, int64_t max_new_tokens) {
  rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
  rkchat_generation *generation = NULL;
  options.max_new_tokens = max_new_tokens;
  OK(rkchat_model_generate(model, QUESTION, QUESTION_LEN, &options, &generation, &error));
  return generation;
}

static void every_group_gives_the_same_greedy_text(void) {
  for (int i = 0; i < GROUPS_LEN; i++) {
    rkchat_model *model = open_model(GROUPS[i], 64);
    rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
    OK(rkchat_model_get_info(model, &info, &error));
    CHECK(info.input == (i < TEXT_GROUPS ? RKCHAT_INPUT_KIND_TEXT : RKCHAT_INPUT_KIND_TOKENS));
    CHECK(info.stop_ids_len > 0 && info.max_context_len == 64);
    CHECK(strcmp(info.runtime->name, "rkchat-cpu") == 0 && info.runtime->warnings_len == 0);
    CHECK(strcmp(info.runtime->abi_group, GROUPS[i]) == 0);
    rkchat_generation *generation = question(model, 16);
    char *text = read_all(generation);
    rkchat_completion answer = RKCHAT_COMPLETION_INIT;
    OK(rkchat_generation_completion(generation, &answer, &error));
    CHECK(strcmp(answer.text, text) == 0 && answer.usage->prompt_tokens > 10);
    CHECK((answer.token_ids_len == 0) == (i < TEXT_GROUPS));
    CHECK(answer.timings->decode > 0 && answer.warnings_len == 0);
    if (strcmp(text, "The capital of France is Paris.") != 0) fail(__FILE__, __LINE__, "%s: %s", GROUPS[i], text);
    free(text);
    rkchat_generation_free(generation);
    rkchat_model_free(model);
  }
}

static void the_model_renders_and_tokenizes(void) {
  rkchat_model *model = open_model("1.3.0", 512);
  rkchat_text *text = NULL, *back = NULL;
  rkchat_ids *ids = NULL;
  size_t len = 0, bytes = 0;
  OK(rkchat_model_render(model, QUESTION, QUESTION_LEN, NULL, &text, &error));
  const char *prompt = rkchat_text_data(text, &bytes);
  CHECK(strstr(prompt, "<|im_start|>user\nWhat is the capital of France?<|im_end|>") != NULL);
  OK(rkchat_model_encode(model, prompt, bytes, NULL, &ids, &error));
  const uint32_t *data = rkchat_ids_data(ids, &len);
  OK(rkchat_model_decode(model, data, len, NULL, &back, &error));
  CHECK(strcmp(rkchat_text_data(back, NULL), prompt) == 0);
  rkchat_ids_free(ids);
  rkchat_text_free(back);
  rkchat_text_free(text);
  rkchat_model_free(model);
}

static void cancel_in_the_middle_and_go_on(void) {
  for (int i = 0; i < 2; i++) {
    rkchat_model *model = open_model(TWO_GROUPS[i], 512);
    static const char STORY[] = "[{\"role\": \"user\", \"content\": \"Tell me a long story.\"}]";
    rkchat_generation *generation = NULL;
    OK(rkchat_model_generate(model, STORY, sizeof STORY - 1, NULL, &generation, &error));
    for (int chunks = 0; chunks < 4; chunks++) begun(generation);
    OK(rkchat_generation_cancel(generation, &error));
    rkchat_completion answer = RKCHAT_COMPLETION_INIT;
    OK(rkchat_generation_completion(generation, &answer, &error));
    CHECK(answer.finish_reason == RKCHAT_FINISH_REASON_CANCELLED);
    rkchat_generation_free(generation);

    /* Before the first token, and a running one dropped. */
    generation = question(model, 64);
    OK(rkchat_generation_cancel(generation, &error));
    rkchat_generation_free(generation);
    rkchat_generation_free(question(model, 64));

    generation = question(model, 16);
    char *text = read_all(generation);
    if (strstr(text, "Paris") == NULL) fail(__FILE__, __LINE__, "%s", text);
    free(text);
    rkchat_generation_free(generation);
    rkchat_model_free(model);
  }
}

static void limits(void) {
  for (int i = 0; i < 2; i++) {
    rkchat_model_options options = cpu(TWO_GROUPS[i]);
    rkchat_model *model = NULL;
    rkchat_generation *generation = NULL;
    options.max_context_len = 1048576;
    FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "max_context_len",
          rkchat_model_open(path_of_model(), &options, &model, &error));
    CHECK(model == NULL);
    options.max_context_len = 16;
    OK(rkchat_model_open(path_of_model(), &options, &model, &error));
    FAILS(RKCHAT_ERR_CONTEXT_OVERFLOW, "16",
          rkchat_model_generate(model, QUESTION, QUESTION_LEN, NULL, &generation, &error));
    FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "empty", rkchat_model_generate(model, "[]", 2, NULL, &generation, &error));
    OK(rkchat_model_complete(model, "One two three", 13, NULL, &generation, &error));
    rkchat_completion answer = RKCHAT_COMPLETION_INIT;
    OK(rkchat_generation_completion(generation, &answer, &error));
    CHECK(answer.finish_reason == RKCHAT_FINISH_REASON_CONTEXT_FULL ||
          answer.finish_reason == RKCHAT_FINISH_REASON_STOP);
    CHECK(answer.usage->prompt_tokens + answer.usage->new_tokens <= 16);
    rkchat_generation_free(generation);
    rkchat_model_free(model);
  }
}

static void mismatches(void) {
  rkchat_model *model = NULL;
  rkchat_model_options options = scripted("1.3.0");
  FAILS(RKCHAT_ERR_RUNTIME_MISMATCH, "", rkchat_model_open(path_of_model(), &options, &model, &error));

  /* The beginning of a real model. */
  FILE *file = fopen(path_of_model(), "rb");
  size_t len = 4 << 20;
  char *data = malloc(len);
  CHECK(file != NULL && fread(data, 1, len, file) == len);
  fclose(file);
  const char *half = file_of("half.gguf", data, len);
  free(data);
  options = cpu("1.3.0");
  FAILS(RKCHAT_ERR_INVALID_MODEL, "half.gguf", rkchat_model_open(half, &options, &model, &error));
}

static void a_forked_child_is_told(void) {
  rkchat_model *model = open_model("1.3.0", 512);
  rkchat_generation *generation = question(model, 64);
  begun(generation);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    rkchat_generation *none = NULL;
    rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
    FAILS(RKCHAT_ERR_FORKED, "fork", rkchat_model_complete(model, "x", 1, NULL, &none, &error));
    FAILS(RKCHAT_ERR_FORKED, "fork", rkchat_generation_next(generation, -1, &chunk, &error));
    rkchat_generation_free(generation);
    rkchat_model_free(model);
    exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  char *text = read_all(generation);
  CHECK(text[0] != '\0');
  free(text);
  rkchat_generation_free(generation);
  rkchat_model_free(model);
}

RUN(TEST(every_group_gives_the_same_greedy_text), TEST(the_model_renders_and_tokenizes),
    TEST(cancel_in_the_middle_and_go_on), TEST(limits), TEST(mismatches), TEST(a_forked_child_is_told))

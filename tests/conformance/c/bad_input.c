/* Bad input: each has a typed error that says what was wrong, and nothing crashes. */

#include <math.h>

#include "models.h"

static const char MESSAGES[] = "[{\"role\": \"user\", \"content\": \"Hello\"}]";
enum { MESSAGES_LEN = sizeof MESSAGES - 1, BAD = RKCHAT_ERR_INVALID_ARGUMENT };

static rkchat_chat_template *template_of(const char *source) {
  rkchat_chat_template *result = NULL;
  OK(rkchat_chat_template_from_source(source, strlen(source), NULL, &result, &error));
  return result;
}

static rkchat_status render(const rkchat_chat_template *template, const rkchat_render_options *options) {
  rkchat_text *text = NULL;
  rkchat_status status = rkchat_chat_template_render(template, MESSAGES, MESSAGES_LEN, options, &text, &error);
  CHECK((text != NULL) == (status == RKCHAT_OK));
  rkchat_text_free(text);
  return status;
}

static void null_constructors(void) {
  rkchat_runtime *runtime = NULL;
  rkchat_model *model = NULL;
  rkchat_chat_template *template = NULL;
  rkchat_tokenizer *tokenizer = NULL;
  FAILS(BAD, "`path` is NULL", rkchat_runtime_open(NULL, NULL, &runtime, &error));
  FAILS(BAD, "`out` is NULL", rkchat_runtime_open("x", NULL, NULL, &error));
  FAILS(BAD, "`path` is NULL", rkchat_model_open(NULL, NULL, &model, &error));
  FAILS(BAD, "`out` is NULL", rkchat_model_open("x", NULL, NULL, &error));
  FAILS(BAD, "`path` is NULL", rkchat_chat_template_open(NULL, &template, &error));
  FAILS(BAD, "`out` is NULL", rkchat_chat_template_open("x", NULL, &error));
  FAILS(BAD, "`source` is NULL", rkchat_chat_template_from_source(NULL, 0, NULL, &template, &error));
  FAILS(BAD, "`out` is NULL", rkchat_chat_template_from_source("x", 1, NULL, NULL, &error));
  FAILS(BAD, "`path` is NULL", rkchat_tokenizer_open(NULL, &tokenizer, &error));
  FAILS(BAD, "`out` is NULL", rkchat_tokenizer_open("x", NULL, &error));
  CHECK(model == NULL && template == NULL && tokenizer == NULL && runtime == NULL);
}

static void null_handles(void) {
  rkchat_generation *generation = NULL;
  rkchat_text *text = NULL;
  rkchat_ids *ids = NULL;
  rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
  rkchat_runtime_info about = RKCHAT_RUNTIME_INFO_INIT;
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  rkchat_completion answer = RKCHAT_COMPLETION_INIT;
  rkchat_finish_reason reason;
  int32_t flag;
  uint32_t count;
  FAILS(BAD, "`runtime` is NULL", rkchat_runtime_get_info(NULL, &about, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_get_info(NULL, &info, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_generate(NULL, "[]", 2, NULL, &generation, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_complete(NULL, "x", 1, NULL, &generation, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_complete_ids(NULL, IDS, 3, NULL, &generation, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_render(NULL, "[]", 2, NULL, &text, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_encode(NULL, "x", 1, NULL, &ids, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_decode(NULL, IDS, 3, NULL, &text, &error));
  FAILS(BAD, "`model` is NULL", rkchat_model_close(NULL, &error));
  FAILS(BAD, "`generation` is NULL", rkchat_generation_next(NULL, -1, &chunk, &error));
  FAILS(BAD, "`generation` is NULL", rkchat_generation_poll(NULL, NULL, NULL, &chunk, &error));
  FAILS(BAD, "`generation` is NULL", rkchat_generation_cancel(NULL, &error));
  FAILS(BAD, "`generation` is NULL", rkchat_generation_finish_reason(NULL, &reason, &error));
  FAILS(BAD, "`generation` is NULL", rkchat_generation_wait(NULL, 0, &flag, &error));
  FAILS(BAD, "`generation` is NULL", rkchat_generation_completion(NULL, &answer, &error));
  FAILS(BAD, "`chat_template` is NULL", rkchat_chat_template_render(NULL, "[]", 2, NULL, &text, &error));
  FAILS(BAD, "`chat_template` is NULL", rkchat_chat_template_encode(NULL, "[]", 2, NULL, NULL, &ids, &error));
  FAILS(BAD, "`chat_template` is NULL", rkchat_chat_template_source(NULL, NULL, &text, &error));
  FAILS(BAD, "`tokenizer` is NULL", rkchat_tokenizer_encode(NULL, "x", 1, NULL, &ids, &error));
  FAILS(BAD, "`tokenizer` is NULL", rkchat_tokenizer_decode(NULL, IDS, 3, NULL, &text, &error));
  FAILS(BAD, "`tokenizer` is NULL", rkchat_tokenizer_count(NULL, "x", 1, NULL, &count, &error));
}

static void null_arguments(void) {
  rkchat_model *model = open_script("1.3.0", SHORT);
  rkchat_generation *generation = ask(model);
  rkchat_chat_template *template = template_of("x");
  rkchat_generation *other = NULL;
  rkchat_text *text = NULL;
  rkchat_ids *ids = NULL;
  FAILS(BAD, "`out` is NULL", rkchat_model_get_info(model, NULL, &error));
  FAILS(BAD, "`messages` is NULL", rkchat_model_generate(model, NULL, 0, NULL, &other, &error));
  FAILS(BAD, "`out` is NULL", rkchat_model_generate(model, "[]", 2, NULL, NULL, &error));
  FAILS(BAD, "`text` is NULL", rkchat_model_complete(model, NULL, 5, NULL, &other, &error));
  FAILS(BAD, "`out` is NULL", rkchat_model_complete(model, "x", 1, NULL, NULL, &error));
  FAILS(BAD, "`ids` is NULL", rkchat_model_complete_ids(model, NULL, 3, NULL, &other, &error));
  FAILS(BAD, "`out` is NULL", rkchat_model_complete_ids(model, IDS, 3, NULL, NULL, &error));
  FAILS(BAD, "`messages` is NULL", rkchat_model_render(model, NULL, 2, NULL, &text, &error));
  FAILS(BAD, "`out` is NULL", rkchat_model_render(model, "[]", 2, NULL, NULL, &error));
  FAILS(BAD, "`text` is NULL", rkchat_model_encode(model, NULL, 0, NULL, &ids, &error));
  FAILS(BAD, "`out` is NULL", rkchat_model_encode(model, "x", 1, NULL, NULL, &error));
  FAILS(BAD, "`ids` is NULL", rkchat_model_decode(model, NULL, 1, NULL, &text, &error));
  FAILS(BAD, "`out` is NULL", rkchat_model_decode(model, IDS, 3, NULL, NULL, &error));
  FAILS(BAD, "`out` is NULL", rkchat_generation_next(generation, -1, NULL, &error));
  FAILS(BAD, "`out` is NULL", rkchat_generation_poll(generation, NULL, NULL, NULL, &error));
  FAILS(BAD, "`out` is NULL", rkchat_generation_finish_reason(generation, NULL, &error));
  FAILS(BAD, "`out` is NULL", rkchat_generation_wait(generation, -1, NULL, &error));
  FAILS(BAD, "`out` is NULL", rkchat_generation_completion(generation, NULL, &error));
  FAILS(BAD, "`messages` is NULL", rkchat_chat_template_render(template, NULL, 2, NULL, &text, &error));
  FAILS(BAD, "`out` is NULL", rkchat_chat_template_render(template, "[]", 2, NULL, NULL, &error));
  FAILS(BAD, "`tokenizer` is NULL",
        rkchat_chat_template_encode(template, MESSAGES, MESSAGES_LEN, NULL, NULL, &ids, &error));
  FAILS(BAD, "`out` is NULL", rkchat_chat_template_source(template, NULL, NULL, &error));
  rkchat_chat_template_free(template);
  rkchat_generation_free(generation);
  rkchat_model_free(model);
}

static void freeing_null_and_reading_null(void) {
  rkchat_runtime_free(NULL);
  rkchat_model_free(NULL);
  rkchat_generation_free(NULL);
  rkchat_chat_template_free(NULL);
  rkchat_tokenizer_free(NULL);
  rkchat_error_free(NULL);
  rkchat_text_free(NULL);
  rkchat_ids_free(NULL);
  size_t len = 7;
  CHECK(rkchat_error_kind(NULL) == BAD);
  CHECK(strcmp(rkchat_error_message(NULL, &len), "") == 0 && len == 0);
  CHECK(strcmp(rkchat_error_details(NULL, NULL), "") == 0);
  CHECK(rkchat_text_data(NULL, &len) == NULL && rkchat_ids_data(NULL, &len) == NULL && len == 0);
}

static void errors_carry_everything(void) {
  rkchat_model *model = (rkchat_model *)&error; /* garbage, which is neither read nor freed */
  rkchat_error *garbage = (rkchat_error *)&model;
  CHECK(rkchat_model_open("/no/such/file", NULL, &model, &garbage) == RKCHAT_ERR_NOT_FOUND);
  CHECK(model == NULL && rkchat_error_kind(garbage) == RKCHAT_ERR_NOT_FOUND);
  size_t len = 0;
  const char *message = rkchat_error_message(garbage, &len);
  CHECK(strlen(message) == len && strstr(message, "/no/such/file") != NULL);
  const char *details = rkchat_error_details(garbage, &len);
  CHECK(strlen(details) == len && details[0] == '{' && details[len - 1] == '}');
  rkchat_error_free(garbage);
  CHECK(rkchat_model_open("/no/such/file", NULL, &model, NULL) == RKCHAT_ERR_NOT_FOUND);
}

/* A struct as a newer header would have it: one field more. */
typedef struct newer {
  rkchat_render_options known;
  int64_t unknown;
} newer;

static void struct_sizes(void) {
  rkchat_chat_template *template = template_of("{{ add_generation_prompt }}");
  rkchat_render_options options = RKCHAT_RENDER_OPTIONS_INIT;
  const uint32_t bad[] = {0, 1, 4, 7, 9, 12, sizeof options + 1, 4104, UINT32_MAX};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    options.struct_size = bad[i];
    FAILS(BAD, "`struct_size` of rkchat_render_options", render(template, &options));
  }
  options.struct_size = sizeof options;
  options.reserved = 1;
  FAILS(BAD, "`reserved`", render(template, &options));

  /* An older program: what its struct does not have is unset, whatever lies there. */
  options.reserved = 0;
  options.struct_size = 16;
  options.add_generation_prompt = 1;
  options.tools = (const char *)1;
  options.tools_len = 99;
  rkchat_text *text = NULL;
  OK(rkchat_chat_template_render(template, MESSAGES, MESSAGES_LEN, &options, &text, &error));
  CHECK(strcmp(rkchat_text_data(text, NULL), "True") == 0);
  rkchat_text_free(text);
  options.struct_size = 8;
  OK(rkchat_chat_template_render(template, MESSAGES, MESSAGES_LEN, &options, &text, &error));
  CHECK(strcmp(rkchat_text_data(text, NULL), "False") == 0);
  rkchat_text_free(text);

  /* A newer program: what this library does not know must be unset. */
  newer larger = {RKCHAT_RENDER_OPTIONS_INIT, 0};
  larger.known.struct_size = sizeof larger;
  OK(render(template, &larger.known));
  larger.unknown = RKCHAT_UNSET_INT;
  OK(render(template, &larger.known));
  memset(&larger.unknown, 0, 8);
  memset(&larger.unknown, 0xff, 4);
  OK(render(template, &larger.known));
  larger.unknown = 5;
  FAILS(BAD, "older than the program", render(template, &larger.known));
  rkchat_chat_template_free(template);
}

static void record_sizes(void) {
  rkchat_model *model = open_script("1.3.0", SHORT);
  rkchat_generation *generation = ask(model);
  struct {
    rkchat_chunk chunk;
    uint64_t guard;
  } large;
  memset(&large, 0x5a, sizeof large);
  large.chunk.reserved = 0;
  large.chunk.struct_size = 4;
  FAILS(BAD, "`struct_size` of rkchat_chunk", rkchat_generation_next(generation, -1, &large.chunk, &error));
  /* A small struct gets what it has room for, and nothing behind it changes. */
  large.chunk.struct_size = 8 + 2 * sizeof(void *);
  OK(rkchat_generation_next(generation, -1, &large.chunk, &error));
  CHECK(strcmp(large.chunk.text, "one ") == 0 && large.chunk.token_ids_len != 1);
  /* A large one keeps what the library does not know. */
  large.chunk.struct_size = sizeof large;
  OK(rkchat_generation_next(generation, -1, &large.chunk, &error));
  CHECK(strcmp(large.chunk.text, "two ") == 0 && large.chunk.token_ids_len == 1);
  CHECK(large.chunk.struct_size == sizeof large && large.guard == 0x5a5a5a5a5a5a5a5au);
  rkchat_generation_free(generation);
  rkchat_model_free(model);
}

static rkchat_status open_bad(rkchat_model_options options) {
  rkchat_model *model = NULL;
  rkchat_status status = rkchat_model_open(text_file("script.rkllm", SHORT), &options, &model, &error);
  CHECK((model != NULL) == (status == RKCHAT_OK));
  rkchat_model_free(model);
  return status;
}

#define WITH(change, words) \
  do { \
    rkchat_model_options o = scripted("1.3.0"); \
    change; \
    FAILS(BAD, words, open_bad(o)); \
  } while (0)

static void values_out_of_range(void) {
  WITH(o.max_context_len = 0, "`max_context_len` is 0; allowed are 1 to 1048576");
  WITH(o.max_context_len = -5, "`max_context_len` is -5");
  WITH(o.max_context_len = INT64_C(1) << 40, "`max_context_len` is 1099511627776");
  WITH(o.top_k = INT64_C(1) << 33, "`top_k`");
  WITH(o.top_p = 1.5, "`top_p` is 1.5; allowed are 0 to 1");
  WITH(o.temperature = INFINITY, "`temperature`");
  WITH(o.temperature = -0.1, "`temperature`");
  WITH(o.presence_penalty = -2.5, "`presence_penalty`");
  WITH(o.capture_logs = 2, "`capture_logs` is 2; allowed are 0, 1");
  WITH(o.reserved_capture_logs = 1, "`reserved_capture_logs`");
  WITH(o.abi_len = 1; o.abi = NULL, "`abi` is NULL, and `abi_len` is 1");
  WITH(o.abi_len = SIZE_MAX, "was never set");
  WITH(o.runtime = "a\0b"; o.runtime_len = 3, "NUL at byte 1");
  WITH(o.runtime = "a\xff", "`runtime` is not UTF-8: the fault is at byte 1");

  rkchat_model *model = open_script("1.3.0", SHORT);
  rkchat_generation *generation = NULL;
  rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
  options.queue_timeout_ms = -5;
  FAILS(BAD, "`queue_timeout_ms` is -5", rkchat_model_complete_ids(model, IDS, 3, &options, &generation, &error));
  options.queue_timeout_ms = RKCHAT_UNSET_INT;
  options.top_k = 0;
  FAILS(BAD, "`top_k` is 0", rkchat_model_complete_ids(model, IDS, 3, &options, &generation, &error));
  options.top_k = RKCHAT_UNSET_INT;
  options.tools = "{";
  FAILS(BAD, "`tools` is not JSON", rkchat_model_complete_ids(model, IDS, 3, &options, &generation, &error));
  OK(rkchat_model_complete_ids(model, IDS, 3, NULL, &generation, &error));
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  FAILS(BAD, "`timeout_ms` is -2", rkchat_generation_next(generation, -2, &chunk, &error));
  rkchat_generation_free(generation);
  FAILS(BAD, "`ids`", rkchat_model_complete_ids(model, IDS, SIZE_MAX, NULL, &generation, &error));
  FAILS(BAD, "", rkchat_model_complete_ids(model, NULL, 0, NULL, &generation, &error));
  rkchat_model_free(model);
}

static void texts(void) {
  rkchat_model *model = NULL;
  rkchat_chat_template *template = template_of("{{ messages[0].content }}");
  rkchat_generation *generation = NULL;
  rkchat_text *text = NULL;
  FAILS(BAD, "`path` is not UTF-8: the fault is at byte 2", rkchat_model_open("/x\xff", NULL, &model, &error));
  FAILS(BAD, "`messages` is not UTF-8: the fault is at byte 1",
        rkchat_chat_template_render(template, "[\xc3(]", 4, NULL, &text, &error));
  FAILS(BAD, "`messages` is not JSON", rkchat_chat_template_render(template, "[\0]", 3, NULL, &text, &error));
  FAILS(BAD, "`messages` is not JSON", rkchat_chat_template_render(template, "[{]", 3, NULL, &text, &error));
  FAILS(BAD, "`messages` is not JSON", rkchat_chat_template_render(template, "", 0, NULL, &text, &error));
  FAILS(BAD, "empty", rkchat_chat_template_render(template, "[]", 2, NULL, &text, &error));
  FAILS(BAD, "", rkchat_chat_template_render(template, "{}", 2, NULL, &text, &error));
  FAILS(BAD, "", rkchat_chat_template_render(template, "[1]", 3, NULL, &text, &error));
  /* Deeper than any parser should go. */
  size_t depth = 100000;
  char *deep = malloc(depth);
  memset(deep, '[', depth);
  FAILS(BAD, "`messages` is not JSON", rkchat_chat_template_render(template, deep, depth, NULL, &text, &error));
  free(deep);
  /* A NUL inside of a text is a character like others. */
  const char nul[] = "[{\"role\":\"user\",\"content\":\"a\\u0000b\"}]";
  size_t len = 0;
  OK(rkchat_chat_template_render(template, nul, sizeof nul - 1, NULL, &text, &error));
  CHECK(memcmp(rkchat_text_data(text, &len), "a\0b", 4) == 0 && len == 3);
  rkchat_text_free(text);
  rkchat_chat_template_free(template);

  model = open_script("1.3.0", SHORT);
  FAILS(BAD, "`text` is not UTF-8: the fault is at byte 0",
        rkchat_model_complete(model, "\x80", 1, NULL, &generation, &error));
  rkchat_model_free(model);
}

static void files(void) {
  rkchat_model *model = NULL;
  rkchat_model_options options = scripted("1.3.0");
  FAILS(RKCHAT_ERR_NOT_FOUND, "/no/such", rkchat_model_open("/no/such", &options, &model, &error));
  const char *readme = text_file("README.txt", "nothing here");
  FAILS(RKCHAT_ERR_NOT_FOUND, "README.txt", rkchat_model_open(folder, &options, &model, &error));
  FAILS(RKCHAT_ERR_INVALID_MODEL, "README.txt", rkchat_model_open(readme, &options, &model, &error));
  FAILS(RKCHAT_ERR_INVALID_MODEL, "x.gguf",
        rkchat_model_open(text_file("x.gguf", "no model at all"), NULL, &model, &error));
  FAILS(RKCHAT_ERR_INVALID_MODEL, "cut.gguf",
        rkchat_model_open(file_of("cut.gguf", "GGUF\3\0\0\0\1\0\0\0", 12), NULL, &model, &error));
  const char *script = text_file("model.rkllm", SHORT);
  options.runtime = readme;
  FAILS(RKCHAT_ERR_RUNTIME_INVALID, "README.txt", rkchat_model_open(script, &options, &model, &error));
  options.runtime = "/no/such/librkllmrt.so";
  FAILS(RKCHAT_ERR_RUNTIME_NOT_FOUND, "/no/such/librkllmrt.so", rkchat_model_open(script, &options, &model, &error));
  options = scripted("1.3.0");
  options.abi = "7.7.7";
  FAILS(BAD, "7.7.7", rkchat_model_open(script, &options, &model, &error));
  options.abi = "1.1.0";
  FAILS(RKCHAT_ERR_RUNTIME_AMBIGUOUS, "abi says 1.1.0", rkchat_model_open(script, &options, &model, &error));
  rkchat_model_options cpu = RKCHAT_MODEL_OPTIONS_INIT;
  cpu.runtime = in_root("target/release/runtime/1.3.0/librkllmrt.so");
  FAILS(RKCHAT_ERR_RUNTIME_MISMATCH, "", rkchat_model_open(script, &cpu, &model, &error));
  CHECK(model == NULL);
}

static void a_prompt_that_does_not_fit(void) {
  rkchat_model_options options = scripted("1.3.0");
  options.max_context_len = 3;
  rkchat_model *model = open_with(SHORT, &options);
  rkchat_generation *generation = NULL;
  CHECK(rkchat_model_complete_ids(model, IDS, 3, NULL, &generation, &error) == RKCHAT_ERR_CONTEXT_OVERFLOW);
  const char *details = rkchat_error_details(error, NULL);
  CHECK(strstr(details, "\"prompt_tokens\":3") != NULL && strstr(details, "\"max_context_len\":3") != NULL);
  rkchat_error_free(error);
  error = NULL;
  rkchat_model_free(model);
}

static void versions(void) {
  CHECK(rkchat_abi_version() == ((RKCHAT_ABI_MAJOR << 16) | RKCHAT_ABI_MINOR));
  CHECK(rkchat_version()[0] >= '0' && strchr(rkchat_version(), '.') != NULL);
}

RUN(TEST(null_constructors), TEST(null_handles), TEST(null_arguments), TEST(freeing_null_and_reading_null),
    TEST(errors_carry_everything), TEST(struct_sizes), TEST(record_sizes), TEST(values_out_of_range),
    TEST(texts), TEST(files), TEST(a_prompt_that_does_not_fit), TEST(versions))

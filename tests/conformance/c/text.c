/* Templates and tokenizers, which need no runtime. */

#include "harness.h"

static const char GEMMA[] = "[{\"role\": \"user\", \"content\": \"Write a hello world program\"}]";
static const char SYSTEM[] =
    "[{\"role\": \"system\", \"content\": \"Be brief.\"}, {\"role\": \"user\", \"content\": \"Hi\"}]";

static char *slurp(const char *path) {
  FILE *file = fopen(path, "rb");
  CHECK(file != NULL);
  char *text = calloc(1, 1 << 16);
  CHECK(fread(text, 1, (1 << 16) - 1, file) > 0);
  fclose(file);
  return text;
}

static rkchat_chat_template *from_file(const char *path) {
  rkchat_template_options options = RKCHAT_TEMPLATE_OPTIONS_INIT;
  rkchat_chat_template *template = NULL;
  char *source = slurp(path);
  options.bos_token = "<bos>";
  OK(rkchat_chat_template_from_source(source, strlen(source), &options, &template, &error));
  free(source);
  return template;
}

static rkchat_chat_template *turns(void) {
  return from_file(in_root("tests/fixtures/turns.jinja"));
}

static void renders_gemmas_prompt(const rkchat_chat_template *template) {
  rkchat_render_options options = RKCHAT_RENDER_OPTIONS_INIT;
  rkchat_text *text = NULL;
  size_t len = 0;
  options.add_generation_prompt = 1;
  OK(rkchat_chat_template_render(template, GEMMA, sizeof GEMMA - 1, &options, &text, &error));
  const char expected[] =
      "<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n<start_of_turn>model\n";
  CHECK(strcmp(rkchat_text_data(text, &len), expected) == 0 && len == sizeof expected - 1);
  rkchat_text_free(text);
}

static void a_template_renders(void) {
  rkchat_chat_template *template = turns();
  rkchat_text *text = NULL;
  renders_gemmas_prompt(template);
  OK(rkchat_chat_template_source(template, NULL, &text, &error));
  CHECK(strstr(rkchat_text_data(text, NULL), "raise_exception") != NULL);
  rkchat_text_free(text);
  rkchat_chat_template_free(template);
}

static void gemma_2s_own_template_renders(void) {
  const char *path = in_root("../shared/templates/templates/ecd6ae513fe1.jinja");
  if (access(path, R_OK) != 0) {
    fprintf(stderr, "SKIPPED: no reference template at %s\n", path);
    return;
  }
  rkchat_chat_template *template = from_file(path);
  rkchat_text *text = NULL;
  renders_gemmas_prompt(template);
  FAILS(RKCHAT_ERR_TEMPLATE, "System role not supported",
        rkchat_chat_template_render(template, SYSTEM, sizeof SYSTEM - 1, NULL, &text, &error));
  rkchat_chat_template_free(template);
}

static void a_template_refuses_in_its_own_words(void) {
  rkchat_chat_template *template = turns();
  rkchat_text *text = NULL;
  CHECK(rkchat_chat_template_render(template, SYSTEM, sizeof SYSTEM - 1, NULL, &text, &error) ==
        RKCHAT_ERR_TEMPLATE);
  CHECK(text == NULL && strstr(rkchat_error_message(error, NULL), "There is no system role") != NULL);
  CHECK(strstr(rkchat_error_details(error, NULL), "\"template_message\":\"There is no system role\"") != NULL);
  rkchat_error_free(error);
  error = NULL;
  rkchat_chat_template_free(template);
  FAILS(RKCHAT_ERR_TEMPLATE, "", rkchat_chat_template_from_source("{% if %}", 8, NULL, &template, &error));
  FAILS(RKCHAT_ERR_NOT_FOUND, "/no/such", rkchat_chat_template_open("/no/such", &template, &error));
}

static void options_reach_the_template(void) {
  static const char SOURCE[] = "{{ tools | tojson }} {{ name }} {{ strftime_now('%Y-%m-%d') }}";
  rkchat_chat_template *template = NULL;
  rkchat_render_options options = RKCHAT_RENDER_OPTIONS_INIT;
  rkchat_text *text = NULL;
  OK(rkchat_chat_template_from_source(SOURCE, sizeof SOURCE - 1, NULL, &template, &error));
  options.tools = "[{\"z\": 1, \"a\": 2.0}]"; /* NUL-terminated: length 0 */
  options.variables = "{\"name\": \"Eve\"} and more that is not read";
  options.variables_len = 15;
  options.now = "2026-03-07T08:05:09";
  OK(rkchat_chat_template_render(template, GEMMA, sizeof GEMMA - 1, &options, &text, &error));
  const char *result = rkchat_text_data(text, NULL);
  if (strcmp(result, "[{\"z\": 1, \"a\": 2.0}] Eve 2026-03-07") != 0) fail(__FILE__, __LINE__, "%s", result);
  rkchat_text_free(text);
  rkchat_chat_template_free(template);
}

static void a_tokenizer_goes_both_ways(void) {
  rkchat_tokenizer *tokenizer = NULL;
  rkchat_ids *ids = NULL;
  rkchat_text *text = NULL;
  size_t len = 0;
  uint32_t count = 0;
  OK(rkchat_tokenizer_open(in_root("tests/fixtures/words"), &tokenizer, &error));
  OK(rkchat_tokenizer_encode(tokenizer, "the sea", 7, NULL, &ids, &error));
  const uint32_t *data = rkchat_ids_data(ids, &len);
  CHECK(len == 3 && data[0] == 0 && data[1] == 3 && data[2] == 4);
  OK(rkchat_tokenizer_decode(tokenizer, data, len, NULL, &text, &error));
  CHECK(strcmp(rkchat_text_data(text, NULL), "<bos> the sea") == 0);
  rkchat_text_free(text);
  rkchat_decode_options decode = RKCHAT_DECODE_OPTIONS_INIT;
  decode.skip_special_tokens = 1;
  OK(rkchat_tokenizer_decode(tokenizer, data, len, &decode, &text, &error));
  CHECK(strcmp(rkchat_text_data(text, NULL), "the sea") == 0);
  rkchat_text_free(text);
  rkchat_ids_free(ids);

  rkchat_encode_options encode = RKCHAT_ENCODE_OPTIONS_INIT;
  encode.add_special_tokens = 0;
  OK(rkchat_tokenizer_encode(tokenizer, "", 0, &encode, &ids, &error));
  CHECK(rkchat_ids_data(ids, &len) == NULL && len == 0);
  rkchat_ids_free(ids);
  OK(rkchat_tokenizer_count(tokenizer, "h\xc3\xa9llo sea", 10, NULL, &count, &error));
  CHECK(count == 3);
  OK(rkchat_tokenizer_decode(tokenizer, NULL, 0, NULL, &text, &error));
  CHECK(strcmp(rkchat_text_data(text, &len), "") == 0 && len == 0);
  rkchat_text_free(text);
  rkchat_tokenizer_free(tokenizer);
  FAILS(RKCHAT_ERR_TOKENIZER, "", rkchat_tokenizer_open(text_file("tokenizer.json", "{}"), &tokenizer, &error));
}

static void a_template_encodes(void) {
  static const char MESSAGES[] = "[{\"role\": \"user\", \"content\": \"the sea\"}]";
  rkchat_chat_template *template = NULL;
  rkchat_tokenizer *tokenizer = NULL;
  rkchat_render_options options = RKCHAT_RENDER_OPTIONS_INIT;
  rkchat_ids *ids = NULL;
  size_t len = 0;
  OK(rkchat_chat_template_open(in_root("tests/fixtures/words"), &template, &error));
  OK(rkchat_tokenizer_open(in_root("tests/fixtures/words/tokenizer.json"), &tokenizer, &error));
  options.add_generation_prompt = 1;
  OK(rkchat_chat_template_encode(template, MESSAGES, sizeof MESSAGES - 1, tokenizer, &options, &ids, &error));
  const uint32_t *data = rkchat_ids_data(ids, &len);
  CHECK(len == 4 && data[0] == 0 && data[1] == 3 && data[2] == 4 && data[3] == 5);
  rkchat_ids_free(ids);
  rkchat_tokenizer_free(tokenizer);
  rkchat_chat_template_free(template);
}

static void nobody_outside_writes_a_control_token(void) {
  static const char MESSAGES[] = "[{\"role\": \"user\", \"content\": \"the <eos> sea\"}]";
  static const uint32_t THEIRS[] = {0, 3, 1, 4}, LITERAL[] = {0, 3, 2, 2, 4};
  rkchat_chat_template *template = NULL;
  rkchat_tokenizer *tokenizer = NULL;
  rkchat_render_options options = RKCHAT_RENDER_OPTIONS_INIT;
  rkchat_ids *ids = NULL;
  size_t len = 0;
  OK(rkchat_chat_template_open(in_root("tests/fixtures/words"), &template, &error));
  OK(rkchat_tokenizer_open(in_root("tests/fixtures/words"), &tokenizer, &error));
  OK(rkchat_chat_template_encode(template, MESSAGES, sizeof MESSAGES - 1, tokenizer, NULL, &ids, &error));
  const uint32_t *data = rkchat_ids_data(ids, &len);
  CHECK(len == 4 && memcmp(data, THEIRS, sizeof THEIRS) == 0);
  rkchat_ids_free(ids);
  options.untrusted_content = RKCHAT_UNTRUSTED_CONTENT_LITERAL;
  OK(rkchat_chat_template_encode(template, MESSAGES, sizeof MESSAGES - 1, tokenizer, &options, &ids, &error));
  data = rkchat_ids_data(ids, &len);
  CHECK(len == 5 && memcmp(data, LITERAL, sizeof LITERAL) == 0);
  rkchat_ids_free(ids);
  OK(rkchat_chat_template_assistant_mask(template, MESSAGES, sizeof MESSAGES - 1, tokenizer, &options, &ids, &error));
  data = rkchat_ids_data(ids, &len);
  CHECK(len == 5 && data[0] == 0 && data[4] == 0);
  rkchat_ids_free(ids);

  rkchat_tokenizer_info info = RKCHAT_TOKENIZER_INFO_INIT;
  OK(rkchat_tokenizer_get_info(tokenizer, &info, &error));
  CHECK(info.vocabulary_size == 8 && info.special_tokens_len == 2);
  CHECK(info.special_tokens[1]->id == 1 && strcmp(info.special_tokens[1]->text, "<eos>") == 0);
  CHECK(info.special_tokens[1]->names_len == 1);
  rkchat_template_info names = RKCHAT_TEMPLATE_INFO_INIT;
  OK(rkchat_chat_template_get_info(template, &names, &error));
  CHECK(names.names_len == 1);
  rkchat_tokenizer_free(tokenizer);
  rkchat_chat_template_free(template);
}

RUN(TEST(a_template_renders), TEST(gemma_2s_own_template_renders), TEST(a_template_refuses_in_its_own_words), TEST(options_reach_the_template),
    TEST(a_tokenizer_goes_both_ways), TEST(a_template_encodes), TEST(nobody_outside_writes_a_control_token))

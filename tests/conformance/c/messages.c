/* Messages as structs: what reaches the runtime is what the same messages as JSON text give. */

#include "models.h"

/* What the model is fed is all that the template was given. */
#define TEMPLATE "{{ messages | tojson }}"
#define CALLS "[{\"id\":\"1\",\"type\":\"function\",\"function\":{\"name\":\"add\",\"arguments\":{\"b\":1,\"a\":2.0}}}]"
#define PARTS "[{\"type\":\"text\",\"text\":\"and?\"}]"

static const char JSON[] =
    "[{\"role\":\"system\",\"content\":\"b\xc3\xa9\"},"
    "{\"role\":\"user\",\"content\":\"2+1?\",\"name\":\"eve\"},"
    "{\"role\":\"assistant\",\"reasoning_content\":\"hm\",\"tool_calls\":" CALLS "},"
    "{\"role\":\"tool\",\"content\":\"3\",\"name\":\"add\",\"tool_call_id\":\"1\"},"
    "{\"role\":\"user\",\"content\":" PARTS "}]";

enum { COUNT = 5, BAD = RKCHAT_ERR_INVALID_ARGUMENT };

static void fill(rkchat_message *messages) {
  static const char *const ROLES[COUNT] = {"system", "user", "assistant", "tool", "user"};
  for (int i = 0; i < COUNT; i++) {
    messages[i] = (rkchat_message)RKCHAT_MESSAGE_INIT;
    messages[i].role = ROLES[i];
  }
  messages[0].content = "b\xc3\xa9 and what its length leaves out";
  messages[0].content_len = 3;
  messages[1].content = "2+1?";
  messages[1].name = "eve";
  messages[2].reasoning_content = "hm";
  messages[2].tool_calls = CALLS;
  messages[3].content = "3";
  messages[3].name = "add";
  messages[3].tool_call_id = "1";
  messages[4].content_parts = PARTS;
}

static rkchat_model *open_model(void) {
  rkchat_model_options options = scripted("1.1.0");
  options.chat_template = TEMPLATE;
  return open_with("{\"pieces\": [\"yes\"], \"record\": \"record.jsonl\"}", &options);
}

static void finish(rkchat_generation *generation) {
  free(read_all(generation));
  rkchat_generation_free(generation);
}

/* The lines of the record that tell of runs; freed by the caller. */
static size_t runs(char **lines, size_t limit) {
  FILE *file = fopen(in_folder("record.jsonl"), "r");
  CHECK(file != NULL);
  size_t count = 0, size = 0;
  char *line = NULL;
  while (getline(&line, &size, file) > 0) {
    if (strstr(line, "\"call\":\"run\"") == NULL) continue;
    CHECK(count < limit);
    lines[count++] = strdup(line);
  }
  free(line);
  fclose(file);
  return count;
}

static void structs_are_what_json_is(void) {
  rkchat_message messages[COUNT];
  rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
  rkchat_generation *generation = NULL;
  rkchat_model *model = open_model();
  fill(messages);
  options.max_new_tokens = 5;
  OK(rkchat_model_generate(model, JSON, sizeof JSON - 1, &options, &generation, &error));
  finish(generation);
  OK(rkchat_model_generate_messages(model, messages, COUNT, &options, &generation, &error));
  finish(generation);
  char *lines[2] = {NULL, NULL};
  CHECK(runs(lines, 2) == 2 && strstr(lines[0], "tool_call_id") != NULL);
  if (strcmp(lines[0], lines[1]) != 0) fail(__FILE__, __LINE__, "%s, not %s", lines[1], lines[0]);
  free(lines[0]);
  free(lines[1]);
  rkchat_model_free(model);
}

static void the_same(rkchat_text *one, rkchat_text *other) {
  CHECK(strcmp(rkchat_text_data(one, NULL), rkchat_text_data(other, NULL)) == 0);
  rkchat_text_free(one);
  rkchat_text_free(other);
}

static void they_render_alike(void) {
  rkchat_message messages[COUNT];
  rkchat_text *one = NULL, *other = NULL;
  rkchat_chat_template *template = NULL;
  rkchat_model *model = open_model();
  fill(messages);
  OK(rkchat_model_render(model, JSON, sizeof JSON - 1, NULL, &one, &error));
  OK(rkchat_model_render_messages(model, messages, COUNT, NULL, &other, &error));
  the_same(one, other);
  OK(rkchat_chat_template_from_source(TEMPLATE, strlen(TEMPLATE), NULL, &template, &error));
  OK(rkchat_chat_template_render(template, JSON, sizeof JSON - 1, NULL, &one, &error));
  OK(rkchat_chat_template_render_messages(template, messages, COUNT, NULL, &other, &error));
  the_same(one, other);
  rkchat_chat_template_free(template);
  rkchat_model_free(model);
}

static void chats_take_them(void) {
  static const char NEXT[] = "[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"user\",\"content\":\"b\"}]";
  rkchat_message messages[2] = {RKCHAT_MESSAGE_INIT, RKCHAT_MESSAGE_INIT};
  rkchat_model *model = open_model();
  rkchat_chat *one = NULL, *other = NULL;
  rkchat_generation *generation = NULL;
  rkchat_text *first = NULL, *second = NULL;
  messages[0].role = messages[1].role = "user";
  messages[0].content = "a";
  messages[1].content = "b";
  OK(rkchat_chat_open(model, NULL, &one, &error));
  OK(rkchat_chat_open(model, NULL, &other, &error));
  OK(rkchat_chat_send_message(one, NEXT, sizeof NEXT - 1, NULL, &generation, &error));
  finish(generation);
  OK(rkchat_chat_send_messages(other, messages, 2, NULL, &generation, &error));
  finish(generation);
  OK(rkchat_chat_messages(one, &first, &error));
  OK(rkchat_chat_messages(other, &second, &error));
  the_same(first, second);
  rkchat_chat_free(one);
  rkchat_chat_free(other);
  rkchat_model_free(model);
}

static rkchat_chat_template *template_of(const char *source) {
  rkchat_chat_template *result = NULL;
  OK(rkchat_chat_template_from_source(source, strlen(source), NULL, &result, &error));
  return result;
}

/* The structs of a program whose header is older: as large as this. */
typedef struct older {
  uint32_t struct_size, reserved;
  const char *role;
  size_t role_len;
  const char *content;
  size_t content_len;
} older;

/* And newer. */
typedef struct newer {
  rkchat_message message;
  int64_t more;
} newer;

static void programs_may_be_older_or_newer(void) {
  rkchat_chat_template *template = template_of("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}");
  older old[2] = {{sizeof(older), 0, "user", 0, "a", 0}, {sizeof(older), 0, "tool", 0, "b", 1}};
  newer new[2] = {{RKCHAT_MESSAGE_INIT, 0}, {RKCHAT_MESSAGE_INIT, 0}};
  rkchat_text *text = NULL;
  OK(rkchat_chat_template_render_messages(template, (const rkchat_message *)old, 2, NULL, &text, &error));
  CHECK(strcmp(rkchat_text_data(text, NULL), "<user>a<tool>b") == 0);
  rkchat_text_free(text);
  for (int i = 0; i < 2; i++) {
    new[i].message.struct_size = sizeof(newer);
    new[i].message.role = i == 0 ? "user" : "tool";
    new[i].message.content = i == 0 ? "a" : "b";
  }
  OK(rkchat_chat_template_render_messages(template, &new[0].message, 2, NULL, &text, &error));
  CHECK(strcmp(rkchat_text_data(text, NULL), "<user>a<tool>b") == 0);
  rkchat_text_free(text);
  new[1].more = 7;
  FAILS(BAD, "`messages[1]`: rkchat_message has fields set that this library does not know",
        rkchat_chat_template_render_messages(template, &new[0].message, 2, NULL, &text, &error));
  rkchat_chat_template_free(template);
}

static void bad_messages(void) {
  rkchat_chat_template *template = template_of("x");
  rkchat_message good = RKCHAT_MESSAGE_INIT, messages[2];
  rkchat_text *text = NULL;
  good.role = "user";
  good.content = "a";
#define REFUSED(words) \
  FAILS(BAD, words, rkchat_chat_template_render_messages(template, messages, 2, NULL, &text, &error)); \
  messages[0] = messages[1] = good
  messages[0] = messages[1] = good;
  FAILS(BAD, "`messages` is NULL, and its length is 2",
        rkchat_chat_template_render_messages(template, NULL, 2, NULL, &text, &error));
  FAILS(BAD, "empty", rkchat_chat_template_render_messages(template, NULL, 0, NULL, &text, &error));
  FAILS(BAD, "it was never set",
        rkchat_chat_template_render_messages(template, messages, SIZE_MAX / 2, NULL, &text, &error));
  messages[1].role = NULL;
  REFUSED("`messages[1]`: `role` is not set");
  messages[0].struct_size = 7;
  REFUSED("`messages[0]`: `struct_size` of rkchat_message is 7");
  messages[1].struct_size = 16;
  REFUSED("`messages[1]`: its `struct_size` is 16, and that of the first one");
  messages[1].reserved = 1;
  REFUSED("`messages[1]`: `reserved` of rkchat_message is 1, not 0");
  messages[1].content = "ab\xff";
  REFUSED("`messages[1]`: `content` is not UTF-8: the fault is at byte 2");
  messages[1].content = NULL;
  messages[1].content_len = 3;
  REFUSED("`messages[1]`: `content` is NULL, and `content_len` is 3");
  messages[0].tool_calls = "[";
  REFUSED("`messages[0]`: `tool_calls` is not JSON");
  messages[0].content_parts = "[]";
  REFUSED("`messages[0]`: `content` and `content_parts` are both set");
  CHECK(text == NULL);
  OK(rkchat_chat_template_render_messages(template, messages, 2, NULL, &text, &error));
  rkchat_text_free(text);
  rkchat_chat_template_free(template);
}

RUN(TEST(structs_are_what_json_is), TEST(they_render_alike), TEST(chats_take_them),
    TEST(programs_may_be_older_or_newer), TEST(bad_messages))

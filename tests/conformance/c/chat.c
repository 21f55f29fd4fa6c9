/* A conversation: what was said is kept, sent again, and given away as JSON text. */

#include "models.h"

#define TEMPLATE \
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}" \
  "{% if add_generation_prompt %}<bot>{% endif %}"
#define SYSTEM "{\"role\":\"system\",\"content\":\"be\"}"
#define TURN(question) \
  "{\"role\":\"user\",\"content\":\"" question "\"},{\"role\":\"assistant\",\"content\":\"yes\"}"

/* It takes text, and has no template of its own. */
static rkchat_model *open_model(const char *script) {
  rkchat_model_options options = scripted("1.1.0");
  options.chat_template = TEMPLATE;
  options.chat_template_len = strlen(TEMPLATE);
  return open_with(script, &options);
}

static rkchat_chat *open_chat(const rkchat_model *model) {
  rkchat_chat_options options = RKCHAT_CHAT_OPTIONS_INIT;
  rkchat_chat *chat = NULL;
  options.system = "be";
  options.system_len = 2;
  OK(rkchat_chat_open(model, &options, &chat, &error));
  return chat;
}

static void finish(rkchat_generation *generation) {
  char *text = read_all(generation);
  CHECK(strcmp(text, "yes") == 0);
  free(text);
  rkchat_generation_free(generation);
}

static void says(const rkchat_chat *chat, const char *expected) {
  rkchat_text *text = NULL;
  OK(rkchat_chat_messages(chat, &text, &error));
  if (strcmp(rkchat_text_data(text, NULL), expected) != 0) {
    fail(__FILE__, __LINE__, "%s, not %s", rkchat_text_data(text, NULL), expected);
  }
  rkchat_text_free(text);
}

static void what_was_said_is_kept(void) {
  static const char NEXT[] = "{\"role\": \"user\", \"content\": \"b?\"}";
  rkchat_model *model = open_model("{\"pieces\": [\"y\", \"es\"]}");
  rkchat_chat *chat = open_chat(model), *branch = NULL, *back = NULL;
  rkchat_generation *generation = NULL;
  OK(rkchat_chat_send(chat, "a?", 2, NULL, &generation, &error));
  finish(generation);
  says(chat, "[" SYSTEM "," TURN("a?") "]");
  OK(rkchat_chat_send_message(chat, NEXT, sizeof NEXT - 1, NULL, &generation, &error));
  finish(generation);
  OK(rkchat_chat_regenerate(chat, NULL, &generation, &error));
  finish(generation);
  says(chat, "[" SYSTEM "," TURN("a?") "," TURN("b?") "]");
  OK(rkchat_chat_branch(chat, &branch, &error));
  OK(rkchat_chat_edit(branch, 1, NEXT, sizeof NEXT - 1, &error));
  says(branch, "[" SYSTEM ",{\"role\":\"user\",\"content\":\"b?\"}]");

  rkchat_text *state = NULL;
  size_t len = 0;
  OK(rkchat_chat_to_json(chat, &state, &error));
  const char *text = rkchat_text_data(state, &len);
  OK(rkchat_chat_from_json(model, text, len, NULL, &back, &error));
  says(back, "[" SYSTEM "," TURN("a?") "," TURN("b?") "]");
  OK(rkchat_chat_reset(chat, &error));
  says(chat, "[" SYSTEM "]");
  rkchat_text_free(state);
  rkchat_chat_free(back);
  rkchat_chat_free(branch);
  rkchat_chat_free(chat);
  rkchat_model_free(model);
}

static void one_answer_at_a_time(void) {
  rkchat_model *model = open_model(ENDLESS);
  rkchat_chat *chat = open_chat(model), *none = NULL;
  rkchat_generation *generation = NULL, *other = NULL;
  uint32_t tokens = 1;
  OK(rkchat_chat_send(chat, "a?", 2, NULL, &generation, &error));
  FAILS(RKCHAT_ERR_BUSY, "still coming", rkchat_chat_send(chat, "b?", 2, NULL, &other, &error));
  CHECK(other == NULL);
  begun(generation);
  rkchat_generation_free(generation);
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "no message 9", rkchat_chat_edit(chat, 9, "{\"role\":\"user\"}", 15, &error));
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "version", rkchat_chat_from_json(model, "{}", 2, NULL, &none, &error));
  /* Nobody counts text here. */
  OK(rkchat_chat_token_count(chat, &tokens, &error));
  CHECK(tokens == 0);
  OK(rkchat_chat_send(chat, "c?", 2, NULL, &generation, &error));
  rkchat_chat_free(chat);
  rkchat_model_free(model);
  begun(generation);
  rkchat_generation_free(generation);
}

RUN(TEST(what_was_said_is_kept), TEST(one_answer_at_a_time))

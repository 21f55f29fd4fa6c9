/* Answers a question with a tool: the model asks for it, the program runs it, the model goes on. */

#include "common.h"

/* A model that gets nowhere is left alone after so many answers. */
enum { ROUNDS = 8 };

static const char TOOLS[] =
    "[{\"type\":\"function\",\"function\":{\"name\":\"get_temperature\","
    "\"description\":\"How warm it is in a city now.\",\"parameters\":{\"type\":\"object\","
    "\"properties\":{\"city\":{\"type\":\"string\"}},\"required\":[\"city\"]}}}]";

/* Runs a tool. A real one would read the JSON of its arguments, and ask a service. */
static const char *use(const rkchat_tool_call *call) {
  if (strcmp(call->name, "get_temperature") != 0) {
    return "there is no such tool";
  }
  if (strstr(call->arguments, "\"Oslo\"") != NULL) {
    return "4 degrees";
  }
  return strstr(call->arguments, "\"Rome\"") != NULL ? "19 degrees" : "unknown city";
}

/* Puts a message at the end of a JSON array, which it gives back in its new place. */
static char *append(char *messages, const char *message) {
  size_t end = strlen(messages) - 1; /* of the bracket */
  messages = realloc(messages, end + strlen(message) + 3);
  if (messages == NULL) {
    exit(EXIT_FAILURE);
  }
  sprintf(messages + end, ",%s]", message);
  return messages;
}

/* Puts the message with a call's result there. */
static char *append_result(char *messages, const rkchat_tool_call *call, const char *result) {
  char *message = malloc(64 + 6 * (call->id_len + strlen(result)));
  if (message == NULL) {
    exit(EXIT_FAILURE);
  }
  strcpy(message, "{\"role\":\"tool\",\"tool_call_id\":");
  char *end = quoted(message + strlen(message), call->id);
  strcpy(end, ",\"content\":");
  strcpy(quoted(end + strlen(end), result), "}");
  messages = append(messages, message);
  free(message);
  return messages;
}

static void print_text(rkchat_generation *generation) {
  rkchat_error *error = NULL;
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  while (rkchat_generation_next(generation, -1, &chunk, &error) == RKCHAT_OK) {
    if (chunk.kind == RKCHAT_CHUNK_KIND_TEXT) {
      fwrite(chunk.text, 1, chunk.text_len, stdout);
      fflush(stdout);
    }
  }
  check(error);
  putchar('\n');
}

int main(int count, char **words) {
  arguments arguments = parse(count, words);
  rkchat_model *model = NULL;
  rkchat_error *error = NULL;
  rkchat_model_open(arguments.model, &arguments.open, &model, &error);
  check(error);

  arguments.generate.tools = TOOLS;
  arguments.generate.tools_len = sizeof TOOLS - 1;
  char *messages = question(arguments.prompt);
  size_t calls = 1;
  for (int round = 0; round < ROUNDS && calls > 0; round++) {
    rkchat_generation *generation = NULL;
    rkchat_model_generate(model, messages, strlen(messages), &arguments.generate, &generation, &error);
    check(error);
    print_text(generation);
    rkchat_completion answer = RKCHAT_COMPLETION_INIT;
    rkchat_generation_completion(generation, &answer, &error);
    check(error);
    messages = append(messages, answer.message);
    calls = answer.tool_calls_len;
    for (size_t i = 0; i < calls; i++) {
      const rkchat_tool_call *call = answer.tool_calls[i];
      const char *result = use(call);
      printf("[%s: %s]\n", call->name, result);
      messages = append_result(messages, call, result);
    }
    rkchat_generation_free(generation);
  }

  free(messages);
  rkchat_model_free(model);
  return 0;
}

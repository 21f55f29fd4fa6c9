/* What the C examples share: their command line, errors, and a question as JSON. */
#ifndef EXAMPLES_COMMON_H
#define EXAMPLES_COMMON_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rkchat.h>

/* MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N] [--max-context-len N] */
typedef struct arguments {
  const char *model;
  const char *prompt;
  rkchat_model_options open;
  rkchat_generate_options generate;
} arguments;

/* Ends the program with the error's message, if there is one. */
static void check(rkchat_error *error) {
  if (error != NULL) {
    fprintf(stderr, "%s\n", rkchat_error_message(error, NULL));
    rkchat_error_free(error);
    exit(EXIT_FAILURE);
  }
}

/* Reads a number; 0 where the word is none. */
static int number(const char *word, int64_t *out) {
  char *end;
  *out = strtoll(word, &end, 10);
  return end != word && *end == '\0';
}

static arguments parse(int count, char **words) {
  arguments result = {NULL, NULL, RKCHAT_MODEL_OPTIONS_INIT, RKCHAT_GENERATE_OPTIONS_INIT};
  int wrong = 0;
  for (int i = 1; i < count; i++) {
    if (strcmp(words[i], "--greedy") == 0) {
      /* Set when the model is opened, where runtimes of every version take it. */
      result.open.top_k = 1;
      result.open.repeat_penalty = 1.0;
    } else if (strcmp(words[i], "--runtime") == 0 && i + 1 < count) {
      result.open.runtime = words[++i];
    } else if (strcmp(words[i], "--max-new-tokens") == 0 && i + 1 < count) {
      wrong |= !number(words[++i], &result.generate.max_new_tokens);
    } else if (strcmp(words[i], "--max-context-len") == 0 && i + 1 < count) {
      wrong |= !number(words[++i], &result.open.max_context_len);
    } else if (words[i][0] != '-' && result.model == NULL) {
      result.model = words[i];
    } else if (words[i][0] != '-' && result.prompt == NULL) {
      result.prompt = words[i];
    } else {
      wrong = 1;
    }
  }
  if (wrong || result.model == NULL) {
    fprintf(stderr,
            "usage: %s MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N] [--max-context-len N]\n",
            words[0]);
    exit(2);
  }
  if (result.prompt == NULL) {
    result.prompt = "What is the capital of France?";
  }
  return result;
}

/* Writes a text as JSON, and gives the place after it. It takes up to 6 bytes for one, and 2 more. */
static char *quoted(char *out, const char *text) {
  *out++ = '"';
  for (; *text != '\0'; text++) {
    unsigned char byte = (unsigned char)*text;
    if (byte < 0x20) {
      out += sprintf(out, "\\u%04x", byte);
    } else {
      if (byte == '"' || byte == '\\') {
        *out++ = '\\';
      }
      *out++ = (char)byte;
    }
  }
  *out++ = '"';
  *out = '\0';
  return out;
}

/* A conversation of one question, as JSON; the caller frees it. */
static char *question(const char *text) {
  static const char begin[] = "[{\"role\":\"system\",\"content\":\"You are a helpful assistant.\"},"
                              "{\"role\":\"user\",\"content\":";
  char *json = malloc(sizeof begin + 6 * strlen(text) + sizeof "\"\"}]");
  if (json == NULL) {
    exit(EXIT_FAILURE);
  }
  strcpy(json, begin);
  strcpy(quoted(json + strlen(json), text), "}]");
  return json;
}

/* Asks the question. */
static inline rkchat_generation *ask(const rkchat_model *model, const char *text,
                                     const rkchat_generate_options *options) {
  rkchat_generation *generation = NULL;
  rkchat_error *error = NULL;
  char *messages = question(text);
  rkchat_model_generate(model, messages, strlen(messages), options, &generation, &error);
  free(messages);
  check(error);
  return generation;
}

#endif

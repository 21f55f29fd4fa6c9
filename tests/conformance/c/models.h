/* Models for tests: scripts for the scripted runtime, which stands for a vendor library. */
#ifndef MODELS_H
#define MODELS_H

#include "harness.h"

static const char *const GROUPS[] = {"1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1b1", "1.2.1", "1.3.0"};
/* The groups from the third on take and give token ids; the others know text alone. */
enum { GROUPS_LEN = 7, TEXT_GROUPS = 2 };
/* Two that stand for all, where the group does not matter. */
static const char *const TWO_GROUPS[] = {"1.1.0", "1.3.0"};

/* Words at 20 ms each, without end. */
#define ENDLESS "{\"pieces\": [\"a \", \"b \", \"c \"], \"repeat\": 0, \"delay_ms\": 20}"
/* Three words at once. */
#define SHORT "{\"pieces\": [[\"one \", 1], [\"two \", 2], [\"three\", 3]]}"

static const uint32_t IDS[] = {5, 6, 7};

static const char *scripted_runtime(const char *group) {
  char path[128];
  snprintf(path, sizeof path, "target/release/runtime/scripted/%s/librkllmrt.so", group);
  return in_root(path);
}

static const char *cpu_runtime(const char *group) {
  char path[128];
  snprintf(path, sizeof path, "target/release/runtime/%s/librkllmrt.so", group);
  return in_root(path);
}

/* Options for the scripted runtime of a group. */
static rkchat_model_options scripted(const char *group) {
  rkchat_model_options options = RKCHAT_MODEL_OPTIONS_INIT;
  options.runtime = scripted_runtime(group);
  options.abi = group;
  return options;
}

static rkchat_model *open_with(const char *script, const rkchat_model_options *options) {
  rkchat_model *model = NULL;
  OK(rkchat_model_open(text_file("script.rkllm", script), options, &model, &error));
  return model;
}

static rkchat_model *open_script(const char *group, const char *script) {
  rkchat_model_options options = scripted(group);
  return open_with(script, &options);
}

static rkchat_generation *ask(const rkchat_model *model) {
  rkchat_generation *generation = NULL;
  OK(rkchat_model_complete_ids(model, IDS, 3, NULL, &generation, &error));
  return generation;
}

/* Waits until an answer has begun. */
static void begun(rkchat_generation *generation) {
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  OK(rkchat_generation_next(generation, 20000, &chunk, &error));
}

/* Reads the rest of an answer; the caller frees it. */
static char *read_all(rkchat_generation *generation) {
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  rkchat_status status;
  char *text = calloc(1, 1);
  size_t len = 0;
  while ((status = rkchat_generation_next(generation, -1, &chunk, &error)) == RKCHAT_OK) {
    CHECK(chunk.text_len > 0 && chunk.text[chunk.text_len] == '\0');
    text = realloc(text, len + chunk.text_len + 1);
    memcpy(text + len, chunk.text, chunk.text_len + 1);
    len += chunk.text_len;
  }
  GIVES(RKCHAT_END, status);
  return text;
}

#endif

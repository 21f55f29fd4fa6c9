/* The answers and requests that all languages share, over the scripted runtime. tests/run.py checks that
 * every language ran every line. */

#include <stddef.h>

#include "json.h"
#include "models.h"

/* --- Options by their names */

typedef enum option_kind { WHOLE, REAL, SWITCH, SECONDS, WORDS, TEXTS, AS_JSON, A_PATH, FIXED, UNTRUSTED } option_kind;

typedef struct option {
  const char *name;
  option_kind kind;
  size_t offset;
} option;

#define OPENING(name, kind) {#name, kind, offsetof(rkchat_model_options, name)}
#define ASKING(name, kind) {#name, kind, offsetof(rkchat_generate_options, name)}

static const option OPENING_OPTIONS[] = {
    OPENING(chat_template, WORDS), OPENING(fixed_sampling, FIXED), OPENING(ignore_eos, SWITCH),
    OPENING(max_context_len, WHOLE), OPENING(temperature, REAL), OPENING(tokenizer, A_PATH), OPENING(top_k, WHOLE),
    {NULL, WHOLE, 0}};
static const option ASKING_OPTIONS[] = {
    ASKING(continue_final_message, SWITCH), ASKING(enable_thinking, SWITCH), ASKING(ignore_eos, SWITCH),
    ASKING(max_new_tokens, WHOLE), ASKING(min_p, REAL), ASKING(seed, WHOLE), ASKING(stop_strings, TEXTS),
    ASKING(temperature, REAL), {"timeout", SECONDS, offsetof(rkchat_generate_options, timeout_ms)},
    ASKING(tool_choice, AS_JSON), ASKING(tool_format, WORDS), ASKING(tools, AS_JSON), ASKING(top_k, WHOLE),
    ASKING(top_p, REAL), ASKING(untrusted_content, UNTRUSTED), {NULL, WHOLE, 0}};

/* What `stop_strings` points to. */
static rkchat_str texts[8];

/* A text or a list in an options struct is a pointer and, beside it, a length. */
static void set_view(char *field, const void *data, size_t len) {
  memcpy(field, &data, sizeof data);
  memcpy(field + sizeof data, &len, sizeof len);
}

static void set(char *field, option_kind kind, const json *value) {
  if (kind == WHOLE || kind == SECONDS) {
    int64_t number = (int64_t)(kind == SECONDS ? value->number * 1000 : value->number);
    memcpy(field, &number, sizeof number);
  } else if (kind == REAL) {
    memcpy(field, &value->number, sizeof value->number);
  } else if (kind == AS_JSON) {
    set_view(field, value->source, value->source_len);
  } else if (kind == WORDS) {
    set_view(field, value->text, strlen(value->text));
  } else if (kind == A_PATH) {
    const char *path = in_root(value->text);
    memcpy(field, &path, sizeof path);
  } else if (kind == TEXTS) {
    CHECK(value->len <= sizeof texts / sizeof *texts);
    for (size_t i = 0; i < value->len; i++) {
      texts[i].data = value->items[i].text;
      texts[i].len = strlen(value->items[i].text);
    }
    set_view(field, texts, value->len);
  } else {
    int32_t number = json_is(value, "true");
    if (kind == UNTRUSTED) number = RKCHAT_UNTRUSTED_CONTENT_TRANSFORMERS;
    if (kind == FIXED) number = strcmp(value->text, "error") == 0 ? RKCHAT_FIXED_SAMPLING_ERROR : RKCHAT_FIXED_SAMPLING_RELOAD;
    memcpy(field, &number, sizeof number);
  }
}

static void set_all(void *options, const option *known, const json *given) {
  for (size_t i = 0; i < given->len; i++) {
    const option *found = known;
    while (found->name != NULL && strcmp(found->name, given->items[i].name) != 0) found++;
    if (found->name == NULL) fail(__FILE__, __LINE__, "no option %s", given->items[i].name);
    set((char *)options + found->offset, found->kind, &given->items[i]);
  }
}

/* --- Names of numbers */

static const char *const KINDS[] = {"",
                                    "invalid_argument",
                                    "not_found",
                                    "invalid_model",
                                    "runtime_not_found",
                                    "runtime_invalid",
                                    "runtime_ambiguous",
                                    "runtime_mismatch",
                                    "runtime_failed",
                                    "template",
                                    "tokenizer",
                                    "context_overflow",
                                    "busy",
                                    "timeout",
                                    "closed",
                                    "forked",
                                    "unsupported"};
static const char *const REASONS[] = {"", "stop", "stop_string", "length", "context_full", "tool_calls"};

static const char *warning_name(rkchat_warning_kind kind) {
  return kind == RKCHAT_WARNING_KIND_FIXED_SAMPLING    ? "fixed_sampling"
         : kind == RKCHAT_WARNING_KIND_IGNORED_OPTION  ? "ignored_option"
         : kind == RKCHAT_WARNING_KIND_BROKEN_TOOL_CALL ? "broken_tool_call"
                                                        : "another";
}

/* --- Requests */

typedef struct request {
  rkchat_model_options open;
  rkchat_generate_options ask;
  const char *script;
  /* NULL: the ids. */
  const char *messages;
  size_t messages_len;
  uint32_t ids[16];
  size_t ids_len;
} request;

typedef struct outcome {
  rkchat_model *model;
  rkchat_generation *generation;
  rkchat_completion answer;
} outcome;

static void put(char **text, const char *more, size_t len) {
  size_t old = strlen(*text);
  *text = realloc(*text, old + len + 1);
  memcpy(*text + old, more, len);
  (*text)[old + len] = '\0';
}

/* Asks and reads; what was streamed has to be what is told at the end. */
static rkchat_status run(const request *request, outcome *out) {
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  rkchat_completion empty = RKCHAT_COMPLETION_INIT;
  out->model = NULL;
  out->generation = NULL;
  out->answer = empty;
  rkchat_status status =
      rkchat_model_open(text_file("model.rkllm", request->script), &request->open, &out->model, &error);
  if (status != RKCHAT_OK) return status;
  status = request->messages != NULL
               ? rkchat_model_generate(out->model, request->messages, request->messages_len, &request->ask,
                                       &out->generation, &error)
               : rkchat_model_complete_ids(out->model, request->ids, request->ids_len, &request->ask,
                                           &out->generation, &error);
  if (status != RKCHAT_OK) return status;
  char *said[4] = {calloc(1, 1), calloc(1, 1), calloc(1, 1), calloc(1, 1)};
  while ((status = rkchat_generation_next(out->generation, 20000, &chunk, &error)) == RKCHAT_OK) {
    CHECK(chunk.kind >= RKCHAT_CHUNK_KIND_TEXT && chunk.kind <= RKCHAT_CHUNK_KIND_TOOL_CALL);
    put(&said[chunk.kind], chunk.text, chunk.text_len);
  }
  if (status == RKCHAT_END) {
    status = rkchat_generation_completion(out->generation, &out->answer, &error);
    CHECK(status == RKCHAT_OK);
    CHECK(strcmp(said[RKCHAT_CHUNK_KIND_TEXT], out->answer.text) == 0);
    const char *reasoning = out->answer.reasoning == NULL ? "" : out->answer.reasoning;
    CHECK(strcmp(said[RKCHAT_CHUNK_KIND_REASONING], reasoning) == 0);
  }
  for (size_t i = 0; i < 4; i++) free(said[i]);
  return status;
}

static void done(outcome *out) {
  rkchat_generation_free(out->generation);
  rkchat_model_free(out->model);
  rkchat_error_free(error);
  error = NULL;
}

/* --- What came out, compared with a value by its name */

static int same_json(const char *text, const json *value) {
  json given = json_of(text);
  int same = json_equal(&given, value);
  json_free(&given);
  return same;
}

static int same_calls(const rkchat_completion *answer, const json *value) {
  if (answer->tool_calls_len != value->len) return 0;
  for (size_t i = 0; i < value->len; i++) {
    const rkchat_tool_call *call = answer->tool_calls[i];
    if (strcmp(call->name, json_get(&value->items[i], "name")->text) != 0) return 0;
    if (!same_json(call->arguments, json_get(&value->items[i], "arguments"))) return 0;
  }
  return 1;
}

static int same(const rkchat_completion *answer, const char *name, const json *value) {
  if (strcmp(name, "text") == 0) return strcmp(answer->text, value->text) == 0;
  if (strcmp(name, "reasoning") == 0) {
    if (answer->reasoning == NULL) return json_is(value, "null") || (value->text != NULL && value->text[0] == '\0');
    return value->text != NULL && strcmp(answer->reasoning, value->text) == 0;
  }
  if (strcmp(name, "tool_calls") == 0) return same_calls(answer, value);
  if (strcmp(name, "message") == 0) return same_json(answer->message, value);
  if (strcmp(name, "finish_reason") == 0) return strcmp(REASONS[answer->finish_reason], value->text) == 0;
  if (strcmp(name, "prompt_tokens") == 0) return (double)answer->usage->prompt_tokens == value->number;
  if (strcmp(name, "new_tokens") == 0) return (double)answer->usage->new_tokens == value->number;
  if (strcmp(name, "counted_by") == 0) {
    return answer->usage->counted_by == (strcmp(value->text, "rkchat") == 0 ? RKCHAT_MEASURE_RKCHAT : RKCHAT_MEASURE_RUNTIME);
  }
  if (strcmp(name, "token_ids") == 0) {
    int equal = answer->token_ids_len == value->len;
    for (size_t i = 0; equal && i < value->len; i++) equal = answer->token_ids[i] == value->items[i].number;
    return equal;
  }
  if (strcmp(name, "warnings") == 0) {
    int equal = answer->warnings_len == value->len;
    for (size_t i = 0; equal && i < value->len; i++) {
      equal = strcmp(warning_name(answer->warnings[i]->kind), value->items[i].text) == 0;
    }
    return equal;
  }
  fail(__FILE__, __LINE__, "nothing is called %s", name);
  return 0;
}

/* --- The files */

static char *source_of(const json *value) {
  char *text = calloc(1, 1);
  put(&text, value->source, value->source_len);
  return text;
}

static void check_request(const json *line, const char *group) {
  rkchat_generate_options ask = RKCHAT_GENERATE_OPTIONS_INIT;
  request request = {scripted(group), ask, NULL, NULL, 0, {0}, 0};
  outcome out;
  const char *id = json_get(line, "id")->text;
  const json *messages = json_get(line, "messages"), *ids = json_get(line, "ids");
  const json *wanted = json_get(line, "error");
  char *script = source_of(json_get(line, "script"));
  request.script = script;
  set_all(&request.open, OPENING_OPTIONS, json_get(line, "open"));
  set_all(&request.ask, ASKING_OPTIONS, json_get(line, "options"));
  if (messages != NULL) {
    request.messages = messages->source;
    request.messages_len = messages->source_len;
  }
  for (size_t i = 0; ids != NULL && i < ids->len; i++) request.ids[request.ids_len++] = (uint32_t)ids->items[i].number;
  rkchat_status status = run(&request, &out);
  const char *message = rkchat_error_message(error, NULL);
  if (wanted != NULL) {
    const char *kind = status > 0 && status <= RKCHAT_ERR_UNSUPPORTED ? KINDS[status] : "none";
    if (strcmp(kind, json_get(wanted, "kind")->text) != 0 || strstr(message, json_get(wanted, "says")->text) == NULL) {
      fail(__FILE__, __LINE__, "%s on %s: %s: %s", id, group, kind, message);
    }
  } else {
    if (status != RKCHAT_OK) fail(__FILE__, __LINE__, "%s on %s: %s", id, group, message);
    const json *expected = json_get(line, "expected");
    for (size_t i = 0; i < expected->len; i++) {
      const json *value = &expected->items[i];
      if (!same(&out.answer, value->name, value)) fail(__FILE__, __LINE__, "%s on %s: %s", id, group, value->name);
    }
  }
  done(&out);
  free(script);
}

static void on_its_groups(const json *line) {
  const json *groups = json_get(line, "groups");
  for (size_t i = 0; i < groups->len; i++) check_request(line, groups->items[i].text);
}

/* A script that says a text, three characters at a time. */
static char *saying(const char *text) {
  char *script = calloc(1, 1);
  put(&script, "{\"pieces\": [\"", 13);
  for (int count = 0; *text != '\0'; count++) {
    char hex[8];
    if (count > 0 && count % 3 == 0) put(&script, "\", \"", 4);
    if (strchr("\"\\\n\t", *text) != NULL) {
      snprintf(hex, sizeof hex, "\\u%04x", (unsigned)*text++);
      put(&script, hex, 6);
      continue;
    }
    do {
      put(&script, text++, 1);
    } while (((unsigned char)*text & 0xc0) == 0x80);
  }
  put(&script, "\"]}", 3);
  return script;
}

static void check_answer(const json *line) {
  rkchat_generate_options ask = RKCHAT_GENERATE_OPTIONS_INIT;
  request request = {scripted("1.1.0"), ask, NULL, NULL, 0, {0}, 0};
  outcome out;
  const json *source = json_get(line, "template"), *prompt = json_get(line, "prompt");
  const json *tools = json_get(line, "tools"), *format = json_get(line, "format");
  const json *expected = json_get(line, "expected"), *broken = json_get(expected, "broken");
  char template[1024], messages[256];
  /* The template tells the format; the prompt is what a case says it is. */
  snprintf(template, sizeof template, "{%% if false %%}%s{%% endif %%}{{ messages[-1].content }}",
           source == NULL ? "" : source->text);
  snprintf(messages, sizeof messages, "[{\"role\": \"user\", \"content\": %.*s}]",
           prompt == NULL ? 3 : (int)prompt->source_len, prompt == NULL ? "\"?\"" : prompt->source);
  char *script = saying(json_get(line, "text")->text);
  request.script = script;
  request.messages = messages;
  request.messages_len = strlen(messages);
  request.open.chat_template = template;
  request.open.chat_template_len = strlen(template);
  request.ask.untrusted_content = RKCHAT_UNTRUSTED_CONTENT_TRANSFORMERS;
  if (tools != NULL) set((char *)&request.ask.tools, AS_JSON, tools);
  if (format != NULL) set((char *)&request.ask.tool_format, WORDS, format);
  rkchat_status status = run(&request, &out);
  const char *name = json_get(line, "name")->text;
  if (status != RKCHAT_OK) fail(__FILE__, __LINE__, "%s: %s", name, rkchat_error_message(error, NULL));
  static const char *const parts[] = {"text", "reasoning", "tool_calls"};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (!same(&out.answer, parts[i], json_get(expected, parts[i]))) fail(__FILE__, __LINE__, "%s: %s", name, parts[i]);
  }
  CHECK(out.answer.warnings_len == (broken == NULL ? 0 : (size_t)broken->number));
  for (size_t i = 0; i < out.answer.warnings_len; i++) {
    CHECK(out.answer.warnings[i]->kind == RKCHAT_WARNING_KIND_BROKEN_TOOL_CALL);
  }
  done(&out);
  free(script);
}

static void requests(void) { run_vectors("requests.jsonl", on_its_groups); }

static void answers(void) { run_vectors("answers.jsonl", check_answer); }

RUN(TEST(requests), TEST(answers))

/* A sample of the cases of ../shared/templates, as tests/conformance/template_sample.py writes it. */

#include "harness.h"

/* When the reference was rendered. */
static const char NOW[] = "2026-03-07T08:05:09.012345";

/* What a case of the sample has; each field ends with a NUL, and is unset where it is empty. */
enum {
  NAME,
  SOURCE,
  SPECIAL_TOKENS,
  MESSAGES,
  TOOLS,
  DOCUMENTS,
  VARIABLES,
  ADD_GENERATION_PROMPT,
  CONTINUE_FINAL_MESSAGE,
  EXPECTS,
  TEXT,
  FIELDS
};

typedef struct kind {
  const char *name, *words;
  size_t all, good;
} kind;

static kind kinds[] = {
    {"output", "outputs", 0, 0},
    {"raise_exception", "raise_exception", 0, 0},
    {"error", "other errors", 0, 0},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

/* All of the file; NULL where there is none. */
static char *contents(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  CHECK(fseek(file, 0, SEEK_END) == 0);
  *len = (size_t)ftell(file);
  rewind(file);
  char *data = malloc(*len);
  CHECK(data != NULL && fread(data, 1, *len, file) == *len);
  fclose(file);
  return data;
}

static const char *given(const char *field) { return *field == '\0' ? NULL : field; }

/* The output, or NULL with what went wrong in `error`. */
static rkchat_text *rendered(const char **fields) {
  rkchat_chat_template *template = NULL;
  rkchat_text *text = NULL;
  rkchat_template_options of_template = RKCHAT_TEMPLATE_OPTIONS_INIT;
  rkchat_render_options options = RKCHAT_RENDER_OPTIONS_INIT;
  of_template.special_tokens = given(fields[SPECIAL_TOKENS]);
  options.tools = given(fields[TOOLS]);
  options.documents = given(fields[DOCUMENTS]);
  options.variables = given(fields[VARIABLES]);
  options.add_generation_prompt = *fields[ADD_GENERATION_PROMPT] == '1';
  options.continue_final_message = *fields[CONTINUE_FINAL_MESSAGE] == '1';
  options.now = NOW;
  const char *source = fields[SOURCE], *messages = fields[MESSAGES];
  rkchat_status status =
      rkchat_chat_template_from_source(source, strlen(source), &of_template, &template, &error);
  if (status == RKCHAT_OK) {
    status = rkchat_chat_template_render(template, messages, strlen(messages), &options, &text, &error);
  }
  CHECK((status == RKCHAT_OK) == (text != NULL) && (text == NULL) == (error != NULL));
  rkchat_chat_template_free(template);
  return text;
}

/* Whether the template raised just these words: `details`, which are JSON, have them between quotes. */
static int raised(const char *words) {
  char *quoted = malloc(2 * strlen(words) + 32), *end = quoted;
  CHECK(quoted != NULL);
  end += sprintf(end, "\"template_message\":\"");
  for (; *words != '\0'; words++) {
    CHECK((unsigned char)*words >= ' '); /* The sample's messages are of one line. */
    if (*words == '"' || *words == '\\') *end++ = '\\';
    *end++ = *words;
  }
  strcpy(end, "\"");
  int found = strstr(rkchat_error_details(error, NULL), quoted) != NULL;
  free(quoted);
  return found;
}

/* Tries a case and counts it; says what is wrong with it. */
static void judge(const char **fields) {
  kind *expects = kinds;
  while (strcmp(expects->name, fields[EXPECTS]) != 0) CHECK(++expects < kinds + KINDS);
  rkchat_text *text = rendered(fields);
  size_t len = 0;
  const char *output = text == NULL ? NULL : rkchat_text_data(text, &len);
  int good = text == NULL;
  if (expects == &kinds[0]) {
    good = output != NULL && len == strlen(fields[TEXT]) && memcmp(output, fields[TEXT], len) == 0;
  } else if (expects == &kinds[1]) {
    good = output == NULL && raised(fields[TEXT]);
  }
  expects->all += 1;
  expects->good += (size_t)good;
  if (!good) {
    fprintf(stderr, "%s: expected %s '%s', found %s\n", fields[NAME], expects->name, fields[TEXT],
            output == NULL ? rkchat_error_message(error, NULL) : output);
  }
  rkchat_text_free(text);
  rkchat_error_free(error);
  error = NULL;
}

static void a_sample_of_the_reference_renders(void) {
  const char *path = in_root("target/template-sample");
  size_t len = 0;
  char *data = contents(path, &len);
  if (data == NULL) {
    fprintf(stderr, "SKIPPED: no %s: `make template-sample` needs ../shared/templates\n", path);
    return;
  }
  CHECK(len > 0 && data[len - 1] == '\0');
  size_t count = 0;
  for (const char *field = data; field < data + len; count++) {
    const char *fields[FIELDS];
    for (size_t i = 0; i < FIELDS; i++) {
      CHECK(field < data + len);
      fields[i] = field;
      field += strlen(field) + 1;
    }
    judge(fields);
  }
  printf("templates:");
  size_t good = 0;
  for (size_t i = 0; i < KINDS; i++) {
    printf("%s %zu/%zu %s", i == 0 ? "" : ",", kinds[i].good, kinds[i].all, kinds[i].words);
    good += kinds[i].good;
  }
  putchar('\n');
  free(data);
  CHECK(count == 500 && good == count);
}

RUN(TEST(a_sample_of_the_reference_renders))

/* Reads JSON, for tests that compare with it. The text has to outlive what was read. */
#ifndef JSON_H
#define JSON_H

#include "harness.h"

typedef enum json_kind { JSON_WORD, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_OBJECT } json_kind;

typedef struct json {
  json_kind kind;
  /* As it is written. */
  const char *source;
  size_t source_len;
  /* Of a text, or of a name in an object: what it says. */
  char *text, *name;
  double number;
  /* Of a list or an object. */
  struct json *items;
  size_t len;
} json;

static const char *json_space(const char *at) { return at + strspn(at, " \t\r\n"); }

/* Writes a character as UTF-8, and gives the place after it. */
static char *put_utf8(char *out, unsigned long code) {
  int more = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  *out++ = (char)(more == 0 ? code : (0xf00u >> more & 0xff) | code >> 6 * more);
  while (more-- > 0) *out++ = (char)(0x80 | (code >> 6 * more & 0x3f));
  return out;
}

static unsigned long hex4(const char *at) {
  char digits[5] = {at[0], at[1], at[2], at[3], '\0'};
  return strtoul(digits, NULL, 16);
}

/* Reads a text from its first quotation mark. */
static const char *json_text(const char *at, char **out) {
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  CHECK(*at == '"');
  char *text = malloc(strcspn(at + 1, "\n") + 1), *end = text;
  for (at++; *at != '"'; at++) {
    CHECK(*at != '\0');
    if (*at != '\\') {
      *end++ = *at;
    } else if (*++at == 'u') {
      unsigned long code = hex4(at + 1);
      at += 4;
      if (code >= 0xd800 && code < 0xdc00) {
        code = 0x10000 + ((code - 0xd800) << 10) + (hex4(at + 3) - 0xdc00);
        at += 6;
      }
      end = put_utf8(end, code);
    } else {
      CHECK(*at != '\0' && strchr(names, *at) != NULL);
      *end++ = values[strchr(names, *at) - names];
    }
  }
  *end = '\0';
  *out = text;
  return at + 1;
}

static const char *json_read(const char *at, json *out) {
  memset(out, 0, sizeof *out);
  out->source = at = json_space(at);
  if (*at == '"') {
    out->kind = JSON_TEXT;
    at = json_text(at, &out->text);
  } else if (*at == '[' || *at == '{') {
    char close = *at == '[' ? ']' : '}';
    out->kind = *at == '[' ? JSON_LIST : JSON_OBJECT;
    at = json_space(at + 1);
    while (*at != close) {
      char *name = NULL;
      if (out->kind == JSON_OBJECT) {
        at = json_space(json_text(at, &name));
        CHECK(*at == ':');
        at++;
      }
      out->items = realloc(out->items, (out->len + 1) * sizeof *out->items);
      at = json_space(json_read(at, &out->items[out->len]));
      out->items[out->len++].name = name;
      CHECK(*at == ',' || *at == close);
      if (*at == ',') at = json_space(at + 1);
    }
    at++;
  } else if (strchr("-0123456789", *at) != NULL) {
    char *end;
    out->kind = JSON_NUMBER;
    out->number = strtod(at, &end);
    at = end;
  } else {
    out->kind = JSON_WORD;
    at += strspn(at, "aeflnrstu");
  }
  out->source_len = (size_t)(at - out->source);
  CHECK(out->source_len > 0);
  return at;
}

/* Reads a whole text. */
static json json_of(const char *text) {
  json value;
  CHECK(*json_space(json_read(text, &value)) == '\0');
  return value;
}

static void json_free(json *value) {
  for (size_t i = 0; i < value->len; i++) {
    json_free(&value->items[i]);
    free(value->items[i].name);
  }
  free(value->items);
  free(value->text);
}

/* What an object has under a name, or NULL. */
static const json *json_get(const json *object, const char *name) {
  for (size_t i = 0; i < object->len; i++) {
    if (strcmp(object->items[i].name, name) == 0) return &object->items[i];
  }
  return NULL;
}

static int json_is(const json *value, const char *word) {
  return value->kind == JSON_WORD && value->source_len == strlen(word) &&
         memcmp(value->source, word, value->source_len) == 0;
}

/* The order of an object's names does not count. */
static int json_equal(const json *a, const json *b) {
  if (a->kind != b->kind || a->len != b->len) return 0;
  if (a->kind == JSON_TEXT) return strcmp(a->text, b->text) == 0;
  if (a->kind == JSON_NUMBER) return a->number == b->number;
  if (a->kind == JSON_WORD) return a->source_len == b->source_len && memcmp(a->source, b->source, a->source_len) == 0;
  for (size_t i = 0; i < a->len; i++) {
    const json *other = a->kind == JSON_LIST ? &b->items[i] : json_get(b, a->items[i].name);
    if (other == NULL || !json_equal(&a->items[i], other)) return 0;
  }
  return 1;
}

/* Runs the lines of a file of shared vectors, and says how many there were, where tests/run.py finds it. */
static void run_vectors(const char *name, void (*check)(const json *line)) {
  char path[64], *line = NULL;
  size_t size = 0;
  int count = 0;
  snprintf(path, sizeof path, "tests/vectors/%s", name);
  FILE *file = fopen(in_root(path), "r");
  CHECK(file != NULL);
  while (getline(&line, &size, file) > 0) {
    json value = json_of(line);
    check(&value);
    json_free(&value);
    free_paths();
    count++;
  }
  CHECK(feof(file));
  free(line);
  fclose(file);
  printf("vectors %s: %d\n", name, count);
  fflush(stdout);
}

#endif

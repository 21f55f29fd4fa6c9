/*
 * A small frame for tests: each runs in a process of its own, so that a crash or a hang is one failure.
 * The first argument is the checkout; further ones select tests by name. With RKCHAT_TEST_DIRECT=1 all run in
 * one process, for tools such as valgrind.
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <fts.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rkchat.h>

enum { SECONDS_FOR_A_TEST = 240 };

typedef struct test {
  const char *name;
  void (*run)(void);
} test;

static const char *root;
/* What the last failure left; `OK` and `FAILS` free it. */
static rkchat_error *error;

static void fail(const char *file, int line, const char *format, ...) {
  va_list words;
  va_start(words, format);
  fprintf(stderr, "%s:%d: ", file, line);
  vfprintf(stderr, format, words);
  fputc('\n', stderr);
  va_end(words);
  exit(1);
}

#define CHECK(condition) \
  do { \
    if (!(condition)) fail(__FILE__, __LINE__, "not so: %s", #condition); \
  } while (0)

static void expect(const char *file, int line, const char *call, rkchat_status status,
                   rkchat_status wanted, const char *words) {
  if (status != wanted) {
    fail(file, line, "%s gave %d, not %d: %s", call, (int)status, (int)wanted,
         rkchat_error_message(error, NULL));
  }
  if (wanted <= RKCHAT_OK) {
    if (error != NULL) fail(file, line, "%s left an error without a failure", call);
    return;
  }
  if (error == NULL || rkchat_error_kind(error) != wanted) {
    fail(file, line, "%s left no error of its status", call);
  }
  if (strstr(rkchat_error_message(error, NULL), words) == NULL) {
    fail(file, line, "%s: '%s' does not say '%s'", call, rkchat_error_message(error, NULL), words);
  }
  rkchat_error_free(error);
  error = NULL;
}

/* The call, with `&error` as its last argument, must give RKCHAT_OK; or a status; or an error that says words. */
#define OK(call) expect(__FILE__, __LINE__, #call, call, RKCHAT_OK, "")
#define GIVES(status, call) expect(__FILE__, __LINE__, #call, call, status, "")
#define FAILS(status, words, call) expect(__FILE__, __LINE__, #call, call, status, words)

/* Paths that were put together; freed at the end. */
static char *paths[1024];
static size_t paths_len;

static void free_paths(void) {
  while (paths_len > 0) free(paths[--paths_len]);
}

/* "folder/name" */
static const char *joined(const char *folder, const char *name) {
  CHECK(paths_len < sizeof paths / sizeof *paths);
  char *path = malloc(strlen(folder) + strlen(name) + 2);
  CHECK(path != NULL);
  sprintf(path, "%s/%s", folder, name);
  paths[paths_len++] = path;
  return path;
}

static const char *in_root(const char *path) { return joined(root, path); }

/* A folder for this process, made at first use and removed at its end. */
static char folder[64];

static void remove_folder(void) {
  char *roots[] = {folder, NULL};
  FTS *tree = folder[0] == '\0' ? NULL : fts_open(roots, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
  if (tree == NULL) return;
  for (FTSENT *entry = fts_read(tree); entry != NULL; entry = fts_read(tree)) {
    if (entry->fts_info != FTS_D) remove(entry->fts_path);
  }
  fts_close(tree);
  folder[0] = '\0';
}

/* A path in the folder; the folders on the way to it are there. */
static const char *in_folder(const char *name) {
  if (folder[0] == '\0') {
    strcpy(folder, "/tmp/rkchat-c-XXXXXX");
    CHECK(mkdtemp(folder) != NULL);
    atexit(remove_folder);
  }
  const char *path = joined(folder, name);
  for (const char *slash = strchr(name, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
    char parent[256];
    snprintf(parent, sizeof parent, "%s/%.*s", folder, (int)(slash - name), name);
    mkdir(parent, 0777);
  }
  return path;
}

/* Writes a file into the folder and gives its path. */
static const char *file_of(const char *name, const char *data, size_t len) {
  const char *path = in_folder(name);
  FILE *file = fopen(path, "wb");
  CHECK(file != NULL && fwrite(data, 1, len, file) == len);
  CHECK(fclose(file) == 0);
  return path;
}

static const char *text_file(const char *name, const char *text) {
  return file_of(name, text, strlen(text));
}

static int run_apart(const test *item) {
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(SECONDS_FOR_A_TEST);
    item->run();
    exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  if (WIFSIGNALED(status)) {
    fprintf(stderr, "ended by signal %d%s\n", WTERMSIG(status),
            WTERMSIG(status) == SIGALRM ? ": it hung" : "");
  }
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static int run_tests(int count, char **words, const test *tests, size_t len) {
  if (count < 2) {
    fprintf(stderr, "usage: %s CHECKOUT [TEST...]\n", words[0]);
    return 2;
  }
  root = words[1];
  atexit(free_paths);
  int direct = getenv("RKCHAT_TEST_DIRECT") != NULL, passed = 0, failed = 0;
  for (size_t i = 0; i < len; i++) {
    int wanted = count == 2;
    for (int word = 2; word < count; word++) wanted |= strcmp(words[word], tests[i].name) == 0;
    if (!wanted) continue;
    int good = 1;
    if (direct) {
      tests[i].run();
      remove_folder();
    } else {
      good = run_apart(&tests[i]);
    }
    printf("%s %s\n", good ? "ok    " : "FAILED", tests[i].name);
    fflush(stdout);
    *(good ? &passed : &failed) += 1;
  }
  printf("%d passed, %d failed\n", passed, failed);
  return failed == 0 ? 0 : 1;
}

#define RUN(...) \
  int main(int count, char **words) { \
    static const test tests[] = {__VA_ARGS__}; \
    return run_tests(count, words, tests, sizeof tests / sizeof *tests); \
  }
#define TEST(name) \
  { #name, name }

#endif

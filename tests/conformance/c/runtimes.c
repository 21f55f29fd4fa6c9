/* Finding and getting runtimes, and files that are none. Each test has folders and variables of its own. */

#include <errno.h>

#include "models.h"

enum { BAD = RKCHAT_ERR_INVALID_ARGUMENT, NOBODY = 65534 };

/* Where in an ELF header its class and its machine are. */
enum { ELF_CLASS = 4, ELF_MACHINE = 18 };

/* The scripted library of a group; the caller frees it. */
static char *library_of(const char *group, size_t *len) {
  FILE *file = fopen(scripted_runtime(group), "rb");
  CHECK(file != NULL && fseek(file, 0, SEEK_END) == 0);
  *len = (size_t)ftell(file);
  char *data = malloc(*len + 64);
  rewind(file);
  CHECK(data != NULL && fread(data, 1, *len, file) == *len);
  fclose(file);
  return data;
}

/* A library that says it is of this release: a scripted one with the text of a version. */
static const char *runtime_of(const char *release, const char *group, const char *name) {
  size_t len;
  char *data = library_of(group, &len);
  int text = sprintf(data + len, "%c%s", '\0', release);
  const char *path = file_of(name, data, len + (size_t)text + 1);
  free(data);
  return path;
}

#define STORE "data/rkchat/runtimes/"
#define LIBRARY "/librkllmrt.so"

/* Where runtimes are kept and looked for: in this test's folder. */
static void places(void) {
  setenv("XDG_DATA_HOME", in_folder("data"), 1);
  setenv("LD_LIBRARY_PATH", in_folder("library"), 1);
  unsetenv("RKCHAT_RUNTIME");
  unsetenv("RKCHAT_ABI");
}

/* What is found for a model must be this file, for a reason that has these words. */
static void found(const rkchat_find_options *options, const char *path, const char *why, int doubtful) {
  rkchat_runtime *runtime = NULL;
  rkchat_runtime_info info = RKCHAT_RUNTIME_INFO_INIT;
  OK(rkchat_runtime_find(options, &runtime, &error));
  OK(rkchat_runtime_get_info(runtime, &info, &error));
  if (strcmp(info.path, path) != 0) fail(__FILE__, __LINE__, "%s is not %s", info.path, path);
  const char *reason = info.evidence[info.evidence_len - 1].data;
  if (strstr(reason, why) == NULL) fail(__FILE__, __LINE__, "'%s' does not say '%s'", reason, why);
  const rkchat_warning *last = info.warnings[info.warnings_len - 1];
  CHECK(doubtful == (last->kind == RKCHAT_WARNING_KIND_VERSION_PAIR));
  rkchat_runtime_free(runtime);
}

static void the_one_that_fits_is_taken(void) {
  places();
  const char *fetched = runtime_of("1.1.4", "1.1.0", STORE "1.1.4" LIBRARY);
  const char *installed = runtime_of("1.2.3", "1.2.1", "library" LIBRARY);
  rkchat_find_options options = RKCHAT_FIND_OPTIONS_INIT;
  options.model_version = "1.1.2";
  found(&options, fetched,
        "runtime 1.1.4 was taken for a model of version 1.1.2: the same minor version and not older", 0);
  options.model_version = "1.2.2";
  found(&options, installed, "runtime 1.2.3 was taken", 0);
  found(NULL, installed, "newest", 1);

  rkchat_model_options open = RKCHAT_MODEL_OPTIONS_INIT;
  open.model_version = "1.1.1";
  rkchat_model *model = open_with(SHORT, &open);
  rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
  OK(rkchat_model_get_info(model, &info, &error));
  CHECK(strcmp(info.runtime->path, fetched) == 0);
  rkchat_model_free(model);
  /* Also one that is named has to fit. */
  open.model_version = "1.2.0";
  open.runtime = fetched;
  FAILS(RKCHAT_ERR_RUNTIME_MISMATCH, "any_version",
        rkchat_model_open(text_file("script.rkllm", SHORT), &open, &model, &error));
  open.any_version = 1;
  rkchat_model_free(open_with(SHORT, &open));
}

static void nothing_there(void) {
  places();
  rkchat_runtime *runtime = NULL;
  rkchat_find_options options = RKCHAT_FIND_OPTIONS_INIT;
  options.model_version = "1.1.4";
  FAILS(RKCHAT_ERR_RUNTIME_NOT_FOUND, "rkchat runtime get 1.1.4", rkchat_runtime_find(&options, &runtime, &error));
  options.model_version = "one";
  FAILS(BAD, "model_version: \"one\"", rkchat_runtime_find(&options, &runtime, &error));
  text_file("library" LIBRARY, "text");
  FAILS(RKCHAT_ERR_RUNTIME_NOT_FOUND, "it is not a shared library", rkchat_runtime_find(NULL, &runtime, &error));
  CHECK(runtime == NULL);
}

static void nothing_that_fits(void) {
  places();
  const char *old = runtime_of("1.1.4", "1.1.0", "library" LIBRARY);
  rkchat_runtime *runtime = NULL;
  rkchat_find_options options = RKCHAT_FIND_OPTIONS_INIT;
  options.model_version = "1.2.0";
  FAILS(RKCHAT_ERR_RUNTIME_MISMATCH, "rkchat runtime get 1.2.0", rkchat_runtime_find(&options, &runtime, &error));
  options.any_version = 1;
  found(&options, old, "runtime 1.1.4 was forced", 1);
}

static void a_library_beside_a_model_is_not_loaded(void) {
  places();
  const char *model_path = text_file("download/model.rkllm", SHORT);
  const char *beside = runtime_of("1.3.0", "1.3.0", "download" LIBRARY);
  rkchat_model *model = NULL;
  rkchat_runtime *runtime = NULL;
  FAILS(RKCHAT_ERR_RUNTIME_NOT_FOUND, "it lies beside a model and is none of Rockchip's official files",
        rkchat_model_open(model_path, NULL, &model, &error));
  rkchat_find_options options = RKCHAT_FIND_OPTIONS_INIT;
  options.model_folder = in_folder("download");
  FAILS(RKCHAT_ERR_RUNTIME_NOT_FOUND, beside, rkchat_runtime_find(&options, &runtime, &error));
  rkchat_model_options open = RKCHAT_MODEL_OPTIONS_INIT;
  open.runtime = beside;
  OK(rkchat_model_open(options.model_folder, &open, &model, &error));
  rkchat_model_free(model);
}

static rkchat_status get(const char *release, const char *model_version, const char *source, const char *platform) {
  rkchat_get_options options = RKCHAT_GET_OPTIONS_INIT;
  rkchat_text *path = NULL;
  options.release = release;
  options.model_version = model_version;
  options.source = source;
  options.platform = platform;
  rkchat_status status = rkchat_runtime_get(&options, &path, &error);
  CHECK((path == NULL) == (status != RKCHAT_OK));
  rkchat_text_free(path);
  return status;
}

/* The value of a member of a JSON object, a text of 40 letters. */
static void hash_in(const char *details, const char *name, char *hash) {
  const char *at = strstr(details, name);
  CHECK(at != NULL && sscanf(at + strlen(name), "\":\"%40[0-9a-f]", hash) == 1 && strlen(hash) == 40);
}

static void getting_a_file_that_is_another(void) {
  places();
  CHECK(get("1.1.4", NULL, scripted_runtime("1.1.0"), NULL) == RKCHAT_ERR_RUNTIME_INVALID);
  const char *message = rkchat_error_message(error, NULL);
  char expected[41], found_hash[41];
  hash_in(rkchat_error_details(error, NULL), "expected_sha1", expected);
  hash_in(rkchat_error_details(error, NULL), "found_sha1", found_hash);
  CHECK(strcmp(expected, found_hash) != 0);
  CHECK(strstr(message, expected) != NULL && strstr(message, found_hash) != NULL);
  CHECK(strstr(message, "is not runtime 1.1.4 for Linux/aarch64") != NULL);
  rkchat_error_free(error);
  error = NULL;
  FAILS(RKCHAT_ERR_RUNTIME_INVALID, "is not runtime 1.1.", get(NULL, "1.1.2", scripted_runtime("1.1.0"), NULL));
  CHECK(access(in_folder(STORE "1.1.4" LIBRARY), F_OK) != 0 && errno == ENOENT);
}

static void getting_what_cannot_be(void) {
  places();
  FAILS(BAD, "one of release and model_version", get(NULL, NULL, NULL, NULL));
  FAILS(BAD, "and only one", get("1.1.4", "1.1.4", NULL, NULL));
  FAILS(BAD, "\"9.9.9\" is not a release that rkchat knows", get("9.9.9", NULL, NULL, NULL));
  FAILS(BAD, "for Plan9/mips, only for", get("1.1.4", NULL, NULL, "Plan9/mips"));
  FAILS(BAD, "\"one\" is not a version", get(NULL, "one", NULL, NULL));
  FAILS(BAD, "http:// and https://", get("1.1.4", NULL, "ftp://example.org/librkllmrt.so", NULL));
  FAILS(RKCHAT_ERR_NOT_FOUND, "/no/such/file", get("1.1.4", NULL, "/no/such/file", NULL));
  FAILS(BAD, "`out` is NULL", rkchat_runtime_get(NULL, NULL, &error));
  FAILS(BAD, "`out` is NULL", rkchat_runtime_find(NULL, NULL, &error));
}

static void is_none(const char *path, const char *words) {
  rkchat_runtime *runtime = NULL;
  FAILS(RKCHAT_ERR_RUNTIME_INVALID, words, rkchat_runtime_open(path, NULL, &runtime, &error));
  CHECK(runtime == NULL);
}

static void files_that_are_no_runtime(void) {
  is_none(text_file("text.so", "not a library"), "it is not a shared library (ELF): it begins with \"not a library\"");
  is_none(text_file("empty.so", ""), "the file is empty");
  is_none(text_file("page.so", "<!DOCTYPE html><html>"), "it is a web page");
  is_none(text_file("pointer.so", "version https://git-lfs.github.com/spec/v1\n"), "it is a pointer of Git LFS");
  is_none(folder, "it is a folder; name the librkllmrt.so in it");
  is_none(in_root("target/release/librkchat.so"), "it is not an RKLLM runtime: it does not export");

  size_t len;
  char *data = library_of("1.3.0", &len);
  is_none(file_of("cut.so", data, 1000000), "the file is cut off");
  data[ELF_MACHINE] = (char)183;
  is_none(file_of("board.so", data, len), "it is built for AArch64 (64-bit Arm), and this program runs on x86-64");
  data[ELF_MACHINE] = 3;
  data[ELF_CLASS] = 1;
  is_none(file_of("narrow.so", data, len), "it is a 32-bit library and this is a 64-bit program");
  free(data);

  rkchat_runtime *runtime = NULL;
  FAILS(RKCHAT_ERR_RUNTIME_NOT_FOUND, "rkchat runtime get",
        rkchat_runtime_open("/no/such/librkllmrt.so", NULL, &runtime, &error));
}

static void a_runtime_that_may_not_be_read(void) {
  const char *path = runtime_of("1.3.0", "1.3.0", "secret.so");
  rkchat_runtime *runtime = NULL;
  CHECK(chmod(path, 0) == 0);
  int is_root = geteuid() == 0;
  if (is_root) CHECK(seteuid(NOBODY) == 0);
  FAILS(RKCHAT_ERR_IO, "permission denied", rkchat_runtime_open(path, NULL, &runtime, &error));
  if (is_root) CHECK(seteuid(0) == 0);
}

RUN(TEST(the_one_that_fits_is_taken), TEST(nothing_there), TEST(nothing_that_fits),
    TEST(a_library_beside_a_model_is_not_loaded), TEST(getting_a_file_that_is_another),
    TEST(getting_what_cannot_be), TEST(files_that_are_no_runtime), TEST(a_runtime_that_may_not_be_read))

/* A model that is opened in the background, looked at, unloaded, and loaded again. */

#include "models.h"

static rkchat_model_state state_of(const rkchat_model *model) {
  rkchat_model_status status = RKCHAT_MODEL_STATUS_INIT;
  OK(rkchat_model_get_status(model, &status, &error));
  return status.state;
}

static void says(const rkchat_model *model, const char *expected) {
  rkchat_generation *generation = ask(model);
  char *text = read_all(generation);
  CHECK(strcmp(text, expected) == 0);
  free(text);
  rkchat_generation_free(generation);
}

static rkchat_opening *start(const char *script, const rkchat_model_options *options) {
  rkchat_opening *opening = NULL;
  OK(rkchat_opening_start(text_file("script.rkllm", script), options, &opening, &error));
  return opening;
}

static void an_opening_is_waited_for(void) {
  static const char SLOW[] = "{\"pieces\": [\"yes\"], \"init_ms\": 400}";
  rkchat_model_options options = scripted("1.2.1");
  rkchat_opening *opening = start(SLOW, &options);
  rkchat_opening_progress progress = RKCHAT_OPENING_PROGRESS_INIT;
  rkchat_model *model = NULL, *same = NULL;
  int32_t done = 1;
  OK(rkchat_opening_wait(opening, 10, &done, &error));
  CHECK(done == 0);
  OK(rkchat_opening_get_progress(opening, &progress, &error));
  CHECK(progress.stage < RKCHAT_OPENING_STAGE_READY);
  OK(rkchat_opening_wait(opening, -1, &done, &error));
  CHECK(done == 1);
  OK(rkchat_opening_get_progress(opening, &progress, &error));
  CHECK(progress.stage == RKCHAT_OPENING_STAGE_READY);
  CHECK(progress.bytes_total == (int64_t)strlen(SLOW));
  OK(rkchat_opening_model(opening, &model, &error));
  OK(rkchat_opening_model(opening, &same, &error));
  rkchat_model_free(same);
  rkchat_opening_free(opening);
  says(model, "yes");
  rkchat_model_free(model);
}

static void an_opening_is_given_up_or_fails(void) {
  rkchat_model_options options = scripted("1.1.0");
  rkchat_opening *opening = start("{\"init_ms\": 200}", &options);
  rkchat_model *model = NULL;
  int32_t done = 0;
  OK(rkchat_opening_cancel(opening, &error));
  OK(rkchat_opening_wait(opening, -1, &done, &error));
  CHECK(done == 1);
  FAILS(RKCHAT_ERR_CLOSED, "given up", rkchat_opening_model(opening, &model, &error));
  rkchat_opening_free(opening);
  opening = start("{\"init\": \"fail\"}", &options);
  FAILS(RKCHAT_ERR_RUNTIME_FAILED, "rkllm_init", rkchat_opening_model(opening, &model, &error));
  CHECK(model == NULL);
  rkchat_opening_free(opening);
  rkchat_opening_free(NULL);
}

static void a_model_is_unloaded_and_loaded_again(void) {
  rkchat_model_options options = scripted("1.3.0");
  options.warmup = 1;
  rkchat_model *model = open_with("{\"pieces\": [\"yes\"]}", &options);
  rkchat_model_status status = RKCHAT_MODEL_STATUS_INIT;
  OK(rkchat_model_get_status(model, &status, &error));
  CHECK(status.state == RKCHAT_MODEL_STATE_READY && status.waiting == 0);
  CHECK(status.loaded_for >= 0 && status.idle_for >= 0 && status.running_for != status.running_for);
  CHECK(status.process_memory > 0 && status.available_memory > 0 && status.model_memory > 0);
  OK(rkchat_model_unload(model, &error));
  CHECK(state_of(model) == RKCHAT_MODEL_STATE_UNLOADED);
  says(model, "yes");
  CHECK(state_of(model) == RKCHAT_MODEL_STATE_READY);
  OK(rkchat_model_close(model, &error));
  CHECK(state_of(model) == RKCHAT_MODEL_STATE_CLOSED);
  FAILS(RKCHAT_ERR_CLOSED, "closed", rkchat_model_unload(model, &error));
  rkchat_model_free(model);
}

static void whoever_has_the_npu_is_named(void) {
  rkchat_npu_holder_list *holders = NULL;
  size_t len = 0;
  char folder[] = "/tmp/rkchat-locks-XXXXXX";
  CHECK(mkdtemp(folder) != NULL && setenv("RKCHAT_LOCK_DIR", folder, 1) == 0);
  rkchat_model *model = open_script("1.1.0", SHORT);
  OK(rkchat_model_npu_holders(model, &holders, &error));
  const rkchat_npu_holder *const *holder = rkchat_npu_holder_list_data(holders, &len);
  CHECK(len == 1 && holder[0]->pid == (uint32_t)getpid() && holder[0]->models == 1);
  CHECK(strcmp(holder[0]->program, "opening") == 0);
  rkchat_npu_holder_list_free(holders);
  rkchat_model_free(model);
  CHECK(rmdir(folder) == 0);
}

RUN(TEST(an_opening_is_waited_for), TEST(an_opening_is_given_up_or_fails), TEST(a_model_is_unloaded_and_loaded_again),
    TEST(whoever_has_the_npu_is_named))

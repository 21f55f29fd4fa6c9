/* Answers over the scripted runtime. */

#include <pthread.h>
#include <time.h>

#include "models.h"

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static rkchat_finish_reason reason_of(const rkchat_generation *generation) {
  rkchat_finish_reason reason = 0;
  OK(rkchat_generation_finish_reason(generation, &reason, &error));
  return reason;
}

static void an_answer_streams_and_ends_once(void) {
  for (int i = TEXT_GROUPS; i < GROUPS_LEN; i++) {
    rkchat_model *model = open_script(GROUPS[i], SHORT);
    rkchat_generation *generation = ask(model);
    rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
    OK(rkchat_generation_next(generation, -1, &chunk, &error));
    CHECK(strcmp(chunk.text, "one ") == 0 && chunk.text_len == 4);
    CHECK(chunk.token_ids_len == 1 && chunk.token_ids[0] == 1);
    char *rest = read_all(generation);
    CHECK(strcmp(rest, "two three") == 0);
    free(rest);
    GIVES(RKCHAT_END, rkchat_generation_next(generation, 0, &chunk, &error));
    CHECK(reason_of(generation) == RKCHAT_FINISH_REASON_STOP);

    rkchat_completion answer = RKCHAT_COMPLETION_INIT;
    OK(rkchat_generation_completion(generation, &answer, &error));
    CHECK(strcmp(answer.text, "one two three") == 0);
    CHECK(answer.token_ids_len == 3 && answer.token_ids[2] == 3);
    CHECK(answer.finish_reason == RKCHAT_FINISH_REASON_STOP);
    CHECK(answer.usage_size == sizeof *answer.usage && answer.usage->prompt_tokens == 3);
    CHECK(answer.usage->new_tokens == 3);
    CHECK(answer.timings->queued >= 0 && answer.timings->measured_by >= RKCHAT_MEASURE_RUNTIME);
    CHECK(answer.warnings_len == 0);
    rkchat_generation_free(generation);
    rkchat_model_free(model);
  }
}

static void info_is_constant(void) {
  rkchat_model *model = open_script("1.3.0", SHORT);
  rkchat_model_info info = RKCHAT_MODEL_INFO_INIT, again = RKCHAT_MODEL_INFO_INIT;
  OK(rkchat_model_get_info(model, &info, &error));
  OK(rkchat_model_get_info(model, &again, &error));
  CHECK(info.path == again.path && strstr(info.path, "script.rkllm") != NULL);
  CHECK(info.max_context_len == 4096 && info.runtime_size == sizeof *info.runtime);
  CHECK(strcmp(info.runtime->abi_group, "1.3.0") == 0);
  CHECK(info.runtime->evidence_len > 0 && info.runtime->evidence[0].len > 0);
  CHECK(info.tokenizer_source == NULL && info.tokenizer_source_len == 0);
  rkchat_model_free(model);

  rkchat_runtime *runtime = NULL;
  rkchat_runtime_options options = RKCHAT_RUNTIME_OPTIONS_INIT;
  rkchat_runtime_info about = RKCHAT_RUNTIME_INFO_INIT;
  options.abi = "1.1.0";
  OK(rkchat_runtime_open(scripted("1.1.0").runtime, &options, &runtime, &error));
  OK(rkchat_runtime_get_info(runtime, &about, &error));
  CHECK(strcmp(about.abi_group, "1.1.0") == 0);
  rkchat_runtime_free(runtime);
}

static void next_times_out_and_goes_on(void) {
  rkchat_model *model = open_script("1.3.0", "{\"pieces\": [\"late\"], \"prefill_ms\": 400}");
  rkchat_generation *generation = ask(model);
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  GIVES(RKCHAT_TIMEOUT, rkchat_generation_next(generation, 0, &chunk, &error));
  GIVES(RKCHAT_TIMEOUT, rkchat_generation_next(generation, 30, &chunk, &error));
  int32_t ended = 7;
  OK(rkchat_generation_wait(generation, 30, &ended, &error));
  CHECK(ended == 0 && reason_of(generation) == RKCHAT_UNSET);
  OK(rkchat_generation_next(generation, -1, &chunk, &error));
  CHECK(strcmp(chunk.text, "late") == 0);
  OK(rkchat_generation_wait(generation, -1, &ended, &error));
  CHECK(ended == 1);
  rkchat_generation_free(generation);
  rkchat_model_free(model);
}

static void cancel_in_the_middle_and_go_on(void) {
  for (int i = 0; i < 2; i++) {
    rkchat_model *model = open_script(TWO_GROUPS[i], ENDLESS);
    rkchat_generation *generation = ask(model);
    begun(generation);
    OK(rkchat_generation_cancel(generation, &error));
    OK(rkchat_generation_cancel(generation, &error));
    rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
    GIVES(RKCHAT_END, rkchat_generation_next(generation, 0, &chunk, &error));
    rkchat_completion answer = RKCHAT_COMPLETION_INIT;
    OK(rkchat_generation_completion(generation, &answer, &error));
    CHECK(answer.finish_reason == RKCHAT_FINISH_REASON_CANCELLED && answer.text_len > 0);
    rkchat_generation_free(generation);

    rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
    options.max_new_tokens = 4;
    OK(rkchat_model_complete_ids(model, IDS, 3, &options, &generation, &error));
    char *text = read_all(generation);
    CHECK(strcmp(text, "a b c a ") == 0 && reason_of(generation) == RKCHAT_FINISH_REASON_LENGTH);
    free(text);
    rkchat_generation_free(generation);
    rkchat_model_free(model);
  }
}

static void cancel_before_the_first_token(void) {
  rkchat_model *model = open_script("1.3.0", "{\"pieces\": [\"x\"], \"prefill_ms\": 2000}");
  rkchat_generation *generation = ask(model);
  double start = now();
  OK(rkchat_generation_cancel(generation, &error));
  CHECK(reason_of(generation) == RKCHAT_FINISH_REASON_CANCELLED);
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  GIVES(RKCHAT_END, rkchat_generation_next(generation, -1, &chunk, &error));
  CHECK(now() - start < 1.0);
  rkchat_generation_free(generation);
  rkchat_model_free(model);
}

static void *cancel_soon(void *generation) {
  usleep(100000);
  OK(rkchat_generation_cancel(generation, &error));
  return NULL;
}

static void cancel_from_another_thread(void) {
  rkchat_model *model = open_script("1.3.0", "{\"pieces\": [\"x\"], \"prefill_ms\": 60000}");
  rkchat_generation *generation = ask(model);
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, cancel_soon, generation) == 0);
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  rkchat_status status = rkchat_generation_next(generation, -1, &chunk, NULL);
  CHECK(status == RKCHAT_END);
  pthread_join(thread, NULL);
  rkchat_generation_free(generation);
  rkchat_model_free(model);
}

static void drop_in_any_order(void) {
  for (int i = 0; i < 2; i++) {
    double start = now();
    rkchat_model *model = open_script(TWO_GROUPS[i], ENDLESS);
    rkchat_generation *running = ask(model), *waiting = ask(model), *other = ask(model);
    begun(running);
    rkchat_generation_free(waiting);
    rkchat_model_free(model);
    /* A generation keeps what it needs. */
    begun(running);
    rkchat_generation_free(running);
    begun(other);
    rkchat_generation_free(other);
    CHECK(now() - start < 10);
  }
}

static void a_full_queue_is_busy(void) {
  rkchat_model_options options = scripted("1.3.0");
  options.max_queue = 1;
  rkchat_model *model = open_with(ENDLESS, &options);
  rkchat_generation *running = ask(model);
  begun(running);
  rkchat_generation *waiting = ask(model), *refused = running;
  FAILS(RKCHAT_ERR_BUSY, "1", rkchat_model_complete_ids(model, IDS, 3, NULL, &refused, &error));
  CHECK(refused == NULL);
  OK(rkchat_generation_cancel(running, &error));
  begun(waiting);
  rkchat_generation_free(running);
  rkchat_generation_free(waiting);
  rkchat_model_free(model);
}

static void waiting_too_long_is_an_error(void) {
  rkchat_model *model = open_script("1.3.0", ENDLESS);
  rkchat_generation *running = ask(model), *late = NULL;
  rkchat_generate_options options = RKCHAT_GENERATE_OPTIONS_INIT;
  options.queue_timeout_ms = 50;
  OK(rkchat_model_complete_ids(model, IDS, 3, &options, &late, &error));
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  FAILS(RKCHAT_ERR_TIMEOUT, "queue", rkchat_generation_next(late, -1, &chunk, &error));
  /* Also where a limit of next was given: the answer has ended, it does not go on. */
  FAILS(RKCHAT_ERR_TIMEOUT, "queue", rkchat_generation_next(late, 50, &chunk, &error));
  rkchat_generation_free(late);
  rkchat_generation_free(running);
  rkchat_model_free(model);
}

typedef struct bell {
  pthread_mutex_t lock;
  pthread_cond_t rung;
  int count;
} bell;

static void ring(void *userdata) {
  bell *bell = userdata;
  pthread_mutex_lock(&bell->lock);
  bell->count++;
  pthread_cond_signal(&bell->rung);
  pthread_mutex_unlock(&bell->lock);
}

static void poll_wakes(void) {
  for (int i = 0; i < 2; i++) {
    rkchat_model *model = open_script(TWO_GROUPS[i], "{\"pieces\": [\"a\", \"b\", \"c\"], \"prefill_ms\": 50, \"delay_ms\": 30}");
    rkchat_generation *generation = ask(model);
    rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
    bell bell = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};
    char text[16] = "";
    int asked = 0;
    for (;;) {
      rkchat_status status = rkchat_generation_poll(generation, &bell, ring, &chunk, &error);
      if (status == RKCHAT_PENDING) {
        asked++;
        pthread_mutex_lock(&bell.lock);
        while (bell.count < asked) pthread_cond_wait(&bell.rung, &bell.lock);
        CHECK(bell.count == asked);
        pthread_mutex_unlock(&bell.lock);
      } else if (status == RKCHAT_OK) {
        strcat(text, chunk.text);
      } else {
        GIVES(RKCHAT_END, status);
        break;
      }
    }
    CHECK(strcmp(text, "abc") == 0 && asked >= 2);
    rkchat_generation_free(generation);

    /* Nobody is woken for a generation that was freed, and NULL wakes nobody. */
    generation = ask(model);
    GIVES(RKCHAT_PENDING, rkchat_generation_poll(generation, NULL, NULL, &chunk, &error));
    GIVES(RKCHAT_PENDING, rkchat_generation_poll(generation, &bell, ring, &chunk, &error));
    rkchat_generation_free(generation);
    int before = bell.count;
    usleep(100000);
    CHECK(bell.count == before);
    rkchat_model_free(model);
  }
}

static void close_ends_everything(void) {
  rkchat_model *model = open_script("1.3.0", ENDLESS);
  rkchat_generation *running = ask(model), *waiting = ask(model), *none = NULL;
  begun(running);
  OK(rkchat_model_close(model, &error));
  OK(rkchat_model_close(model, &error));
  CHECK(reason_of(running) == RKCHAT_FINISH_REASON_CANCELLED);
  CHECK(reason_of(waiting) == RKCHAT_FINISH_REASON_CANCELLED);
  rkchat_model_info info = RKCHAT_MODEL_INFO_INIT;
  OK(rkchat_model_get_info(model, &info, &error));
  FAILS(RKCHAT_ERR_CLOSED, "closed", rkchat_model_complete_ids(model, IDS, 3, NULL, &none, &error));
  FAILS(RKCHAT_ERR_CLOSED, "closed", rkchat_model_complete(model, "x", 1, NULL, &none, &error));
  FAILS(RKCHAT_ERR_CLOSED, "closed", rkchat_model_generate(model, "[]", 2, NULL, &none, &error));
  rkchat_text *text = NULL;
  rkchat_ids *ids = NULL;
  FAILS(RKCHAT_ERR_CLOSED, "closed", rkchat_model_render(model, "[]", 2, NULL, &text, &error));
  FAILS(RKCHAT_ERR_CLOSED, "closed", rkchat_model_encode(model, "x", 1, NULL, &ids, &error));
  FAILS(RKCHAT_ERR_CLOSED, "closed", rkchat_model_decode(model, IDS, 3, NULL, &text, &error));
  rkchat_generation_free(running);
  rkchat_generation_free(waiting);
  rkchat_model_free(model);
}

static void a_forked_child_is_told(void) {
  rkchat_model *model = open_script("1.3.0", ENDLESS);
  rkchat_generation *generation = ask(model);
  begun(generation);
  fflush(NULL);
  pid_t child = fork();
  if (child == 0) {
    alarm(20);
    rkchat_generation *none = NULL;
    rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
    FAILS(RKCHAT_ERR_FORKED, "fork", rkchat_model_complete_ids(model, IDS, 3, NULL, &none, &error));
    FAILS(RKCHAT_ERR_FORKED, "fork", rkchat_generation_next(generation, -1, &chunk, &error));
    FAILS(RKCHAT_ERR_FORKED, "fork", rkchat_model_close(model, &error));
    rkchat_generation_free(generation);
    rkchat_model_free(model);
    _exit(0);
  }
  int status = 0;
  CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0);
  begun(generation);
  rkchat_generation_free(generation);
  rkchat_model_free(model);
}

static void a_failing_runtime_is_an_error(void) {
  for (int i = 0; i < 2; i++) {
    rkchat_model *model = open_script(TWO_GROUPS[i], "{\"pieces\": [\"x\"], \"run\": \"error_after\"}");
    rkchat_generation *generation = ask(model);
    rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
    OK(rkchat_generation_next(generation, -1, &chunk, &error));
    FAILS(RKCHAT_ERR_RUNTIME_FAILED, "", rkchat_generation_next(generation, -1, &chunk, &error));
    rkchat_completion answer = RKCHAT_COMPLETION_INIT;
    FAILS(RKCHAT_ERR_RUNTIME_FAILED, "", rkchat_generation_completion(generation, &answer, &error));
    CHECK(reason_of(generation) == RKCHAT_FINISH_REASON_ERROR);
    rkchat_generation_free(generation);
    rkchat_model_free(model);

    rkchat_model_options options = scripted(TWO_GROUPS[i]);
    const char *path = text_file("bad.rkllm", "{\"init\": \"fail\"}");
    FAILS(RKCHAT_ERR_RUNTIME_FAILED, "bad.rkllm", rkchat_model_open(path, &options, &model, &error));
    CHECK(model == NULL);
  }
}

static void *ask_and_read(void *model) {
  for (int i = 0; i < 5; i++) {
    rkchat_generation *generation = NULL;
    rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
    CHECK(rkchat_model_complete_ids(model, IDS, 3, NULL, &generation, NULL) == RKCHAT_OK);
    int chunks = 0;
    while (rkchat_generation_next(generation, -1, &chunk, NULL) == RKCHAT_OK) chunks++;
    CHECK(chunks == 3);
    rkchat_generation_free(generation);
  }
  return NULL;
}

static void threads_share_a_model(void) {
  rkchat_model *model = open_script("1.3.0", SHORT);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) CHECK(pthread_create(&threads[i], NULL, ask_and_read, model) == 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  rkchat_model_free(model);
}

RUN(TEST(an_answer_streams_and_ends_once), TEST(info_is_constant), TEST(next_times_out_and_goes_on),
    TEST(cancel_in_the_middle_and_go_on), TEST(cancel_before_the_first_token),
    TEST(cancel_from_another_thread), TEST(drop_in_any_order), TEST(a_full_queue_is_busy),
    TEST(waiting_too_long_is_an_error), TEST(poll_wakes), TEST(close_ends_everything),
    TEST(a_forked_child_is_told), TEST(a_failing_runtime_is_an_error), TEST(threads_share_a_model))

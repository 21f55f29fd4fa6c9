/* Asks a model one question and prints the answer as it comes. */

#include "common.h"

static void print_speed(double tokens_per_second) {
  if (tokens_per_second == tokens_per_second) { /* unset is not a number */
    fprintf(stderr, "%.1f tokens/s", tokens_per_second);
  } else {
    fprintf(stderr, "too short to tell");
  }
}

static void print_timings(const rkchat_completion *answer) {
  const rkchat_usage *usage = answer->usage;
  const rkchat_timings *time = answer->timings;
  fprintf(stderr, "%lld prompt tokens", (long long)usage->prompt_tokens);
  if (usage->reused_tokens > 0) {
    fprintf(stderr, " (%lld of them still in the cache)", (long long)usage->reused_tokens);
  }
  fprintf(stderr, ", prefill ");
  print_speed(time->prefill_speed);
  if (time->time_to_first_token == time->time_to_first_token) {
    fprintf(stderr, ", first token after %.2f s", time->time_to_first_token);
  }
  fprintf(stderr, "; %lld new tokens, decode ", (long long)usage->new_tokens);
  print_speed(time->decode_speed);
  fputc('\n', stderr);
}

int main(int count, char **words) {
  arguments arguments = parse(count, words);
  rkchat_model *model = NULL;
  rkchat_error *error = NULL;
  rkchat_model_open(arguments.model, &arguments.open, &model, &error);
  check(error);

  rkchat_generation *generation = ask(model, arguments.prompt, &arguments.generate);
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  while (rkchat_generation_next(generation, -1, &chunk, &error) == RKCHAT_OK) {
    fwrite(chunk.text, 1, chunk.text_len, stdout);
    fflush(stdout);
  }
  check(error);
  putchar('\n');

  rkchat_completion answer = RKCHAT_COMPLETION_INIT;
  rkchat_generation_completion(generation, &answer, &error);
  check(error);
  print_timings(&answer);

  rkchat_generation_free(generation);
  rkchat_model_free(model);
  return 0;
}

/* Stops in the middle of an answer, then asks something else. */

#include "common.h"

int main(int count, char **words) {
  arguments arguments = parse(count, words);
  rkchat_model *model = NULL;
  rkchat_error *error = NULL;
  rkchat_model_open(arguments.model, &arguments.open, &model, &error);
  check(error);

  rkchat_generation *story = ask(model, "Write a long story about a lighthouse.", &arguments.generate);
  rkchat_chunk chunk = RKCHAT_CHUNK_INIT;
  for (int i = 0; i < 8 && rkchat_generation_next(story, -1, &chunk, &error) == RKCHAT_OK; i++) {
    fwrite(chunk.text, 1, chunk.text_len, stdout);
    fflush(stdout);
  }
  check(error);
  rkchat_generation_cancel(story, NULL);
  rkchat_generation_free(story);
  puts("\n[cancelled]");

  rkchat_generation *generation = ask(model, arguments.prompt, &arguments.generate);
  rkchat_completion answer = RKCHAT_COMPLETION_INIT;
  rkchat_generation_completion(generation, &answer, &error);
  check(error);
  fwrite(answer.text, 1, answer.text_len, stdout);
  putchar('\n');

  rkchat_generation_free(generation);
  rkchat_model_free(model);
  return 0;
}

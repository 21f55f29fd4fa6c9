/* Tensors that go in: images, embeddings, an encoder's output; and batches. */

#include "models.h"

#define SCRIPT "{\"pieces\": [[\"one \", 1], [\"two\", 2]], \"record\": \"record.jsonl\", \"hidden_size\": 2}"

static const float NUMBERS[] = {0.5f, 1, 2, 3, 4, 5, 6, 7};

/* Whether the scripted runtime wrote this down. */
static int recorded(const char *words) {
  static char text[1 << 16];
  FILE *file = fopen(in_folder("record.jsonl"), "r");
  CHECK(file != NULL);
  text[fread(text, 1, sizeof text - 1, file)] = '\0';
  fclose(file);
  return strstr(text, words) != NULL;
}

static void images_go_to_their_places(void) {
  rkchat_model_options options = scripted("1.3.0");
  rkchat_generate_options generate = RKCHAT_GENERATE_OPTIONS_INIT;
  rkchat_generation *generation = NULL;
  const uint64_t shape[] = {2, 1, 2};
  const char *messages =
      "[{\"role\": \"user\", \"content\": [{\"type\": \"image\"}, {\"type\": \"text\", \"text\": \" or \"},"
      " {\"type\": \"image\"}]}]";
  options.image_start = "<s>";
  rkchat_model *model = open_with(SCRIPT, &options);
  generate.images = NUMBERS;
  generate.images_len = 4;
  generate.images_shape = shape;
  generate.images_shape_len = 3;
  generate.image_width = 448;
  generate.image_height = 336;
  OK(rkchat_model_generate(model, messages, strlen(messages), &generate, &generation, &error));
  char *text = read_all(generation);
  CHECK(strcmp(text, "one two") == 0);
  free(text);
  rkchat_generation_free(generation);
  CHECK(recorded("\"input\":\"<image> or <image>\""));
  CHECK(recorded("\"values\":[0.5,1.0,2.0,3.0]") && recorded("\"size\":[448,336]"));
  CHECK(recorded("\"markers\":[\"<s>\",\"\",\"\"]"));

  generate.images_len = 3;
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "`images`",
        rkchat_model_generate(model, messages, strlen(messages), &generate, &generation, &error));
  generate.images_len = 4;
  generate.images_shape = NULL;
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "`images_shape` is NULL",
        rkchat_model_generate(model, messages, strlen(messages), &generate, &generation, &error));
  generate.images_shape = shape;
  generate.images = NULL;
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "`images` is NULL",
        rkchat_model_generate(model, messages, strlen(messages), &generate, &generation, &error));
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "no embeddings",
        rkchat_model_generate(model, messages, strlen(messages), NULL, &generation, &error));
  rkchat_model_free(model);
}

static void embeddings_are_continued(void) {
  rkchat_generation *generation = NULL;
  rkchat_completion completion = RKCHAT_COMPLETION_INIT;
  const uint64_t shape[] = {4, 2};
  rkchat_model *model = open_script("1.1.0", SCRIPT);
  OK(rkchat_model_complete_embeddings(model, NUMBERS, 8, shape, 2, NULL, &generation, &error));
  OK(rkchat_generation_completion(generation, &completion, &error));
  CHECK(strcmp(completion.text, "one two") == 0 && completion.usage->prompt_tokens == 4);
  rkchat_generation_free(generation);
  CHECK(recorded("\"input_type\":\"embeddings\""));
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "7 numbers",
        rkchat_model_complete_embeddings(model, NUMBERS, 7, shape, 2, NULL, &generation, &error));
  rkchat_model_free(model);
}

static void an_encoder_is_attended_to(void) {
  const uint64_t keys[] = {1, 2, 1, 2}, values[] = {1, 1, 2, 2}, mask[] = {2};
  const uint32_t positions[] = {0, 3};
  rkchat_model_options options = scripted("1.2.1");
  options.use_cross_attn = 1;
  rkchat_model *model = open_with(SCRIPT, &options);
  OK(rkchat_model_set_cross_attention(model, NUMBERS, 4, keys, 4, NUMBERS, 4, values, 4, NUMBERS, 2, mask, 1,
                                      positions, 2, &error));
  CHECK(recorded("\"mask\":[0.5,1.0]") && recorded("\"positions\":[0,3]"));
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "same",
        rkchat_model_set_cross_attention(model, NUMBERS, 4, keys, 4, NUMBERS, 4, values, 4, NUMBERS, 2, mask, 1,
                                         positions, 1, &error));
  rkchat_model_free(model);
}

static void a_batch_has_an_answer_for_each(void) {
  rkchat_model_options options = scripted("1.3.0");
  rkchat_completion_list *list = NULL;
  size_t len = 0;
  const char *prompts = "[\"the sea\", \"is wide\"]";
  options.n_batch = 2;
  options.tokenizer = in_root("tests/fixtures/words/tokenizer.json");
  rkchat_model *model =
      open_with("{\"batch\": [[[\"a\", 2], [\"b\", 3]], [[\"c\", 4]]], \"pieces\": [\"x\"]}", &options);
  OK(rkchat_model_generate_batch(model, prompts, strlen(prompts), NULL, &list, &error));
  const rkchat_completion *const *all = rkchat_completion_list_data(list, &len);
  CHECK(len == 2 && all[0]->token_ids_len == 2 && all[1]->token_ids_len == 1);
  CHECK(all[0]->finish_reason == RKCHAT_FINISH_REASON_STOP && all[1]->token_ids[0] == 4);
  rkchat_completion_list_free(list);
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "array", rkchat_model_generate_batch(model, "[]", 2, NULL, &list, &error));
  rkchat_model_free(model);
}

RUN(TEST(images_go_to_their_places), TEST(embeddings_are_continued), TEST(an_encoder_is_attended_to),
    TEST(a_batch_has_an_answer_for_each))

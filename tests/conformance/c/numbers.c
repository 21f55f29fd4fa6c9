/* Embeddings, logits, scores, adapters and prompt caches. */

#include "json.h"
#include "models.h"

/* One token of the words' tokenizer. */
#define WORD "{\"pieces\": [[\"x\", 1]]}"

static rkchat_model *of_words(const char *group) {
  rkchat_model_options options = scripted(group);
  options.tokenizer = in_root("tests/fixtures/words/tokenizer.json");
  return open_with(WORD, &options);
}

static rkchat_str view(const char *text) {
  rkchat_str view = {text, strlen(text)};
  return view;
}

static int near(float found, float expected) {
  return found - expected < 1e-5f && expected - found < 1e-5f;
}

static void is_of_shape(const rkchat_tensor *tensor, const uint64_t *shape, size_t dimensions) {
  size_t len = 0, numbers = 1;
  const uint64_t *found = rkchat_tensor_shape(tensor, &len);
  CHECK(len == dimensions && memcmp(found, shape, len * sizeof *shape) == 0);
  for (size_t i = 0; i < len; i++) numbers *= (size_t)shape[i];
  rkchat_tensor_data(tensor, &len);
  CHECK(len == numbers);
}

static void texts_become_rows(void) {
  for (int i = TEXT_GROUPS; i < GROUPS_LEN; i++) {
    rkchat_model *model = of_words(GROUPS[i]);
    rkchat_embed_options options = RKCHAT_EMBED_OPTIONS_INIT;
    rkchat_str texts[] = {view("the sea"), view("the sea is wide")};
    rkchat_tensor *tensor = NULL;
    options.normalize = 0;
    OK(rkchat_model_embed(model, texts, 2, &options, &tensor, &error));
    is_of_shape(tensor, (const uint64_t[]){2, 4}, 2);
    const float *data = rkchat_tensor_data(tensor, NULL);
    CHECK(data[0] == 2.0f && data[4] == 4.0f && near(data[7], 4.3f));
    rkchat_tensor_free(tensor);
    options.pooling = RKCHAT_POOLING_NONE;
    FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "one text", rkchat_model_embed(model, texts, 2, &options, &tensor, &error));
    CHECK(tensor == NULL);
    FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "empty", rkchat_model_embed(model, NULL, 0, NULL, &tensor, &error));
    rkchat_model_free(model);
  }
  rkchat_tensor_free(NULL);
  CHECK(rkchat_tensor_data(NULL, NULL) == NULL && rkchat_tensor_shape(NULL, NULL) == NULL);
}

static void logits_come_for_the_positions_asked_for(void) {
  rkchat_model *model = of_words("1.2.0");
  rkchat_logits_options options = RKCHAT_LOGITS_OPTIONS_INIT;
  const uint32_t positions[] = {1, 0, 2};
  rkchat_tensor *tensor = NULL;
  OK(rkchat_model_logits_ids(model, IDS, 3, NULL, &tensor, &error));
  is_of_shape(tensor, (const uint64_t[]){1, 8}, 2);
  CHECK(rkchat_tensor_data(tensor, NULL)[1] == 1.0f);
  rkchat_tensor_free(tensor);
  options.positions = positions;
  options.positions_len = 3;
  OK(rkchat_model_logits_ids(model, IDS, 3, &options, &tensor, &error));
  is_of_shape(tensor, (const uint64_t[]){3, 8}, 2);
  const float *data = rkchat_tensor_data(tensor, NULL);
  CHECK(data[1] == 1.0f && data[8] == 1.0f && data[17] == 1.0f);
  rkchat_tensor_free(tensor);
  options.positions_len = 0;
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "empty", rkchat_model_logits_ids(model, IDS, 3, &options, &tensor, &error));
  options.positions = NULL;
  options.positions_len = 1;
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "NULL", rkchat_model_logits_ids(model, IDS, 3, &options, &tensor, &error));
  rkchat_model_free(model);
  model = of_words("1.1.0");
  FAILS(RKCHAT_ERR_UNSUPPORTED, "1.2.0", rkchat_model_logits_ids(model, IDS, 3, NULL, &tensor, &error));
  rkchat_model_free(model);
}

static void a_text_is_scored(void) {
  rkchat_model *model = of_words("1.3.0");
  rkchat_tensor *tensor = NULL;
  OK(rkchat_model_score(model, "the sea", 7, NULL, &tensor, &error));
  is_of_shape(tensor, (const uint64_t[]){2}, 1);
  /* One logit of the eight is 1 and the others are 0: the logarithm of e + 7. */
  CHECK(near(rkchat_tensor_data(tensor, NULL)[1], -2.2740088f));
  rkchat_tensor_free(tensor);
  rkchat_model_free(model);
}

static void adapters_are_listed(void) {
  rkchat_model *model = of_words("1.3.0");
  rkchat_generate_options generate = RKCHAT_GENERATE_OPTIONS_INIT;
  rkchat_adapter_options options = RKCHAT_ADAPTER_OPTIONS_INIT;
  rkchat_adapter_info_list *list = NULL;
  rkchat_generation *generation = NULL;
  size_t len = 1;
  OK(rkchat_model_adapters(model, &list, &error));
  CHECK(rkchat_adapter_info_list_data(list, &len) == NULL && len == 0);
  rkchat_adapter_info_list_free(list);
  const char *path = text_file("polite.rkllm", "an adapter");
  options.scale = 0.5;
  OK(rkchat_model_load_adapter(model, path, &options, &error));
  OK(rkchat_model_adapters(model, &list, &error));
  const rkchat_adapter_info *const *adapters = rkchat_adapter_info_list_data(list, &len);
  CHECK(len == 1 && strcmp(adapters[0]->name, "polite") == 0 && adapters[0]->scale == 0.5);
  CHECK(strcmp(adapters[0]->path, path) == 0);
  rkchat_adapter_info_list_free(list);
  rkchat_adapter_info_list_free(NULL);
  generate.adapter = "rude";
  FAILS(RKCHAT_ERR_INVALID_ARGUMENT, "loaded are polite",
        rkchat_model_complete_ids(model, IDS, 3, &generate, &generation, &error));
  rkchat_model_free(model);
}

static void prompt_caches_are_saved_and_loaded(void) {
  rkchat_model *model = of_words("1.1.0");
  rkchat_prompt_cache_options save = RKCHAT_PROMPT_CACHE_OPTIONS_INIT;
  rkchat_load_prompt_cache_options load = RKCHAT_LOAD_PROMPT_CACHE_OPTIONS_INIT;
  rkchat_list_prompt_caches_options all = RKCHAT_LIST_PROMPT_CACHES_OPTIONS_INIT;
  rkchat_prompt_cache_info_list *list = NULL;
  rkchat_text *name = NULL;
  size_t len = 0;
  save.folder = load.folder = all.folder = in_folder("caches");
  save.name = "sea";
  OK(rkchat_model_save_prompt_cache(model, "[5, 6, 7]", 9, &save, &name, &error));
  CHECK(strcmp(rkchat_text_data(name, NULL), "sea") == 0);
  rkchat_text_free(name);
  load.prompt = "[5, 6]";
  FAILS(RKCHAT_ERR_CACHE_MISMATCH, "prompt", rkchat_model_load_prompt_cache(model, "sea", 3, &load, &error));
  load.prompt = "[5, 6, 7]";
  OK(rkchat_model_load_prompt_cache(model, "sea", 3, &load, &error));
  OK(rkchat_model_prompt_caches(model, &all, &list, &error));
  const rkchat_prompt_cache_info *const *caches = rkchat_prompt_cache_info_list_data(list, &len);
  CHECK(len == 1 && caches[0]->tokens == 3 && caches[0]->size > 0 && caches[0]->loaded == 1);
  CHECK(caches[0]->differs == NULL);
  rkchat_prompt_cache_info_list_free(list);
  OK(rkchat_model_release_prompt_cache(model, &error));
  rkchat_model_free(model);
}

/* Asks for the numbers of one of the shared vectors. */
static rkchat_status ask_for_numbers(const rkchat_model *model, const json *line, rkchat_tensor **out) {
  rkchat_embed_options embed = RKCHAT_EMBED_OPTIONS_INIT;
  rkchat_logits_options logits = RKCHAT_LOGITS_OPTIONS_INIT;
  rkchat_score_options score = RKCHAT_SCORE_OPTIONS_INIT;
  const json *input = json_get(line, "input"), *options = json_get(line, "options");
  const json *pooling = json_get(options, "pooling"), *normalize = json_get(options, "normalize");
  const json *positions = json_get(options, "positions"), *adapter = json_get(options, "adapter");
  const char *call = json_get(line, "call")->text;
  uint32_t ids[8], at[8];
  rkchat_str texts[8];
  CHECK(input->len <= 8 && (positions == NULL || positions->len <= 8));
  for (size_t i = 0; i < input->len; i++) {
    ids[i] = (uint32_t)input->items[i].number;
    if (input->items[i].text != NULL) texts[i] = view(input->items[i].text);
  }
  for (size_t i = 0; positions != NULL && i < positions->len; i++) at[i] = (uint32_t)positions->items[i].number;
  if (strcmp(call, "embed") == 0) {
    static const char *const names[] = {"", "last", "mean", "cls", "none"};
    for (int32_t i = 1; pooling != NULL && i < 5; i++) {
      if (strcmp(pooling->text, names[i]) == 0) embed.pooling = i;
    }
    if (normalize != NULL) embed.normalize = json_is(normalize, "true");
    return rkchat_model_embed(model, texts, input->len, &embed, out, &error);
  }
  if (strcmp(call, "logits") == 0) {
    if (positions != NULL) {
      logits.positions = at;
      logits.positions_len = positions->len;
    }
    return input->text != NULL
               ? rkchat_model_logits(model, input->text, strlen(input->text), &logits, out, &error)
               : rkchat_model_logits_ids(model, ids, input->len, &logits, out, &error);
  }
  if (adapter != NULL) {
    score.adapter = adapter->text;
    score.adapter_len = strlen(adapter->text);
  }
  return input->text != NULL ? rkchat_model_score(model, input->text, strlen(input->text), &score, out, &error)
                             : rkchat_model_score_ids(model, ids, input->len, &score, out, &error);
}

static void check_numbers(const json *line) {
  for (int group = TEXT_GROUPS; group < GROUPS_LEN; group++) {
    rkchat_model *model = of_words(GROUPS[group]);
    rkchat_tensor *tensor = NULL;
    rkchat_status status = ask_for_numbers(model, line, &tensor);
    int able = strcmp(GROUPS[group], "1.1.0") != 0 || strcmp(json_get(line, "call")->text, "embed") == 0;
    if (!able) {
      CHECK(status == RKCHAT_ERR_UNSUPPORTED);
    } else if (json_get(line, "error") != NULL) {
      CHECK(status == RKCHAT_ERR_INVALID_ARGUMENT && strcmp(json_get(line, "error")->text, "InvalidArgument") == 0);
    } else {
      const json *shape = json_get(line, "shape"), *data = json_get(line, "data");
      uint64_t lengths[3] = {0, 0, 0};
      if (status != RKCHAT_OK) fail(__FILE__, __LINE__, "%s", rkchat_error_message(error, NULL));
      for (size_t i = 0; i < shape->len; i++) lengths[i] = (uint64_t)shape->items[i].number;
      is_of_shape(tensor, lengths, shape->len);
      for (size_t i = 0; i < data->len; i++) {
        CHECK(near(rkchat_tensor_data(tensor, NULL)[i], (float)data->items[i].number));
      }
    }
    rkchat_error_free(error);
    error = NULL;
    rkchat_tensor_free(tensor);
    rkchat_model_free(model);
  }
}

static void the_shared_vectors(void) { run_vectors("numbers.jsonl", check_numbers); }

RUN(TEST(the_shared_vectors), TEST(texts_become_rows), TEST(logits_come_for_the_positions_asked_for), TEST(a_text_is_scored),
    TEST(adapters_are_listed), TEST(prompt_caches_are_saved_and_loaded))

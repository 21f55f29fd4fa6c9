// Embeddings, logits, scores, adapters and prompt caches.

#include "harness.hpp"

using rkchat::Model;

static Model of_words(const std::string &group) {
  rkchat::ModelOptions options;
  options.runtime = scripted_runtime(group);
  options.abi = group;
  options.tokenizer = in_root("tests/fixtures/words/tokenizer.json");
  const File script("script.rkllm", R"({"pieces": [["x", 1]]})");
  return Model::open(script.path(), options);
}

static bool near(float found, float expected) {
  return found - expected < 1e-5f && expected - found < 1e-5f;
}

static void numbers_come_with_their_shape() {
  const Model model = of_words("1.3.0");
  rkchat::EmbedOptions embed;
  embed.normalize = false;
  embed.pooling = rkchat::Pooling::Mean;
  const rkchat::Tensor rows = model.embed({"the sea", "sea"}, embed);
  CHECK(rows.shape() == (std::vector<std::uint64_t>{2, 4}) && rows.size() == 8);
  CHECK(near(rows.data()[0], 1.0f) && near(rows.data()[7], 0.8f));
  THROWS(InvalidArgument, "empty", model.embed({}));

  rkchat::LogitsOptions logits;
  logits.positions = std::vector<std::uint32_t>{1, 0};
  const rkchat::Tensor two = model.logits_ids({5, 6, 7}, logits);
  CHECK(two.shape() == (std::vector<std::uint64_t>{2, 8}));
  CHECK(two.data()[1] == 1.0f && two.data()[8] == 1.0f);
  logits.positions = std::vector<std::uint32_t>();
  THROWS(InvalidArgument, "empty", model.logits_ids({5, 6, 7}, logits));
  const rkchat::Tensor score = model.score("the sea");
  CHECK(score.size() == 2 && score.data()[0] < 0);
}

static void adapters_and_prompt_caches_are_listed() {
  const Model model = of_words("1.2.0");
  CHECK(model.adapters().empty());
  const Folder folder;
  model.load_adapter(folder.write("polite.rkllm", "an adapter"));
  const std::vector<rkchat::AdapterInfo> adapters = model.adapters();
  CHECK(adapters.size() == 1 && adapters[0].name == "polite" && adapters[0].scale == 1.0f);

  rkchat::PromptCacheOptions save;
  save.folder = folder.path();
  rkchat::ListPromptCachesOptions all;
  all.folder = folder.path();
  rkchat::LoadPromptCacheOptions load;
  load.folder = folder.path();
  const std::string name = model.save_prompt_cache("[5, 6, 7]", save);
  model.load_prompt_cache(name, load);
  const std::vector<rkchat::PromptCacheInfo> caches = model.prompt_caches(all);
  CHECK(caches.size() == 1 && caches[0].name == name && caches[0].loaded);
  CHECK(!caches[0].differs);
  load.prompt = std::string("[5]");
  THROWS(CacheMismatch, "prompt", model.load_prompt_cache(name, load));
}

int main(int count, char **words) {
  return run_tests(count, words,
                   {{"numbers_come_with_their_shape", numbers_come_with_their_shape},
                    {"adapters_and_prompt_caches_are_listed", adapters_and_prompt_caches_are_listed}});
}

// Tensors that go in, and batches.

#include "harness.hpp"

using rkchat::Model;
using rkchat::Numbers;

static const char *const SCRIPT = R"({"pieces": [["one ", 1], ["two", 2]], "record": "record.jsonl", "hidden_size": 2})";

static std::string recorded(const Folder &folder) {
  std::ifstream file(folder.path() + "/record.jsonl");
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

static rkchat::ModelOptions options_of(const std::string &group) {
  rkchat::ModelOptions options;
  options.runtime = scripted_runtime(group);
  options.abi = group;
  return options;
}

static void images_and_embeddings_go_in() {
  const Folder folder;
  const Model model = Model::open(folder.write("script.rkllm", SCRIPT), options_of("1.3.0"));
  rkchat::GenerateOptions generate;
  generate.images = Numbers({0.5f, 1, 2, 3}, {1, 2, 2});
  const std::string messages =
      R"([{"role": "user", "content": [{"type": "image_url"}, {"type": "text", "text": "?"}]}])";
  CHECK(model.generate(messages, generate).text() == "one two");
  CHECK(recorded(folder).find("\"input\":\"<image>?\"") != std::string::npos);
  CHECK(recorded(folder).find("\"values\":[0.5,1.0,2.0,3.0]") != std::string::npos);
  generate.images = Numbers({0.5f, 1, 2, 3}, {1, 2, 3});
  THROWS(InvalidArgument, "`images`", model.generate(messages, generate));
  CHECK(model.complete_embeddings(Numbers({1, 2, 3, 4}, {2, 2})).text() == "one two");
  THROWS(InvalidArgument, "shape", model.complete_embeddings(Numbers()));
}

static void a_batch_and_an_encoder() {
  const Folder folder;
  rkchat::ModelOptions options = options_of("1.2.1");
  options.n_batch = 2;
  options.use_cross_attn = true;
  options.tokenizer = in_root("tests/fixtures/words/tokenizer.json");
  const Model model = Model::open(folder.write("script.rkllm", SCRIPT), options);
  const std::vector<rkchat::Completion> all = model.generate_batch(R"(["the sea", "is wide", "sea"])");
  CHECK(all.size() == 3 && all[2].token_ids.size() == 2);
  model.set_cross_attention(Numbers({1, 2}, {1, 2, 1, 1}), Numbers({1, 2}, {1, 1, 1, 2}), Numbers({1, 0}, {2}), {0, 1});
  CHECK(recorded(folder).find("\"mask\":[1.0,0.0]") != std::string::npos);
}

int main(int count, char **words) {
  return run_tests(count, words,
                   {{"images_and_embeddings_go_in", images_and_embeddings_go_in},
                    {"a_batch_and_an_encoder", a_batch_and_an_encoder}});
}

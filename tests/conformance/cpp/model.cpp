// A real model, SmolLM2, in the CPU runtime of both ABI groups.

#include "harness.hpp"

using rkchat::Model;

// With the system message that its template puts in by itself, this model tells of L'Etoile.
static const char QUESTION[] =
    R"([{"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"}])";

static Model open(const std::string &group) {
  rkchat::ModelOptions options;
  options.runtime = in_root("target/release/runtime/" + group + "/librkllmrt.so");
  options.top_k = 1;
  options.repeat_penalty = 1;
  options.max_context_len = 512;
  return Model::open(in_root(".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"), options);
}

static void both_groups_give_the_same_greedy_text() {
  std::vector<std::string> texts;
  for (const char *group : {"1.1.0", "1.3.0"}) {
    const Model model = open(group);
    rkchat::GenerateOptions options;
    options.max_new_tokens = 24;
    std::string text;
    auto generation = model.generate(QUESTION, options);
    for (const rkchat::Chunk &chunk : generation) text += chunk.text;
    CHECK(generation.completion().text == text && text.find("Paris") != std::string::npos);
    CHECK(model.info().input == rkchat::InputKind::Tokens && !model.info().stop_ids.empty());
    texts.push_back(text);
  }
  CHECK(texts[0] == texts[1]);
}

static void cancel_in_the_middle_and_go_on() {
  const Model model = open("1.3.0");
  auto story = model.generate(R"([{"role": "user", "content": "Tell me a long story."}])");
  for (int chunks = 0; chunks < 4; chunks++) CHECK(story.next());
  story.cancel();
  CHECK(!story.next());
  rkchat::GenerateOptions options;
  options.max_new_tokens = 16;
  CHECK(model.generate(QUESTION, options).completion().text.find("Paris") != std::string::npos);
}

static void the_model_renders_and_tokenizes() {
  const Model model = open("1.1.0");
  const std::string prompt = model.render(QUESTION);
  CHECK(model.decode(model.encode(prompt)) == prompt);
  THROWS(InvalidArgument, "empty", model.generate("[]"));
}

int main(int count, char **words) {
  return run_tests(count, words,
                   {{"both_groups_give_the_same_greedy_text", both_groups_give_the_same_greedy_text},
                    {"cancel_in_the_middle_and_go_on", cancel_in_the_middle_and_go_on},
                    {"the_model_renders_and_tokenizes", the_model_renders_and_tokenizes}});
}

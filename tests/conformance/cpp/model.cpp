// A real model, SmolLM2, in the CPU runtime.

#include "harness.hpp"

using rkchat::Model;

// With the system message that its template puts in by itself, this model tells of L'Etoile.
static const char QUESTION[] =
    R"([{"role": "system", "content": "You are a helpful assistant."},
        {"role": "user", "content": "What is the capital of France?"}])";

static Model open(const std::string &group, int window = 512) {
  rkchat::ModelOptions options;
  options.runtime = cpu_runtime(group);
  options.top_k = 1;
  options.repeat_penalty = 1;
  options.max_context_len = window;
  return Model::open(in_root(".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"), options);
}

static void every_group_gives_the_same_greedy_text() {
  for (const std::string &group : all_groups()) {
    const Model model = open(group, 64);
    rkchat::GenerateOptions options;
    options.max_new_tokens = 16;
    std::string text;
    auto generation = model.generate(QUESTION, options);
    for (const rkchat::Chunk &chunk : generation) text += chunk.text;
    const rkchat::Completion answer = generation.completion();
    CHECK(answer.text == text && text == "The capital of France is Paris.");
    const rkchat::ModelInfo info = model.info();
    CHECK(info.runtime.abi_group == group && !info.stop_ids.empty());
    const bool text_alone = group.compare(0, 4, "1.0.") == 0;
    CHECK(info.input == (text_alone ? rkchat::InputKind::Text : rkchat::InputKind::Tokens));
    CHECK(answer.token_ids.empty() == text_alone);
  }
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
                   {{"every_group_gives_the_same_greedy_text", every_group_gives_the_same_greedy_text},
                    {"cancel_in_the_middle_and_go_on", cancel_in_the_middle_and_go_on},
                    {"the_model_renders_and_tokenizes", the_model_renders_and_tokenizes}});
}

// Which group a runtime is of, what older ones cannot, and what is taken for granted about them.

#include <algorithm>

#include "harness.hpp"

using rkchat::Model;
using rkchat::ModelOptions;
using rkchat::Runtime;
using rkchat::RuntimeInfo;
using rkchat::RuntimeOptions;

static const char SHORT[] = R"({"pieces": ["one ", "two ", "three"]})";

static ModelOptions scripted(const std::string &group) {
  ModelOptions options;
  options.runtime = scripted_runtime(group);
  options.abi = group;
  return options;
}

static RuntimeOptions told(const std::string &abi) {
  RuntimeOptions options;
  options.abi = abi;
  return options;
}

static bool has(const std::vector<std::string> &texts, const std::string &text) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

static void runtimes_are_recognised() {
  for (const std::string &group : all_groups()) {
    const RuntimeInfo own = Runtime::open(cpu_runtime(group)).info();
    CHECK(own.name == "rkchat-cpu" && own.abi_group == group && own.warnings.empty());

    // A vendor's that nobody has published; nothing tells these two groups apart but a text in the file.
    const RuntimeInfo info = Runtime::open(scripted_runtime(group)).info();
    CHECK(info.name == "rkllm" && info.abi_group == (group == "1.2.0" ? "1.2.1b1" : group));
    CHECK(!info.release && !info.platform && info.evidence.size() == 2);
    CHECK(info.warnings.size() == 1 && info.warnings[0].kind == rkchat::WarningKind::UnknownRuntime);
    CHECK(info.warnings[0].message.find("RKCHAT_ABI") != std::string::npos);
  }
}

static void capabilities_differ() {
  struct Expected {
    const char *group, *can, *cannot;
  };
  const Expected expected[] = {
      {"1.0.1", "log_probabilities", "token_input"}, {"1.1.0", "token_input", "log_probabilities"},
      {"1.2.0", "chat_template", "several_images"},  {"1.2.1b1", "several_images", "function_tools"},
      {"1.2.1", "function_tools", "several_models"}, {"1.3.0", "run_sampling", "log_probabilities"},
  };
  for (const Expected &one : expected) {
    const RuntimeInfo info = Runtime::open(scripted_runtime(one.group), told(one.group)).info();
    CHECK(*info.release == one.group);
    CHECK(has(info.capabilities, one.can) && !has(info.capabilities, one.cannot));
  }
  const RuntimeInfo first = Runtime::open(scripted_runtime("1.0.0"), told("1.0.0")).info();
  CHECK(has(first.capabilities, "mirostat") && !has(first.capabilities, "abort"));
}

static void a_wrong_abi() {
  const std::string path = scripted_runtime("1.3.0");
  THROWS(RuntimeAmbiguous, "abi = \"1.2.1!\" or RKCHAT_ABI=1.2.1!", Runtime::open(path, told("1.2.1")));
  THROWS(RuntimeAmbiguous, "rkchat's own runtime", Runtime::open(cpu_runtime("1.3.0"), told("1.1.0")));
  THROWS(InvalidArgument, "abi: \"seven\"", Runtime::open(path, told("seven")));
  RuntimeOptions options = told("1.2.1");
  options.abi_unchecked = true;
  for (const RuntimeOptions &unchecked : {options, told("1.2.1!")}) {
    const RuntimeInfo info = Runtime::open(path, unchecked).info();
    CHECK(info.abi_group == "1.2.1" && has(info.evidence, "abi says 1.2.1, unchecked"));
  }
  // The file tells without being asked that it is not this.
  const RuntimeInfo info = Runtime::open(path, told("1.1.0!")).info();
  CHECK(info.abi_group == "1.1.0" && info.warnings.size() == 1);
  CHECK(info.warnings[0].message.find("because abi says so") != std::string::npos);
}

static void the_abi_variable_is_not_for_the_cpu_runtime() {
  setenv("RKCHAT_ABI", "1.1.0", 1);
  ModelOptions options;
  options.max_context_len = 64;
  const Model model = Model::open(in_root(".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"), options);
  CHECK(model.info().runtime.abi_group == "1.3.0");
  THROWS(RuntimeAmbiguous, "abi says 1.1.0", Runtime::open(scripted_runtime("1.3.0")));
  unsetenv("RKCHAT_ABI");
}

static void text_alone() {
  for (const std::string group : {"1.0.0", "1.0.1"}) {
    const File script("script.rkllm", SHORT);
    const Model model = Model::open(script.path(), scripted(group));
    CHECK(model.info().input == rkchat::InputKind::Text);
    const rkchat::Completion answer = model.complete("one two").completion();
    CHECK(answer.text == "one two three" && answer.token_ids.empty());
    THROWS(Unsupported, "take token ids; the first release that can is 1.1.0", model.complete_ids({1, 2}));
  }
}

// The caller is free at once; the run goes on to its end, and the next request waits for that.
static void cancel_without_abort() {
  const File script("script.rkllm", R"({"pieces": ["la "], "repeat": 10, "delay_ms": 10})");
  const Model model = Model::open(script.path(), scripted("1.0.0"));
  auto generation = model.complete("x");
  CHECK(generation.next()->text == "la ");
  generation.cancel();
  CHECK(!generation.next());
  CHECK(generation.completion().finish_reason == rkchat::FinishReason::Cancelled);
  CHECK(model.complete("x").completion().text == "la la la la la la la la la la ");
}

static void one_model_in_a_process() {
  const File one("one.rkllm", SHORT), other("other.rkllm", SHORT);
  for (const std::string group : {"1.0.0", "1.0.1", "1.1.0", "1.2.0", "1.2.1b1"}) {
    ModelOptions options = scripted(group);
    options.chat_template = std::string("x");
    Model first = Model::open(one.path(), options);
    // Also the second time: a refusal leaves the first model where it is.
    THROWS(Unsupported, "the first release that can is 1.2.2", Model::open(other.path(), options));
    THROWS(Unsupported, "{\"instances\": \"many\"}", Model::open(other.path(), options));
    options.assume = std::string(R"({"instances": "many"})");
    Model second = Model::open(other.path(), options);
    CHECK(second.generate(R"([{"role": "user", "content": "x"}])").completion().text == "one two three");
    first.close();
    second.close();
    Model::open(other.path(), scripted(group));
  }
  const Model first = Model::open(one.path(), scripted("1.3.0")), second = Model::open(other.path(), scripted("1.3.0"));
  CHECK(first.complete_ids({1}).completion().text == second.complete_ids({1}).completion().text);
}

static void what_is_assumed() {
  const File script("script.rkllm", SHORT);
  ModelOptions options = scripted("1.3.0");
  const auto assume = [&](const std::string &json) {
    options.assume = json;
    return Model::open(script.path(), options);
  };
  THROWS(InvalidArgument, "there is no \"bo\"; known are bos, input", assume(R"({"bo": "keep"})"));
  THROWS(InvalidArgument, "bos is keep or strip, but got \"maybe\"", assume(R"({"bos": "maybe"})"));
  THROWS(InvalidArgument, "instances is auto or many, but got true", assume(R"({"instances": true})"));
  THROWS(InvalidArgument, "a JSON object is needed", assume("[]"));
  const std::vector<std::string> assumed = assume(R"({"bos": "strip", "prefix_reuse": "off"})").info().assumed;
  CHECK(assumed.size() == 6 && has(assumed, "bos=strip (option)"));
  CHECK(has(assumed, "prefix_reuse=off (option)") && has(assumed, "input=tokens (default)"));
}

int main(int count, char **words) {
  unsetenv("RKCHAT_RUNTIME");
  unsetenv("RKCHAT_ABI");
  return run_tests(count, words,
                   {{"runtimes_are_recognised", runtimes_are_recognised},
                    {"capabilities_differ", capabilities_differ},
                    {"a_wrong_abi", a_wrong_abi},
                    {"the_abi_variable_is_not_for_the_cpu_runtime", the_abi_variable_is_not_for_the_cpu_runtime},
                    {"text_alone", text_alone},
                    {"cancel_without_abort", cancel_without_abort},
                    {"one_model_in_a_process", one_model_in_a_process},
                    {"what_is_assumed", what_is_assumed}});
}

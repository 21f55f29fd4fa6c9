// Bad input: each gets an error of its kind, with words that help.

#include "harness.hpp"

using rkchat::Model;
using rkchat::ModelOptions;

static std::string smollm2() { return in_root(".cache/models/SmolLM2-135M-Instruct.Q4_1.gguf"); }

/// A vendor library that plays a script.
static ModelOptions scripted() {
  ModelOptions options;
  options.runtime = scripted_runtime("1.3.0");
  options.abi = std::string("1.3.0");
  return options;
}

static void paths_that_are_no_model() {
  THROWS(NotFound, "does not exist", Model::open("/no/such/model.gguf"));
  THROWS(InvalidArgument, "empty", Model::open(""));
  const File other("notes.txt", "nothing here");
  THROWS(NotFound, "no model", Model::open(other.path().substr(0, other.path().rfind('/'))));
  const File foreign("model.gguf", "this is not a model");
  THROWS(InvalidModel, "GGUF", Model::open(foreign.path()));
  std::ifstream whole(smollm2(), std::ios::binary);
  std::string half(1 << 20, '\0');
  whole.read(&half[0], static_cast<std::streamsize>(half.size()));
  const File truncated("model.gguf", half);
  THROWS(InvalidModel, "", Model::open(truncated.path()));
}

static void runtimes_that_do_not_fit() {
  const File script("model.rkllm", "{}");
  ModelOptions options;
  options.runtime = std::string("/no/such/librkllmrt.so");
  THROWS(RuntimeNotFound, "librkllmrt.so", Model::open(script.path(), options));
  const File text("librkllmrt.so", "no library");
  options.runtime = text.path();
  THROWS(RuntimeInvalid, "begins with \"no library\"", Model::open(script.path(), options));
  options.runtime = in_root("target/release/librkchat.so");
  THROWS(RuntimeInvalid, "not an RKLLM runtime", Model::open(script.path(), options));
  options.runtime = cpu_runtime("1.3.0");
  THROWS(RuntimeMismatch, "GGUF", Model::open(script.path(), options));
  THROWS(RuntimeMismatch, ".rkllm", Model::open(smollm2(), scripted()));
  options = scripted();
  options.abi = std::string("1.2.1");
  THROWS(RuntimeAmbiguous, "RKCHAT_ABI=1.2.1!", Model::open(script.path(), options));
}

static void a_window_larger_than_the_models() {
  ModelOptions options;
  options.max_context_len = 1 << 20;
  options.runtime = cpu_runtime("1.3.0");
  THROWS(InvalidArgument, "8192", Model::open(smollm2(), options));
  options.max_context_len = 0;
  THROWS(InvalidArgument, "max_context_len", Model::open(smollm2(), options));
}

static void prompts_that_cannot_be() {
  const File script("model.rkllm", R"({"pieces": ["x"]})");
  ModelOptions options = scripted();
  options.max_context_len = 32;
  const Model model = Model::open(script.path(), options);
  THROWS(ContextOverflow, "32", model.complete_ids(std::vector<uint32_t>(40, 1)));
  THROWS(InvalidArgument, "no tokens", model.complete_ids({}));
  THROWS(InvalidArgument, "empty", model.generate("[]"));
  THROWS(InvalidArgument, "", model.generate("not JSON"));
  THROWS(InvalidArgument, "UTF-8", model.generate("[{\"role\": \"user\", \"content\": \"\xff\"}]"));
  THROWS(InvalidArgument, "NUL", Model::open(std::string("a\0b", 3)));
  model.close();
  THROWS(Closed, "closed", model.complete_ids({1}));
}

int main(int count, char **words) {
  return run_tests(count, words,
                   {{"paths_that_are_no_model", paths_that_are_no_model},
                    {"runtimes_that_do_not_fit", runtimes_that_do_not_fit},
                    {"a_window_larger_than_the_models", a_window_larger_than_the_models},
                    {"prompts_that_cannot_be", prompts_that_cannot_be}});
}

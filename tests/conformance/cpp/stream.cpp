// Answers over the scripted runtime.

#include <condition_variable>
#include <mutex>
#include <thread>

#include "harness.hpp"

using rkchat::Chunk;
using rkchat::Generation;
using rkchat::Model;
using std::chrono::milliseconds;

static const char ENDLESS[] = R"({"pieces": ["a ", "b ", "c "], "repeat": 0, "delay_ms": 20})";
static const char SHORT[] = R"({"pieces": [["one ", 1], ["two ", 2], ["three", 3]]})";

static rkchat::ModelOptions scripted(const std::string &group) {
  rkchat::ModelOptions options;
  options.runtime = scripted_runtime(group);
  options.abi = group;
  return options;
}

static Model open(const std::string &group, const std::string &script) {
  const File file("script.rkllm", script);
  return Model::open(file.path(), scripted(group));
}

static Generation ask(const Model &model) { return model.complete_ids({5, 6, 7}); }

static void an_answer_streams_and_ends_once() {
  for (const std::string &group : token_groups()) {
    const Model model = open(group, SHORT);
    Generation generation = ask(model);
    std::string text;
    std::vector<std::uint32_t> ids;
    for (const Chunk &chunk : generation) {
      text += chunk.text;
      ids.insert(ids.end(), chunk.token_ids.begin(), chunk.token_ids.end());
    }
    CHECK(text == "one two three" && ids == (std::vector<std::uint32_t>{1, 2, 3}));
    CHECK(!generation.next() && generation.begin() == generation.end());
    const rkchat::Completion answer = generation.completion();
    CHECK(answer.text == text && answer.token_ids == ids && answer.warnings.empty());
    CHECK(answer.finish_reason == rkchat::FinishReason::Stop && answer.usage.prompt_tokens == 3);
    CHECK(*generation.finish_reason() == rkchat::FinishReason::Stop);
    const rkchat::ModelInfo info = model.info();
    CHECK(info.runtime.abi_group == group && !info.runtime.evidence.empty() && !info.tokenizer_source);
    // A range-for over a temporary.
    int chunks = 0;
    for (const Chunk &chunk : model.complete_ids({1})) chunks += !chunk.text.empty();
    CHECK(chunks == 3);
  }
}

static void next_times_out_and_goes_on() {
  const Model model = open("1.3.0", R"({"pieces": ["late"], "prefill_ms": 300})");
  Generation generation = ask(model);
  THROWS(Timeout, "goes on", generation.next(milliseconds(20)));
  CHECK(!generation.finish_reason() && !generation.wait(milliseconds(0)));
  CHECK(generation.next()->text == "late" && generation.wait());
}

static void cancel_drop_and_close() {
  for (const char *group : {"1.1.0", "1.3.0"}) {
    Model model = open(group, ENDLESS);
    Generation generation = ask(model);
    generation.next();
    std::thread canceller([&generation] { generation.cancel(); });
    while (generation.next()) {
    }
    canceller.join();
    CHECK(generation.completion().finish_reason == rkchat::FinishReason::Cancelled);
    ask(model);
    ask(model).cancel();
    generation = ask(model);
    CHECK(generation.next()->text == "a ");
    model.close();
    CHECK(*generation.finish_reason() == rkchat::FinishReason::Cancelled);
    THROWS(Closed, "closed", ask(model));
  }
}

static void a_full_queue_is_busy() {
  rkchat::ModelOptions options = scripted("1.3.0");
  options.max_queue = 0;
  const File file("script.rkllm", ENDLESS);
  const Model model = Model::open(file.path(), options);
  Generation running = ask(model);
  running.next();
  THROWS(Busy, "", ask(model));
}

static void poll_wakes() {
  const Model model = open("1.3.0", R"({"pieces": ["a", "b", "c"], "prefill_ms": 50, "delay_ms": 20})");
  Generation generation = ask(model);
  std::mutex mutex;
  std::condition_variable woken;
  int wakes = 0, asked = 0;
  std::string text;
  for (bool over = false; !over;) {
    Chunk chunk;
    const auto wake = [&] {
      const std::lock_guard<std::mutex> lock(mutex);
      wakes++;
      woken.notify_one();
    };
    switch (generation.poll(chunk, wake)) {
      case Generation::Poll::Ready:
        text += chunk.text;
        break;
      case Generation::Poll::End:
        over = true;
        break;
      case Generation::Poll::Pending:
        asked++;
        std::unique_lock<std::mutex> lock(mutex);
        woken.wait(lock, [&] { return wakes == asked; });
    }
  }
  CHECK(text == "abc" && asked >= 2);
  // What throws in a wake stays there; what was asked for last dies with the generation.
  Chunk chunk;
  Generation other = ask(model);
  CHECK(other.poll(chunk, [] { throw std::runtime_error("unheard"); }) == Generation::Poll::Pending);
  CHECK(other.next()->text == "a");
  other = ask(model);
  other.poll(chunk, nullptr);
}

int main(int count, char **words) {
  return run_tests(count, words,
                   {{"an_answer_streams_and_ends_once", an_answer_streams_and_ends_once},
                    {"next_times_out_and_goes_on", next_times_out_and_goes_on},
                    {"cancel_drop_and_close", cancel_drop_and_close},
                    {"a_full_queue_is_busy", a_full_queue_is_busy},
                    {"poll_wakes", poll_wakes}});
}

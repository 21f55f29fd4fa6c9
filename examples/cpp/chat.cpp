// Asks a model one question and prints the answer as it comes.

#include "common.hpp"

static std::string speed(const rkchat::Optional<double> &tokens_per_second) {
  if (!tokens_per_second) {
    return "too short to tell";
  }
  char text[32];
  std::snprintf(text, sizeof text, "%.1f tokens/s", *tokens_per_second);
  return text;
}

static void print_timings(const rkchat::Completion &answer) {
  std::cerr << answer.usage.prompt_tokens << " prompt tokens";
  if (answer.usage.reused_tokens.value_or(0) > 0) {
    std::cerr << " (" << *answer.usage.reused_tokens << " of them still in the cache)";
  }
  std::cerr << ", prefill " << speed(answer.timings.prefill_speed);
  if (answer.timings.time_to_first_token) {
    std::fprintf(stderr, ", first token after %.2f s", *answer.timings.time_to_first_token);
  }
  std::cerr << "; " << answer.usage.new_tokens << " new tokens, decode "
            << speed(answer.timings.decode_speed) << '\n';
}

int main(int count, char **words) try {
  const Arguments arguments(count, words);
  const auto model = rkchat::Model::open(arguments.model, arguments.open);

  auto generation = model.generate(question(arguments.prompt), arguments.generate);
  for (const rkchat::Chunk &chunk : generation) {
    std::cout << chunk.text << std::flush;
  }
  std::cout << '\n';
  print_timings(generation.completion());
} catch (const rkchat::Error &error) {
  std::cerr << error.what() << '\n';
  return EXIT_FAILURE;
}

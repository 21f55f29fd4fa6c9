// Stops in the middle of an answer, then asks something else.

#include "common.hpp"

int main(int count, char **words) try {
  const Arguments arguments(count, words);
  const auto model = rkchat::Model::open(arguments.model, arguments.open);

  auto story = model.generate(question("Write a long story about a lighthouse."), arguments.generate);
  int chunks = 0;
  for (const rkchat::Chunk &chunk : story) {
    std::cout << chunk.text << std::flush;
    if (++chunks == 8) {
      break;
    }
  }
  story.cancel();
  std::cout << "\n[cancelled]\n";

  auto answer = model.generate(question(arguments.prompt), arguments.generate).completion();
  std::cout << answer.text << '\n';
} catch (const rkchat::Error &error) {
  std::cerr << error.what() << '\n';
  return EXIT_FAILURE;
}

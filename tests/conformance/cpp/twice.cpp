// Both headers in every edition of C++, twice.

#include <rkchat.h>
#include <rkchat.hpp>
#include <rkchat.h>
#include <rkchat.hpp>

int main() {
  rkchat::ModelOptions options;
  options.top_k = 1;
  options.temperature = 0;
  options.runtime = "path";
  const rkchat_completion answer = RKCHAT_COMPLETION_INIT;
  return static_cast<int>(options.c().reserved + answer.reserved);
}

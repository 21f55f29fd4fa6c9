// What the C++ examples share: their command line, and a question as JSON.
#ifndef EXAMPLES_COMMON_HPP
#define EXAMPLES_COMMON_HPP

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include <rkchat.hpp>

/// MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N] [--max-context-len N]
struct Arguments {
  std::string model;
  std::string prompt = "What is the capital of France?";
  rkchat::ModelOptions open;
  rkchat::GenerateOptions generate;

  Arguments(int count, char **words) {
    bool wrong = false;
    int named = 0;
    for (int i = 1; i < count; i++) {
      const std::string word = words[i];
      if (word == "--greedy") {
        // Set when the model is opened, where runtimes of every version take it.
        open.top_k = 1;
        open.repeat_penalty = 1.0;
      } else if (word == "--runtime" && i + 1 < count) {
        open.runtime = words[++i];
      } else if (word == "--max-new-tokens" && i + 1 < count) {
        wrong |= !number(words[++i], generate.max_new_tokens);
      } else if (word == "--max-context-len" && i + 1 < count) {
        wrong |= !number(words[++i], open.max_context_len);
      } else if (word.compare(0, 1, "-") != 0 && named < 2) {
        (named++ == 0 ? model : prompt) = word;
      } else {
        wrong = true;
      }
    }
    if (wrong || named == 0) {
      std::cerr << "usage: " << words[0]
                << " MODEL [PROMPT] [--runtime PATH] [--greedy] [--max-new-tokens N] [--max-context-len N]\n";
      std::exit(2);
    }
  }

 private:
  /// Reads a number; false where the word is none.
  static bool number(const char *word, rkchat::Optional<std::int64_t> &out) {
    char *end;
    out = std::strtoll(word, &end, 10);
    return end != word && *end == '\0';
  }
};

/// A text as JSON.
inline std::string quoted(const std::string &text) {
  std::string json = "\"";
  for (const char letter : text) {
    if (static_cast<unsigned char>(letter) < 0x20) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", letter);
      json += escape;
    } else {
      if (letter == '"' || letter == '\\') {
        json += '\\';
      }
      json += letter;
    }
  }
  return json + '"';
}

/// A conversation of one question.
inline std::string question(const std::string &text) {
  return R"([{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":)" +
         quoted(text) + "}]";
}

#endif

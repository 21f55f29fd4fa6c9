// Answers a question with a tool: the model asks for it, the program runs it, the model goes on.

#include "common.hpp"

// A model that gets nowhere is left alone after so many answers.
static const int ROUNDS = 8;

static const char TOOLS[] = R"([{"type": "function", "function": {
  "name": "get_temperature",
  "description": "How warm it is in a city now.",
  "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
}}])";

/// Runs a tool. A real one would read the JSON of its arguments, and ask a service.
static std::string use(const rkchat::ToolCall &call) {
  if (call.name != "get_temperature") {
    return "there is no such tool";
  }
  if (call.arguments.find("\"Oslo\"") != std::string::npos) {
    return "4 degrees";
  }
  return call.arguments.find("\"Rome\"") != std::string::npos ? "19 degrees" : "unknown city";
}

/// Puts a message at the end of a JSON array.
static void append(std::string &messages, const std::string &message) {
  messages.replace(messages.size() - 1, 1, "," + message + "]");
}

int main(int count, char **words) try {
  Arguments arguments(count, words);
  const auto model = rkchat::Model::open(arguments.model, arguments.open);

  arguments.generate.tools = TOOLS;
  std::string messages = question(arguments.prompt);
  for (int round = 0; round < ROUNDS; round++) {
    auto generation = model.generate(messages, arguments.generate);
    for (const rkchat::Chunk &chunk : generation) {
      if (chunk.kind == rkchat::ChunkKind::Text) {
        std::cout << chunk.text << std::flush;
      }
    }
    std::cout << '\n';
    const rkchat::Completion answer = generation.completion();
    append(messages, answer.message);
    for (const rkchat::ToolCall &call : answer.tool_calls) {
      const std::string result = use(call);
      std::cout << '[' << call.name << ": " << result << "]\n";
      append(messages, R"({"role":"tool","tool_call_id":)" + quoted(call.id) + R"(,"content":)" + quoted(result) + "}");
    }
    if (answer.tool_calls.empty()) {
      break;
    }
  }
} catch (const rkchat::Error &error) {
  std::cerr << error.what() << '\n';
  return EXIT_FAILURE;
}

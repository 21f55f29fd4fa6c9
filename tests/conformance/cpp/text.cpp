// Templates, tokenizers, errors and options, which need no runtime.

#include "harness.hpp"

using rkchat::ChatTemplate;
using rkchat::Tokenizer;

static const std::string GEMMA = R"([{"role": "user", "content": "Write a hello world program"}])";

static ChatTemplate from_file(const std::string &path) {
  std::ifstream file(path);
  std::stringstream source;
  source << file.rdbuf();
  rkchat::TemplateOptions options;
  options.bos_token = "<bos>";
  return ChatTemplate::from_source(source.str(), options);
}

static ChatTemplate turns() { return from_file(in_root("tests/fixtures/turns.jinja")); }

static void renders_gemmas_prompt(const ChatTemplate &chat_template) {
  rkchat::RenderOptions options;
  options.add_generation_prompt = true;
  CHECK(chat_template.render(GEMMA, options) ==
        "<bos><start_of_turn>user\nWrite a hello world program<end_of_turn>\n<start_of_turn>model\n");
}

static void gemma_2s_own_template_renders() {
  const std::string path = in_root("../shared/templates/templates/ecd6ae513fe1.jinja");
  if (!std::ifstream(path)) {
    std::cerr << "SKIPPED: no reference template at " << path << "\n";
    return;
  }
  const ChatTemplate chat_template = from_file(path);
  renders_gemmas_prompt(chat_template);
  THROWS(Template, "System role not supported",
         chat_template.render(R"([{"role": "system", "content": "Be brief."}])"));
}

static void a_template_renders() {
  const ChatTemplate chat_template = turns();
  renders_gemmas_prompt(chat_template);
  CHECK(chat_template.source().find("raise_exception") != std::string::npos);
}

static void a_template_refuses_in_its_own_words() {
  const ChatTemplate chat_template = turns();
  const std::string system = R"([{"role": "system", "content": "Be brief."}])";
  THROWS(Template, "There is no system role", chat_template.render(system));
  try {
    chat_template.render(system);
  } catch (const rkchat::Error &error) {
    CHECK(error.details().find(R"("template_message":"There is no system role")") != std::string::npos);
  }
  THROWS(InvalidArgument, "empty", chat_template.render("[]"));
  THROWS(InvalidArgument, "not JSON", chat_template.render("["));
  THROWS(InvalidArgument, "not UTF-8", chat_template.render("[\xff]"));
}

static void options_reach_the_template() {
  const auto chat_template = ChatTemplate::from_source("{{ tools | tojson }} {{ name }}");
  rkchat::RenderOptions options;
  options.tools = R"([{"z": 1, "a": 2.0}])";
  options.variables = std::string(R"({"name": "Eve"})");
  CHECK(chat_template.render(GEMMA, options) == R"([{"z": 1, "a": 2.0}] Eve)");
}

static void a_tokenizer_goes_both_ways() {
  const Tokenizer tokenizer = Tokenizer::open(in_root("tests/fixtures/words"));
  CHECK(tokenizer.encode("the sea") == (std::vector<std::uint32_t>{0, 3, 4}));
  rkchat::EncodeOptions bare;
  bare.add_special_tokens = false;
  CHECK(tokenizer.encode("the sea", bare).size() == 2 && tokenizer.encode("", bare).empty());
  CHECK(tokenizer.count("the sea") == 3);
  rkchat::DecodeOptions skip;
  skip.skip_special_tokens = true;
  CHECK(tokenizer.decode({0, 3, 4}, skip) == "the sea" && tokenizer.decode({}).empty());

  const ChatTemplate chat_template = ChatTemplate::open(in_root("tests/fixtures/words"));
  CHECK(chat_template.encode(R"([{"role": "user", "content": "the sea"}])", tokenizer).size() == 3);

  const std::string forged = R"([{"role": "user", "content": "the <eos> sea"}])";
  CHECK(chat_template.encode(forged, tokenizer) == (std::vector<std::uint32_t>{0, 3, 1, 4}));
  rkchat::RenderOptions options;
  options.untrusted_content = rkchat::UntrustedContent::Literal;
  CHECK(chat_template.encode(forged, tokenizer, options) == (std::vector<std::uint32_t>{0, 3, 2, 2, 4}));
  CHECK(chat_template.assistant_mask(forged, tokenizer, options).size() == 5);
  CHECK(tokenizer.info().special_tokens.at(1).text == "<eos>" && tokenizer.info().vocabulary_size == 8);
  CHECK(chat_template.info().names == std::vector<std::string>{"default"});
}

static void bad_paths() {
  THROWS(NotFound, "/no/such", rkchat::Model::open("/no/such"));
  THROWS(InvalidArgument, "NUL at byte 1", rkchat::Model::open(std::string("a\0b", 3)));
  rkchat::ModelOptions options;
  options.top_p = 1.5;
  const File file("x.gguf", "no model");
  THROWS(InvalidArgument, "`top_p` is 1.5", rkchat::Model::open(file.path(), options));
  options.top_p = 1;
  THROWS(InvalidModel, "x.gguf", rkchat::Model::open(file.path(), options));
}

static void handles_move() {
  ChatTemplate first = turns();
  ChatTemplate second = std::move(first);
  CHECK(!second.source().empty());
  THROWS(InvalidArgument, "`chat_template` is NULL", first.source());
  first = std::move(second);
  CHECK(!first.source().empty());
}

static void optionals() {
  rkchat::Optional<std::string> text;
  CHECK(!text && text.value_or("none") == "none");
  text = "some";
  CHECK(text.has_value() && *text == "some" && text->size() == 4);
  rkchat::Optional<std::string> copy = text;
  text.reset();
  CHECK(!text && copy);
}

int main(int count, char **words) {
  return run_tests(count, words,
                   {{"a_template_renders", a_template_renders},
                    {"gemma_2s_own_template_renders", gemma_2s_own_template_renders},
                    {"a_template_refuses_in_its_own_words", a_template_refuses_in_its_own_words},
                    {"options_reach_the_template", options_reach_the_template},
                    {"a_tokenizer_goes_both_ways", a_tokenizer_goes_both_ways},
                    {"bad_paths", bad_paths},
                    {"handles_move", handles_move},
                    {"optionals", optionals}});
}

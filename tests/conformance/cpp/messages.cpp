// Messages as structs, beside messages as JSON text.

#include "harness.hpp"

using rkchat::Chat;
using rkchat::ChatTemplate;
using rkchat::Message;
using rkchat::Model;

static const char TEMPLATE[] = "{{ messages | tojson }}";
static const char CALLS[] = R"([{"type":"function","function":{"name":"add","arguments":{"a":2.0}}}])";

static Message said(const std::string &role, const std::string &content) {
  Message message;
  message.role = role;
  message.content = content;
  return message;
}

static std::vector<Message> conversation() {
  std::vector<Message> messages = {said("user", "2+1?"), Message(), said("tool", "")};
  messages[1].role = std::string("assistant");
  messages[1].tool_calls = std::string(CALLS);
  messages[2].tool_call_id = std::string("1");
  return messages;
}

static std::string json() {
  return std::string(R"([{"role":"user","content":"2+1?"},{"role":"assistant","tool_calls":)") + CALLS +
         R"(},{"role":"tool","content":"","tool_call_id":"1"}])";
}

static void structs_are_what_json_is() {
  const Folder folder;
  rkchat::ModelOptions options;
  options.runtime = scripted_runtime("1.1.0");
  options.abi = std::string("1.1.0");
  options.chat_template = std::string(TEMPLATE);
  const std::string path = folder.write("script.rkllm", R"({"pieces": ["yes"], "record": "record.jsonl"})");
  const Model model = Model::open(path, options);
  CHECK(model.render_messages(conversation()) == model.render(json()));
  CHECK(model.generate(json()).text() == "yes");
  CHECK(model.generate_messages(conversation()).text() == "yes");
  std::ifstream record(folder.in("record.jsonl"));
  std::vector<std::string> runs;
  for (std::string line; std::getline(record, line);) {
    if (line.find(R"("call":"run")") != std::string::npos) {
      runs.push_back(line);
    }
  }
  CHECK(runs.size() == 2 && runs[0] == runs[1]);
  CHECK(runs[0].find("tool_call_id") != std::string::npos);

  Chat chat = Chat::open(model);
  CHECK(chat.send_messages({said("user", "a"), said("user", "b")}).text() == "yes");
  CHECK(chat.messages().find(R"([{"role":"user","content":"a"},{"role":"user","content":"b"},)") == 0);
}

static void bad_messages() {
  const ChatTemplate chat_template = ChatTemplate::from_source(TEMPLATE);
  std::vector<Message> messages = conversation();
  messages[2].content = std::string("ab\xff");
  THROWS(InvalidArgument, "`messages[2]`: `content` is not UTF-8", chat_template.render_messages(messages));
  messages[2].role.reset();
  messages[2].content.reset();
  THROWS(InvalidArgument, "`messages[2]`: `role` is not set", chat_template.render_messages(messages));
  THROWS(InvalidArgument, "empty", chat_template.render_messages({}));
}

int main(int count, char **words) {
  return run_tests(count, words,
                   {{"structs_are_what_json_is", structs_are_what_json_is}, {"bad_messages", bad_messages}});
}

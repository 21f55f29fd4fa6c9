//! The functions that a model may call, told to it in the way of Hermes and Qwen.

use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};
use serde_json::{Map, Value};
use std::io::{self, Write};

/// What `rkllm_set_function_tools` sets.
#[derive(Clone, Debug)]
pub struct Tools {
    system: String,
    tag: String,
}

/// The tag of results if the caller names none.
const TAG: &str = "tool_response";

impl Tools {
    /// `tools` is a JSON array of descriptions, `tag` what results are wrapped in, with or without
    /// its angle brackets.
    pub fn new(system: &str, tools: &str, tag: &str) -> Result<Self, String> {
        let tools: Vec<Map<String, Value>> = serde_json::from_str(tools)
            .map_err(|error| format!("tools is not a JSON array of objects: {error}"))?;
        if tools.is_empty() {
            return Err("tools is an empty array; without tools, \
                        rkllm_set_chat_template sets a system prompt"
                .into());
        }
        let lines = tools.into_iter().map(|tool| json(&Value::Object(tool)));
        let lines = lines.collect::<Result<Vec<_>, _>>()?.join("\n");
        let gap = if system.is_empty() { "" } else { "\n\n" };
        let system = format!(
            "{system}{gap}# Tools\n\n\
             Some functions can be called to help with what the user asks. Each line between \
             <tools> and </tools> describes one:\n<tools>\n{lines}\n</tools>\n\n\
             To call a function, write its name and arguments as one JSON object between \
             <tool_call> and </tool_call>:\n<tool_call>\n\
             {{\"name\": <name of the function>, \"arguments\": <object with the arguments>}}\n\
             </tool_call>"
        );
        let tag = tag.trim_matches(['<', '>']);
        let tag = if tag.is_empty() { TAG } else { tag };
        Ok(Tools {
            system,
            tag: tag.to_owned(),
        })
    }

    /// The system prompt with the functions.
    pub fn system(&self) -> &str {
        &self.system
    }

    /// A JSON array of results, each in the tag.
    pub fn responses(&self, results: &str) -> Result<String, String> {
        let results: Vec<Value> = serde_json::from_str(results).map_err(|error| {
            format!("the input with role \"tool\" is not a JSON array of results: {error}")
        })?;
        let tag = &self.tag;
        let mut wrapped = Vec::new();
        for result in results {
            let text = match result {
                Value::String(text) => text,
                other => json(&other)?,
            };
            wrapped.push(format!("<{tag}>\n{text}\n</{tag}>"));
        }
        Ok(wrapped.join("\n"))
    }
}

/// JSON on one line with the spaces that models saw in training.
fn json(value: &Value) -> Result<String, String> {
    let mut bytes = Vec::new();
    value
        .serialize(&mut Serializer::with_formatter(&mut bytes, Spaced))
        .map_err(|error| error.to_string())?;
    String::from_utf8(bytes).map_err(|error| error.to_string())
}

/// Puts a space after each comma and colon.
struct Spaced;

impl Formatter for Spaced {
    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        out.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_stand_one_a_line_in_their_own_order() {
        let tools = "[{\"type\":\"function\",\n \"function\":{\"name\":\"a\",\"n\":[1,2.5]}}, {}]";
        let tools = Tools::new("Be brief.", tools, "").unwrap();
        let lines = "<tools>\n{\"type\": \"function\", \"function\": {\"name\": \"a\", \
                     \"n\": [1, 2.5]}}\n{}\n</tools>";
        assert!(tools.system().starts_with("Be brief.\n\n# Tools\n"));
        assert!(tools.system().contains(lines), "{}", tools.system());
    }

    #[test]
    fn results_are_wrapped_one_by_one() {
        for tag in ["result", "<result>"] {
            let tools = Tools::new("", "[{}]", tag).unwrap();
            assert!(tools.system().starts_with("# Tools"));
            assert_eq!(
                tools.responses("[{\"t\":22}, \"sunny\"]").unwrap(),
                "<result>\n{\"t\": 22}\n</result>\n<result>\nsunny\n</result>"
            );
        }
        let tools = Tools::new("", "[{}]", "").unwrap();
        assert_eq!(
            tools.responses("[1]").unwrap(),
            "<tool_response>\n1\n</tool_response>"
        );
        assert!(tools.responses("{\"t\":22}").is_err());
    }

    #[test]
    fn what_is_no_list_of_tools_is_refused() {
        for tools in ["", "[", "{}", "[1]", "[]"] {
            let error = Tools::new("", tools, "").unwrap_err();
            assert!(error.starts_with("tools is "), "{error}");
        }
    }
}

//! Whether a request's tools may, must or must not be called.

use crate::answer::Format;
use crate::surface::*;

/// `GenerateOptions.tool_choice`, read.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ToolChoice {
    Auto,
    None,
    Required,
    Function(String),
}

impl ToolChoice {
    pub fn of(options: &GenerateOptions) -> Result<Self> {
        let Some(choice) = &options.tool_choice else {
            return Ok(Self::Auto);
        };
        let function = choice["function"]["name"].as_str();
        let read = match (choice.as_str(), function) {
            (Some("auto"), _) => Self::Auto,
            (Some("none"), _) => Self::None,
            (Some("required"), _) => Self::Required,
            (None, Some(name)) => Self::Function(name.to_owned()),
            _ => {
                return Err(Error::invalid_argument(format!(
                    "`tool_choice` is \"auto\", \"none\", \"required\" or {{\"type\": \"function\", \"function\": \
                     {{\"name\": ...}}}}, but got {choice}"
                )));
            }
        };
        read.check(options.tools.as_ref())?;
        Ok(read)
    }

    fn check(&self, tools: Option<&Json>) -> Result<()> {
        let tools = tools
            .and_then(Json::as_array)
            .map_or(&[][..], Vec::as_slice);
        let names = || {
            tools
                .iter()
                .filter_map(|tool| tool["function"]["name"].as_str())
        };
        let wrong = match self {
            Self::Auto | Self::None => return Ok(()),
            Self::Required if !tools.is_empty() => return Ok(()),
            Self::Function(name) if names().any(|known| known == name) => return Ok(()),
            Self::Required => "asks for a call, and there are no `tools`".to_owned(),
            Self::Function(name) => format!(
                "asks for {name:?}, which is none of the `tools`: {}",
                names().collect::<Vec<_>>().join(", ")
            ),
        };
        Err(Error::invalid_argument(format!("`tool_choice` {wrong}")))
    }

    /// The tools that the model is told of, and that calls are looked for of.
    pub fn tools(&self, options: &GenerateOptions) -> Option<Json> {
        let tools = options.tools.clone().filter(|tools| !tools.is_null());
        tools.filter(|_| *self != Self::None)
    }

    /// What the answer has to begin with; nothing where the model may choose.
    pub fn forced(&self, format: &Format, reasoning_open: bool) -> Result<String> {
        let function = match self {
            Self::Auto | Self::None => return Ok(String::new()),
            Self::Required => None,
            Self::Function(name) => Some(name.as_str()),
        };
        if reasoning_open {
            return Err(unsupported(
                "the chat template lets the model think first, so that its answer cannot begin with a call; set \
                 `enable_thinking` to false, or leave `tool_choice` out"
                    .to_owned(),
            ));
        }
        format.forced(function).ok_or_else(|| {
            unsupported(format!(
                "`tool_choice`: calls in the format {} have no beginning that could be forced; leave it out",
                format.tools()
            ))
        })
    }
}

fn unsupported(message: String) -> Error {
    Error::new(ErrorKind::Unsupported, message)
}

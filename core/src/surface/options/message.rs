//! What a conversation consists of.

use crate::surface::Json;

/// One message of a conversation. What is unset is left out.
/// @c_only there messages are objects of the language
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Message {
    /// Who says it: `system`, `user`, `assistant`, `tool`, or what else the template knows. Required.
    pub role: Option<String>,
    /// What is said. Unset: nothing, as in a message that only calls tools.
    pub content: Option<String>,
    /// What is said, in parts: a JSON array in the OpenAI shape. Excludes `content`.
    pub content_parts: Option<Json>,
    /// The name of who says it; of the function in a tool's message.
    pub name: Option<String>,
    /// The id of the call whose result it is, in a tool's message.
    pub tool_call_id: Option<String>,
    /// The tools that the assistant calls, a JSON array in the OpenAI shape.
    pub tool_calls: Option<Json>,
    /// What the assistant thought before.
    pub reasoning_content: Option<String>,
}

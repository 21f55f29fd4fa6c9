//! Objects with options: known names only.

use napi::ValueType;
use napi::bindgen_prelude::{JsObjectValue, JsValue, Object, Unknown};

use crate::convert::{FromJs, wrong_type};
use crate::error::{Failure, Result};

/// An object with options, or none.
pub struct Fields<'env> {
    object: Option<Object<'env>>,
    name: String,
}

impl<'env> Fields<'env> {
    /// `undefined` and `null` have no fields; a field that is not `known` is a `TypeError`, for it is
    /// a mistyped one, which would silently change nothing.
    pub fn new(value: &Unknown<'env>, name: &str, known: &[&str]) -> Result<Self> {
        let object = match value.get_type()? {
            ValueType::Undefined | ValueType::Null => None,
            ValueType::Object if !value.is_array()? => Some(value.coerce_to_object()?),
            _ => return Err(wrong_type(name, "an object", value)),
        };
        if let Some(object) = &object {
            for key in Object::keys(object)? {
                if !known.contains(&key.as_str()) {
                    return Err(Failure::Type(unknown_field(name, &key, known)));
                }
            }
        }
        let name = name.to_owned();
        Ok(Self { object, name })
    }

    /// The field, where it is set.
    pub fn get<T: FromJs>(&self, key: &str) -> Result<Option<T>> {
        let Some(object) = &self.object else {
            return Ok(None);
        };
        let value: Unknown<'_> = object.get_named_property(key)?;
        Option::from_js(&value, &format!("{}.{key}", self.name))
    }
}

fn unknown_field(name: &str, key: &str, known: &[&str]) -> String {
    let nearest = known
        .iter()
        .map(|candidate| {
            (
                strsim::jaro_winkler(&folded(key), &folded(candidate)),
                candidate,
            )
        })
        .max_by(|(a, _), (b, _)| a.total_cmp(b));
    match nearest {
        Some((likeness, candidate)) if likeness > 0.75 => {
            format!("{name} has no field {key:?}; did you mean {candidate:?}?")
        }
        _ => format!("{name} has no field {key:?}; it has {}", known.join(", ")),
    }
}

/// `max_new_tokens` and `maxNewTokens` are the same word.
fn folded(key: &str) -> String {
    key.replace('_', "").to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_nearest_field() {
        let known = ["maxNewTokens", "topK", "topP", "queueTimeout"];
        let told = |key| unknown_field("options", key, &known);
        assert!(told("max_new_tokens").ends_with("did you mean \"maxNewTokens\"?"));
        assert!(told("maxTokens").ends_with("did you mean \"maxNewTokens\"?"));
        assert!(told("topk").ends_with("did you mean \"topK\"?"));
        assert!(told("zzz").ends_with("it has maxNewTokens, topK, topP, queueTimeout"));
    }
}

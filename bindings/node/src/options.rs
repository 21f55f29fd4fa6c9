//! Objects with options: known names only.

use napi::ValueType;
use napi::bindgen_prelude::{JsObjectValue, JsValue, Object, Unknown};
use rkchat::option_names::{Meant, OptionName, camel, meant};

use crate::convert::{FromJs, wrong_type};
use crate::error::{Failure, Result};

/// An object with options, or none.
pub struct Fields<'env> {
    object: Option<Object<'env>>,
    name: String,
}

impl<'env> Fields<'env> {
    /// `undefined` and `null` have no fields; a field that is neither of `options` nor one that only
    /// Node has (`own`) is a `TypeError`, for it is a mistyped one, which would silently change nothing.
    pub fn new(
        value: &Unknown<'env>,
        name: &str,
        options: &'static [OptionName],
        own: &[&str],
    ) -> Result<Self> {
        let object = match value.get_type()? {
            ValueType::Undefined | ValueType::Null => None,
            ValueType::Object if !value.is_array()? => Some(value.coerce_to_object()?),
            _ => return Err(wrong_type(name, "an object", value)),
        };
        if let Some(object) = &object {
            for key in Object::keys(object)? {
                let is_known =
                    options.iter().any(|option| option.camel == key) || own.contains(&key.as_str());
                if !is_known {
                    return Err(Failure::Type(unknown_field(name, &key, options)));
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

fn unknown_field(name: &str, key: &str, options: &'static [OptionName]) -> String {
    let hint = match meant(key, options) {
        Some(Meant::Elsewhere(option)) => format!("; rkchat calls it {:?}", option.camel),
        Some(Meant::Near(option)) => format!("; did you mean {:?}?", option.camel),
        None => String::new(),
    };
    format!("{name} has no field {key:?}{hint}")
}

/// What core says, with the names of options between backticks as JavaScript has them.
pub fn localized(message: &str) -> String {
    let parts = message.split('`').map(|part| {
        let (owner, name) = part.rsplit_once('.').unwrap_or(("", part));
        match (owner, camel(name)) {
            (_, None) => part.to_owned(),
            ("", Some(name)) => name.to_owned(),
            (owner, Some(name)) => format!("{owner}.{name}"),
        }
    });
    parts.collect::<Vec<_>>().join("`")
}

#[cfg(test)]
mod tests {
    use rkchat::option_names::GENERATE_OPTIONS;

    use super::*;

    #[test]
    fn names_the_field_that_was_meant() {
        let told = |key| unknown_field("options", key, GENERATE_OPTIONS);
        assert!(told("max_tokens").ends_with("; rkchat calls it \"maxNewTokens\""));
        assert!(told("maxTokens").ends_with("; rkchat calls it \"maxNewTokens\""));
        assert!(told("max_new_tokens").ends_with("; did you mean \"maxNewTokens\"?"));
        assert!(told("topk").ends_with("; did you mean \"topK\"?"));
        assert_eq!(told("zzz"), "options has no field \"zzz\"");
    }

    #[test]
    fn messages_have_the_names_of_javascript() {
        let told = localized("`top_p` is 2; see `ModelOptions.fixed_sampling`, not top_k or `a_b`");
        assert_eq!(
            told,
            "`topP` is 2; see `ModelOptions.fixedSampling`, not top_k or `a_b`"
        );
    }
}

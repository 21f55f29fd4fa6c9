//! JSON data. `JSON.stringify` and `JSON.parse` decide what JavaScript values mean, so dates, `toJSON`,
//! `undefined` and cycles are what every JavaScript programmer expects; serde_json keeps the order of
//! keys, and integers apart from floats.

use napi::ValueType;
use napi::bindgen_prelude::{Env, Function, JsObjectValue, JsValue, Object, Unknown};
use rkchat::Json;

use crate::convert::{FromJs, IntoJs, give, wrong_type};
use crate::error::{Result, invalid};

fn json_function<'env>(env: &Env, name: &str) -> napi::Result<Function<'env>> {
    let json: Object<'_> = env.get_global()?.get_named_property("JSON")?;
    json.get_named_property(name)
}

impl FromJs for Json {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        let env = Env::from_raw(value.value().env);
        let text = json_function(&env, "stringify")?.call(*value)?;
        if text.get_type()? != ValueType::String {
            return Err(wrong_type(name, "JSON data", value));
        }
        // SAFETY: the value is a string.
        let text: String = unsafe { text.cast()? };
        serde_json::from_str(&text).map_err(|_| invalid(refusal(&text, name)))
    }
}

/// Says where in the data the text is that serde_json refuses. `JSON.stringify` writes only two things
/// that it does: half of a surrogate pair, and too many levels.
fn refusal(text: &str, name: &str) -> String {
    let mut reader = serde_json::Deserializer::from_str(text);
    match serde_path_to_error::deserialize::<_, Json>(&mut reader) {
        Err(error) if error.inner().to_string().contains("recursion limit") => {
            format!("{name} is nested too deeply: more than 127 levels")
        }
        Err(error) => {
            let place = match error.path().to_string() {
                root if root == "." => String::new(),
                index if index.starts_with('[') => index,
                key => format!(".{key}"),
            };
            format!(
                "{name} is not valid Unicode: half of a surrogate pair stands alone in {name}{place}"
            )
        }
        Ok(_) => format!("{name} cannot be read as JSON"),
    }
}

impl IntoJs for Json {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        json_function(env, "parse")?.call(give(env, self.to_string())?)
    }
}

//! JavaScript values to Rust values and back, for each type of the surface's grammar.

use std::path::PathBuf;
use std::time::Duration;

use napi::ValueType;
use napi::bindgen_prelude::{
    Env, Float32Array, FromNapiValue, JsObjectValue, JsValue, Object, ToNapiValue, TypeName,
    Unknown, Utf16String,
};

use crate::error::{Failure, Result, invalid, path_of_url};

/// Taken from a JavaScript value. `name` is what the caller knows the value by, such as `text` or
/// `options.topK`; errors begin with it.
pub trait FromJs: Sized {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self>;
}

/// Given to JavaScript.
pub trait IntoJs {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>>;
}

/// `name must be a string, got null`.
pub fn wrong_type(name: &str, wanted: &str, value: &Unknown<'_>) -> Failure {
    Failure::Type(format!("{name} must be {wanted}, got {}", describe(value)))
}

fn describe(value: &Unknown<'_>) -> &'static str {
    match value.get_type() {
        Ok(ValueType::Undefined) => "undefined",
        Ok(ValueType::Null) => "null",
        Ok(ValueType::Boolean) => "a boolean",
        Ok(ValueType::Number) => "a number",
        Ok(ValueType::String) => "a string",
        Ok(ValueType::Symbol) => "a symbol",
        Ok(ValueType::Function) => "a function",
        Ok(ValueType::BigInt) => "a BigInt",
        Ok(ValueType::Object) if value.is_array().unwrap_or(false) => "an array",
        _ => "an object",
    }
}

/// Reads a value as `T` where it is of the kind that `T` stands for.
fn read<T: FromNapiValue + TypeName>(value: &Unknown<'_>) -> napi::Result<Option<T>> {
    if value.get_type()? != T::value_type() {
        return Ok(None);
    }
    // SAFETY: the value is of the kind that `T` is made from.
    unsafe { value.cast() }.map(Some)
}

/// Hands over a value that napi can convert.
pub fn give<T: ToNapiValue>(env: &Env, value: T) -> napi::Result<Unknown<'_>> {
    // SAFETY: `env` is the environment of the call that is going on.
    let raw = unsafe { T::to_napi_value(env.raw(), value)? };
    // SAFETY: `raw` was just made in this environment, and lives as long as the call's scope.
    Ok(unsafe { Unknown::from_raw_unchecked(env.raw(), raw) })
}

impl FromJs for bool {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        read(value)?.ok_or_else(|| wrong_type(name, "a boolean", value))
    }
}

impl FromJs for f64 {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        read(value)?.ok_or_else(|| wrong_type(name, "a number", value))
    }
}

impl FromJs for f32 {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        f64::from_js(value, name).map(|number| number as f32)
    }
}

/// Integers are numbers without a fraction. Those of 64 bits end where numbers stop being exact.
macro_rules! integers {
    ($($type:ident: $min:expr, $max:expr;)*) => {$(
        impl FromJs for $type {
            fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
                let number = f64::from_js(value, name)?;
                if number.fract() != 0.0 {
                    return Err(invalid(format!("{name} must be a whole number, got {number}")));
                }
                if number < $min as f64 || number > $max as f64 {
                    return Err(invalid(format!("{name} must be from {} to {}, got {number}", $min, $max)));
                }
                Ok(number as $type)
            }
        }

        impl IntoJs for $type {
            fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
                give(env, self as f64)
            }
        }
    )*};
}

const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

integers! {
    i32: i32::MIN, i32::MAX;
    u32: u32::MIN, u32::MAX;
    i64: -MAX_SAFE_INTEGER, MAX_SAFE_INTEGER;
    u64: 0, MAX_SAFE_INTEGER;
}

impl FromJs for String {
    /// Half of a surrogate pair is refused, as invalid UTF-8 is in other languages: a model would be
    /// given something else than what was written.
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        if value.get_type()? != ValueType::String {
            return Err(wrong_type(name, "a string", value));
        }
        // SAFETY: the value is a string.
        let units: Utf16String = unsafe { value.cast()? };
        let mut text = Self::with_capacity(units.len());
        for character in char::decode_utf16(units.iter().copied()) {
            match character {
                Ok(character) => text.push(character),
                Err(half) => {
                    return Err(invalid(format!(
                        "{name} is not valid Unicode: half of a surrogate pair, \\u{:04x}, stands \
                         alone at index {}",
                        half.unpaired_surrogate(),
                        text.encode_utf16().count()
                    )));
                }
            }
        }
        Ok(text)
    }
}

impl FromJs for PathBuf {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        let env = Env::from_raw(value.value().env);
        let path = match value.get_type()? {
            ValueType::Object => path_of_url(&env, value)?,
            _ => *value,
        };
        if path.get_type()? != ValueType::String {
            return Err(wrong_type(name, "a string or a file URL", value));
        }
        let path = String::from_js(&path, name)?;
        match path.find('\0') {
            Some(place) => Err(invalid(format!(
                "{name} has a NUL character at byte {place}"
            ))),
            None => Ok(Self::from(path)),
        }
    }
}

impl FromJs for Duration {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        let milliseconds = f64::from_js(value, name)?;
        Self::try_from_secs_f64(milliseconds / 1000.0).map_err(|_| {
            invalid(format!(
                "{name} must be a number of milliseconds, 0 or more, got {milliseconds}"
            ))
        })
    }
}

impl<T: FromJs> FromJs for Option<T> {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        match value.get_type()? {
            ValueType::Undefined | ValueType::Null => Ok(None),
            _ => T::from_js(value, name).map(Some),
        }
    }
}

impl<T: FromJs> FromJs for Vec<T> {
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        if !value.is_array()? && !value.is_typedarray()? {
            return Err(wrong_type(name, "an array", value));
        }
        let list: Object<'_> = value.coerce_to_object()?;
        let length: u32 = list.get_named_property("length")?;
        (0..length)
            .map(|index| T::from_js(&list.get_element(index)?, &format!("{name}[{index}]")))
            .collect()
    }
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl IntoJs for $type {
            fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
                give(env, self)
            }
        }
    )*};
}

plain!((), bool, f64, String);

impl IntoJs for f32 {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        give(env, f64::from(self))
    }
}

impl IntoJs for PathBuf {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        give(env, self.to_string_lossy().into_owned())
    }
}

impl IntoJs for Duration {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        give(env, self.as_secs_f64() * 1000.0)
    }
}

impl<T: IntoJs> IntoJs for Option<T> {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        match self {
            Some(value) => value.into_js(env),
            None => give(env, ()),
        }
    }
}

impl<T: IntoJs> IntoJs for Vec<T> {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        let mut list = env.create_array(self.len() as u32)?;
        for (index, value) in (0..).zip(self) {
            list.set_element(index, value.into_js(env)?)?;
        }
        Ok(list.to_unknown())
    }
}

impl FromJs for rkchat::Tensor {
    /// The numbers are copied.
    fn from_js(value: &Unknown<'_>, name: &str) -> Result<Self> {
        const WANTED: &str = "an object with data, a Float32Array, and shape, an array";
        if value.get_type()? != ValueType::Object {
            return Err(wrong_type(name, WANTED, value));
        }
        let tensor: Object<'_> = value.coerce_to_object()?;
        let data: Unknown<'_> = tensor.get_named_property("data")?;
        if !data.is_typedarray()? {
            return Err(wrong_type(&format!("{name}.data"), "a Float32Array", &data));
        }
        // SAFETY: the value is a typed array; one of another kind is refused by the conversion.
        let numbers = unsafe { data.cast::<Float32Array>() };
        let numbers = numbers.map_err(|_| {
            Failure::Type(format!(
                "{name}.data must be a Float32Array, got another typed array"
            ))
        })?;
        // Before anything of the program's runs that could take the array's memory away.
        let numbers = numbers.to_vec();
        let shape: Unknown<'_> = tensor.get_named_property("shape")?;
        let shape = Vec::from_js(&shape, &format!("{name}.shape"))?;
        Self::new(numbers, shape).map_err(|error| invalid(format!("{name}: {}", error.message())))
    }
}

impl IntoJs for rkchat::Tensor {
    /// The numbers are not copied: the array owns them from here on.
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        let (data, shape) = self.into_parts();
        let mut tensor = Object::new(env)?;
        tensor.set("data", give(env, Float32Array::new(data))?)?;
        tensor.set("shape", shape.into_js(env)?)?;
        Ok(tensor.to_unknown())
    }
}

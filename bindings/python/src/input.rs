//! Python objects to the types of the surface. Wrong types are `TypeError`, wrong values
//! `rkchat.InvalidArgument`; both name the argument.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::exceptions::{PyOverflowError, PyTypeError, PyUnicodeEncodeError};
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyByteArray, PyBytes, PyDict, PyString};
use rkchat::option_names::{Meant, OptionName, meant};
use rkchat::{Error, Json};

use crate::call::exception;
use crate::json;

/// What errors call a value.
#[derive(Clone, Copy)]
pub struct At<'a> {
    /// What the caller knows it by, such as `max_new_tokens` or `ids[3]`.
    pub name: &'a str,
    /// The values that are allowed, for numbers that do not even fit the type.
    pub allowed: Option<&'a str>,
}

/// A type that arguments are read into.
pub trait Input: Sized {
    /// Reads `value`.
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self>;
}

/// Reads a required argument.
pub fn read<T: Input>(value: &Bound<'_, PyAny>, name: &str) -> PyResult<T> {
    T::read(
        value,
        At {
            name,
            allowed: None,
        },
    )
}

/// Sets an option from its keyword argument; `None` leaves it as it is. Core checks whether a number
/// is among the `allowed`.
pub fn set<T: Input>(
    option: &mut T,
    value: Option<&Bound<'_, PyAny>>,
    name: &str,
    allowed: Option<&str>,
) -> PyResult<()> {
    if let Some(value) = value {
        *option = T::read(value, At { name, allowed })?;
    }
    Ok(())
}

/// Refuses keyword arguments that are none of the options, as Python does, and tells which one was meant.
pub fn known(
    unknown: Option<&Bound<'_, PyDict>>,
    function: &str,
    options: &'static [OptionName],
) -> PyResult<()> {
    let Some((name, _)) = unknown.and_then(|unknown| unknown.iter().next()) else {
        return Ok(());
    };
    let name = name.to_string();
    let hint = match meant(&name, options) {
        Some(Meant::Elsewhere(option)) => format!("; rkchat calls it '{}'", option.snake),
        Some(Meant::Near(option)) => format!(". Did you mean '{}'?", option.snake),
        None => String::new(),
    };
    Err(PyTypeError::new_err(format!(
        "{function}() got an unexpected keyword argument '{name}'{hint}"
    )))
}

impl<T: Input> Input for Option<T> {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        T::read(value, at).map(Some)
    }
}

impl Input for bool {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        match value.cast::<PyBool>() {
            Ok(value) => Ok(value.is_true()),
            Err(_) => Err(expected(at, "True or False", value)),
        }
    }
}

macro_rules! integers {
    ($($integer:ty),*) => {$(
        impl Input for $integer {
            fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
                if value.is_instance_of::<PyBool>() {
                    return Err(expected(at, "an int", value));
                }
                value.extract().map_err(|error: PyErr| {
                    if error.is_instance_of::<PyOverflowError>(value.py()) {
                        let bounds = format!("{} to {}", <$integer>::MIN, <$integer>::MAX);
                        let allowed = at.allowed.unwrap_or(&bounds);
                        let message = format!("`{}` is {value}; allowed are {allowed}", at.name);
                        invalid(value.py(), message)
                    } else {
                        expected(at, "an int", value)
                    }
                })
            }
        }
    )*};
}
integers!(i32, u32, i64, u64);

impl Input for f64 {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        if value.is_instance_of::<PyBool>() || value.is_instance_of::<PyString>() {
            return Err(expected(at, "a float", value));
        }
        value.extract().map_err(|error: PyErr| {
            if error.is_instance_of::<PyOverflowError>(value.py()) {
                invalid(
                    value.py(),
                    format!("`{}` is {value}, too large for a float", at.name),
                )
            } else {
                expected(at, "a float", value)
            }
        })
    }
}

impl Input for f32 {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        // Beyond its range it becomes infinite, which is beyond every option's range too.
        f64::read(value, at).map(|value| value as f32)
    }
}

impl Input for String {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        match value.cast::<PyString>() {
            Ok(text) => self::text(text)
                .map_err(|fault| invalid(value.py(), format!("`{}`: {fault}", at.name))),
            Err(_) => Err(expected(at, "a str", value)),
        }
    }
}

impl Input for PathBuf {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        value
            .extract()
            .map_err(|_| expected(at, "a str or an os.PathLike", value))
    }
}

impl Input for Duration {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        let seconds = f64::read(value, at)?;
        Duration::try_from_secs_f64(seconds).map_err(|_| {
            let message = format!("`{}` is {seconds}; allowed are seconds from 0", at.name);
            invalid(value.py(), message)
        })
    }
}

impl Input for Json {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        json::read(value, at.name)
    }
}

impl<T: Input> Input for Vec<T> {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        let is_text = value.is_instance_of::<PyString>()
            || value.is_instance_of::<PyBytes>()
            || value.is_instance_of::<PyByteArray>();
        match value.try_iter() {
            Ok(items) if !is_text => items
                .enumerate()
                .map(|(index, item)| {
                    let name = format!("{}[{index}]", at.name);
                    T::read(
                        &item?,
                        At {
                            name: &name,
                            allowed: None,
                        },
                    )
                })
                .collect(),
            _ => Err(expected(at, "a list", value)),
        }
    }
}

/// A text or its token ids.
pub enum TextOr<T> {
    /// Text.
    Text(String),
    /// A list.
    List(Vec<T>),
}

impl<T: Input> Input for TextOr<T> {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        if value.is_instance_of::<PyString>() {
            return String::read(value, at).map(Self::Text);
        }
        Vec::read(value, at).map(Self::List)
    }
}

/// A moment: ISO 8601 text, or what can tell its own, such as a `datetime`.
pub fn set_moment(
    option: &mut Option<String>,
    value: Option<&Bound<'_, PyAny>>,
    name: &str,
    allowed: Option<&str>,
) -> PyResult<()> {
    let at = At { name, allowed };
    let Some(value) = value else {
        return Ok(());
    };
    let text = if value.is_instance_of::<PyString>() {
        value.clone()
    } else {
        value
            .call_method0("isoformat")
            .map_err(|_| expected(at, "a str or a datetime", value))?
    };
    *option = Some(String::read(&text, at)?);
    Ok(())
}

/// The UTF-8 of a text, or what is wrong with it.
pub fn text(value: &Bound<'_, PyString>) -> Result<String, String> {
    let error = match value.to_cow() {
        Ok(text) => return Ok(text.into_owned()),
        Err(error) => error,
    };
    let py = value.py();
    if error.is_instance_of::<PyUnicodeEncodeError>(py) {
        if let Ok(start) = error.value(py).getattr("start") {
            return Err(format!(
                "half a surrogate pair at index {start} is not a character"
            ));
        }
    }
    Err(error.to_string())
}

fn expected(at: At<'_>, what: &str, value: &Bound<'_, PyAny>) -> PyErr {
    let name = at.name;
    PyTypeError::new_err(format!(
        "`{name}`: expected {what}, not {}",
        type_name(value)
    ))
}

/// The name of the object's class.
pub fn type_name(value: &Bound<'_, PyAny>) -> String {
    let name = value.get_type().name();
    name.map_or_else(|_| "an object".to_owned(), |name| name.to_string())
}

/// `rkchat.InvalidArgument`.
pub fn invalid(py: Python<'_>, message: String) -> PyErr {
    exception(py, Error::invalid_argument(message))
}

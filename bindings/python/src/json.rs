//! JSON data both ways: dict, list, tuple, str, int, float, bool, None.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyDict, PyFloat, PyInt, PyList, PyString, PyTuple};
use rkchat::Json;
use serde_json::{Map, Number};

use crate::input::{invalid, text, type_name};

/// As deep as `serde_json` reads text; it also ends a structure that contains itself.
const MAX_DEPTH: usize = 128;

/// What is wrong, and where: the steps from the outermost value, innermost first.
struct Fault {
    steps: Vec<String>,
    wrong_type: bool,
    message: String,
}

impl Fault {
    fn value(message: impl Into<String>) -> Self {
        Self {
            steps: Vec::new(),
            wrong_type: false,
            message: message.into(),
        }
    }

    fn of_type(message: impl Into<String>) -> Self {
        Self {
            wrong_type: true,
            ..Self::value(message)
        }
    }

    fn inside(mut self, step: String) -> Self {
        self.steps.push(step);
        self
    }
}

impl From<PyErr> for Fault {
    fn from(error: PyErr) -> Self {
        Self::of_type(error.to_string())
    }
}

/// Reads a Python object as JSON.
pub fn read(value: &Bound<'_, PyAny>, at: &str) -> PyResult<Json> {
    read_value(value, MAX_DEPTH).map_err(|fault| {
        let steps: String = fault.steps.into_iter().rev().collect();
        let message = format!("`{at}{steps}`: {}", fault.message);
        if fault.wrong_type {
            PyTypeError::new_err(message)
        } else {
            invalid(value.py(), message)
        }
    })
}

fn read_value(value: &Bound<'_, PyAny>, depth: usize) -> Result<Json, Fault> {
    if value.is_none() {
        Ok(Json::Null)
    } else if let Ok(flag) = value.cast::<PyBool>() {
        // Before int, for True is an int in Python.
        Ok(Json::Bool(flag.is_true()))
    } else if let Ok(string) = value.cast::<PyString>() {
        text(string).map(Json::String).map_err(Fault::value)
    } else if let Ok(number) = value.cast::<PyInt>() {
        read_integer(number)
    } else if let Ok(number) = value.cast::<PyFloat>() {
        let number = Number::from_f64(number.value());
        number
            .map(Json::Number)
            .ok_or_else(|| Fault::value("JSON has no NaN and no infinity"))
    } else if depth == 0 {
        Err(Fault::value(format!(
            "nested more than {MAX_DEPTH} deep, or contains itself"
        )))
    } else if let Ok(dict) = value.cast::<PyDict>() {
        read_object(dict, depth - 1)
    } else if let Ok(list) = value.cast::<PyList>() {
        read_items(list.iter(), depth - 1)
    } else if let Ok(tuple) = value.cast::<PyTuple>() {
        read_items(tuple.iter(), depth - 1)
    } else {
        let name = type_name(value);
        Err(Fault::of_type(format!(
            "{name} is not JSON: expected a dict, list, str, int, float, bool or None"
        )))
    }
}

fn read_integer(number: &Bound<'_, PyInt>) -> Result<Json, Fault> {
    if let Ok(number) = number.extract::<i64>() {
        return Ok(number.into());
    }
    match number.extract::<u64>() {
        Ok(number) => Ok(number.into()),
        Err(_) => Err(Fault::value("an int of more than 64 bits")),
    }
}

fn read_object(dict: &Bound<'_, PyDict>, depth: usize) -> Result<Json, Fault> {
    let mut object = Map::with_capacity(dict.len());
    for (key, value) in dict.iter() {
        let Ok(key) = key.cast::<PyString>() else {
            let name = type_name(&key);
            return Err(Fault::of_type(format!(
                "the keys of a JSON object are str, not {name}"
            )));
        };
        let key = text(key).map_err(|fault| Fault::value(format!("a key: {fault}")))?;
        let value = read_value(&value, depth).map_err(|fault| fault.inside(format!(".{key}")))?;
        object.insert(key, value);
    }
    Ok(Json::Object(object))
}

fn read_items<'py>(
    items: impl Iterator<Item = Bound<'py, PyAny>>,
    depth: usize,
) -> Result<Json, Fault> {
    items
        .enumerate()
        .map(|(index, item)| {
            read_value(&item, depth).map_err(|fault| fault.inside(format!("[{index}]")))
        })
        .collect::<Result<_, _>>()
        .map(Json::Array)
}

/// Gives JSON to Python.
pub fn write<'py>(py: Python<'py>, value: &Json) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Json::Null => py.None().into_bound(py),
        Json::Bool(flag) => PyBool::new(py, *flag).to_owned().into_any(),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => number.into_pyobject(py)?.into_any(),
            (None, Some(number)) => number.into_pyobject(py)?.into_any(),
            // A number that is no integer is a float.
            (None, None) => PyFloat::new(py, number.as_f64().unwrap_or(f64::NAN)).into_any(),
        },
        Json::String(text) => PyString::new(py, text).into_any(),
        Json::Array(items) => {
            let list = PyList::empty(py);
            for item in items {
                list.append(write(py, item)?)?;
            }
            list.into_any()
        }
        Json::Object(object) => write_object(py, object)?.into_any(),
    })
}

/// Gives a JSON object to Python, its keys in their order.
pub fn write_object<'py>(
    py: Python<'py>,
    object: &Map<String, Json>,
) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (key, value) in object {
        dict.set_item(key, write(py, value)?)?;
    }
    Ok(dict)
}

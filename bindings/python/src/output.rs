//! The types of the surface to Python objects.

use std::path::PathBuf;
use std::time::Duration;

use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyList, PyTuple, PyType};
use rkchat::Json;

use crate::json;

/// A type that methods return and records hold.
pub trait Output {
    /// The Python object for it.
    fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>>;
}

macro_rules! plain {
    ($($plain:ty),*) => {$(
        impl Output for $plain {
            fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
                self.into_bound_py_any(py)
            }
        }
    )*};
}
plain!((), bool, i32, u32, i64, u64, f32, f64, String, PathBuf);

impl Output for Duration {
    fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        self.as_secs_f64().write(py)
    }
}

impl Output for Json {
    fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        json::write(py, &self)
    }
}

impl<T: Output> Output for Option<T> {
    fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        match self {
            Some(value) => value.write(py),
            None => Ok(py.None().into_bound(py)),
        }
    }
}

impl<T: Output> Output for Vec<T> {
    fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let list = PyList::empty(py);
        for item in self {
            list.append(item.write(py)?)?;
        }
        Ok(list.into_any())
    }
}

/// A list inside a record: a tuple, for records do not change.
pub struct Frozen<T>(pub Vec<T>);

impl<T: Output> Output for Frozen<T> {
    fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let items = self.0.into_iter().map(|item| item.write(py));
        let items: Vec<_> = items.collect::<PyResult<_>>()?;
        Ok(PyTuple::new(py, items)?.into_any())
    }
}

/// An instance of a class of `rkchat._types`, which `class` keeps from the first one on.
pub fn make<'py, const N: usize>(
    py: Python<'py>,
    class: &PyOnceLock<Py<PyType>>,
    name: &str,
    arguments: [Bound<'py, PyAny>; N],
) -> PyResult<Bound<'py, PyAny>> {
    let class = class.import(py, "rkchat._types", name)?;
    class.call1(PyTuple::new(py, arguments)?)
}

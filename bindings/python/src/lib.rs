//! The native module `rkchat._native`. Generated code in `generated/` has the handles, the records
//! and the error table; here is what every one of its methods goes through, and what Python does its
//! own way: iteration and context managers.
//!
//! No thread of rkchat ever waits for the interpreter, and none is waited for while the interpreter
//! is held. So neither the garbage collector nor the end of the interpreter can deadlock with one.

mod call;
mod generated;
mod generation;
mod input;
mod json;
mod model;
mod numbers;
mod output;
mod tensor;

use std::path::PathBuf;

use pyo3::prelude::*;

/// The part of the package that is written in Rust.
#[pymodule(gil_used = false)]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    if let Some(folder) = package_folder(module.py())? {
        rkchat::add_runtime_folder(folder.join("runtime"));
    }
    module.setattr("__version__", env!("CARGO_PKG_VERSION"))?;
    module.setattr("_panic", wrap_pyfunction!(_panic, module)?)?;
    generated::add_to(module)
}

/// Panics where a defect of rkchat would, so that a test sees what becomes of it.
#[pyfunction]
fn _panic(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    call::wait::<()>(py, || panic!("provoked by a test"))
}

/// Where the package lies; the CPU runtime may lie beside its files. None in a zip file.
fn package_folder(py: Python<'_>) -> PyResult<Option<PathBuf>> {
    let package = py.import("rkchat")?;
    let file: Option<PathBuf> = package.getattr("__file__")?.extract()?;
    Ok(file.and_then(|file| file.parent().map(PathBuf::from)))
}

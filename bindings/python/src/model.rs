//! `with Model.open(...) as model`.

use pyo3::prelude::*;

use crate::generated::Model;

#[pymethods]
impl Model {
    fn __enter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    /// Closes the model.
    #[pyo3(signature = (*_exception))]
    fn __exit__(
        slf: &Bound<'_, Self>,
        _exception: &Bound<'_, pyo3::types::PyTuple>,
    ) -> PyResult<()> {
        slf.call_method0("close").map(drop)
    }
}

//! Numbers that Python gives: copied out of whatever holds them.

use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyMemoryView};

use crate::input::{At, Input, invalid, type_name};
use crate::tensor::Tensor;

/// How numpy and `struct` call a float32 of this machine.
const FORMATS: [&str; 3] = if cfg!(target_endian = "little") {
    ["f", "<f", "<f4"]
} else {
    ["f", ">f", ">f4"]
};

impl Input for rkchat::Tensor {
    fn read(value: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<Self> {
        if let Ok(tensor) = value.cast::<Tensor>() {
            return Ok(tensor.get().copy());
        }
        let (data, shape) = match PyMemoryView::from(value) {
            Ok(view) => of_view(view.as_any(), at)?,
            Err(_) => match value.getattr("__array_interface__") {
                Ok(interface) => of_interface(&interface, at)?,
                Err(_) => return Err(wrong(at, &format!("{} has no numbers", type_name(value)))),
            },
        };
        Self::new(data, shape)
            .map_err(|error| invalid(value.py(), format!("`{}`: {}", at.name, error.message())))
    }
}

/// What a buffer holds.
fn of_view(view: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<(Vec<f32>, Vec<u64>)> {
    let format: String = view.getattr("format")?.extract()?;
    check(&format, at)?;
    if !view.getattr("c_contiguous")?.extract::<bool>()? {
        return Err(not_in_order(at));
    }
    let shape = view.getattr("shape")?.extract()?;
    let bytes = view.call_method0("tobytes")?;
    let bytes = bytes.cast::<PyBytes>()?.as_bytes();
    let number = |bytes: &[u8]| f32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
    Ok((bytes.chunks_exact(4).map(number).collect(), shape))
}

/// What numpy's protocol tells of.
fn of_interface(interface: &Bound<'_, PyAny>, at: At<'_>) -> PyResult<(Vec<f32>, Vec<u64>)> {
    let interface = interface.cast::<PyDict>()?;
    let item = |name: &str| {
        let lacks = || wrong(at, &format!("its __array_interface__ has no {name}"));
        interface.get_item(name)?.ok_or_else(lacks)
    };
    check(&item("typestr")?.extract::<String>()?, at)?;
    let shape: Vec<u64> = item("shape")?.extract()?;
    if let Some(strides) = interface.get_item("strides")?.filter(|one| !one.is_none()) {
        if strides.extract::<Vec<i64>>()? != in_order(&shape) {
            return Err(not_in_order(at));
        }
    }
    let (address, _read_only): (usize, bool) = item("data")?.extract()?;
    let count = shape
        .iter()
        .try_fold(1usize, |product, length| {
            product.checked_mul(usize::try_from(*length).ok()?)
        })
        .filter(|count| *count <= isize::MAX as usize / size_of::<f32>());
    let Some(count) = count.filter(|count| *count == 0 || address != 0) else {
        return Err(wrong(
            at,
            &format!("its shape is {shape:?}, at {address:#x}"),
        ));
    };
    let start = std::ptr::with_exposed_provenance::<f32>(address);
    // SAFETY: an object with this protocol promises that so many numbers are there as long as it lives, and
    // the caller holds it; reading one by one needs no alignment.
    let number = |place| unsafe { start.add(place).read_unaligned() };
    Ok(((0..count).map(number).collect(), shape))
}

/// The strides of numbers between which nothing lies.
fn in_order(shape: &[u64]) -> Vec<i64> {
    let mut next = size_of::<f32>() as i64;
    let mut strides: Vec<i64> = shape
        .iter()
        .rev()
        .map(|length| {
            let stride = next;
            next = next.saturating_mul(i64::try_from(*length).unwrap_or(i64::MAX));
            stride
        })
        .collect();
    strides.reverse();
    strides
}

fn check(format: &str, at: At<'_>) -> PyResult<()> {
    // `@` and `=` stand for the order of this machine.
    match FORMATS.contains(&format.trim_start_matches(['@', '='])) {
        true => Ok(()),
        false => Err(wrong(
            at,
            &format!("its numbers are of the format {format:?}"),
        )),
    }
}

fn not_in_order(at: At<'_>) -> PyErr {
    wrong(
        at,
        "something lies between its numbers, or they are not in C order",
    )
}

fn wrong(at: At<'_>, why: &str) -> PyErr {
    PyTypeError::new_err(format!(
        "`{}`: expected float32 numbers in C order, such as \
         numpy.ascontiguousarray(x, dtype=numpy.float32); {why}",
        at.name
    ))
}

//! Numbers with a shape, for numpy and whatever else takes arrays. The buffer protocol is not part of
//! abi3 before Python 3.11, so it is `__array_interface__` and `__dlpack__`; neither copies.

use std::cell::UnsafeCell;
use std::ffi::{CStr, c_void};
use std::sync::Arc;

use pyo3::exceptions::PyBufferError;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::output::Output;

/// `kDLCPU`, and its only device.
const CPU: (i32, i32) = (1, 0);

/// The numbers, to which Python may write at any time.
struct Shared {
    data: Vec<UnsafeCell<f32>>,
    shape: Vec<i64>,
}

// SAFETY: as with every array of Python, who shares it between threads has to see to who writes.
unsafe impl Send for Shared {}
// SAFETY: as above.
unsafe impl Sync for Shared {}

impl Shared {
    fn new(data: Vec<f32>, shape: Vec<i64>) -> Self {
        let mut data = std::mem::ManuallyDrop::new(data);
        let (start, length, capacity) = (data.as_mut_ptr(), data.len(), data.capacity());
        // SAFETY: the parts of a vector that nobody drops; an `UnsafeCell` lies in memory as its content.
        let data = unsafe { Vec::from_raw_parts(start.cast(), length, capacity) };
        Self { data, shape }
    }

    fn address(&self) -> *mut f32 {
        UnsafeCell::raw_get(self.data.as_ptr())
    }

    fn get(&self, index: usize) -> f32 {
        // SAFETY: inside the list, which lives as long as this.
        unsafe { self.data[index].get().read_volatile() }
    }
}

/// Numbers with a shape: `numpy.asarray` and every `from_dlpack` take it without a copy.
#[pyclass(frozen, weakref, module = "rkchat")]
pub struct Tensor {
    shared: Arc<Shared>,
}

impl Output for rkchat::Tensor {
    fn write(self, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
        let (data, shape) = self.into_parts();
        let shape = shape.into_iter().map(|length| length as i64).collect();
        let shared = Arc::new(Shared::new(data, shape));
        Ok(Bound::new(py, Tensor { shared })?.into_any())
    }
}

#[pymethods]
impl Tensor {
    /// The length of each dimension, the outermost first.
    #[getter]
    fn shape<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyTuple>> {
        PyTuple::new(py, &self.shared.shape)
    }

    /// The numbers as nested lists.
    fn tolist<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        self.nested(py, &self.shared.shape, &mut 0)
    }

    fn __len__(&self) -> usize {
        self.shared.shape.first().map_or(0, |rows| *rows as usize)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        Ok(format!("Tensor(shape={})", self.shape(py)?.repr()?))
    }

    #[getter]
    fn __array_interface__<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let order = if cfg!(target_endian = "little") {
            "<f4"
        } else {
            ">f4"
        };
        let interface = PyDict::new(py);
        interface.set_item("version", 3)?;
        interface.set_item("shape", self.shape(py)?)?;
        interface.set_item("typestr", order)?;
        // Whoever reads this keeps the object that it came from; false: it may be written to.
        interface.set_item("data", (self.shared.address().addr(), false))?;
        Ok(interface)
    }

    /// A capsule of the DLPack protocol; with `copy=True` of a copy.
    #[pyo3(signature = (*, stream=None, max_version=None, dl_device=None, copy=None))]
    fn __dlpack__<'py>(
        &self,
        py: Python<'py>,
        stream: Option<&Bound<'py, PyAny>>,
        max_version: Option<(u32, u32)>,
        dl_device: Option<(i32, i32)>,
        copy: Option<bool>,
    ) -> PyResult<Bound<'py, PyAny>> {
        // The protocol lets a producer answer in the older form, which every consumer knows.
        let _ = max_version;
        if stream.is_some() || dl_device.is_some_and(|device| device != CPU) {
            return Err(PyBufferError::new_err(
                "a rkchat.Tensor lies in the memory of the CPU: it has no stream and no other device",
            ));
        }
        let shared = match copy {
            Some(true) => {
                let data = (0..self.shared.data.len()).map(|index| self.shared.get(index));
                Arc::new(Shared::new(data.collect(), self.shared.shape.clone()))
            }
            _ => self.shared.clone(),
        };
        capsule(py, shared)
    }

    fn __dlpack_device__(&self) -> (i32, i32) {
        CPU
    }
}

impl Tensor {
    /// Numbers and shape, copied.
    pub fn copy(&self) -> rkchat::Tensor {
        let data = (0..self.shared.data.len()).map(|index| self.shared.get(index));
        let shape = self.shared.shape.iter().map(|length| *length as u64);
        rkchat::Tensor::new(data.collect(), shape.collect()).expect("it was one")
    }

    /// The numbers from the `next` one on, in that shape.
    fn nested<'py>(
        &self,
        py: Python<'py>,
        shape: &[i64],
        next: &mut usize,
    ) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        let (length, inner) = shape.split_first().unwrap_or((&0, &[]));
        for _ in 0..*length {
            if inner.is_empty() {
                list.append(self.shared.get(*next))?;
                *next += 1;
            } else {
                list.append(self.nested(py, inner, next)?)?;
            }
        }
        Ok(list)
    }
}

/// `DLTensor` of DLPack.
#[repr(C)]
struct DlTensor {
    data: *mut c_void,
    device_type: i32,
    device_id: i32,
    ndim: i32,
    type_code: u8,
    type_bits: u8,
    type_lanes: u16,
    shape: *mut i64,
    strides: *mut i64,
    byte_offset: u64,
}

/// `DLManagedTensor` of DLPack, and what it needs to live.
#[repr(C)]
struct Managed {
    tensor: DlTensor,
    context: *mut c_void,
    deleter: Option<unsafe extern "C" fn(*mut Managed)>,
    shared: Arc<Shared>,
    shape: Vec<i64>,
}

/// The name of a capsule that nobody has taken the tensor out of.
const FULL: &CStr = c"dltensor";

fn capsule(py: Python<'_>, shared: Arc<Shared>) -> PyResult<Bound<'_, PyAny>> {
    let shape = shared.shape.clone();
    let mut managed = Box::new(Managed {
        tensor: DlTensor {
            data: shared.address().cast(),
            device_type: CPU.0,
            device_id: CPU.1,
            ndim: shape.len() as i32,
            // `kDLFloat`.
            type_code: 2,
            type_bits: 32,
            type_lanes: 1,
            shape: std::ptr::null_mut(),
            // Nothing lies between the rows.
            strides: std::ptr::null_mut(),
            byte_offset: 0,
        },
        context: std::ptr::null_mut(),
        deleter: Some(delete),
        shared,
        shape,
    });
    managed.tensor.shape = managed.shape.as_mut_ptr();
    let managed = Box::into_raw(managed);
    // SAFETY: the name is static, and the destructor frees what the pointer is to, unless it was taken.
    let capsule = unsafe { ffi::PyCapsule_New(managed.cast(), FULL.as_ptr(), Some(drop_capsule)) };
    if capsule.is_null() {
        // SAFETY: it was made above, and no capsule has it.
        unsafe { delete(managed) };
    }
    // SAFETY: a new reference, or NULL with an exception set.
    unsafe { Bound::from_owned_ptr_or_err(py, capsule) }
}

/// Frees what a consumer took; from any thread, without the interpreter.
unsafe extern "C" fn delete(managed: *mut Managed) {
    if !managed.is_null() {
        // SAFETY: made by `Box::into_raw`, and DLPack calls this once.
        let managed = unsafe { Box::from_raw(managed) };
        drop(managed.shared);
    }
}

/// Frees a capsule, and the tensor where nobody has taken it: who does so gives the capsule another name.
unsafe extern "C" fn drop_capsule(capsule: *mut ffi::PyObject) {
    // SAFETY: Python destroys a capsule that `capsule` made, with the interpreter held.
    unsafe {
        if ffi::PyCapsule_IsValid(capsule, FULL.as_ptr()) != 0 {
            delete(ffi::PyCapsule_GetPointer(capsule, FULL.as_ptr()).cast());
        }
    }
}

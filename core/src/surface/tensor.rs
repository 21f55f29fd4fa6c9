//! Numbers with a shape. Each binding has a class of its own for it, made for what handles numbers there.

use super::{Error, Result};

/// Numbers in rows: the last dimension changes fastest, and nothing lies between.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    data: Vec<f32>,
    shape: Vec<u64>,
}

impl Tensor {
    /// Numbers in a shape. It is `InvalidArgument` where they are not as many as the shape has places.
    pub fn new(data: Vec<f32>, shape: Vec<u64>) -> Result<Self> {
        let places = shape
            .iter()
            .try_fold(1u64, |product, length| product.checked_mul(*length));
        if places == Some(data.len() as u64) && !shape.is_empty() {
            return Ok(Self { data, shape });
        }
        Err(Error::invalid_argument(format!(
            "{} numbers do not fill the shape {shape:?}",
            data.len()
        )))
    }

    /// Rows of equal width.
    pub(crate) fn rows(data: Vec<f32>, width: usize) -> Self {
        let rows = data.len() / width.max(1);
        Self {
            data,
            shape: vec![rows as u64, width as u64],
        }
    }

    /// A single row.
    pub(crate) fn row(data: Vec<f32>) -> Self {
        let shape = vec![data.len() as u64];
        Self { data, shape }
    }

    /// All numbers.
    pub fn data(&self) -> &[f32] {
        &self.data
    }

    /// The length of each dimension, the outermost first.
    pub fn shape(&self) -> &[u64] {
        &self.shape
    }

    /// The numbers and the shape, without a copy.
    pub fn into_parts(self) -> (Vec<f32>, Vec<u64>) {
        (self.data, self.shape)
    }
}

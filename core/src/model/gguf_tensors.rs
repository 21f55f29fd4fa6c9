//! The tensor list of a GGUF file: is the file long enough for what it says it holds?

use super::gguf_reader::Reader;
use crate::surface::Result;

/// `GGML_MAX_DIMS`.
const MAX_DIMENSIONS: u32 = 4;

const DEFAULT_ALIGNMENT: u64 = 32;

/// Reads the tensor list, which follows the metadata, and compares the extents with the file's size.
pub(super) fn check(reader: &mut Reader<'_>, count: u64, alignment: Option<u64>) -> Result<()> {
    let alignment = alignment.unwrap_or(DEFAULT_ALIGNMENT);
    if !alignment.is_power_of_two() {
        return Err(reader.invalid_here(&format!("general.alignment is {alignment}")));
    }
    let mut last: Option<(u64, String)> = None;
    for _ in 0..count {
        let name = reader.key("a tensor's name")?;
        let reading = "a tensor's description";
        let dimensions = reader.u32(reading)?;
        if dimensions > MAX_DIMENSIONS {
            return Err(reader.invalid_here(&format!("tensor {name} has {dimensions} dimensions")));
        }
        let mut elements = Some(1_u64);
        for _ in 0..dimensions {
            let size = reader.u64(reading)?;
            elements = elements.and_then(|elements| elements.checked_mul(size));
        }
        let kind = reader.u32(reading)?;
        let offset = reader.u64(reading)?;
        let end = elements
            .and_then(|elements| size(kind, elements))
            .and_then(|size| offset.checked_add(size));
        let Some(end) = end else {
            return Err(reader.invalid_here(&format!("tensor {name} is larger than any file")));
        };
        if last.as_ref().is_none_or(|(furthest, _)| end > *furthest) {
            last = Some((end, name));
        }
    }
    let Some((end, name)) = last else {
        return Ok(());
    };
    let data = reader.position().checked_next_multiple_of(alignment);
    let needed = data.and_then(|data| data.checked_add(end));
    if needed.is_none_or(|needed| needed > reader.length()) {
        let needed = needed.map_or("far more".to_owned(), |needed| needed.to_string());
        return Err(reader
            .invalid(&format!(
                "is truncated: it has {} bytes, but its tensors (up to {name}) need {needed}; \
                 download it again",
                reader.length()
            ))
            .with("size", reader.length()));
    }
    Ok(())
}

/// Bytes of a tensor, rounded down to whole blocks; 0 for types that are not known here, so that a
/// newer type is no error.
fn size(kind: u32, elements: u64) -> Option<u64> {
    let (block, bytes) = block(kind).unwrap_or((1, 0));
    (elements / block).checked_mul(bytes)
}

/// Elements and bytes of a block, by `ggml_type`.
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 | 26 => (1, 4),      // F32, I32
        1 | 25 | 30 => (1, 2), // F16, I16, BF16
        24 => (1, 1),          // I8
        27 | 28 => (1, 8),     // I64, F64
        2 | 20 => (32, 18),    // Q4_0, IQ4_NL
        3 => (32, 20),         // Q4_1
        6 => (32, 22),         // Q5_0
        7 => (32, 24),         // Q5_1
        8 => (32, 34),         // Q8_0
        9 => (32, 36),         // Q8_1
        10 => (256, 84),       // Q2_K
        11 | 21 => (256, 110), // Q3_K, IQ3_S
        12 => (256, 144),      // Q4_K
        13 => (256, 176),      // Q5_K
        14 => (256, 210),      // Q6_K
        15 => (256, 292),      // Q8_K
        16 | 35 => (256, 66),  // IQ2_XXS, TQ2_0
        17 => (256, 74),       // IQ2_XS
        18 => (256, 98),       // IQ3_XXS
        19 => (256, 50),       // IQ1_S
        22 => (256, 82),       // IQ2_S
        23 => (256, 136),      // IQ4_XS
        29 => (256, 56),       // IQ1_M
        34 => (256, 54),       // TQ1_0
        39 => (32, 17),        // MXFP4
        _ => return None,
    })
}

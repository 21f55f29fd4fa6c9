//! How the fields of options and records lie in C structs.
//!
//! After `struct_size` and `reserved` everything takes 8 bytes, or a pointer and a `size_t`, so nothing
//! is padded on any target and appending a field never moves another.

use anyhow::{Result, bail};
use serde::Serialize;

use crate::model::{Field, Struct, Type};
use crate::names::snake;

/// One member of a C struct.
#[derive(Debug, Clone, Serialize)]
pub struct Slot {
    pub name: String,
    /// The type of the `repr(C)` member, in Rust.
    pub rust: String,
    /// What unset is, as a C initializer and in Rust.
    pub init: &'static str,
    pub rust_init: &'static str,
    pub doc: String,
    #[serde(skip)]
    width: Width,
}

#[derive(Debug, Clone, Copy)]
enum Width {
    Four,
    Eight,
    Pointer,
}

impl Slot {
    fn new(name: &str, rust: &str, unset: Unset) -> Self {
        let (init, rust_init, width) = match unset {
            Unset::Int => ("RKCHAT_UNSET_INT", "RKCHAT_UNSET_INT", Width::Eight),
            Unset::Float => ("RKCHAT_UNSET_FLOAT", "f64::NAN", Width::Eight),
            Unset::Choice => ("RKCHAT_UNSET", "RKCHAT_UNSET", Width::Four),
            Unset::Zero => ("0", "0", Width::Four),
            Unset::Null => ("NULL", "std::ptr::null()", Width::Pointer),
            Unset::Length => ("0", "0", Width::Pointer),
        };
        Self {
            name: name.to_owned(),
            rust: rust.to_owned(),
            init,
            rust_init,
            doc: String::new(),
            width,
        }
    }

    fn size(&self, pointer: u32) -> u32 {
        match self.width {
            Width::Four => 4,
            Width::Eight => 8,
            Width::Pointer => pointer,
        }
    }
}

#[derive(Clone, Copy)]
enum Unset {
    Int,
    Float,
    Choice,
    Zero,
    Null,
    Length,
}

/// The slots of one field.
pub fn of(field: &Field) -> Result<Vec<Slot>> {
    let name = &field.name;
    let pair = |rust: &str, suffix: &str| {
        vec![
            Slot::new(name, rust, Unset::Null),
            Slot::new(&format!("{name}_{suffix}"), "usize", Unset::Length),
        ]
    };
    let choice = |rust: &str| {
        vec![
            Slot::new(name, rust, Unset::Choice),
            Slot::new(&format!("reserved_{name}"), "i32", Unset::Zero),
        ]
    };
    Ok(match field.ty.bare() {
        Type::Bool => choice("i32"),
        Type::Enum { name } => choice(&type_name(name)),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 => vec![Slot::new(name, "i64", Unset::Int)],
        Type::Duration => vec![Slot::new(&format!("{name}_ms"), "i64", Unset::Int)],
        Type::F32 | Type::F64 => vec![Slot::new(name, "f64", Unset::Float)],
        Type::String | Type::Path | Type::Json => pair("*const c_char", "len"),
        Type::List { of } => pair(&format!("*const {}", element(of)?), "len"),
        Type::Record { name: record } => pair(&format!("*const {}", type_name(record)), "size"),
        // The numbers, and the length of each dimension.
        Type::Tensor => {
            let mut slots = pair("*const f32", "len");
            slots.extend([
                Slot::new(&format!("{name}_shape"), "*const u64", Unset::Null),
                Slot::new(&format!("{name}_shape_len"), "usize", Unset::Length),
            ]);
            slots
        }
        Type::Unit | Type::Option { .. } | Type::Options { .. } | Type::Handle { .. } => {
            bail!("the field {name} has a type that C structs do not hold")
        }
    })
}

/// The Rust name of what an array in a record is made of.
pub fn element(ty: &Type) -> Result<String> {
    Ok(match ty {
        Type::I32 => "i32".into(),
        Type::U32 => "u32".into(),
        Type::I64 => "i64".into(),
        Type::U64 => "u64".into(),
        Type::F32 => "f32".into(),
        Type::F64 => "f64".into(),
        Type::String | Type::Path | Type::Json => "rkchat_str".into(),
        Type::Enum { name } => type_name(name),
        // Pointers, so that records can grow.
        Type::Record { name } => format!("*const {}", type_name(name)),
        other => bail!("C arrays of {other:?} do not exist"),
    })
}

/// `ModelOptions` to `rkchat_model_options`.
pub fn type_name(name: &str) -> String {
    format!("rkchat_{}", snake(name))
}

/// The layout of one struct for one pointer width.
#[derive(Debug, Serialize)]
pub struct Layout {
    pub size: u32,
    pub fields: Vec<Place>,
}

#[derive(Debug, Serialize)]
pub struct Place {
    pub name: String,
    pub offset: u32,
    pub size: u32,
}

/// Where the members lie when a pointer has `pointer` bytes.
pub fn layout(structure: &Struct, pointer: u32) -> Result<Layout> {
    let mut fields = Vec::new();
    let mut offset = 0;
    let mut place = |name: &str, size: u32| {
        fields.push(Place {
            name: name.to_owned(),
            offset,
            size,
        });
        offset += size;
    };
    place("struct_size", 4);
    place("reserved", 4);
    for field in &structure.fields {
        for slot in of(field)? {
            place(&slot.name, slot.size(pointer));
        }
    }
    Ok(Layout {
        size: offset,
        fields,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_padded() {
        let field = |name: &str, ty: Type| Field {
            name: name.into(),
            ty,
            doc: String::new(),
            default: None,
            range: None,
            unit: None,
            since: None,
            aliases: Vec::new(),
        };
        let structure = Struct {
            name: "Some".into(),
            doc: String::new(),
            c_only: None,
            fields: vec![
                field("a", Type::Bool),
                field("b", Type::String),
                field("c", Type::F32),
                field("d", Type::U32),
            ],
        };
        let offsets = |pointer| {
            let layout = layout(&structure, pointer).unwrap();
            let mut offsets: Vec<u32> = layout.fields.iter().map(|place| place.offset).collect();
            offsets.push(layout.size);
            offsets
        };
        assert_eq!(offsets(8), [0, 4, 8, 12, 16, 24, 32, 40, 48]);
        assert_eq!(offsets(4), [0, 4, 8, 12, 16, 20, 24, 32, 40]);
    }
}

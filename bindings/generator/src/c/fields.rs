//! Rust statements that convert fields of options and records.

use anyhow::{Result, bail};

use crate::model::{Field, Surface, Type, Variant};

const UNSET_INT: &str = "crate::input::RKCHAT_UNSET_INT";

/// The initializer that reads an option out of the C struct `c`.
pub fn read(surface: &Surface, field: &Field) -> Result<String> {
    let name = &field.name;
    let text = |function: &str| format!("input::{function}(\"{name}\", c.{name}, c.{name}_len)?");
    let choice = |table: &[String]| {
        let table = table.join(", ");
        format!("input::optional_choice(\"{name}\", c.{name}, c.reserved_{name}, &[{table}])?")
    };
    let read = match field.ty.bare() {
        Type::Bool => choice(&["(0, false)".into(), "(1, true)".into()]),
        Type::Enum { name } => {
            let item = surface.enums.iter().find(|item| item.name == *name);
            let variants = item
                .map(|item| item.variants.as_slice())
                .unwrap_or_default();
            let row = |variant: &Variant| {
                format!("({}, rkchat::{name}::{})", variant.number, variant.name)
            };
            choice(&variants.iter().map(row).collect::<Vec<_>>())
        }
        Type::String => text("optional_text"),
        Type::Path => text("optional_path"),
        Type::Json => text("optional_json"),
        Type::Duration => format!("input::optional_duration(\"{name}_ms\", c.{name}_ms)?"),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 => {
            let Some(range) = &field.range else {
                bail!("{name} has no range");
            };
            format!(
                "input::optional_integer(\"{name}\", c.{name}, {}, {})?",
                range.min, range.max
            )
        }
        Type::F32 => format!("input::optional_float(c.{name}).map(|value| value as f32)"),
        Type::F64 => format!("input::optional_float(c.{name})"),
        Type::List { of } if **of == Type::String => {
            format!("input::optional_texts(\"{name}\", c.{name}, c.{name}_len)?")
        }
        Type::List { of } if **of == Type::U32 => {
            format!("input::optional_list(\"{name}\", c.{name}, c.{name}_len)?")
        }
        Type::Tensor => format!(
            "input::optional_tensor(\"{name}\", c.{name}, c.{name}_len, c.{name}_shape, c.{name}_shape_len)?"
        ),
        other => bail!("C options do not hold {other:?}"),
    };
    Ok(match field.ty.is_option() {
        true => format!("{name}: {read}"),
        false => format!("{name}: {read}.unwrap_or(defaults.{name})"),
    })
}

/// A statement, where one is needed, and the initializers that write a field of `record`.
pub fn write(field: &Field) -> Result<(Option<String>, Vec<String>)> {
    let name = &field.name;
    let optional = field.ty.is_option();
    let scalar = |value: String| (None, vec![format!("{name}: {value}")]);
    let choice = |value: String| {
        (
            None,
            vec![format!("{name}: {value}"), format!("reserved_{name}: 0")],
        )
    };
    let text = |function: &str| {
        let value = match optional {
            true => format!(
                "arena.optional(record.{name}.as_ref(), |arena, text| arena.{function}(text))"
            ),
            false => format!("arena.{function}(&record.{name})"),
        };
        let members = vec![
            format!("{name}: {name}.data"),
            format!("{name}_len: {name}.len"),
        ];
        (Some(format!("let {name} = {value};")), members)
    };
    // Wider in C than in Rust, so that unset has a value of its own.
    let widened = |make: &str, unset: &str| match optional {
        true => scalar(format!("record.{name}.map_or({unset}, {make})")),
        false => scalar(format!("{make}(record.{name})")),
    };
    Ok(match field.ty.bare() {
        Type::String => text("text"),
        Type::Path => text("path"),
        Type::Json => text("json"),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 => {
            widened("crate::output::integer", UNSET_INT)
        }
        Type::F32 => widened("f64::from", "f64::NAN"),
        Type::F64 if optional => scalar(format!("record.{name}.unwrap_or(f64::NAN)")),
        Type::F64 => scalar(format!("record.{name}")),
        Type::Bool if optional => choice(format!(
            "record.{name}.map_or(crate::input::RKCHAT_UNSET, i32::from)"
        )),
        Type::Bool => choice(format!("i32::from(record.{name})")),
        Type::Enum { .. } if optional => choice(format!(
            "record.{name}.map_or(crate::input::RKCHAT_UNSET, |value| value as i32)"
        )),
        Type::Enum { .. } => choice(format!("record.{name} as i32")),
        Type::Record { .. } => {
            let value = match optional {
                true => format!("arena.optional_record(record.{name}.as_ref())"),
                false => format!("arena.record(&record.{name})"),
            };
            let line = format!("let ({name}, {name}_size) = {value};");
            (Some(line), vec![name.clone(), format!("{name}_size")])
        }
        Type::List { .. } if optional => bail!("{name}: an empty list says that there is none"),
        Type::List { of } => {
            let value = match &**of {
                number if number.is_integer() || number.is_float() => {
                    format!("record.{name}.clone()")
                }
                Type::String => format!("arena.texts(&record.{name})"),
                Type::Record { .. } => format!("arena.records(&record.{name})"),
                other => bail!("C records hold no lists of {other:?} yet ({name})"),
            };
            let line =
                format!("let {name} = {value}; let ({name}, {name}_len) = arena.list({name});");
            (Some(line), vec![name.clone(), format!("{name}_len")])
        }
        other => bail!("C records do not hold {other:?}"),
    })
}

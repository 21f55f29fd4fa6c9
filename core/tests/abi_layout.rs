//! Compares the ABI declarations in `core/src/vendor/abi` with the facts taken from the vendor's
//! headers (`../shared/vendor/v*.json`): structs, offsets and sizes on all three targets, types,
//! enums, callbacks and functions.

use rkchat::vendor::abi::layout::{
    FieldLayout, FunctionLayout, GroupLayout, Inline, StructLayout, Widths,
};
use rkchat::vendor::abi::{GROUPS, v1_3_0};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;

/// The targets of the facts, with the pointer width that decides the layout.
const TARGETS: [(&str, Width); 3] = [
    ("x86_64-linux-gnu", |widths| widths.bits64),
    ("aarch64-linux-gnu", |widths| widths.bits64),
    ("arm-linux-gnueabihf", |widths| widths.bits32),
];

/// Which of the two numbers counts.
type Width = fn(Widths) -> usize;

/// Name, C type, offset, size and array length of each field.
type Fields = Vec<(String, String, Widths, Widths, Option<u64>)>;

#[test]
fn all_groups() {
    GROUPS.into_iter().for_each(compare);
}

#[test]
fn cpu_bits() {
    let bits = [
        v1_3_0::CPU0,
        v1_3_0::CPU1,
        v1_3_0::CPU2,
        v1_3_0::CPU3,
        v1_3_0::CPU4,
        v1_3_0::CPU5,
        v1_3_0::CPU6,
        v1_3_0::CPU7,
    ];
    for group in ["1.2.0", "1.2.1b1", "1.2.1", "1.3.0"] {
        let Some(facts) = facts(group) else { return };
        for (i, bit) in bits.into_iter().enumerate() {
            assert_eq!(facts["macros"][format!("CPU{i}")]["value"], bit);
        }
        assert_eq!(facts["macros"].as_object().unwrap().len(), bits.len());
    }
}

fn facts(group: &str) -> Option<Value> {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../shared/vendor/v{group}.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            eprintln!(
                "SKIPPED: the facts of group {group} are not here: {}: {error}",
                path.display()
            );
            None
        }
    }
}

fn compare(group: &GroupLayout) {
    let Some(facts) = facts(group.name) else {
        return;
    };
    assert_eq!(facts["group"], group.name);
    compare_structs(group, &facts["structs"]);
    compare_enums(group, &facts["enums"]);
    compare_functions(group.callbacks, &facts["callbacks"]);
    compare_functions(group.functions, &facts["functions"]);
}

fn compare_structs(group: &GroupLayout, facts: &Value) {
    let facts = facts.as_object().unwrap();
    let ours: BTreeMap<_, _> = group
        .structs
        .iter()
        .map(|layout| (layout.name, *layout))
        .collect();
    assert_eq!(
        ours.keys().copied().collect::<Vec<_>>(),
        sorted(facts.keys().map(String::as_str)),
        "structs of group {}",
        group.name
    );
    for (name, layout) in ours {
        let fact = &facts[name];
        let mut fields = Fields::new();
        flatten(layout, "", Widths::both(0), &mut fields);
        let fact_fields = fact["fields"].as_array().unwrap();
        assert_eq!(
            fields
                .iter()
                .map(|field| field.0.as_str())
                .collect::<Vec<_>>(),
            fact_fields
                .iter()
                .map(|field| field["name"].as_str().unwrap())
                .collect::<Vec<_>>(),
            "fields of {name}"
        );
        for ((field, c_type, ..), fact) in fields.iter().zip(fact_fields) {
            assert_eq!(fact["type"], c_type.as_str(), "type of {name}.{field}");
        }
        for (target, width) in TARGETS {
            assert_eq!(
                fact["targets"][target]["size"],
                width(layout.size),
                "{name} on {target}"
            );
            for ((field, _, offset, size, length), fact) in fields.iter().zip(fact_fields) {
                let fact_field = &fact["targets"][target];
                assert_eq!(
                    fact_field["offset"],
                    width(*offset),
                    "offset of {name}.{field}, {target}"
                );
                assert_eq!(
                    fact_field["size"],
                    width(*size),
                    "size of {name}.{field}, {target}"
                );
                assert_eq!(
                    fact["array_len"].as_u64(),
                    *length,
                    "length of {name}.{field}"
                );
            }
        }
    }
}

/// Lists a struct's fields as C sees them: members of a type declared in place are listed under
/// the field's name (struct) or as the outer struct's own (union).
fn flatten(layout: &StructLayout, prefix: &str, base: Widths, out: &mut Fields) {
    for field in layout.fields {
        let offset = Widths {
            bits64: base.bits64 + field.offset.bits64,
            bits32: base.bits32 + field.offset.bits32,
        };
        match field.inline {
            Some(Inline::Union(union)) => flatten(union, prefix, offset, out),
            Some(Inline::Struct(inner)) => {
                out.push(entry(
                    field,
                    prefix,
                    "struct (unnamed)".into(),
                    offset,
                    None,
                ));
                flatten(inner, &format!("{prefix}{}.", field.name), offset, out);
            }
            None => {
                let array = field
                    .ty
                    .strip_prefix('[')
                    .and_then(|ty| ty.strip_suffix(']'));
                let (ty, length) = match array.and_then(|array| array.split_once("; ")) {
                    Some((ty, length)) => (ty, Some(length.parse().unwrap())),
                    None => (field.ty, None),
                };
                out.push(entry(field, prefix, c_type(ty), offset, length));
            }
        }
    }
}

fn entry(
    field: &FieldLayout,
    prefix: &str,
    c_type: String,
    offset: Widths,
    length: Option<u64>,
) -> (String, String, Widths, Widths, Option<u64>) {
    (
        format!("{prefix}{}", field.name),
        c_type,
        offset,
        field.size,
        length,
    )
}

fn compare_enums(group: &GroupLayout, facts: &Value) {
    let ours: BTreeMap<_, BTreeMap<_, _>> = group
        .enums
        .iter()
        .map(|(name, values)| (*name, values.iter().copied().collect()))
        .collect();
    let theirs: BTreeMap<_, BTreeMap<_, _>> = facts
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, fact)| {
            for (target, _) in TARGETS {
                assert_eq!(fact["targets"][target]["size"], size_of::<u32>());
                assert_eq!(fact["targets"][target]["signed"], false);
            }
            let values = fact["values"].as_object().unwrap();
            let value = |number: &Value| u32::try_from(number.as_u64().unwrap()).unwrap();
            (
                name.as_str(),
                values
                    .iter()
                    .map(|(name, number)| (name.as_str(), value(number)))
                    .collect(),
            )
        })
        .collect();
    assert_eq!(ours, theirs, "enums of group {}", group.name);
}

fn compare_functions(ours: &[FunctionLayout], facts: &Value) {
    let facts = facts.as_object().unwrap();
    assert_eq!(
        sorted(ours.iter().map(|function| function.name)),
        sorted(facts.keys().map(String::as_str))
    );
    for function in ours {
        let fact = &facts[function.name];
        assert_eq!(
            fact["returns"],
            c_type(function.returns),
            "return type of {}",
            function.name
        );
        let params: Vec<_> = function
            .params
            .iter()
            .map(|(name, ty)| (name.to_string(), c_type(ty)))
            .collect();
        let theirs: Vec<_> = fact["params"]
            .as_array()
            .unwrap()
            .iter()
            .map(|param| (text(&param["name"]), text(&param["type"])))
            .collect();
        assert_eq!(params, theirs, "parameters of {}", function.name);
    }
}

/// How the facts write the C type that a Rust type stands for.
fn c_type(rust: &str) -> String {
    if let Some(target) = rust.strip_prefix("*mut ") {
        return format!("{} *", c_type(target));
    }
    if let Some(target) = rust.strip_prefix("*const ") {
        return format!("const {} *", c_type(target));
    }
    match rust {
        "()" | "c_void" => "void",
        "c_char" => "char",
        "c_int" => "int",
        "c_bool" => "bool",
        "i8" => "int8_t",
        "u8" => "uint8_t",
        "i32" => "int32_t",
        "u32" => "uint32_t",
        "u64" => "uint64_t",
        "usize" => "size_t",
        "f32" => "float",
        name => name,
    }
    .into()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().into()
}

fn sorted<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut names: Vec<_> = names.collect();
    names.sort_unstable();
    names
}

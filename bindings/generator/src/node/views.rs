//! The surface as the templates want it: every name and type already written out.

use anyhow::{Result, bail};
use serde::Serialize;

use super::{docs, types};
use crate::model::{self, Surface, Type};
use crate::names::{camel, screaming, snake};

#[derive(Serialize)]
pub struct Api {
    pub hash: String,
    pub errors: Vec<Error>,
    pub enums: Vec<Enum>,
    pub options: Vec<Struct>,
    pub records: Vec<Struct>,
    pub handles: Vec<Handle>,
}

#[derive(Serialize)]
pub struct Error {
    pub name: String,
    pub code: String,
    pub doc: String,
}

#[derive(Serialize)]
pub struct Enum {
    pub name: String,
    pub doc: String,
    pub variants: Vec<Variant>,
}

#[derive(Serialize)]
pub struct Variant {
    pub name: String,
    pub text: String,
}

#[derive(Serialize)]
pub struct Struct {
    pub name: String,
    pub doc: String,
    /// Options only: has the field `signal`, which is the TypeScript half's affair.
    pub abortable: bool,
    pub fields: Vec<Field>,
}

#[derive(Serialize)]
pub struct Field {
    pub rust: String,
    pub name: String,
    pub doc: String,
    pub optional: bool,
    pub input: String,
    pub output: String,
}

#[derive(Serialize)]
pub struct Handle {
    pub name: String,
    pub doc: String,
    pub shared: bool,
    /// Some of its methods are written by hand, in a TypeScript class that extends this one.
    pub extended: bool,
    /// Whether `close` is among its methods.
    pub closes: bool,
    /// Types of `types.ts` that its methods mention.
    pub types: Vec<String>,
    /// Other handles that its methods return: those with a class that is written by hand, and the others;
    /// and those that they only take.
    pub returned: Vec<String>,
    pub wrapped: Vec<String>,
    pub taken: Vec<String>,
    pub methods: Vec<Method>,
}

#[derive(Serialize)]
pub struct Method {
    pub rust: String,
    pub name: String,
    pub doc: String,
    pub is_static: bool,
    /// It makes a handle of this class.
    pub makes: bool,
    pub fallible: bool,
    pub blocking: bool,
    pub unit: bool,
    pub rust_returns: String,
    pub returns: String,
    /// The handle it returns.
    pub handle: Option<String>,
    /// The handle it returns is of another class, which has no other way to be made.
    pub wraps: bool,
    pub property: bool,
    /// It returns a generation, which `options.signal` can end.
    pub abortable: bool,
    pub params: Vec<Param>,
    /// This method for text, `ids` for token ids: one method in JavaScript.
    pub ids: Option<String>,
    /// It is the `ids` of another.
    pub merged: bool,
}

#[derive(Serialize)]
pub struct Param {
    pub rust: String,
    pub rust_type: String,
    pub argument: String,
    pub name: String,
    pub optional: bool,
    pub handle: bool,
    pub input: String,
}

impl Api {
    pub fn of(surface: &Surface) -> Self {
        let methods = || surface.handles.iter().flat_map(|handle| &handle.methods);
        let abortable = |name: &str| {
            methods()
                .filter(|method| is_generation(surface, &method.returns))
                .any(|method| {
                    method
                        .params
                        .iter()
                        .any(|param| matches!(&param.ty, Type::Options { name: of } if of == name))
                })
        };
        let fields = |of: &model::Struct| {
            of.fields
                .iter()
                .map(|field| Field::of(surface, field))
                .collect()
        };
        let structs = |all: &[model::Struct]| {
            all.iter()
                .map(|of| Struct {
                    name: of.name.clone(),
                    doc: docs::comment(&docs::localize(surface, &of.doc), ""),
                    abortable: abortable(&of.name),
                    fields: fields(of),
                })
                .collect()
        };
        Self {
            hash: surface.hash.clone(),
            errors: surface.errors.iter().map(Error::of).collect(),
            enums: surface
                .enums
                .iter()
                .map(|of| Enum::of(surface, of))
                .collect(),
            options: structs(&surface.options),
            records: structs(&surface.records),
            handles: surface
                .handles
                .iter()
                .map(|of| Handle::of(surface, of))
                .collect(),
        }
    }
}

impl Error {
    fn of(error: &model::ErrorKind) -> Self {
        let code = screaming(&error.name);
        Self {
            // As it is written: the keys of `details` are the same in all languages.
            doc: format!("- `{code}`: {}", error.doc.replace('\n', "\n  ")),
            name: error.name.clone(),
            code,
        }
    }
}

impl Enum {
    fn of(surface: &Surface, of: &model::Enum) -> Self {
        let mut doc = docs::localize(surface, &of.doc);
        doc.push('\n');
        for variant in &of.variants {
            let text = docs::localize(surface, &variant.doc).replace('\n', "\n  ");
            doc.push_str(&format!("\n- `'{}'`: {text}", snake(&variant.name)));
        }
        let variants = of.variants.iter().map(|variant| Variant {
            name: variant.name.clone(),
            text: snake(&variant.name),
        });
        Self {
            name: of.name.clone(),
            doc: docs::comment(&doc, ""),
            variants: variants.collect(),
        }
    }
}

impl Field {
    fn of(surface: &Surface, field: &model::Field) -> Self {
        Self {
            rust: field.name.clone(),
            name: camel(&field.name),
            doc: docs::comment(&docs::field(surface, field), "  "),
            optional: field.ty.is_option(),
            input: types::input(field.ty.bare()),
            output: types::output(&field.ty),
        }
    }
}

impl Handle {
    fn of(surface: &Surface, of: &model::Handle) -> Self {
        let written = |method: &&model::Method| method.handwritten.is_none();
        let methods: Vec<&model::Method> = of.methods.iter().filter(written).collect();
        let mut mentioned = Vec::new();
        let (mut returned, mut wrapped) = (Vec::new(), Vec::new());
        for method in &methods {
            method
                .params
                .iter()
                .for_each(|param| types::mentioned(&param.ty, &mut mentioned));
            types::mentioned(&method.returns, &mut mentioned);
            if let Type::Handle { name } = &method.returns {
                match is_generation(surface, &method.returns) {
                    true => returned.push(name.clone()),
                    false => wrapped.push(name.clone()),
                }
            }
        }
        mentioned.sort_unstable();
        mentioned.dedup();
        mentioned.retain(|name| *name != of.name);
        let is_handle = |name: &str| surface.handles.iter().any(|handle| handle.name == name);
        for names in [&mut returned, &mut wrapped] {
            names.sort_unstable();
            names.dedup();
            names.retain(|name| *name != of.name);
        }
        let only_taken = |name: &str| {
            is_handle(name) && !returned.iter().chain(&wrapped).any(|other| other == name)
        };
        let names = |keep: &dyn Fn(&str) -> bool| {
            mentioned
                .iter()
                .filter(|name| keep(name))
                .map(|name| (*name).to_owned())
                .collect()
        };
        Self {
            name: of.name.clone(),
            doc: docs::comment(&docs::localize(surface, &of.doc), ""),
            shared: of.shared,
            extended: methods.len() < of.methods.len(),
            closes: methods.iter().any(|method| method.name == "close"),
            types: names(&|name| !is_handle(name)),
            taken: names(&only_taken),
            returned,
            wrapped,
            methods: methods
                .iter()
                .map(|method| Method::of(surface, &of.name, &methods, method))
                .collect(),
        }
    }
}

impl Method {
    fn of(surface: &Surface, handle: &str, all: &[&model::Method], of: &model::Method) -> Self {
        let has = |name: &str| all.iter().any(|method| method.name == name);
        let ids = format!("{}_ids", of.name);
        let mut doc = docs::localize(surface, &of.doc);
        let merged = of.name.strip_suffix("_ids").is_some_and(has);
        let ids = has(&ids).then(|| {
            let other = all
                .iter()
                .find(|method| method.name == ids)
                .expect("it was just seen");
            doc = format!("{doc}\n\nWith ids: {}", docs::localize(surface, &other.doc));
            camel(&ids)
        });
        for param in &of.params {
            if *param.ty.bare() == Type::Duration {
                doc.push_str(&format!("\n\n`{}` is in milliseconds.", camel(&param.name)));
            }
        }
        if of.fallible {
            doc.push_str("\n\n@throws RkchatError");
        }
        if let Some(since) = &of.since {
            doc.push_str(&format!("\n\n@since {since}"));
        }
        Self {
            rust: of.name.clone(),
            name: camel(&of.name),
            doc: docs::comment(&doc, "  "),
            is_static: of.is_static,
            makes: matches!(&of.returns, Type::Handle { name } if name == handle),
            fallible: of.fallible,
            blocking: of.blocking,
            unit: of.returns == Type::Unit,
            rust_returns: types::rust(&of.returns),
            returns: types::output(&of.returns),
            handle: match &of.returns {
                Type::Handle { name } => Some(name.clone()),
                _ => None,
            },
            wraps: matches!(&of.returns, Type::Handle { name } if name != handle)
                && !is_generation(surface, &of.returns),
            property: of.property,
            abortable: is_generation(surface, &of.returns),
            params: of.params.iter().map(Param::of).collect(),
            ids,
            merged,
        }
    }
}

impl Param {
    fn of(param: &model::Param) -> Self {
        Self {
            rust: param.name.clone(),
            rust_type: types::rust(&param.ty),
            argument: types::argument(&param.name, &param.ty),
            name: camel(&param.name),
            optional: param.ty.is_option() || matches!(param.ty, Type::Options { .. }),
            handle: matches!(param.ty, Type::Handle { .. }),
            input: types::input(param.ty.bare()),
        }
    }
}

/// Whether the class of a handle is written by hand, over a generated one.
fn is_by_hand(surface: &Surface, handle: &str) -> bool {
    let handle = surface.handles.iter().find(|of| of.name == handle);
    handle.is_some_and(|of| {
        let mut methods = of.methods.iter();
        methods.any(|method| method.handwritten.is_some())
    })
}

/// Refuses what JavaScript cannot have: a promise for a generation, which can be awaited itself, would
/// wait for its text. And only generations are made from outside of a class that is written by hand.
pub fn check(surface: &Surface) -> Result<()> {
    for handle in &surface.handles {
        for method in &handle.methods {
            let Type::Handle { name } = &method.returns else {
                continue;
            };
            let place = format!("{}.{}", handle.name, method.name);
            let generation = is_generation(surface, &method.returns);
            if generation && method.blocking {
                bail!(
                    "{place}: what gives a {name} is not @blocking, for Node would await the {name}"
                );
            }
            if !generation && *name != handle.name && is_by_hand(surface, name) {
                bail!("{place}: Node cannot make a {name} here, for its class is written by hand");
            }
        }
    }
    Ok(())
}

/// Whether it is a handle that has the hand-written method `poll`: a stream.
fn is_generation(surface: &Surface, ty: &Type) -> bool {
    let Type::Handle { name } = ty else {
        return false;
    };
    surface.handles.iter().any(|handle| {
        handle.name == *name
            && handle
                .methods
                .iter()
                .any(|method| method.name == "poll" && method.handwritten.is_some())
    })
}

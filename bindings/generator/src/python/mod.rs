//! The Python binding: pyo3 classes for the handles, and in Python itself the records, the enums,
//! the exceptions and the stub of the native module.

mod docs;
mod types;

use anyhow::Result;
use minijinja::Environment;
use serde::Serialize;

use crate::model::{Field, Handle, Method, Param, Surface, Type};
use crate::output::Output;
use crate::render;
use docs::Docs;

const RUST: &str = "bindings/python/src/generated";
const PACKAGE: &str = "bindings/python/python/rkchat";

/// Options that Python also takes in a type of its own: the function that reads them, and their type
/// in the stub.
const OWN_TYPES: [(&str, &str, &str, &str); 1] =
    [("RenderOptions", "now", "set_moment", "str | datetime")];

/// What the templates read.
#[derive(Serialize)]
struct Context<'a> {
    surface: &'a Surface,
    /// The assertion that core has this surface.
    check: String,
    /// Names of the enums that are read from Python.
    input_enums: Vec<&'a str>,
    errors: Vec<Documented>,
    enums: Vec<Enum>,
    records: Vec<Record>,
    handles: Vec<Class>,
}

/// A name and its docs, with one thing more that depends on what it is.
#[derive(Serialize)]
struct Documented {
    name: String,
    /// The kind behind an exception class, or the value of a variant.
    of: String,
    /// An exception's built-in base.
    base: String,
    doc: String,
}

#[derive(Serialize)]
struct Enum {
    name: String,
    doc: String,
    variants: Vec<Documented>,
}

#[derive(Serialize)]
struct Record {
    name: String,
    doc: String,
    fields: Vec<Member>,
}

#[derive(Serialize)]
struct Member {
    name: String,
    annotation: String,
    /// The expression that makes the Python object.
    write: String,
    doc: String,
}

#[derive(Serialize)]
struct Class {
    name: String,
    doc: String,
    /// Whether `src/<handle>.rs` keeps state of its own in it, for what is written by hand.
    own: bool,
    /// The stub's lines for what is written by hand.
    handwritten: &'static str,
    methods: Vec<Function>,
}

#[derive(Serialize)]
struct Function {
    name: String,
    constructor: bool,
    doc: String,
    /// `call`, or `wait` for what may take long.
    runner: &'static str,
    /// The call in Rust; two where a text and its ids are one method here.
    text: String,
    list: Option<String>,
    positional: Vec<Argument>,
    /// The type of the options struct, where there is one.
    options: Option<String>,
    keywords: Vec<Argument>,
    returns: String,
}

#[derive(Serialize)]
struct Argument {
    name: String,
    /// The handle that it is, if one.
    handle: Option<String>,
    /// Rust type that it is read into.
    rust: String,
    annotation: String,
    /// Whether `None` stands for unset.
    optional: bool,
    /// The default as Python writes it; none on required arguments.
    default: Option<String>,
    /// The function that sets an option.
    set: &'static str,
    /// The range of a number, as errors say it, as a Rust expression.
    allowed: String,
}

pub fn render(surface: &Surface) -> Result<Vec<Output>> {
    let environment = render::environment()?;
    let context = context(surface);
    [
        (
            format!("{RUST}/mod.rs"),
            "mod.rs",
            include_str!("../../templates/python/mod.rs.j2"),
        ),
        (
            format!("{RUST}/tables.rs"),
            "tables.rs",
            include_str!("../../templates/python/tables.rs.j2"),
        ),
        (
            format!("{RUST}/handles.rs"),
            "handles.rs",
            include_str!("../../templates/python/handles.rs.j2"),
        ),
        (
            format!("{PACKAGE}/_errors.py"),
            "_errors.py",
            include_str!("../../templates/python/errors.py.j2"),
        ),
        (
            format!("{PACKAGE}/_types.py"),
            "_types.py",
            include_str!("../../templates/python/types.py.j2"),
        ),
        (
            format!("{PACKAGE}/_native.pyi"),
            "_native.pyi",
            include_str!("../../templates/python/native.pyi.j2"),
        ),
    ]
    .into_iter()
    .map(|(path, name, template)| file(&environment, path, name, template, &context))
    .collect()
}

fn file(
    environment: &Environment,
    path: String,
    name: &str,
    template: &str,
    context: &Context,
) -> Result<Output> {
    let text = render::render(environment, &format!("python/{name}"), template, context)?;
    Ok(Output::new(path, text))
}

/// The exception class of an error kind: its name, with `Error` behind it where the bare name is
/// that of a handle, or of a part of one.
pub fn exception(kind: &str, surface: &Surface) -> String {
    if surface
        .handles
        .iter()
        .any(|handle| handle.name.ends_with(kind))
    {
        format!("{kind}Error")
    } else {
        kind.to_owned()
    }
}

fn context(surface: &Surface) -> Context<'_> {
    let docs = Docs::new(surface);
    let documented = |name: &str, of: String, base: &str, doc: &str| Documented {
        name: name.to_owned(),
        of,
        base: base.to_owned(),
        doc: docs.text(doc),
    };
    let options = surface.options.iter().flat_map(|options| &options.fields);
    let params = surface
        .handles
        .iter()
        .flat_map(|handle| &handle.methods)
        .flat_map(|method| &method.params);
    let read: Vec<&Type> = options
        .map(|field| field.ty.bare())
        .chain(params.map(|param| param.ty.bare()))
        .collect();
    Context {
        surface,
        check: render::surface_check(surface, "rkchat"),
        input_enums: surface
            .enums
            .iter()
            .map(|item| item.name.as_str())
            .filter(|name| {
                read.iter()
                    .any(|ty| matches!(ty, Type::Enum { name: read } if read == name))
            })
            .collect(),
        errors: surface
            .errors
            .iter()
            .map(|kind| {
                let class = exception(&kind.name, surface);
                documented(&class, kind.name.clone(), &kind.python, &kind.doc)
            })
            .collect(),
        enums: surface
            .enums
            .iter()
            .map(|item| Enum {
                name: item.name.clone(),
                doc: docs.text(&item.doc),
                variants: item
                    .variants
                    .iter()
                    .map(|variant| {
                        let value = crate::names::snake(&variant.name);
                        documented(&variant.name, value, "", &variant.doc)
                    })
                    .collect(),
            })
            .collect(),
        records: surface
            .records
            .iter()
            .map(|record| Record {
                name: record.name.clone(),
                doc: docs.text(&record.doc),
                fields: record
                    .fields
                    .iter()
                    .map(|field| Member {
                        name: field.name.clone(),
                        annotation: types::in_record(&field.ty),
                        write: types::write(&format!("self.{}", field.name), &field.ty),
                        doc: docs.field(field),
                    })
                    .collect(),
            })
            .collect(),
        handles: surface
            .handles
            .iter()
            .map(|handle| class(surface, &docs, handle))
            .collect(),
    }
}

fn class(surface: &Surface, docs: &Docs, handle: &Handle) -> Class {
    let generated = |method: &&Method| method.handwritten.is_none();
    let merged = |method: &&Method| {
        !handle
            .methods
            .iter()
            .any(|text| ids_of(text, handle).is_some_and(|ids| ids.name == method.name))
    };
    Class {
        name: handle.name.clone(),
        doc: docs.text(&handle.doc),
        own: handle
            .methods
            .iter()
            .any(|method| method.handwritten.is_some()),
        handwritten: match handle.name.as_str() {
            "Model" => include_str!("../../templates/python/model.pyi"),
            "Generation" => include_str!("../../templates/python/generation.pyi"),
            _ => "",
        },
        methods: handle
            .methods
            .iter()
            .filter(generated)
            .filter(merged)
            .map(|method| function(surface, docs, handle, method))
            .collect(),
    }
}

/// The method that does for token ids what `method` does for a text; the two are one in Python.
fn ids_of<'a>(method: &Method, handle: &'a Handle) -> Option<&'a Method> {
    let ids = Type::List {
        of: Box::new(Type::U32),
    };
    let other = handle
        .methods
        .iter()
        .find(|other| other.name == format!("{}_ids", method.name))?;
    match (&method.params[..], &other.params[..]) {
        (
            [
                Param {
                    ty: Type::String, ..
                },
                text @ ..,
            ],
            [Param { ty, .. }, list @ ..],
        ) if *ty == ids
            && text
                .iter()
                .map(|param| &param.ty)
                .eq(list.iter().map(|param| &param.ty)) =>
        {
            Some(other)
        }
        _ => None,
    }
}

fn function(surface: &Surface, docs: &Docs, handle: &Handle, method: &Method) -> Function {
    let ids = ids_of(method, handle);
    let mut positional: Vec<Argument> = method.params.iter().filter_map(positional).collect();
    let mut doc = method.doc.clone();
    if let (Some(ids), Some(first)) = (ids, positional.first_mut()) {
        first.name = "prompt".to_owned();
        first.rust = "TextOr<u32>".to_owned();
        first.annotation = "str | Sequence[int]".to_owned();
        doc = format!(
            "{doc}\n\nWith a list of token ids: {}",
            docs::lower_first(&ids.doc)
        );
    }
    // In Python no required parameter follows one with a default.
    for argument in positional
        .iter_mut()
        .rev()
        .take_while(|argument| argument.optional)
    {
        argument.default = Some("None".to_owned());
    }
    let options = method.params.iter().find_map(|param| match &param.ty {
        Type::Options { name } => Some(surface.options(name)),
        _ => None,
    });
    let fields = options.map_or(&[][..], |options| &options.fields);
    let owner = options.map_or("", |options| &options.name);
    Function {
        name: method.name.clone(),
        constructor: method.constructor,
        doc: docs.function(&doc, fields),
        runner: if method.blocking { "wait" } else { "call" },
        text: call(handle, method, ids.is_some().then_some("&text")),
        list: ids.map(|ids| call(handle, ids, Some("&list"))),
        positional,
        options: options.map(|options| options.name.clone()),
        keywords: fields.iter().map(|field| keyword(owner, field)).collect(),
        returns: types::output(&method.returns),
    }
}

/// The call in Rust; `first` stands for the first argument where that is read in two ways.
fn call(handle: &Handle, method: &Method, first: Option<&str>) -> String {
    let mut arguments: Vec<String> = method
        .params
        .iter()
        .map(|param| match &param.ty {
            Type::Options { .. } => "&options".to_owned(),
            ty if types::is_borrowed(ty) => format!("&{}", param.name),
            _ => param.name.clone(),
        })
        .collect();
    if let (Some(first), Some(argument)) = (first, arguments.first_mut()) {
        *argument = first.to_owned();
    }
    let (name, arguments) = (&method.name, arguments.join(", "));
    let call = if method.constructor {
        format!("rkchat::{}::{name}({arguments})", handle.name)
    } else {
        format!("inner.{name}({arguments})")
    };
    match method.returns {
        _ if method.fallible => call,
        Type::Unit => format!("{{ {call}; Ok(()) }}"),
        _ => format!("Ok({call})"),
    }
}

fn positional(param: &Param) -> Option<Argument> {
    let handle = match &param.ty {
        Type::Options { .. } => return None,
        Type::Handle { name } => Some(name.clone()),
        _ => None,
    };
    Some(Argument {
        name: param.name.clone(),
        handle,
        rust: types::rust(&param.ty),
        annotation: types::input(&param.ty),
        optional: param.ty.is_option(),
        default: None,
        set: "set",
        allowed: "None".to_owned(),
    })
}

fn keyword(options: &str, field: &Field) -> Argument {
    let own = OWN_TYPES
        .iter()
        .find(|own| (own.0, own.1) == (options, field.name.as_str()));
    let mut annotation = match own {
        Some((.., annotation)) => (*annotation).to_owned(),
        None => types::input(field.ty.bare()),
    };
    if field.ty.is_option() {
        annotation.push_str(" | None");
    }
    Argument {
        name: field.name.clone(),
        handle: None,
        rust: types::rust(&field.ty),
        annotation,
        optional: true,
        default: Some(types::default(field)),
        set: own.map_or("set", |own| own.2),
        allowed: match &field.range {
            Some(range) => format!("Some(\"{} to {}\")", range.min, range.max),
            None => "None".to_owned(),
        },
    }
}

//! The handles as Python classes: what becomes a method, an argument, a keyword.

use serde::Serialize;

use super::docs::{self, Docs};
use super::types;
use crate::model::{Field, Handle, Method, Param, Surface, Type};

/// Options that Python also takes in a type of its own: the function that reads them, and their type
/// in the stub.
const OWN_TYPES: [(&str, &str, &str, &str); 2] = [
    ("RenderOptions", "now", "set_moment", "str | datetime"),
    ("GenerateOptions", "now", "set_moment", "str | datetime"),
];

/// A handle.
#[derive(Serialize)]
pub struct Class {
    name: String,
    doc: String,
    /// Whether `src/<handle>.rs` keeps state of its own in it, for what is written by hand.
    own: bool,
    /// The stub's lines for what is written by hand.
    handwritten: &'static str,
    methods: Vec<Function>,
}

/// A method.
#[derive(Serialize)]
struct Function {
    name: String,
    is_static: bool,
    property: bool,
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

/// The class of a handle.
pub fn class(surface: &Surface, docs: &Docs, handle: &Handle) -> Class {
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
        is_static: method.is_static,
        property: method.property,
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
    let call = if method.is_static {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn method(name: &str, first: Type, rest: &[Type]) -> Method {
        let param = |(index, ty): (usize, Type)| Param {
            name: format!("p{index}"),
            ty,
        };
        let types = std::iter::once(first).chain(rest.iter().cloned());
        Method {
            name: name.to_owned(),
            doc: "Does it.".to_owned(),
            is_static: false,
            params: types.enumerate().map(param).collect(),
            returns: Type::Unit,
            fallible: true,
            blocking: false,
            constant: false,
            property: false,
            handwritten: None,
            c_only: None,
            since: None,
            signature: String::new(),
        }
    }

    fn handle(methods: Vec<Method>) -> Class {
        let handle = Handle {
            name: "Thing".to_owned(),
            doc: "A thing.".to_owned(),
            shared: true,
            methods,
        };
        let surface = Surface {
            hash: String::new(),
            errors: Vec::new(),
            enums: Vec::new(),
            options: Vec::new(),
            records: Vec::new(),
            handles: Vec::new(),
        };
        class(&surface, &Docs::new(&surface), &handle)
    }

    fn ids() -> Type {
        Type::List {
            of: Box::new(Type::U32),
        }
    }

    fn optional(ty: Type) -> Type {
        Type::Option { of: Box::new(ty) }
    }

    #[test]
    fn a_text_and_its_ids_are_one_method() {
        let class = handle(vec![
            method("count", Type::String, &[]),
            method("count_ids", ids(), &[]),
        ]);
        assert_eq!(class.methods.len(), 1);
        let count = &class.methods[0];
        assert_eq!(count.positional[0].annotation, "str | Sequence[int]");
        assert_eq!(count.text, "inner.count(&text)");
        assert_eq!(count.list.as_deref(), Some("inner.count_ids(&list)"));
    }

    #[test]
    fn methods_that_differ_in_more_stay_two() {
        let class = handle(vec![
            method("count", Type::String, &[Type::Bool]),
            method("count_ids", ids(), &[]),
        ]);
        assert_eq!(class.methods.len(), 2);
    }

    #[test]
    fn only_the_last_parameters_have_defaults() {
        let rest = [optional(Type::F64), Type::U32, optional(Type::Duration)];
        let class = handle(vec![method("wait", Type::Bool, &rest)]);
        let defaults = class.methods[0].positional.iter();
        let defaults: Vec<_> = defaults
            .map(|argument| argument.default.as_deref())
            .collect();
        assert_eq!(defaults, [None, None, None, Some("None")]);
    }
}

//! How methods become C functions.

use anyhow::{Result, bail};
use serde::Serialize;

use super::slots::type_name;
use crate::model::{Handle, Method, Param, Surface, Type};
use crate::names::{screaming, snake};

/// One C function.
#[derive(Debug, Serialize)]
pub struct Function {
    pub name: String,
    /// What it does, what it takes, what it gives.
    pub doc: String,
    /// Name and Rust type of each parameter, in order.
    pub params: Vec<(String, String)>,
    /// Statements that check and convert: `let x = ...;`.
    pub lines: Vec<String>,
    /// The call, and what is done with its result.
    pub call: String,
}

/// `rkchat_model_generate`. What never changes, and what has the name of the struct that it gives, such as
/// `rkchat_model_status`, is read with `get`.
pub fn name(handle: &str, method: &Method) -> String {
    let handle = type_name(handle);
    let name = format!("{handle}_{}", method.name);
    let is_struct =
        matches!(method.returns.bare(), Type::Record { name: record } if type_name(record) == name);
    match method.constant || is_struct {
        true => format!("{handle}_get_{}", method.name),
        false => name,
    }
}

/// Whether several threads may call it on one handle: what it gives is not kept there until its next call.
pub fn is_shared(handle: &Handle, method: &Method) -> bool {
    handle.shared || !matches!(method.returns.bare(), Type::Record { .. })
}

pub fn function(surface: &Surface, handle: &Handle, method: &Method) -> Result<Function> {
    let this = snake(&handle.name);
    let mut out = Function {
        name: name(&handle.name, method),
        doc: super::docs::translate(surface, &method.doc),
        params: Vec::new(),
        lines: Vec::new(),
        call: String::new(),
    };
    let (given, result) = result(method)?;
    // The place for the result is checked first: a new handle must not get lost.
    if let Some(result) = &result {
        out.lines.push(format!("let out = {}(out)?;", result.check));
    }
    if !method.is_static {
        let pointer = if is_shared(handle, method) {
            "*const"
        } else {
            "*mut"
        };
        out.params.push((
            this.clone(),
            format!("{pointer} {}", type_name(&handle.name)),
        ));
        out.lines
            .push(format!("let {this} = input::handle(\"{this}\", {this})?;"));
    }
    let mut arguments = Vec::new();
    for item in &method.params {
        let (params, line, argument) = param(item)?;
        for (name, _) in &params {
            if ["out", "error", this.as_str()].contains(&name.as_str()) {
                bail!("{}: C cannot have a parameter named {name}", out.name);
            }
        }
        out.params.extend(params);
        out.lines.extend(line);
        arguments.push(argument);
    }
    let callee = match method.is_static {
        true => format!("rkchat::{}::{}", handle.name, method.name),
        false => format!("{this}.inner.{}", method.name),
    };
    let question = if method.fallible { "?" } else { "" };
    let call = format!("{callee}({}){question}", arguments.join(", "));
    out.call = match (method.returns.bare(), &result) {
        (Type::Record { .. }, _) if method.constant => {
            format!(
                "out.put(&{this}.{}.get_or_init(|| Held::new(&{call})).value);",
                method.name
            )
        }
        (Type::Record { .. }, _) => format!(
            "let held = Held::new(&{call}); let mut kept = {this}.{}.lock(); \
             out.put(&kept.insert(held).value);",
            method.name
        ),
        (_, Some(result)) => format!("out.put({});", (result.make)(&call)),
        (_, None) => format!("{call};"),
    };
    if let Some(result) = result {
        out.params.push(("out".into(), result.rust));
    }
    out.params
        .push(("error".into(), "*mut *mut rkchat_error".into()));
    out.doc = document(surface, handle, method, out.doc, &given);
    Ok(out)
}

/// Names and Rust types of C parameters, the line that converts them where one is needed, and what is handed on.
type Converted = (Vec<(String, String)>, Option<String>, String);

/// The C parameters of one parameter, the line that converts them where one is needed, and what is handed on.
fn param(param: &Param) -> Result<Converted> {
    let name = &param.name;
    let one = |rust: &str| vec![(name.clone(), rust.to_owned())];
    let pair = |rust: &str| {
        vec![
            (name.clone(), rust.to_owned()),
            (format!("{name}_len"), "usize".into()),
        ]
    };
    let (params, read, argument) = match &param.ty {
        Type::String => (
            pair("*const c_char"),
            format!("input::text(\"{name}\", {name}, {name}_len)?"),
            name.clone(),
        ),
        Type::Json => (
            pair("*const c_char"),
            format!("input::json(\"{name}\", {name}, {name}_len)?"),
            format!("&{name}"),
        ),
        Type::Tensor => {
            let shape = format!("{name}_shape");
            let mut params = pair("*const f32");
            params.push((shape.clone(), "*const u64".into()));
            params.push((format!("{shape}_len"), "usize".into()));
            let read =
                format!("input::tensor(\"{name}\", {name}, {name}_len, {shape}, {shape}_len)?");
            (params, read, format!("&{name}"))
        }
        Type::Path => (
            one("*const c_char"),
            format!("input::path(\"{name}\", {name})?"),
            name.clone(),
        ),
        Type::List { of } if **of == Type::String => (
            pair("*const rkchat_str"),
            format!("input::texts(\"{name}\", {name}, {name}_len)?"),
            format!("&{name}"),
        ),
        Type::List { of } => match &**of {
            Type::Options { name: ty } => (
                pair(&format!("*const {}", type_name(ty))),
                format!("options::read_all::<rkchat::{ty}>(\"{name}\", {name}, {name}_len)?"),
                format!("&{name}"),
            ),
            of => (
                pair(&format!("*const {}", super::slots::element(of)?)),
                format!("input::list(\"{name}\", {name}, {name}_len)?"),
                name.clone(),
            ),
        },
        Type::Options { name: ty } => (
            one(&format!("*const {}", type_name(ty))),
            format!("options::read::<rkchat::{ty}>({name})?"),
            format!("&{name}"),
        ),
        Type::Handle { name: ty } => (
            one(&format!("*const {}", type_name(ty))),
            format!("input::handle(\"{name}\", {name})?"),
            format!("&{name}.inner"),
        ),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 | Type::F32 | Type::F64 => (
            one(&super::slots::element(&param.ty)?),
            name.clone(),
            name.clone(),
        ),
        Type::Option { of } if **of == Type::Duration => (
            vec![(format!("{name}_ms"), "i64".into())],
            format!("input::timeout(\"{name}_ms\", {name}_ms)?"),
            name.clone(),
        ),
        Type::Bool => bail!("a flag belongs into options ({name})"),
        other => bail!("C has no parameter for {other:?} yet ({name})"),
    };
    // A plain number is what it is.
    let line = (read != *name).then(|| format!("let {name} = {read};"));
    Ok((params, line, argument))
}

/// The type of a list of records that the caller owns.
pub fn list_name(record: &Type) -> Result<String> {
    match record {
        Type::Record { name } => Ok(format!("{}_list", type_name(name))),
        other => bail!("C has no lists of {other:?}"),
    }
}

/// The out-parameter of a function.
struct Out {
    rust: String,
    /// The function that checks it.
    check: &'static str,
    /// From the call to the value that is put there.
    make: Box<dyn Fn(&str) -> String>,
}

/// The sentence about the result, and its out-parameter.
fn result(method: &Method) -> Result<(String, Option<Out>)> {
    let out = |rust: &str, check: &'static str, make: Box<dyn Fn(&str) -> String>| {
        Some(Out {
            rust: rust.to_owned(),
            check,
            make,
        })
    };
    let owned = |what: &str, free: &str| {
        format!("`*out` becomes {what}, which the caller frees with `{free}`; NULL on failure.")
    };
    let plain: Box<dyn Fn(&str) -> String> = Box::new(str::to_owned);
    Ok(match &method.returns {
        Type::Unit => (String::new(), None),
        Type::Handle { name } => {
            let ty = type_name(name);
            (
                owned("the new handle", &format!("{ty}_free")),
                out(
                    &format!("*mut *mut {ty}"),
                    "output::Boxed::at",
                    Box::new(move |call| format!("{ty}::new({call})")),
                ),
            )
        }
        Type::String => (
            owned("the text", "rkchat_text_free"),
            out(
                "*mut *mut rkchat_text",
                "output::Boxed::at",
                Box::new(|call| format!("rkchat_text::new({call})")),
            ),
        ),
        Type::Json => (
            owned("JSON text", "rkchat_text_free"),
            out(
                "*mut *mut rkchat_text",
                "output::Boxed::at",
                Box::new(|call| format!("rkchat_text::new({call}.to_string())")),
            ),
        ),
        Type::Path => (
            owned("the path", "rkchat_text_free"),
            out(
                "*mut *mut rkchat_text",
                "output::Boxed::at",
                Box::new(|call| format!("rkchat_text::of_path(&{call})")),
            ),
        ),
        Type::List { of } if **of == Type::U32 => (
            owned("the list", "rkchat_ids_free"),
            out(
                "*mut *mut rkchat_ids",
                "output::Boxed::at",
                Box::new(|call| format!("rkchat_ids::new({call})")),
            ),
        ),
        Type::List { of } if matches!(**of, Type::Record { .. }) => {
            let ty = list_name(of)?;
            (
                owned("the list", &format!("{ty}_free")),
                out(
                    &format!("*mut *mut {ty}"),
                    "output::Boxed::at",
                    Box::new(move |call| format!("{ty}::new(&{call})")),
                ),
            )
        }
        Type::Tensor => (
            owned("the tensor", "rkchat_tensor_free"),
            out(
                "*mut *mut rkchat_tensor",
                "output::Boxed::at",
                Box::new(|call| format!("rkchat_tensor::new({call})")),
            ),
        ),
        Type::Record { name } => (
            String::new(),
            out(
                &format!("*mut {}", type_name(name)),
                "output::Structure::at",
                plain,
            ),
        ),
        Type::Bool => (
            "`*out` becomes 0 or 1.".into(),
            out(
                "*mut i32",
                "output::Scalar::at",
                Box::new(|call| format!("i32::from({call})")),
            ),
        ),
        Type::I32 | Type::U32 | Type::I64 | Type::U64 | Type::F32 | Type::F64 => (
            "`*out` becomes the number.".into(),
            out(
                &format!("*mut {}", super::slots::element(&method.returns)?),
                "output::Scalar::at",
                plain,
            ),
        ),
        Type::Enum { name } => (
            format!("`*out` becomes one of `RKCHAT_{}_*`.", screaming(name)),
            out(
                &format!("*mut {}", type_name(name)),
                "output::Scalar::at",
                Box::new(|call| format!("{call} as i32")),
            ),
        ),
        Type::Option { of } => match &**of {
            Type::Enum { name } => (
                format!(
                    "`*out` becomes one of `RKCHAT_{}_*`, or `RKCHAT_UNSET`.",
                    screaming(name)
                ),
                out(
                    &format!("*mut {}", type_name(name)),
                    "output::Scalar::at",
                    Box::new(|call| format!("{call}.map_or(RKCHAT_UNSET, |value| value as i32)")),
                ),
            ),
            Type::F32 | Type::F64 => (
                "`*out` becomes the number, or `RKCHAT_UNSET_FLOAT`.".into(),
                out(
                    "*mut f64",
                    "output::Scalar::at",
                    Box::new(|call| format!("{call}.map_or(f64::NAN, f64::from)")),
                ),
            ),
            other => bail!(
                "C has no result for Option of {other:?} yet ({})",
                method.name
            ),
        },
        other => bail!("C has no result for {other:?} yet ({})", method.name),
    })
}

fn document(
    surface: &Surface,
    handle: &Handle,
    method: &Method,
    doc: String,
    given: &str,
) -> String {
    let mut parts = vec![doc];
    if !given.is_empty() {
        parts.push(given.to_owned());
    }
    if matches!(method.returns, Type::Record { .. }) {
        let until = match method.constant {
            true => "is freed",
            false => "is freed or this function is called again on it",
        };
        parts.push(format!(
            "`*out` is filled; what it points to belongs to `{}` and stays until that {until}.",
            snake(&handle.name)
        ));
    }
    for param in &method.params {
        match &param.ty {
            Type::Json => parts.push(format!("`{}` is JSON text.", param.name)),
            Type::List { of } => {
                if let Type::Options { name: item } = &**of {
                    parts.push(format!(
                        "`{0}` are `{0}_len` structs in a row, each begun as `RKCHAT_{1}_INIT`.",
                        param.name,
                        screaming(item)
                    ));
                }
            }
            Type::Option { .. } => {
                parts.push(format!(
                    "`{}_ms` is in milliseconds; -1 is no limit.",
                    param.name
                ));
            }
            Type::Options { name } => {
                debug_assert!(surface.options.iter().any(|options| options.name == *name));
                parts.push("`options` may be NULL: all defaults.".into());
            }
            _ => {}
        }
    }
    if method.blocking {
        parts.push("Blocking.".into());
    }
    if let Some(since) = &method.since {
        parts.push(format!("Since {since}."));
    }
    parts.join("\n\n")
}

//! What follows `|`.

pub(crate) mod lazy;
mod markup;
mod numbers;
mod paths;
mod sequences;
pub(crate) mod sort;
mod strings;
mod wrap;

use super::args::{Args, string};
use super::fault::{Result, fail};
use super::tojson;
use super::value::Value;
use super::vm::Vm;

/// A filter. The value is not among the arguments.
pub(crate) type Filter = for<'a> fn(&mut Vm<'a>, Value<'a>, Args<'a>) -> Result<Value<'a>>;

/// The filter of that name.
pub(crate) fn find(name: &str) -> Option<Filter> {
    Some(match name {
        "abs" => numbers::abs,
        "attr" => sequences::attr,
        "batch" => lazy::batch,
        "capitalize" => strings::capitalize,
        "center" => strings::center,
        "count" | "length" => sequences::length,
        "d" | "default" => sequences::default,
        "dictsort" => sort::dictsort,
        "e" | "escape" => markup::escape,
        "filesizeformat" => numbers::filesizeformat,
        "first" => sequences::first,
        "float" => numbers::float,
        "forceescape" => markup::forceescape,
        "format" => strings::format,
        "groupby" => sort::groupby,
        "indent" => strings::indent,
        "int" => numbers::int,
        "items" => lazy::items,
        "join" => sequences::join,
        "last" => sequences::last,
        "list" => sequences::list,
        "lower" => strings::lower,
        "map" => lazy::map,
        "max" => sort::max,
        "min" => sort::min,
        "pprint" => sequences::pprint,
        "random" => sequences::random,
        "reject" => lazy::reject,
        "rejectattr" => lazy::rejectattr,
        "replace" => strings::replace,
        "reverse" => sequences::reverse,
        "round" => numbers::round,
        "safe" => markup::safe,
        "select" => lazy::select,
        "selectattr" => lazy::selectattr,
        "slice" => sequences::slice,
        "sort" => sort::sort,
        "string" => strings::string,
        "striptags" => markup::striptags,
        "sum" => numbers::sum,
        "title" => strings::title,
        "tojson" => tojson::filter,
        "trim" => strings::trim,
        "truncate" => strings::truncate,
        "unique" => lazy::unique,
        "upper" => strings::upper,
        "urlencode" => markup::urlencode,
        "urlize" => markup::urlize,
        "wordcount" => strings::wordcount,
        "wordwrap" => wrap::wordwrap,
        "xmlattr" => markup::xmlattr,
        _ => return None,
    })
}

/// Calls a filter by its name.
fn call<'a>(
    vm: &mut Vm<'a>,
    name: &Value<'a>,
    value: Value<'a>,
    args: Args<'a>,
) -> Result<Value<'a>> {
    let name = string("the name of a filter", name.clone())?;
    match find(name.as_str()) {
        Some(filter) => filter(vm, value, args),
        None => fail(format!("there is no filter named '{}'", name.as_str())),
    }
}

fn is_given(value: &Option<Value<'_>>) -> bool {
    !matches!(value, None | Some(Value::None))
}

fn truthy(value: Option<Value<'_>>) -> bool {
    value.is_some_and(|value| value.is_true())
}

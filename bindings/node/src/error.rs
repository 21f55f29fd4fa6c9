//! How failures reach JavaScript: as an `RkchatError`, as a `TypeError`, or as what JavaScript itself
//! threw meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind};

use napi::bindgen_prelude::{Env, Error, FnArgs, FunctionRef, JsValue, Unknown};
use rkchat::Json;

use crate::generated::enums::error_code;
use crate::options::localized;

/// Why a call failed.
pub enum Failure {
    /// rkchat refused or failed.
    Rkchat(rkchat::Error),
    /// An argument has the wrong type; the message names it.
    Type(String),
    /// JavaScript code that was called threw, or Node failed.
    Js(Error),
}

impl From<rkchat::Error> for Failure {
    fn from(error: rkchat::Error) -> Self {
        Self::Rkchat(error)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Js(error)
    }
}

/// What conversions and bodies return.
pub type Result<T> = std::result::Result<T, Failure>;

/// An argument that has the right type and cannot be used.
pub fn invalid(message: impl Into<String>) -> Failure {
    Failure::Rkchat(rkchat::Error::invalid_argument(message))
}

/// `make_error(code, message, details as JSON text)` makes an error object, a `TypeError` where the code
/// is empty.
pub type MakeError = FunctionRef<FnArgs<(String, String, String)>, Unknown<'static>>;
/// `path_of_url(value)` gives the path of a file URL, and `undefined` for a value that is not a URL.
pub type PathOfUrl = FunctionRef<Unknown<'static>, Unknown<'static>>;

/// What the TypeScript half lends to this one, kept for one JavaScript thread.
struct Hooks {
    make_error: MakeError,
    path_of_url: PathOfUrl,
}

/// Keeps the hooks for this JavaScript thread.
pub fn install(env: &Env, make_error: MakeError, path_of_url: PathOfUrl) -> napi::Result<()> {
    let hooks = Hooks {
        make_error,
        path_of_url,
    };
    env.set_instance_data(hooks, (), |_| ())
}

fn hooks(env: &Env) -> napi::Result<&'static Hooks> {
    match env.get_instance_data::<Hooks>()? {
        Some(hooks) => Ok(hooks),
        None => Err(Error::from_reason(
            "rkchat.node is loaded by the package rkchat only",
        )),
    }
}

/// The path of a file URL, or `undefined`.
pub fn path_of_url<'env>(env: &'env Env, value: &Unknown<'_>) -> napi::Result<Unknown<'env>> {
    let hook = hooks(env)?.path_of_url.borrow_back(env)?;
    // SAFETY: the same value of the same environment, under the lifetime that the hook's type asks
    // for; it is not kept beyond this call.
    let value = unsafe { Unknown::from_raw_unchecked(env.raw(), value.raw()) };
    hook.call(value)
}

/// Turns a failure into the JavaScript value that is thrown.
pub fn throwable(env: &Env, failure: Failure) -> Error {
    let (code, message, details) = match failure {
        Failure::Js(error) => return error,
        Failure::Type(message) => ("", message, "{}".to_owned()),
        Failure::Rkchat(error) => (
            error_code(error.kind()),
            localized(error.message()),
            Json::Object(error.details().clone()).to_string(),
        ),
    };
    let made = hooks(env)
        .and_then(|hooks| hooks.make_error.borrow_back(env))
        .and_then(|make| make.call((code.to_owned(), message, details).into()));
    match made {
        Ok(object) => Error::from(object),
        Err(error) => error,
    }
}

/// Runs `body`; a panic becomes an error of the kind `Panic`, so that none reaches Node.
pub fn guard<T, E: From<rkchat::Error>>(
    body: impl FnOnce() -> std::result::Result<T, E>,
) -> std::result::Result<T, E> {
    catch_unwind(AssertUnwindSafe(body))
        .unwrap_or_else(|payload| Err(rkchat::Error::panic(&*payload).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_becomes_an_error() {
        let failed: std::result::Result<(), rkchat::Error> = guard(|| panic!("it is {}", "broken"));
        let error = failed.unwrap_err();
        assert_eq!(error.kind(), rkchat::ErrorKind::Panic);
        assert!(error.message().ends_with("it is broken"));
    }
}

//! How methods run: now, or on a thread of Node's pool with a promise for the answer.

use napi::ScopedTask;
use napi::bindgen_prelude::{AsyncTask, Env, Unknown};

use crate::convert::IntoJs;
use crate::error::{Failure, Result, guard, throwable};

/// Runs `body` now and hands its answer over.
pub fn now<T: IntoJs>(env: &Env, body: impl FnOnce() -> Result<T>) -> napi::Result<Unknown<'_>> {
    match guard(body) {
        Ok(answer) => answer.into_js(env),
        Err(failure) => Err(throwable(env, failure)),
    }
}

/// Runs `prepare` now, which reads the arguments, and what it returns on a thread of Node's pool.
pub fn later<T, W>(
    env: &Env,
    prepare: impl FnOnce() -> Result<W>,
) -> napi::Result<AsyncTask<Job<T>>>
where
    T: IntoJs + Send + 'static,
    W: FnOnce() -> rkchat::Result<T> + Send + 'static,
{
    match guard(prepare) {
        Ok(work) => Ok(AsyncTask::new(Job {
            work: Some(Box::new(work)),
        })),
        Err(failure) => Err(throwable(env, failure)),
    }
}

/// Work on its way through Node's pool.
pub struct Job<T> {
    work: Option<Box<dyn FnOnce() -> rkchat::Result<T> + Send>>,
}

impl<'env, T: IntoJs + Send + 'static> ScopedTask<'env> for Job<T> {
    type Output = std::result::Result<T, rkchat::Error>;
    type JsValue = Unknown<'env>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let work = self
            .work
            .take()
            .ok_or_else(|| napi::Error::from_reason("a job runs once"))?;
        Ok(match guard(|| Ok(work()?)) {
            Ok(answer) => Ok(answer),
            Err(Failure::Rkchat(error)) => Err(error),
            Err(Failure::Type(_) | Failure::Js(_)) => {
                unreachable!("the work touches no JavaScript")
            }
        })
    }

    fn resolve(&mut self, env: &'env Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        match output {
            Ok(answer) => answer.into_js(env),
            Err(error) => Err(throwable(env, error.into())),
        }
    }
}

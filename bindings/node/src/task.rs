//! How methods run: now, or on a thread of Node's pool with a promise for the answer.

use napi::ScopedTask;
use napi::bindgen_prelude::{AsyncTask, Env, Unknown};

use crate::convert::IntoJs;
use crate::error::{Result, guard, throwable};

/// Runs `body` now and hands its answer over.
pub fn now<T: IntoJs>(env: &Env, body: impl FnOnce() -> Result<T>) -> napi::Result<Unknown<'_>> {
    guard(|| Ok(body()?.into_js(env)?)).map_err(|failure| throwable(env, failure))
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
    let work = guard(prepare).map_err(|failure| throwable(env, failure))?;
    Ok(AsyncTask::new(Job {
        work: Some(Box::new(work)),
    }))
}

/// Work on its way through Node's pool.
pub struct Job<T> {
    work: Option<Box<dyn FnOnce() -> rkchat::Result<T> + Send>>,
}

impl<'env, T: IntoJs + Send + 'static> ScopedTask<'env> for Job<T> {
    type Output = rkchat::Result<T>;
    type JsValue = Unknown<'env>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let work = self.work.take();
        let work = work.ok_or_else(|| napi::Error::from_reason("a job runs once"))?;
        Ok(guard(work))
    }

    fn resolve(&mut self, env: &'env Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        now(env, || Ok(output?))
    }
}

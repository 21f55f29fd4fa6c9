//! The one method of the surface that is written by hand: waiting for a piece of an answer without
//! occupying a thread.

use std::task::Poll;

use napi::bindgen_prelude::{Env, Function, Null, Unknown};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;
use rkchat::Chunk;

use crate::convert::{IntoJs, give};
use crate::generated::handles::Generation;
use crate::task::now;

#[napi]
impl Generation {
    /// The next piece, `null` at the end, `undefined` where there is none yet: then `wake` is called
    /// once when there is more, and keeps the process alive until then.
    #[napi]
    pub fn poll<'env>(
        &self,
        env: &'env Env,
        wake: Function<'_, (), ()>,
    ) -> napi::Result<Unknown<'env>> {
        now(env, || {
            let wake = wake.build_threadsafe_function::<()>().build()?;
            let polled = self.inner.poll(move || {
                // Fails only where the JavaScript thread is ending, and nobody waits any more.
                wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
            });
            Ok(match polled {
                Poll::Pending => Polled::Pending,
                Poll::Ready(piece) => Polled::Ready(piece?),
            })
        })
    }
}

enum Polled {
    Pending,
    Ready(Option<Chunk>),
}

impl IntoJs for Polled {
    fn into_js(self, env: &Env) -> napi::Result<Unknown<'_>> {
        match self {
            Self::Pending => give(env, ()),
            Self::Ready(None) => give(env, Null),
            Self::Ready(Some(chunk)) => chunk.into_js(env),
        }
    }
}

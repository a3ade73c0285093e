//! What handlers take: each argument is a part of the request, or what was found out about it before.
//!
//! Whatever has to be awaited, such as the body, is done in steps that are compiled once. What is left for each handler waits for
//! nothing, which makes it a fraction of what axum's own extractors come to: they were a fifteenth of the Worker.
use std::any::Any;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, LocalBoxFuture};

use crate::platform::config::Config;
use crate::platform::context::App;
use crate::platform::error::ApiError;

/// What a handler gives. What the platform hands out is for one thread, of which a Worker has no more: [`super::operation`] says so
/// for all of them.
pub type Answer = LocalBoxFuture<'static, Response>;

/// Something that has to be awaited before an argument is there.
pub type Step = for<'a> fn(&'a mut Asked) -> BoxFuture<'a, Result<(), ApiError>>;

/// A part of a request that a handler takes.
pub trait Argument: Sized {
    /// What has to be done before, in the order of the arguments.
    const FIRST: Option<Step> = None;

    /// Takes it, or says what is wrong with it.
    fn of(asked: &mut Asked) -> Result<Self, ApiError>;
}

/// A request on its way to its handler.
pub struct Asked {
    /// Its head.
    pub parts: Parts,
    /// The settings.
    pub config: Arc<Config>,
    body: Body,
    bytes: Bytes,
    found: Option<Box<dyn Any + Send>>,
}

impl Asked {
    /// A request that nobody has looked into.
    pub fn new(request: Request, config: Arc<Config>) -> Self {
        let (parts, body) = request.into_parts();
        Self {
            parts,
            config,
            body,
            bytes: Bytes::new(),
            found: None,
        }
    }

    /// The body as it came.
    pub fn body(&mut self) -> Body {
        std::mem::take(&mut self.body)
    }

    /// Remembers what a step has read of the body.
    pub fn read(&mut self, bytes: Bytes) {
        self.bytes = bytes;
    }

    /// What a step has read of the body.
    pub fn bytes(&mut self) -> Bytes {
        std::mem::take(&mut self.bytes)
    }

    /// Remembers what a step has found out.
    pub fn find(&mut self, found: impl Any + Send) {
        self.found = Some(Box::new(found));
    }

    /// What a step has found out.
    pub fn found<T: Any>(&mut self) -> Result<T, ApiError> {
        let found = self.found.take().and_then(|found| found.downcast().ok());
        found
            .map(|found| *found)
            .ok_or_else(|| ApiError::internal("an argument was taken before its step was done"))
    }
}

/// The step that reads the whole body, whatever it is, up to the bound of the server.
pub fn read_body(asked: &mut Asked) -> BoxFuture<'_, Result<(), ApiError>> {
    Box::pin(async {
        let mut request = Request::new(asked.body());
        // The bound is among them.
        request.extensions_mut().clone_from(&asked.parts.extensions);
        let read = Bytes::from_request(request, &()).await;
        asked.bytes = read.map_err(|rejection| match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => ApiError::too_large(),
            _ => ApiError::bad_request("The request body broke off"),
        })?;
        Ok(())
    })
}

impl Argument for App {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        Self::from_parts(&asked.parts, &asked.config)
    }
}

impl Argument for HeaderMap {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        Ok(asked.parts.headers.clone())
    }
}

impl Argument for Uri {
    fn of(asked: &mut Asked) -> Result<Self, ApiError> {
        Ok(asked.parts.uri.clone())
    }
}

/// A function that serves requests: it takes arguments, and what it gives becomes an answer. `T` are the types that make it one.
pub trait Handler<T>: Send + Sync + 'static {
    /// What is to be done before it is called.
    const STEPS: &'static [Option<Step>];

    /// Takes its arguments and calls it.
    fn call(&self, asked: Asked) -> Result<Answer, ApiError>;
}

/// Makes handlers of the functions with these arguments.
macro_rules! handler {
    ($($argument:ident)*) => {
        #[allow(non_snake_case, unused_mut, unused_variables, reason = "the types name the arguments; some have none")]
        impl<F, Fut, $($argument: Argument),*> Handler<(Fut, $($argument,)*)> for F
        where
            F: Fn($($argument),*) -> Fut + Send + Sync + 'static,
            Fut: Future<Output: IntoResponse> + 'static,
        {
            const STEPS: &'static [Option<Step>] = &[$($argument::FIRST),*];

            fn call(&self, mut asked: Asked) -> Result<Answer, ApiError> {
                $(let $argument = $argument::of(&mut asked)?;)*
                Ok(self($($argument),*).map(IntoResponse::into_response).boxed_local())
            }
        }
    };
}
handler!();
handler!(A);
handler!(A B);
handler!(A B C);
handler!(A B C D);
handler!(A B C D E);
handler!(A B C D E G);
handler!(A B C D E G H);

/// The argument that a handler would take of a request.
#[cfg(test)]
pub async fn taken<A: Argument>(request: Request) -> Result<A, ApiError> {
    let mut asked = Asked::new(request, Arc::new(Config::of_a_test()));
    if let Some(step) = A::FIRST {
        step(&mut asked).await?;
    }
    A::of(&mut asked)
}

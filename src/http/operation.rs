//! Operations: a handler, the paths it serves, and what is declared of it. What the API document says comes from the
//! `#[utoipa::path]` of each handler.
//!
//! Only a native build gathers the descriptions. In the Worker they would be a fifth of the code and a part of every cold
//! start, to say what `web/public/openapi.json` says already.
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;
use futures_util::future::BoxFuture;
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::HttpMethod;
#[cfg(not(target_arch = "wasm32"))]
use utoipa::openapi::{Paths, RefOr, Schema};
use utoipa_axum::PathItemExt;
use worker::send::SendFuture;

use crate::http::argument::{Answer, Asked, Handler, Step};
use crate::platform::config::Config;
use crate::platform::error::ApiError;

/// What the API document says of a handler: the schemas it refers to, and its path.
#[cfg(not(target_arch = "wasm32"))]
pub type Description = (Vec<(String, RefOr<Schema>)>, Paths);

/// A handler whose type is forgotten: what axum makes of a handler's type is compiled once instead of once for each.
#[derive(Clone)]
struct AnyHandler<D> {
    /// What is declared of the operation, which travels with its requests.
    declared: D,
    steps: &'static [Option<Step>],
    call: Arc<dyn Fn(Asked) -> Result<Answer, ApiError> + Send + Sync>,
}

impl<D: Clone + Send + Sync + 'static> axum::handler::Handler<(), Arc<Config>> for AnyHandler<D> {
    type Future = BoxFuture<'static, Response>;

    fn call(self, request: Request, config: Arc<Config>) -> Self::Future {
        Box::pin(SendFuture::new(async move {
            let mut asked = Asked::new(request, config);
            asked.parts.extensions.insert(self.declared);
            for step in self.steps.iter().flatten() {
                if let Err(error) = step(&mut asked).await {
                    return error.into_response();
                }
            }
            match (self.call)(asked) {
                Ok(answer) => answer.await,
                Err(error) => error.into_response(),
            }
        }))
    }
}

/// What is known of an operation besides its handler.
#[cfg(not(target_arch = "wasm32"))]
pub struct Described<D> {
    /// What the handler says of itself.
    pub description: Description,
    /// What is declared of it.
    pub declared: D,
    /// Under which heading the API document has it, unless the handler says so itself.
    pub tag: &'static str,
    /// Paths that it serves besides its own.
    pub aliases: &'static [&'static str],
}

/// Operations, each with a declaration `D`, which travels with its requests.
pub struct Routes<D> {
    router: Router<Arc<Config>>,
    #[cfg(not(target_arch = "wasm32"))]
    tag: &'static str,
    #[cfg(not(target_arch = "wasm32"))]
    described: Vec<Described<D>>,
    #[cfg(target_arch = "wasm32")]
    declared: std::marker::PhantomData<D>,
}

impl<D: Clone + Send + Sync + 'static> Routes<D> {
    /// No operations yet. `tag` is the heading of those to come in the API document.
    #[cfg_attr(
        target_arch = "wasm32",
        allow(unused_variables, reason = "the Worker has no document")
    )]
    pub fn new(tag: &'static str) -> Self {
        Self {
            router: Router::new(),
            #[cfg(not(target_arch = "wasm32"))]
            tag,
            #[cfg(not(target_arch = "wasm32"))]
            described: Vec::new(),
            #[cfg(target_arch = "wasm32")]
            declared: std::marker::PhantomData,
        }
    }

    /// Adds a handler at the path and methods of its description, and at the same methods of other paths. Its requests have
    /// `declared` among their extensions.
    pub fn operation<P: utoipa::Path + SchemaReferences + for<'t> Tags<'t>, H: Handler<T>, T>(
        mut self,
        handler: H,
        declared: D,
        aliases: &'static [&'static str],
    ) -> Self {
        let handler = AnyHandler {
            declared: declared.clone(),
            steps: H::STEPS,
            call: Arc::new(move |asked| handler.call(asked)),
        };
        let (path, methods) = (P::path(), P::methods());
        for path in std::iter::once(path.as_str()).chain(aliases.iter().copied()) {
            self.add(path, &methods, &handler);
        }
        #[cfg(not(target_arch = "wasm32"))]
        self.described.push(Described {
            description: describe::<P>(),
            declared,
            tag: self.tag,
            aliases,
        });
        #[cfg(target_arch = "wasm32")]
        drop(declared);
        self
    }

    fn add(&mut self, path: &str, methods: &[HttpMethod], handler: &AnyHandler<D>) {
        let on = |router: MethodRouter<_>, method: &HttpMethod| router.on(method.to_method_filter(), handler.clone());
        let router = std::mem::take(&mut self.router);
        self.router = router.route(path, methods.iter().fold(MethodRouter::new(), on));
    }

    /// Adds the operations of another feature.
    pub fn merge(mut self, other: Self) -> Self {
        self.router = self.router.merge(other.router);
        #[cfg(not(target_arch = "wasm32"))]
        self.described.extend(other.described);
        self
    }

    /// The routes.
    pub fn into_router(self) -> Router<Arc<Config>> {
        self.router
    }

    /// The descriptions.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn into_described(self) -> Vec<Described<D>> {
        self.described
    }
}

#[cfg(not(target_arch = "wasm32"))]
fn describe<P: utoipa::Path + SchemaReferences + for<'t> Tags<'t>>() -> Description {
    let (mut schemas, mut paths, mut operation) = (Vec::new(), Paths::new(), P::operation());
    P::schemas(&mut schemas);
    let tags = P::tags();
    if !tags.is_empty() {
        operation
            .tags
            .get_or_insert_default()
            .extend(tags.into_iter().map(str::to_owned));
    }
    paths.add_path_operation(P::path(), P::methods(), operation);
    (schemas, paths)
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use tower_service::Service;

    use super::*;
    use crate::http::argument::Argument;

    struct Declared(String);

    impl Argument for Declared {
        fn of(asked: &mut Asked) -> Result<Self, ApiError> {
            let declared = asked.parts.extensions.get::<&str>().copied();
            Ok(Self(declared.unwrap_or_default().to_owned()))
        }
    }

    #[utoipa::path(get, path = "/first", responses((status = 200)))]
    async fn told(Declared(text): Declared) -> String {
        text
    }

    /// What `told` says of a request, and the status.
    fn ask(method: &str, path: &str) -> (StatusCode, String) {
        let routes = Routes::new("test").operation::<__path_told, _, _>(told, "declared", &["/second"]);
        let mut router = routes.into_router().with_state(Arc::new(Config::of_a_test()));
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        futures_util::future::FutureExt::now_or_never(async {
            let response = router.call(request).await.unwrap();
            let status = response.status();
            let body = to_bytes(response.into_body(), 1024).await.unwrap();
            (status, String::from_utf8(body.into()).unwrap())
        })
        .unwrap()
    }

    #[test]
    fn what_is_declared_travels_with_the_requests_of_all_paths() {
        for path in ["/first", "/second"] {
            assert_eq!(ask("GET", path), (StatusCode::OK, "declared".to_owned()), "{path}");
        }
    }

    /// An answer without its body is read by whoever may read it with.
    #[test]
    fn whoever_may_read_may_ask_for_the_headers_alone() {
        assert_eq!(ask("HEAD", "/first").0, StatusCode::OK);
        assert_eq!(ask("PATCH", "/first").0, StatusCode::METHOD_NOT_ALLOWED);
    }
}

//! Operations: a handler, the paths it serves, and what is declared of it. What the API document says comes from the
//! `#[utoipa::path]` of each handler.
//!
//! Only a native build gathers the descriptions. In the Worker they would be a fifth of the code and a part of every cold
//! start, to say what `web/public/openapi.json` says already.
use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::handler::Handler;
use axum::response::Response;
use axum::routing::MethodRouter;
use futures_util::future::BoxFuture;
use utoipa::openapi::HttpMethod;
use utoipa_axum::PathItemExt;
use utoipa_axum::router::UtoipaMethodRouter;

use crate::platform::config::Config;

/// What `utoipa_axum::routes!` makes of a handler.
pub type Description = UtoipaMethodRouter<Arc<Config>>;

/// What a handler gives.
type Answer = BoxFuture<'static, Response>;

/// A handler whose type is forgotten: what axum makes of a handler's type is compiled once instead of once for each.
#[derive(Clone)]
struct AnyHandler(Arc<dyn Fn(Request, Arc<Config>) -> Answer + Send + Sync>);

impl Handler<(), Arc<Config>> for AnyHandler {
    type Future = Answer;

    fn call(self, request: Request, config: Arc<Config>) -> Answer {
        (self.0)(request, config)
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
    pub fn operation<P: utoipa::Path, H: Handler<T, Arc<Config>, Future = Answer>, T: 'static>(
        mut self,
        handler: H,
        declared: D,
        aliases: &'static [&'static str],
        describe: impl FnOnce() -> Description,
    ) -> Self {
        let travels = declared.clone();
        let handler = AnyHandler(Arc::new(move |mut request: Request, config| {
            request.extensions_mut().insert(travels.clone());
            handler.clone().call(request, config)
        }));
        let (path, methods) = (P::path(), P::methods());
        for path in std::iter::once(path.as_str()).chain(aliases.iter().copied()) {
            self.add(path, &methods, &handler);
        }
        #[cfg(not(target_arch = "wasm32"))]
        self.described.push(Described {
            description: describe(),
            declared,
            tag: self.tag,
            aliases,
        });
        #[cfg(target_arch = "wasm32")]
        drop((describe, declared));
        self
    }

    fn add(&mut self, path: &str, methods: &[HttpMethod], handler: &AnyHandler) {
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

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::http::StatusCode;
    use tower_service::Service;

    use super::*;

    #[utoipa::path(get, path = "/first", responses((status = 200)))]
    async fn told(request: Request) -> String {
        request
            .extensions()
            .get::<&str>()
            .copied()
            .unwrap_or_default()
            .to_owned()
    }

    /// What `told` says of a request, and the status.
    fn ask(method: &str, path: &str) -> (StatusCode, String) {
        let routes = Routes::new("test")
            .operation::<__path_told, _, _>(told, "declared", &["/second"], || utoipa_axum::routes!(told));
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

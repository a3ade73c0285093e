//! Routes and what the API document says about them, both from the `#[utoipa::path]` of each handler.
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
pub type Described = UtoipaMethodRouter<Arc<Config>>;

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

/// The routes of a feature.
#[derive(Default)]
pub struct Routes {
    router: Router<Arc<Config>>,
    #[cfg(not(target_arch = "wasm32"))]
    described: Vec<Described>,
}

/// The routes of handlers, each named with its module: `routes![handlers::find, handlers::list]`.
macro_rules! routes {
    ($($module:ident :: $handler:ident),+ $(,)?) => {
        pastey::paste! {
            $crate::http::operation::Routes::default()
                $(.route::<$module::[<__path_ $handler>], _, _>($module::$handler, || utoipa_axum::routes!($module::$handler)))+
        }
    };
}
pub(crate) use routes;

impl Routes {
    /// Adds a handler at the path and methods of its description.
    pub fn route<P: utoipa::Path, H: Handler<T, Arc<Config>, Future = Answer>, T: 'static>(
        mut self,
        handler: H,
        describe: impl FnOnce() -> Described,
    ) -> Self {
        let handler = AnyHandler(Arc::new(move |request, config| handler.clone().call(request, config)));
        self.add(&P::path(), &P::methods(), &handler);
        #[cfg(not(target_arch = "wasm32"))]
        self.described.push(describe());
        #[cfg(target_arch = "wasm32")]
        drop(describe);
        self
    }

    fn add(&mut self, path: &str, methods: &[HttpMethod], handler: &AnyHandler) {
        let on = |router: MethodRouter<_>, method: &HttpMethod| router.on(method.to_method_filter(), handler.clone());
        let router = std::mem::take(&mut self.router);
        self.router = router.route(path, methods.iter().fold(MethodRouter::new(), on));
    }

    /// Adds the routes of another feature.
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
    pub fn into_descriptions(self) -> Vec<Described> {
        self.described
    }
}

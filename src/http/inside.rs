//! Asking the product's own operations from within: for operations that say in another form what others do already. What is asked this
//! way goes through routing, extractors and rules like any request, and past what surrounds them all, which the request that asks
//! has been through: limits, cookies of the console, tags, headers.
use std::convert::Infallible;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use futures_util::future::BoxFuture;
use tower_service::Service;

use crate::platform::config::Config;

/// All operations, without what surrounds them.
#[derive(Clone)]
pub struct Inside(Arc<Parts>);

struct Parts {
    router: Router<Arc<Config>>,
    config: Arc<Config>,
    /// With its state. Made when it is first asked: most isolates never are.
    ready: OnceLock<Router>,
}

impl Inside {
    /// The operations of a router that nothing has been put around yet.
    pub fn new(router: Router<Arc<Config>>, config: Arc<Config>) -> Self {
        Self(Arc::new(Parts {
            router,
            config,
            ready: OnceLock::new(),
        }))
    }

    /// The answer to a request. A failure is among its extensions, and has no body yet.
    pub fn ask(&self, request: Request) -> BoxFuture<'static, Response> {
        let Parts { router, config, ready } = self.0.as_ref();
        let mut router = ready.get_or_init(|| router.clone().with_state(config.clone())).clone();
        Box::pin(async move {
            match router.call(request).await {
                Ok(response) => response,
                Err(never) => match never as Infallible {},
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use axum::body::{Body, to_bytes};
    use axum::extract::State;
    use axum::routing::get;
    use futures_util::future::FutureExt;

    use super::*;

    #[test]
    fn an_operation_is_asked_as_often_as_one_likes_and_has_its_state() {
        let told = async |State(config): State<Arc<Config>>| config.token_lifetime_seconds().to_string();
        let config = Arc::new(Config::of_a_test());
        let inside = Inside::new(Router::new().route("/told", get(told)), config.clone());
        for _ in 0..2 {
            let request = Request::builder().uri("/told").body(Body::empty()).unwrap();
            let response = inside.ask(request).now_or_never().unwrap();
            let body = to_bytes(response.into_body(), 64).now_or_never().unwrap().unwrap();
            assert_eq!(body, config.token_lifetime_seconds().to_string());
        }
    }
}

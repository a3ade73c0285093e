//! Accounts and tokens: signing up and in, and who calls.
pub mod access;
pub mod caller;
mod handlers;
mod password;
pub mod store;
pub mod throttle;
pub mod token;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Config;

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<Arc<Config>> {
    OpenApiRouter::new()
        .routes(routes!(handlers::signup))
        .routes(routes!(handlers::login))
        .routes(routes!(handlers::refresh))
        .routes(routes!(handlers::me))
}

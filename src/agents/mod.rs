//! What the agent on a machine calls: it enrols once, trading a token for an identity, and then connects with that identity
//! as often as it likes.
mod credential;
mod handlers;
pub mod store;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Config;

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<Arc<Config>> {
    OpenApiRouter::new()
        .routes(routes!(handlers::enroll))
        .routes(routes!(handlers::connect))
}

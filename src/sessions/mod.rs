//! Terminal sessions: one shell on a machine, opened by one account. `terminals/` opens them; this is the list of them, and
//! how to end one.
mod handlers;
pub mod store;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Config;

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<Arc<Config>> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_sessions))
        .routes(routes!(handlers::close_session))
}

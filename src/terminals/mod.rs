//! The terminal socket: who may open it, checked before the upgrade, and the hand-over to the machine's relay. What travels
//! on the socket is the relay's business.
mod handlers;
pub mod origin;
pub mod request;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Config;

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<Arc<Config>> {
    OpenApiRouter::new().routes(routes!(handlers::open_terminal))
}

//! Machines: a host that an agent runs on, or will. A person makes one and gets a registration token; the agent trades that
//! token for an identity (`agents/`) and from then on the machine's relay says whether it is online.
mod body;
mod handlers;
pub mod store;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::config::Config;

pub use handlers::reach;
pub use store::Key;

/// The routes of this feature.
pub fn routes() -> OpenApiRouter<Arc<Config>> {
    OpenApiRouter::new()
        .routes(routes!(handlers::list_machines, handlers::create_machine))
        .routes(routes!(handlers::find_machine, handlers::delete_machine))
        .routes(routes!(handlers::find_machine_by_id))
        .routes(routes!(handlers::create_registration_token))
}

//! Services of runners, as they were told of last: relays bring what agents tell.
mod handlers;
pub mod record;
mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "services";
        handlers::list_services => Needs(ServicesView),
        handlers::list_active_deployments => Needs(ServicesView),
        handlers::find_service => Needs(ServicesView),
    ]
}

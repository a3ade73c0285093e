//! How long logs and recordings are kept (`docs/retention.md`): asking and changing that by the published routes, and what was removed.
//! The settings themselves are their organization's, and what removes rows is scheduled.
mod handlers;
pub mod store;

use crate::auth::rule::{Routes, routes};

/// The routes of this feature.
pub fn routes() -> Routes {
    routes![
        tag = "command logs";
        handlers::find_log_config => Admin,
        handlers::update_log_config => SuperAdmin,
        handlers::list_log_runs => Admin,
    ]
}
